//! From `emit` to the one outcome.

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::pair::*;
use super::*;
use crate::core::{Emission, EmitOptions};
use crate::receipt::Outcome;

#[test]
fn what_the_queue_kept_goes_out_in_order_before_connected_is_raised() {
    let mut pair = Pair::with(json_config(), chat_config());
    let first = pair.emit("a", r#"[{"n":1}]"#, EmitOptions::new());
    let second = pair.emit("b", "[]", EmitOptions::new().ack());
    let third = say_to_room(&mut pair, "r");
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.log.clear();
    pair.server(CONNECTION);
    let written = frames(&mut pair);
    let types: Vec<_> = written.iter().map(|frame| frame["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["a", "b", "message"]);
    assert_eq!((pair.batches, &written[0]["id"]), (1, &Value::Null));
    let at = |part: &str| pair.log.iter().position(|line| line.contains(part)).unwrap();
    assert!(at("Send(") < at("state: Connected"));
    let reply = json!({"type": "ack", "id": written[1]["id"], "ok": false, "data": {"total": 3}});
    pair.server(&reply.to_string());
    agree(&mut pair, written[2]["id"].as_str().unwrap());
    let receipts = [first, second, third];
    assert_eq!(names(&receipts), ["sent", "delivered", "delivered"]);
    let Some(Outcome::Delivered(reply)) = receipts[1].outcome() else {
        panic!()
    };
    assert_eq!(reply.to_json(), r#"[{"ok":false,"total":3}]"#);
    assert_eq!(receipts[2].message_id(), written[2]["id"].as_str());
}

#[test]
fn a_refusal_rejects_the_message_with_the_servers_words() {
    let mut pair = chat(CONNECTION);
    let cases = [
        (json!({"code": "not_a_member", "message": "no"}), 4004, "no"),
        (json!("go away"), 4004, "go away"),
    ];
    for (error, code, words) in cases {
        let sent = pair.emit("x", r#"[{"a":1}]"#, EmitOptions::new().reliable());
        pair.drain();
        let (_, id) = frame(&mut pair);
        pair.server(&json!({"type": "ack", "id": id, "ok": false, "error": error}).to_string());
        let error = error_of(&sent);
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn answers_come_in_any_order_and_only_the_first_of_each_counts() {
    let mut pair = chat(CONNECTION);
    let receipts: Vec<_> = (0..3).map(|_| say_to_room(&mut pair, "r")).collect();
    let ids: Vec<_> = receipts
        .iter()
        .map(|sent| sent.message_id().unwrap().to_owned())
        .collect();
    agree(&mut pair, &ids[2]);
    agree(&mut pair, &ids[2]);
    pair.server(r#"{"type":"ack","id":7,"ok":true}"#);
    pair.server(r#"{"type":"ack","ok":true}"#);
    agree(&mut pair, "nobody");
    assert_eq!(names(&receipts), ["none", "none", "delivered"]);
    agree(&mut pair, &ids[0]);
    assert_eq!(names(&receipts), ["delivered", "none", "delivered"]);
    assert_eq!(pair.heard(), [""; 0], "answers are the protocol's own");
}

#[test]
fn a_server_that_promises_nothing_gets_every_message_at_most_once_and_without_ids() {
    let mut pair = chat(PLAIN);
    let message = say_to_room(&mut pair, "r");
    let asked = pair.emit("x", "[]", EmitOptions::new().ack());
    pair.drain();
    assert_eq!(
        pair.frames(),
        [r#"{"type":"message","data":{"room":"r","content":"x"}}"#]
    );
    let receipts = [message, asked];
    assert_eq!(names(&receipts), ["sent", "rejected"]);
    assert_eq!(error_of(&receipts[1]).code(), 1005);
    pair.writes = false;
    let lost = say_to_room(&mut pair, "r");
    pair.cut();
    assert_eq!(names(&[lost]), ["unconfirmed"]);
}

#[test]
fn what_has_no_words_in_plain_json_is_refused_at_emit() {
    let mut pair = chat(CONNECTION);
    let two = pair.emit("x", "[1,2]", EmitOptions::new());
    assert!(
        error_of(&two).to_string().contains("one argument"),
        "{}",
        error_of(&two)
    );
    let codes = [
        ("x", "[1,2]", 1003),
        ("ping", "[]", 1003),
        ("authenticate", "[{}]", 1003),
    ];
    for (event, args, code) in codes {
        let refused = pair.emit(event, args, EmitOptions::new());
        assert_eq!(error_of(&refused).code(), code, "{event}");
    }
    let binary = crate::RawArgs {
        json: r#"[{"_placeholder":true,"num":0}]"#.to_owned(),
        attachments: vec![Bytes::from_static(b"x")],
    };
    let emission = Emission::new("x", binary, EmitOptions::new()).unwrap();
    let refused = pair.core.emit(pair.now, pair.socket, emission);
    assert_eq!(error_of(&refused).code(), 1005);
    pair.drain();
    assert_eq!(pair.frames(), [""; 0]);
}

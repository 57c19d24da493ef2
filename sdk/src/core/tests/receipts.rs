//! What a server keeps until it has a receipt.

use super::pair::*;

fn message(ack: u32, id: &str) -> String {
    format!(r#"42{ack}["private_message",{{"id":"{id}","sender":{{"id":"bob"}},"content":"x"}}]"#)
}

#[test]
fn a_message_is_heard_once_and_has_a_receipt_each_time() {
    let mut pair = orderly();
    pair.server(&message(5, "m1"));
    assert_eq!(pair.frames(), [r#"435[{"ok":true}]"#]);
    assert_eq!(pair.heard().len(), 1);
    // The receipt was lost with the link, so the server sends it again.
    reconnect(&mut pair);
    pair.server(ORDERLY);
    pair.heard();
    pair.server(&message(1, "m1"));
    pair.server(&message(2, "m2"));
    assert_eq!(pair.frames(), [r#"431[{"ok":true}]"#, r#"432[{"ok":true}]"#]);
    let heard = pair.heard();
    assert!(heard.len() == 1 && heard[0].contains("m2"), "{heard:?}");
}

#[test]
fn ids_of_different_kinds_and_senders_have_nothing_to_do_with_each_other() {
    let mut pair = orderly();
    pair.server(&message(1, "7"));
    pair.server(r#"422["notification",{"id":"7","title":"a","message":"b"}]"#);
    pair.server(r#"423["group_message",{"id":"7","room":"r","sender":{"id":"bob"},"content":"x"}]"#);
    pair.server(&message(4, "7").replace("bob", "carol"));
    assert_eq!(pair.heard().len(), 4);
    assert_eq!(pair.frames().len(), 4);
}

#[test]
fn what_the_server_did_not_promise_or_the_app_answers_is_the_apps() {
    let mut pair = orderly();
    pair.server(r#"421["question",{"id":"1"}]"#);
    assert_eq!(pair.frames(), [""; 0]);
    let mut pair = greeted();
    pair.server(&message(1, "m1"));
    pair.server(&message(2, "m1"));
    assert_eq!((pair.heard().len(), pair.frames().len()), (2, 0));
}

#[test]
fn over_plain_json_a_receipt_is_an_ack_of_the_events_id() {
    let mut pair = super::json::chat(
        r#"{"type":"connection","clientId":"c1","message":"hi","features":["ack","dedupe","receipts"]}"#,
    );
    pair.frames();
    pair.heard();
    for _ in 0..2 {
        pair.server(r#"{"type":"private_message","id":"m1","sender":{"id":"bob"},"content":"x"}"#);
    }
    assert_eq!(pair.frames(), [r#"{"type":"ack","id":"m1"}"#; 2]);
    assert_eq!(pair.heard().len(), 1);
}

#[test]
fn receipts_for_a_server_that_reads_none_are_bounded() {
    let mut pair = orderly();
    pair.writes = false;
    for number in 0..100_000 {
        pair.core.handle_link(
            pair.now,
            pair.link(),
            crate::core::LinkEvent::Text(format!(r#"42{number}["notification",{{}}]"#).into()),
        );
    }
    pair.drain();
    pair.written();
    pair.drain();
    pair.write_all();
    pair.drain();
    assert!(pair.frames().len() < 100_000);
}

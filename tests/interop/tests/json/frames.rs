//! What is sent and heard.

use rejoin_interop::binary;
use serde_json::{Value, json};

use crate::{connected, plain, works};

#[tokio::test]
async fn a_message_is_its_type_and_its_data() {
    let (server, testee) = connected(json!({}), plain(json!({}))).await;
    for args in [
        json!([{ "a": [1, { "b": null }], "ö": "\u{1f980}\u{2028}" }]),
        json!([]),
    ] {
        let receipt = testee.emit("a", "note", args.clone()).await;
        let got = server.wait_got("note").await;
        assert_eq!(got["args"][0], args.get(0).cloned().unwrap_or(json!({})));
        assert!(got["id"].is_null(), "{got}");
        assert_eq!(testee.outcome("a", receipt).await.name, "sent");
    }
}

#[tokio::test]
async fn what_the_server_says_is_heard_by_its_type_once_and_in_order() {
    let (server, testee) = connected(json!({}), plain(json!({}))).await;
    for n in 0..50 {
        server.emit("news", json!([{ "n": n, "deep": [[n]] }])).await;
    }
    for n in 0..50 {
        let expected = json!([{ "type": "news", "n": n, "deep": [[n]] }]);
        assert_eq!(testee.next_event("a", "news").await, expected);
    }
    // What the protocol says for itself is no event.
    server.emit("pong", json!([{}])).await;
    server.emit("last", json!([{}])).await;
    testee.next_event("a", "last").await;
}

#[tokio::test]
async fn an_acknowledgement_is_asked_for_by_an_id() {
    let (server, testee) = connected(json!({ "features": ["ack"] }), plain(json!({}))).await;
    let asked = json!({ "ack": true });
    let receipt = testee.emit_with("a", "echo", json!([{ "n": 1 }]), asked.clone()).await;
    let outcome = testee.outcome("a", receipt).await;
    assert_eq!(outcome.name, "delivered", "{outcome:?}");
    assert_eq!(outcome.reply[0]["ok"], true);
    assert_eq!(outcome.reply[0]["n"], 1, "{outcome:?}");
    assert!(server.wait_got("echo").await["id"].is_string());

    let error = json!({ "code": "too_bad", "message": "not today" });
    let reliable = json!({ "reliable": true });
    let receipt = testee.emit_with("a", "refuse_me", json!([error]), reliable).await;
    let outcome = testee.outcome("a", receipt).await;
    assert_eq!(outcome.name, "rejected", "{outcome:?}");
    let error = outcome.error.expect("why");
    assert_eq!((error.code, error.server_code.as_deref()), (4004, Some("too_bad")));

    let ids: Vec<Value> = (0..20).map(|n| json!([{ "n": n }])).collect();
    let mut receipts = Vec::new();
    for args in &ids {
        receipts.push(testee.emit_with("a", "echo", args.clone(), asked.clone()).await);
    }
    for (n, receipt) in receipts.into_iter().enumerate().rev() {
        assert_eq!(testee.outcome("a", receipt).await.reply[0]["n"], json!(n));
    }
}

#[tokio::test]
async fn a_server_that_does_not_acknowledge_is_not_asked_to() {
    let (server, testee) = connected(json!({}), plain(json!({}))).await;
    let receipt = testee
        .emit_with("a", "echo", json!([{ "n": 1 }]), json!({ "ack": true }))
        .await;
    let outcome = testee.outcome("a", receipt).await;
    assert_eq!(outcome.name, "rejected", "{outcome:?}");
    assert_eq!(outcome.error.expect("why").code, 1005);
    works(&testee, 2).await;
    assert_eq!(server.got("echo").len(), 1);
}

#[tokio::test]
async fn what_the_protocol_cannot_carry_is_refused() {
    let (_server, testee) = connected(json!({}), plain(json!({}))).await;
    for (event, args, code) in [
        ("x", json!([1, 2]), 1003),
        ("x", json!([binary(b"x")]), 1005),
        ("ping", json!([]), 1003),
        ("authenticate", json!([{ "token": "x" }]), 1003),
    ] {
        let emit = json!({ "op": "emit", "client": "a", "event": event, "args": args });
        assert_eq!(testee.refused(emit).await.code, code, "{event}");
    }
    works(&testee, 1).await;
}

#[tokio::test]
async fn what_was_queued_goes_out_once_and_in_order() {
    let (mut server, testee) = connected(json!({}), plain(json!({}))).await;
    server.kill().await;
    testee.wait_state("a", "waiting").await;
    let mut receipts = Vec::new();
    for n in 0..100 {
        receipts.push(testee.emit("a", "note", json!([{ "n": n }])).await);
    }
    server.start_again().await;
    for receipt in receipts {
        assert_eq!(testee.outcome("a", receipt).await.name, "sent");
    }
    works(&testee, 1).await;
    let expected: Vec<Value> = (0..100).map(|n| json!([{ "n": n }])).collect();
    assert_eq!(server.got("note"), expected);
}

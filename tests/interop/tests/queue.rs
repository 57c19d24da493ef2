//! What is emitted without a connection, and the one outcome of every emit.

use rejoin_interop::{NodeServer, Testee, options};
use serde_json::{Value, json};

/// A client that is not connected yet.
async fn offline(more: Value) -> (NodeServer, Testee) {
    let server = NodeServer::start(json!({})).await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options(more)).await;
    (server, testee)
}

/// Emits `n` events that carry their number, from 1.
async fn emit_numbers(testee: &Testee, n: u64) -> Vec<u64> {
    let mut receipts = Vec::new();
    for number in 1..=n {
        receipts.push(testee.emit("a", "n", json!([number])).await);
    }
    receipts
}

fn numbers(range: std::ops::RangeInclusive<u64>) -> Vec<Value> {
    range.map(|number| json!([number])).collect()
}

/// Connects, and waits until everything queued before this has reached the server.
async fn flush(server: &NodeServer, testee: &Testee) {
    testee.emit("a", "flushed", json!([])).await;
    testee.connected("a").await;
    server.wait_got("flushed").await;
}

#[tokio::test]
async fn a_hundred_queued_emits_arrive_in_order_and_before_later_ones() {
    let (server, testee) = offline(json!({})).await;
    let receipts = emit_numbers(&testee, 100).await;
    assert_eq!(testee.pending("a").await, 100);
    assert!(receipts.iter().all(|receipt| !testee.has_outcome("a", *receipt)));

    testee.connected("a").await;
    testee.emit("a", "n", json!([101])).await;
    testee.emit("a", "end", json!([])).await;
    server.wait_got("end").await;
    assert_eq!(server.got("n"), numbers(1..=101));
    for receipt in receipts {
        // A plain server acknowledges nothing: what is known ends with the write.
        assert_eq!(testee.outcome("a", receipt).await.name, "sent");
    }
    assert_eq!(testee.pending("a").await, 0);
}

#[tokio::test]
async fn the_hundred_and_first_drops_the_oldest() {
    let (server, testee) = offline(json!({})).await;
    testee.on("a", "overflow").await;
    let receipts = emit_numbers(&testee, 102).await;
    for dropped in &receipts[..2] {
        assert_eq!(testee.outcome("a", *dropped).await.name, "dropped");
        assert_eq!(testee.next_event("a", "overflow").await[0]["receipt"], *dropped);
    }
    assert_eq!(testee.pending("a").await, 100);

    testee.connected("a").await;
    testee.emit("a", "end", json!([])).await;
    server.wait_got("end").await;
    assert_eq!(server.got("n"), numbers(3..=102));
}

#[tokio::test]
async fn a_queue_that_rejects_refuses_the_newest() {
    let (server, testee) = offline(json!({ "queue": { "capacity": 3, "overflow": "reject" } })).await;
    emit_numbers(&testee, 3).await;
    let fourth = json!({ "op": "emit", "client": "a", "event": "n", "args": [4] });
    assert_eq!(testee.refused(fourth).await.code, 4001);
    assert_eq!(testee.pending("a").await, 3);

    testee.connected("a").await;
    testee.emit("a", "end", json!([])).await;
    server.wait_got("end").await;
    assert_eq!(server.got("n"), numbers(1..=3));
}

#[tokio::test]
async fn a_queue_is_bounded_in_bytes_too() {
    let (server, testee) = offline(json!({ "queue": { "bytes": 4_000 } })).await;
    let kilobyte = "x".repeat(1_000);
    let mut receipts = Vec::new();
    for number in 1..=5 {
        receipts.push(testee.emit("a", "n", json!([number, kilobyte])).await);
    }
    assert_eq!(testee.outcome("a", receipts[0]).await.name, "dropped");
    assert_eq!(testee.outcome("a", receipts[1]).await.name, "dropped");

    flush(&server, &testee).await;
    let arrived: Vec<_> = server.got("n").iter().map(|args| args[0].clone()).collect();
    assert_eq!(arrived, [json!(3), json!(4), json!(5)]);
}

#[tokio::test]
async fn a_volatile_emit_is_dropped_offline_and_sent_online() {
    let (server, testee) = offline(json!({})).await;
    let volatile = json!({ "volatile": true });
    let dropped = testee.emit_with("a", "position", json!([1]), volatile.clone()).await;
    assert_eq!(testee.outcome("a", dropped).await.name, "dropped");

    testee.connected("a").await;
    let sent = testee.emit_with("a", "position", json!([2]), volatile).await;
    assert_eq!(testee.outcome("a", sent).await.name, "sent");
    server.wait_got("position").await;
    assert_eq!(server.got("position"), [json!([2])]);
}

#[tokio::test]
async fn an_emit_that_is_never_acknowledged_ends_unconfirmed() {
    let (server, testee) = offline(json!({})).await;
    testee.connected("a").await;
    let receipt = testee
        .emit_with("a", "silence", json!([]), json!({ "ack": true, "timeout": 60 }))
        .await;
    server.wait_got("silence").await;
    let outcome = testee.outcome("a", receipt).await;
    assert_eq!(outcome.name, "unconfirmed");
    assert_eq!(outcome.error.expect("why").code, 4002);
    assert_eq!(testee.request("a", "echo", json!([1])).await, [json!(1)]);
    assert_eq!(testee.states("a"), ["connecting", "connected"]);
}

#[tokio::test]
async fn the_default_ack_timeout_is_an_option() {
    let (_server, testee) = offline(json!({ "ackTimeout": 60 })).await;
    testee.connected("a").await;
    let receipt = testee
        .emit_with("a", "silence", json!([]), json!({ "ack": true }))
        .await;
    assert_eq!(testee.outcome("a", receipt).await.error.expect("why").code, 4002);
}

#[tokio::test]
async fn an_acknowledgement_that_a_lost_link_owed_ends_unconfirmed() {
    let (server, testee) = offline(json!({})).await;
    testee.connected("a").await;
    let receipt = testee
        .emit_with("a", "silence", json!([]), json!({ "ack": true }))
        .await;
    server.wait_got("silence").await;
    server.disconnect_clients(true).await;
    let outcome = testee.outcome("a", receipt).await;
    assert_eq!(outcome.name, "unconfirmed");
    assert_eq!(outcome.error.expect("why").code, 2006);

    // A plain server would see it twice.
    testee.wait_state("a", "connected").await;
    assert_eq!(testee.request("a", "echo", json!([1])).await, [json!(1)]);
    assert_eq!(server.got("silence").len(), 1);
}

#[tokio::test]
async fn disconnecting_leaves_no_emit_without_an_outcome() {
    let (server, testee) = offline(json!({})).await;
    testee.connected("a").await;
    let written = testee
        .emit_with("a", "silence", json!([]), json!({ "ack": true }))
        .await;
    server.wait_got("silence").await;
    testee.disconnect("a").await;
    assert_eq!(testee.outcome("a", written).await.name, "unconfirmed");

    let queued = testee
        .emit_with("a", "echo", json!(["queued"]), json!({ "ack": true }))
        .await;
    testee.connected("a").await;
    let outcome = testee.outcome("a", queued).await;
    assert_eq!(
        (outcome.name.as_str(), outcome.reply.as_slice()),
        ("delivered", [json!("queued")].as_slice())
    );
}

#[tokio::test]
async fn a_queued_emit_is_cancelled_and_never_sent() {
    let (server, testee) = offline(json!({})).await;
    let receipts = emit_numbers(&testee, 3).await;
    testee.cancel("a", receipts[1]).await;
    assert_eq!(testee.outcome("a", receipts[1]).await.name, "cancelled");
    assert_eq!(testee.pending("a").await, 2);

    flush(&server, &testee).await;
    assert_eq!(server.got("n"), [json!([1]), json!([3])]);
}

#[tokio::test]
async fn clearing_cancels_what_is_queued() {
    let (server, testee) = offline(json!({})).await;
    let receipts = emit_numbers(&testee, 3).await;
    testee.command(json!({ "op": "clear", "client": "a" })).await;
    for receipt in receipts {
        assert_eq!(testee.outcome("a", receipt).await.name, "cancelled");
    }
    assert_eq!(testee.pending("a").await, 0);

    flush(&server, &testee).await;
    assert_eq!(server.got("n"), [] as [Value; 0]);
}

#[tokio::test]
async fn an_emit_expires_while_it_waits() {
    let (server, testee) = offline(json!({ "queue": { "ttl": 60_000 } })).await;
    let short = testee.emit_with("a", "n", json!([1]), json!({ "ttl": 30 })).await;
    let long = testee.emit("a", "n", json!([2])).await;
    assert_eq!(testee.outcome("a", short).await.name, "expired");
    assert!(!testee.has_outcome("a", long));

    flush(&server, &testee).await;
    assert_eq!(server.got("n"), [json!([2])]);
}

#[tokio::test]
async fn emits_during_an_outage_arrive_in_order_at_the_next_server() {
    let (mut server, testee) = offline(json!({})).await;
    testee.connected("a").await;
    server.kill().await;
    testee.wait_state("a", "waiting").await;
    let receipts = emit_numbers(&testee, 20).await;
    let asked = testee
        .emit_with("a", "echo", json!(["last"]), json!({ "ack": true }))
        .await;

    server.start_again().await;
    assert_eq!(testee.outcome("a", asked).await.reply, [json!("last")]);
    assert_eq!(server.got("n"), numbers(1..=20));
    for receipt in receipts {
        assert_eq!(testee.outcome("a", receipt).await.name, "sent");
    }
}

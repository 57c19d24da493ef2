//! What a client counts.

use serde_json::{Value, json};

use crate::{Chat, over_both};

over_both! {
    every_number_is_there_and_counts
}

const KEYS: [&str; 18] = [
    "attempts",
    "connects",
    "reconnects",
    "queued",
    "unacked",
    "oldestMs",
    "sent",
    "delivered",
    "rejected",
    "unconfirmed",
    "expired",
    "dropped",
    "cancelled",
    "retries",
    "bytesIn",
    "bytesOut",
    "rttMs",
    "ackMs",
];

async fn every_number_is_there_and_counts(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    let stats = chat.testee.stats("alice").await;
    let keys: Vec<&String> = stats.as_object().expect("an object").keys().collect();
    let mut expected = KEYS;
    expected.sort_unstable();
    assert_eq!(keys, expected);
    assert_eq!(
        (&stats["attempts"], &stats["connects"], &stats["reconnects"]),
        (&json!(1), &json!(1), &json!(0))
    );
    assert_eq!(stats["ackMs"], Value::Null);

    for n in 0..10 {
        chat.delivered("alice", "sendPrivateMessage", json!(["bob", format!("{n}")]))
            .await;
    }
    let refused = chat
        .testee
        .send("alice", "sendGroupMessage", json!(["nowhere", "x"]))
        .await;
    chat.testee.outcome("alice", refused).await;
    chat.cut().await;
    let queued = chat
        .testee
        .send("alice", "sendPrivateMessage", json!(["bob", "later"]))
        .await;
    let cancelled = chat
        .testee
        .send("alice", "sendPrivateMessage", json!(["bob", "never"]))
        .await;
    chat.testee.cancel("alice", cancelled).await;
    let stats = chat.testee.stats("alice").await;
    assert_eq!((&stats["queued"], &stats["unacked"]), (&json!(1), &json!(0)));
    assert!(stats["oldestMs"].is_u64(), "{stats}");
    chat.restore().await;
    chat.testee.outcome("alice", queued).await;

    let stats = chat.testee.stats("alice").await;
    for (key, value) in [
        ("connects", 2),
        ("reconnects", 1),
        ("queued", 0),
        ("unacked", 0),
        ("sent", 0),
        ("delivered", 11),
        ("rejected", 1),
        ("unconfirmed", 0),
        ("expired", 0),
        ("dropped", 0),
        ("cancelled", 1),
        ("retries", 0),
    ] {
        assert_eq!(stats[key], value, "{key}: {stats}");
    }
    assert!(stats["attempts"].as_u64() >= Some(2), "{stats}");
    for key in ["bytesIn", "bytesOut"] {
        assert!(stats[key].as_u64() > Some(1000), "{key}: {stats}");
    }
    assert!(stats["rttMs"].is_u64(), "{stats}");
    let (p50, p99) = (&stats["ackMs"]["p50"], &stats["ackMs"]["p99"]);
    assert!(p50.is_u64() && p50.as_u64() <= p99.as_u64(), "{stats}");
}

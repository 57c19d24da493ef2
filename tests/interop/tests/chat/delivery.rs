//! What is promised about each message on its way to the server: in how much time, against which limits, and how it is told.

use std::time::{Duration, Instant};

use rejoin_server::{Features, Limit, RateLimits, ServerConfig};
use serde_json::{Value, json};

use crate::{Chat, over_both, server_config};

over_both! {
    a_hundred_queued_messages_are_acknowledged_within_two_round_trips
    with_a_room_to_join_again_it_takes_three
    a_limit_of_ten_in_a_window_loses_none_of_a_hundred_and_keeps_their_order
    without_a_promise_of_order_a_limit_loses_and_repeats_none_either
    how_each_message_ended_is_an_event_too
}

/// So long that what a slow machine needs to think is not taken for a round trip.
const ROUND_TRIP: Duration = Duration::from_millis(800);

/// Sends while Alice is cut off, and measures from the server's greeting to the last acknowledgement. Other programs may
/// use the machine, so the best of several tries counts: one round trip too many would show in each.
async fn within(round_trips: u32, chat: &Chat, method: &str, target: &Value) {
    chat.testee.on("alice", "connectionStatus").await;
    let mut best = Duration::MAX;
    for _ in 0..5 {
        chat.cut().await;
        chat.tunnel.delay(ROUND_TRIP / 2);
        let mut receipts = Vec::new();
        for n in 0..100 {
            receipts.push(chat.testee.send("alice", method, json!([target, n.to_string()])).await);
        }
        chat.tunnel.restore();
        // It comes with the server's answer to CONNECT.
        chat.event("alice", "connectionStatus").await;
        let began = Instant::now();
        for receipt in receipts {
            assert_eq!(chat.testee.outcome("alice", receipt).await.name, "delivered");
        }
        best = best.min(began.elapsed());
        chat.tunnel.delay(Duration::ZERO);
        if best <= ROUND_TRIP * round_trips {
            return;
        }
    }
    panic!("{best:?} for 100 messages, which is more than {round_trips} times {ROUND_TRIP:?}");
}

async fn a_hundred_queued_messages_are_acknowledged_within_two_round_trips(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    within(2, &chat, "sendPrivateMessage", &json!("bob")).await;
}

async fn with_a_room_to_join_again_it_takes_three(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    let room = chat.shared_room("tea", None).await;
    within(3, &chat, "sendGroupMessage", &json!(room)).await;
}

fn limited(features: Features) -> ServerConfig {
    ServerConfig {
        limits: RateLimits {
            private_message: Limit::new(10, Duration::from_millis(400)),
            ..RateLimits::default()
        },
        features,
        ..server_config()
    }
}

/// A hundred from offline; what Bob heard, and how many the server refused.
async fn against_the_limit(protocol: &'static str, features: Features) -> (Vec<Value>, u64) {
    let chat = Chat::start_at(protocol, limited(features), json!({})).await;
    chat.testee.on("bob", "privateMessage").await;
    chat.cut().await;
    let mut receipts = Vec::new();
    for n in 0..100 {
        let to_bob = json!(["bob", n.to_string()]);
        receipts.push(chat.testee.send("alice", "sendPrivateMessage", to_bob).await);
    }
    chat.restore().await;
    for receipt in receipts {
        assert_eq!(chat.testee.outcome("alice", receipt).await.name, "delivered");
    }
    for _ in 0..100 {
        chat.testee.wait_event("bob", "privateMessage").await;
    }
    (chat.contents("bob", "privateMessage"), chat.server.stats().rate_limited)
}

async fn a_limit_of_ten_in_a_window_loses_none_of_a_hundred_and_keeps_their_order(protocol: &'static str) {
    let (heard, refused) = against_the_limit(protocol, Features::default()).await;
    assert_eq!(heard, (0..100).map(|n| json!(n.to_string())).collect::<Vec<_>>());
    // 90 of the first burst, and about one for each window after it.
    assert!(refused <= 90 + 30, "{refused} were refused");
}

async fn without_a_promise_of_order_a_limit_loses_and_repeats_none_either(protocol: &'static str) {
    let features = Features {
        order: false,
        ..Features::default()
    };
    let (heard, refused) = against_the_limit(protocol, features).await;
    let mut numbers: Vec<u32> = heard
        .iter()
        .filter_map(|content| content.as_str()?.parse().ok())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..100).collect::<Vec<_>>());
    assert!(refused <= 90 + 30, "{refused} were refused");
}

async fn how_each_message_ended_is_an_event_too(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    chat.testee.on("alice", "messageStatus").await;
    let reply = chat
        .delivered("alice", "sendPrivateMessage", json!(["bob", "hello"]))
        .await;
    let status = chat.event("alice", "messageStatus").await;
    assert_eq!(status["status"], "delivered");
    assert_eq!(status["messageId"], reply[0]["id"]);
    assert!(status.get("error").is_none(), "{status}");

    let refused = chat
        .testee
        .send("alice", "sendGroupMessage", json!(["nowhere", "x"]))
        .await;
    let outcome = chat.testee.outcome("alice", refused).await;
    assert_eq!(outcome.name, "rejected");
    let status = chat.event("alice", "messageStatus").await;
    assert_eq!(status["status"], "rejected");
    assert_eq!(status["error"]["code"], outcome.error.expect("an error").code);
}

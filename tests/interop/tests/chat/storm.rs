//! A network that comes and goes all the time: every message arrives once and in order, however bytes travel.

use std::time::Duration;

use rejoin_interop::in_browser;
use serde_json::{Value, json};

use crate::Chat;

const MESSAGES: usize = 150;

async fn outlives_a_storm(protocol: &'static str, transports: &[&str]) {
    // A browser asks again by itself where a kept connection breaks before an answer, and does not tell: an answer to a poll
    // that had left the server, and the acknowledgements in it, are gone then, and so overdue.
    let untold = in_browser() && transports.contains(&"polling");
    let ack_timeout = if untold { 2_000 } else { 10_000 };
    let chat = Chat::start_with(protocol, json!({ "transports": transports, "ackTimeout": ack_timeout })).await;
    for event in ["privateMessage", "groupMessage"] {
        chat.testee.on("bob", event).await;
    }
    let room = chat.shared_room("tea", None).await;
    let mut receipts = Vec::new();
    for n in 0..MESSAGES {
        // Some are answered, some have arrived and are not, some never arrive.
        match n % 25 {
            5 => chat.tunnel.delay(Duration::from_millis(15)),
            12 => {
                chat.tunnel.cut();
                chat.tunnel.restore();
            }
            15 => chat.tunnel.freeze(),
            18 => chat.tunnel.thaw(),
            // With what is under way while an attempt is.
            20 => chat.tunnel.cut(),
            22 => chat.tunnel.restore(),
            24 => chat.tunnel.delay(Duration::ZERO),
            _ => {}
        }
        let (method, to) = match n % 2 {
            0 => ("sendPrivateMessage", "bob"),
            _ => ("sendGroupMessage", room.as_str()),
        };
        let receipt = chat.testee.send("alice", method, json!([to, format!("{n}")])).await;
        receipts.push(receipt);
        if n % 10 == 9 {
            // Let some of it happen: the answer to this one, or to an earlier one.
            chat.testee.outcome("alice", receipts[n / 2]).await;
        }
    }
    for (n, receipt) in receipts.into_iter().enumerate() {
        if !chat.testee.has_outcome("alice", receipt) {
            chat.testee.outcome("alice", receipt).await;
        }
        let outcomes = chat.testee.outcomes("alice", receipt);
        let ended_well = outcomes == ["delivered"] || (untold && outcomes == ["unconfirmed"]);
        assert!(ended_well, "message {n}: {outcomes:?}");
    }
    for (method, to) in [("sendPrivateMessage", "bob"), ("sendGroupMessage", room.as_str())] {
        chat.delivered("alice", method, json!([to, "end"])).await;
    }
    for (event, parity) in [("privateMessage", 0), ("groupMessage", 1)] {
        while chat.event("bob", event).await["content"] != "end" {}
        let numbers = (parity..MESSAGES).step_by(2).map(|n| json!(format!("{n}")));
        let expected: Vec<Value> = numbers.chain([json!("end")]).collect();
        assert_eq!(chat.contents("bob", event), expected);
    }
    let states = chat.testee.states("alice");
    assert!(states.len() >= 5, "not much of a storm: {states:?}");
}

#[tokio::test]
async fn over_a_websocket() {
    outlives_a_storm("socketio", &["websocket"]).await;
}

#[tokio::test]
async fn over_long_polling() {
    outlives_a_storm("socketio", &["polling"]).await;
}

#[tokio::test]
async fn with_upgrades() {
    outlives_a_storm("socketio", &["polling", "websocket"]).await;
}

#[tokio::test]
async fn with_fallback() {
    outlives_a_storm("socketio", &["websocket", "polling"]).await;
}

#[tokio::test]
async fn over_plain_json() {
    outlives_a_storm("json", &["websocket"]).await;
}

//! Servers that promise nothing, and links that break under what is being sent: each message arrives once or not at all,
//! in order, and its outcome says no more than is known.

use std::collections::HashMap;

use rejoin_interop::{NodeServer, Path, Testee, merged, options};
use serde_json::{Value, json};

const MESSAGES: usize = 120;

async fn repeats_nothing(server: NodeServer, more: Value) {
    let path = Path::to(&server.address()).await;
    let testee = Testee::start();
    // A way that goes dead under an attempt is noticed by its limit.
    let options = merged(options(json!({ "connectTimeout": 1000 })), more);
    testee.create("a", &path.url(), options).await;
    testee.connected("a").await;

    let mut receipts = Vec::new();
    for n in 0..MESSAGES {
        match n % 20 {
            // The server breaks the link off, or the way to it goes dead and the platform says so.
            7 => server.drop_links().await,
            14 => {
                path.strand();
                testee.hint("a", "online").await;
            }
            _ => {}
        }
        let asked = json!({ "ack": true, "timeout": 3000 });
        receipts.push(testee.emit_with("a", "echo", json!([{ "n": n }]), asked).await);
        if n % 10 == 9 {
            testee.outcome("a", receipts[n - 5]).await;
        }
    }
    let mut outcomes = Vec::new();
    for receipt in receipts {
        if !testee.has_outcome("a", receipt) {
            testee.outcome("a", receipt).await;
        }
        let outcome = testee.outcomes("a", receipt);
        assert_eq!(outcome.len(), 1, "{outcome:?}");
        outcomes.extend(outcome);
    }
    // What was given to the old links has arrived by the time that the new one answers.
    testee.connect("a").await;
    testee.request("a", "echo", json!([{ "n": MESSAGES }])).await;

    let got: Vec<u64> = server
        .got("echo")
        .iter()
        .filter_map(|args| args[0]["n"].as_u64())
        .collect();
    assert!(
        got.is_sorted_by(|one, next| one < next),
        "repeated, or out of order: {got:?}"
    );
    let mut times: HashMap<u64, usize> = HashMap::new();
    for n in got {
        *times.entry(n).or_default() += 1;
    }
    for (n, outcome) in outcomes.iter().enumerate() {
        let arrived = times.get(&(n as u64)).copied().unwrap_or(0);
        match outcome.as_str() {
            "delivered" => assert_eq!(arrived, 1, "message {n}"),
            "unconfirmed" => assert!(arrived <= 1, "message {n}"),
            other => panic!("message {n} is {other}"),
        }
    }
    let delivered = outcomes.iter().filter(|outcome| *outcome == "delivered").count();
    assert!(delivered > MESSAGES / 2, "{delivered} were delivered");
}

#[tokio::test]
async fn over_a_websocket() {
    repeats_nothing(
        NodeServer::start(json!({})).await,
        json!({ "transports": ["websocket"] }),
    )
    .await;
}

#[tokio::test]
async fn over_long_polling() {
    repeats_nothing(NodeServer::start(json!({})).await, json!({ "transports": ["polling"] })).await;
}

#[tokio::test]
async fn with_upgrades() {
    let transports = json!({ "transports": ["polling", "websocket"] });
    repeats_nothing(NodeServer::start(json!({})).await, transports).await;
}

#[tokio::test]
async fn with_sessions_that_are_recovered() {
    let recovering = json!({ "connectionStateRecovery": { "maxDisconnectionDuration": 60_000 } });
    repeats_nothing(NodeServer::start(json!({ "socketio": recovering })).await, json!({})).await;
}

#[tokio::test]
async fn over_plain_json() {
    let server = NodeServer::start_json(json!({ "features": ["ack"] })).await;
    repeats_nothing(server, json!({ "protocol": "json" })).await;
}

//! `kill -9` at a thousand moments of a program that sends: what was accepted arrives, once and in order.

use std::time::Duration;

use rejoin_interop::Testee;
use rejoin_server::{Server, ServerConfig};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::sleep;

const HOUR: Duration = Duration::from_secs(3600);

/// So many programs are killed.
const POINTS: u32 = 1_000;

/// Each sends so many messages, if it lives long enough.
const EACH: u32 = 4;

/// A moment between a program's start and what comes after it has sent all, in microseconds: pseudo-random, the same in
/// every run, as far as the machine lets it be.
fn moment(point: u32) -> Duration {
    let mixed = u64::from(point).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    Duration::from_micros(mixed % 30_000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_accepted_before_a_kill_arrives_once_and_in_order() {
    let server = Server::start(ServerConfig::default()).await.expect("a server");
    let folder = TempDir::new().expect("a folder");
    let bob = Testee::start();
    let token = server.mint_token("bob", "Bob", HOUR);
    bob.create("bob", &server.url(), json!({ "token": token })).await;
    bob.on("bob", "privateMessage").await;
    bob.connected("bob").await;

    let token = server.mint_token("alice", "Alice", HOUR);
    let options = json!({
        "token": token,
        "reconnect": { "initialDelay": 5, "maxDelay": 20 },
        "queue": { "store": folder.path().to_str(), "capacity": 1000 },
    });
    let create = json!({ "id": "create", "op": "create", "client": "alice", "url": server.url(), "options": options });
    let mut accepted: Vec<u32> = Vec::new();
    for point in 0..POINTS {
        let alice = Testee::start();
        // Everything at once; the answers come as they come.
        alice.say(&create);
        if point % 4 != 0 {
            alice.say(&json!({ "id": "connect", "op": "connect", "client": "alice" }));
        }
        for n in point * EACH..(point + 1) * EACH {
            let args = json!(["bob", n.to_string()]);
            let call =
                json!({ "id": n, "op": "call", "client": "alice", "method": "sendPrivateMessage", "args": args });
            alice.say(&call);
        }
        sleep(moment(point)).await;
        let lines = alice.kill().await;
        let answered = |line: &Value| {
            assert!(line["ok"] != false, "refused: {line}");
            line["re"].as_u64().filter(|_| line["receipt"].is_u64())
        };
        accepted.extend(lines.iter().filter_map(answered).map(|n| n as u32));
    }

    let alice = Testee::start();
    alice.create("alice", &server.url(), options).await;
    alice.connected("alice").await;
    let end = alice.send("alice", "sendPrivateMessage", json!(["bob", "end"])).await;
    assert_eq!(alice.outcome("alice", end).await.name, "delivered");
    while bob.wait_event("bob", "privateMessage").await["args"][0]["content"] != "end" {}
    let events = bob.events("bob", "privateMessage");
    let heard: Vec<u32> = events
        .iter()
        .filter_map(|args| args[0]["content"].as_str()?.parse().ok())
        .collect();

    let lost: Vec<u32> = accepted.iter().copied().filter(|n| !heard.contains(n)).collect();
    assert_eq!(lost, [0; 0], "accepted, and lost");
    assert!(
        heard.windows(2).all(|pair| pair[0] < pair[1]),
        "repeated or out of order: {heard:?}"
    );
    let share = f64::from(u32::try_from(accepted.len()).expect("few")) / f64::from(POINTS * EACH);
    println!(
        "{} of {} messages were accepted before the kill",
        accepted.len(),
        POINTS * EACH
    );
    assert!(
        (0.05..0.95).contains(&share),
        "the moments are not where it matters: {share}"
    );
}

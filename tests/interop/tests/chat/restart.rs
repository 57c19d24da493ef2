//! Programs that end, by themselves or by `kill -9`, with messages in a store.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use rejoin_interop::{Testee, merged};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Chat, over_both};

over_both! {
    what_was_accepted_survives_kill_9_and_arrives_once_and_in_order
    what_was_under_way_when_the_program_was_killed_arrives_once
    what_the_server_has_answered_is_not_sent_again
    messages_of_another_user_are_held_back_until_that_user_returns
    what_was_forgotten_is_gone_from_the_store
    messages_for_a_room_wait_until_the_app_joins_it_again
    what_was_sent_with_a_time_to_live_expires_while_nothing_runs
    two_programs_on_one_store_are_told_apart
    a_store_that_is_damaged_is_told_and_the_rest_arrives
}

/// Where Alice's messages survive.
struct Kept {
    folder: TempDir,
}

impl Kept {
    fn new() -> Self {
        Self {
            folder: TempDir::new().expect("a folder"),
        }
    }

    /// A program of Alice's with this store, not connected.
    async fn start(&self, chat: &Chat, url: &str) -> Testee {
        self.start_as(chat, url, "alice", "Alice", json!({})).await
    }

    async fn start_as(&self, chat: &Chat, url: &str, user: &str, name: &str, more: Value) -> Testee {
        let testee = Testee::start();
        testee.create("alice", url, self.options(chat, user, name, more)).await;
        testee
    }

    fn options(&self, chat: &Chat, user: &str, name: &str, more: Value) -> Value {
        let folder = self.folder.path().to_str().expect("a path that is text");
        let options = json!({
            "protocol": chat.protocol,
            "token": chat.token(user, name),
            "reconnect": { "initialDelay": 20, "maxDelay": 100 },
            "queue": { "store": folder },
        });
        merged(options, more)
    }

    /// The file that holds the messages: the largest one.
    fn log(&self) -> PathBuf {
        let files = fs::read_dir(self.folder.path()).expect("the folder");
        let files = files.map(|file| file.expect("a file").path());
        let size = |path: &PathBuf| fs::metadata(path).expect("a file").len();
        files.max_by_key(size).expect("one file at least")
    }
}

/// Private messages to Bob, each accepted.
async fn write(testee: &Testee, numbers: std::ops::Range<u32>) -> Vec<u64> {
    let mut receipts = Vec::new();
    for n in numbers {
        let to_bob = json!(["bob", n.to_string()]);
        receipts.push(testee.send("alice", "sendPrivateMessage", to_bob).await);
    }
    receipts
}

/// Says something last, so that what came before has come.
async fn bob_hears(chat: &Chat, testee: &Testee) -> Vec<u32> {
    let end = testee.send("alice", "sendPrivateMessage", json!(["bob", "end"])).await;
    assert_eq!(testee.outcome("alice", end).await.name, "delivered");
    while chat.testee.wait_event("bob", "privateMessage").await["args"][0]["content"] != "end" {}
    let heard = chat.contents("bob", "privateMessage");
    heard.iter().filter_map(|n| n.as_str()?.parse().ok()).collect()
}

async fn start(protocol: &'static str) -> Chat {
    let chat = Chat::start(protocol).await;
    // Another program is Alice from now on.
    chat.testee.disconnect("alice").await;
    chat.testee.on("bob", "privateMessage").await;
    chat
}

async fn what_was_accepted_survives_kill_9_and_arrives_once_and_in_order(protocol: &'static str) {
    let (chat, kept) = (start(protocol).await, Kept::new());
    let first = kept.start(&chat, &chat.server.url()).await;
    write(&first, 0..50).await;
    first.kill().await;
    let second = kept.start(&chat, &chat.server.url()).await;
    assert_eq!(second.pending("alice").await, 50);
    second.on("alice", "messageStatus").await;
    write(&second, 50..60).await;
    second.connected("alice").await;
    assert_eq!(bob_hears(&chat, &second).await, (0..60).collect::<Vec<_>>());
    // Also of those whose receipts are gone.
    for _ in 0..61 {
        let told = second.wait_event("alice", "messageStatus").await;
        assert_eq!(told["args"][0]["status"], "delivered", "{told}");
    }
}

async fn what_was_under_way_when_the_program_was_killed_arrives_once(protocol: &'static str) {
    let (chat, kept) = (start(protocol).await, Kept::new());
    let first = kept.start(&chat, &chat.tunnel.url()).await;
    first.connected("alice").await;
    // What goes to the server arrives; its answers do not come back in time.
    chat.tunnel.delay(Duration::from_millis(50));
    write(&first, 0..20).await;
    chat.testee.wait_event("bob", "privateMessage").await;
    first.kill().await;
    chat.tunnel.delay(Duration::ZERO);
    let second = kept.start(&chat, &chat.tunnel.url()).await;
    second.connected("alice").await;
    assert_eq!(bob_hears(&chat, &second).await, (0..20).collect::<Vec<_>>());
}

async fn what_the_server_has_answered_is_not_sent_again(protocol: &'static str) {
    let (chat, kept) = (start(protocol).await, Kept::new());
    let first = kept.start(&chat, &chat.server.url()).await;
    first.connected("alice").await;
    for receipt in write(&first, 0..5).await {
        assert_eq!(first.outcome("alice", receipt).await.name, "delivered");
    }
    assert_eq!(first.exit().await, Some(0));
    let second = kept.start(&chat, &chat.server.url()).await;
    assert_eq!(second.pending("alice").await, 0);
    second.connected("alice").await;
    assert_eq!(bob_hears(&chat, &second).await, [0, 1, 2, 3, 4]);
    assert_eq!(second.stats("alice").await["retries"], 0);
}

async fn messages_of_another_user_are_held_back_until_that_user_returns(protocol: &'static str) {
    let (chat, kept) = (start(protocol).await, Kept::new());
    let url = chat.server.url();
    let first = kept.start(&chat, &url).await;
    first.on("alice", "connectionStatus").await;
    first.connected("alice").await;
    // From here on the client knows whose messages these are.
    first.wait_event("alice", "connectionStatus").await;
    first.disconnect("alice").await;
    write(&first, 0..3).await;
    first.kill().await;

    let other = kept.start_as(&chat, &url, "mallory", "Mallory", json!({})).await;
    other.on("alice", "accountChanged").await;
    other.connected("alice").await;
    let changed = other.wait_event("alice", "accountChanged").await["args"][0].clone();
    assert_eq!((&changed["code"], &changed["account"]), (&json!(5004), &json!("alice")));
    assert_eq!(other.pending("alice").await, 0);
    write(&other, 7..8).await;
    assert_eq!(bob_hears(&chat, &other).await, [7]);
    other.kill().await;

    // Said beforehand, it is known before there is a connection.
    let named = kept
        .start_as(&chat, &url, "alice", "Alice", json!({ "account": "alice" }))
        .await;
    assert_eq!(named.pending("alice").await, 3);
    named.connected("alice").await;
    assert_eq!(bob_hears(&chat, &named).await, [7, 0, 1, 2]);
    let senders: Vec<Value> = chat.testee.events("bob", "privateMessage");
    for args in senders {
        let mallorys = args[0]["content"] == "7" || args[0]["sender"]["id"] == "mallory";
        assert_eq!(args[0]["sender"]["id"] == "mallory", mallorys, "{args}");
    }
}

async fn what_was_forgotten_is_gone_from_the_store(protocol: &'static str) {
    let (chat, kept) = (start(protocol).await, Kept::new());
    let first = kept.start(&chat, &chat.server.url()).await;
    let receipts = write(&first, 0..3).await;
    first.call("alice", "forget", json!([])).await;
    for receipt in receipts {
        assert_eq!(first.outcome("alice", receipt).await.name, "cancelled");
    }
    // Behind it in the store, so that it is done too.
    write(&first, 3..4).await;
    let log = fs::read(kept.log()).expect("the log");
    let text = String::from_utf8_lossy(&log).into_owned();
    assert!(text.contains(r#""content":"3""#), "what is kept is found");
    assert!(!text.contains(r#""content":"0""#), "what was forgotten is not");
    first.kill().await;
    let second = kept.start(&chat, &chat.server.url()).await;
    assert_eq!(second.pending("alice").await, 1);
}

async fn messages_for_a_room_wait_until_the_app_joins_it_again(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    let room = chat.shared_room("tea", None).await;
    chat.testee.disconnect("alice").await;
    chat.testee.on("bob", "groupMessage").await;
    let kept = Kept::new();
    let first = kept.start(&chat, &chat.server.url()).await;
    first.connected("alice").await;
    let joined = first.send("alice", "joinRoom", json!([room])).await;
    assert_eq!(first.outcome("alice", joined).await.name, "delivered");
    first.disconnect("alice").await;
    first.send("alice", "sendGroupMessage", json!([room, "0"])).await;
    first.kill().await;

    let second = kept.start(&chat, &chat.server.url()).await;
    second.connected("alice").await;
    let other = second.send("alice", "sendPrivateMessage", json!(["bob", "x"])).await;
    assert_eq!(second.outcome("alice", other).await.name, "delivered");
    assert_eq!(second.pending("alice").await, 1);
    second.send("alice", "joinRoom", json!([room])).await;
    assert_eq!(chat.event("bob", "groupMessage").await["content"], "0");
}

async fn what_was_sent_with_a_time_to_live_expires_while_nothing_runs(protocol: &'static str) {
    let (chat, kept) = (start(protocol).await, Kept::new());
    let short = json!({ "queue": { "store": kept.folder.path().to_str(), "ttl": 1 } });
    let url = chat.server.url();
    let first = kept.start_as(&chat, &url, "alice", "Alice", short).await;
    // It may expire before it is accepted, or after; never does it go out.
    let emit = json!({ "op": "call", "client": "alice", "method": "sendPrivateMessage", "args": ["bob", "0"] });
    first.command(emit).await;
    first.kill().await;
    let second = kept.start(&chat, &url).await;
    second.connected("alice").await;
    assert_eq!(bob_hears(&chat, &second).await, [0; 0]);
}

async fn two_programs_on_one_store_are_told_apart(protocol: &'static str) {
    let (chat, kept) = (start(protocol).await, Kept::new());
    let first = kept.start(&chat, &chat.server.url()).await;
    write(&first, 0..1).await;
    let second = Testee::start();
    let options = kept.options(&chat, "alice", "Alice", json!({}));
    let create = json!({ "op": "create", "client": "alice", "url": chat.server.url(), "options": options });
    let refused = second.refused(create.clone()).await;
    assert_eq!((refused.code, refused.kind.as_str()), (5002, "storeBusy"));
    // A program that was killed holds nothing.
    first.kill().await;
    second.command(create).await;
    assert_eq!(second.pending("alice").await, 1);
}

async fn a_store_that_is_damaged_is_told_and_the_rest_arrives(protocol: &'static str) {
    let (chat, kept) = (start(protocol).await, Kept::new());
    let first = kept.start(&chat, &chat.server.url()).await;
    write(&first, 0..10).await;
    first.kill().await;
    let log = kept.log();
    let mut bytes = fs::read(&log).expect("the log");
    let at = bytes.len() / 2;
    bytes[at] ^= 0x40;
    fs::write(&log, bytes).expect("the log can be written");

    let second = kept.start(&chat, &chat.server.url()).await;
    second.on("alice", "*").await;
    second.connected("alice").await;
    let told = second.wait_event("alice", "storeError").await["args"][0].clone();
    assert_eq!((&told["code"], &told["kind"]), (&json!(5003), &json!("storeDamaged")));
    let heard = bob_hears(&chat, &second).await;
    assert!((1..10).contains(&heard.len()), "{heard:?}");
    assert_eq!(
        heard,
        (0..heard.len() as u32).collect::<Vec<_>>(),
        "what stood before the damage"
    );
}

//! How the server ends a session, and what the client makes of it.

use std::time::Duration;

use rejoin_server::{Closing, ServerConfig};
use serde_json::json;

use crate::{Chat, over_both, server_config};

over_both! {
    whoever_is_banned_does_not_come_back
    whoever_is_replaced_leaves_the_place_to_the_newer
    whoever_was_idle_comes_back
    a_server_that_shuts_down_says_when_to_come_back
}

async fn whoever_is_banned_does_not_come_back(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    chat.testee.on("alice", "closing").await;
    chat.server.ban("alice").await;
    assert_eq!(chat.event("alice", "closing").await["code"], "banned");
    let failed = chat.testee.wait_state("alice", "failed").await;
    assert_eq!(
        (&failed["reason"], &failed["error"]["code"]),
        (&json!("banned"), &json!(2008))
    );

    // Nor does the server let them in.
    chat.testee.connect("alice").await;
    let failed = chat.testee.wait_state("alice", "failed").await;
    let code = failed["error"]["code"].as_u64().unwrap_or_default();
    assert!([2008, 3001].contains(&code), "{failed}");
    chat.delivered("bob", "sendPrivateMessage", json!(["alice", "gone?"]))
        .await;
}

async fn whoever_is_replaced_leaves_the_place_to_the_newer(protocol: &'static str) {
    let one_each = ServerConfig {
        max_connections: Some(1),
        ..server_config()
    };
    let chat = Chat::start_at(protocol, one_each, json!({})).await;
    let token = chat.token("alice", "Alice");
    let options = json!({ "protocol": protocol, "token": token });
    chat.testee.create("newer", &chat.server.url(), options).await;
    chat.testee.connected("newer").await;
    let failed = chat.testee.wait_state("alice", "failed").await;
    assert_eq!(
        (&failed["reason"], &failed["error"]["code"]),
        (&json!("replaced"), &json!(2008))
    );
    chat.delivered("newer", "sendPrivateMessage", json!(["bob", "here now"]))
        .await;
    assert_eq!(chat.testee.states("alice"), ["connecting", "connected", "failed"]);
}

async fn whoever_was_idle_comes_back(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    chat.testee.on("alice", "reconnected").await;
    chat.server.close_user("alice", Closing::Idle).await;
    assert_eq!(
        chat.testee.wait_state("alice", "waiting").await["reason"],
        "io server disconnect"
    );
    chat.testee.wait_state("alice", "connected").await;
    assert_eq!(chat.event("alice", "reconnected").await["recovered"], false);
}

async fn a_server_that_shuts_down_says_when_to_come_back(protocol: &'static str) {
    let config = ServerConfig {
        retry_after: Some(Duration::from_millis(700)),
        ..server_config()
    };
    let Chat { server, testee, .. } = Chat::start_at(protocol, config, json!({})).await;
    server.shutdown().await;
    for user in ["alice", "bob"] {
        let waiting = testee.wait_state(user, "waiting").await;
        assert_eq!(waiting["reason"], "shutdown", "{waiting}");
        let wait = waiting["retryIn"].as_u64().expect("milliseconds");
        assert!((700..=800).contains(&wait), "{waiting}");
    }
}

//! Games between two.

use serde_json::json;

use crate::{Chat, over_both};

over_both! {
    an_invitation_and_moves_are_heard_by_both
    moves_made_offline_come_once_and_in_order
    a_move_in_a_game_of_others_is_rejected
    whoever_was_away_finds_the_invitation_as_a_notification
}

async fn an_invitation_and_moves_are_heard_by_both(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    for user in ["alice", "bob"] {
        chat.testee.on(user, "gameInvite").await;
        chat.testee.on(user, "gameMove").await;
    }
    let reply = chat.delivered("alice", "inviteToGame", json!(["bob", "chess"])).await;
    let game = reply[0]["id"].clone();
    let invitation = chat.event("bob", "gameInvite").await;
    assert_eq!(invitation["inviteId"], game);
    assert_eq!(invitation["gameType"], "chess");
    assert_eq!(invitation["from"], json!({ "id": "alice", "username": "Alice" }));

    let played = [json!({ "from": "e2", "to": "e4" }), json!("c5"), json!(7), json!(null)];
    for (n, played) in played.iter().enumerate() {
        let player = ["alice", "bob"][n % 2];
        chat.delivered(player, "sendGameMove", json!([game, played])).await;
        for user in ["alice", "bob"] {
            let heard = chat.event(user, "gameMove").await;
            assert_eq!((&heard["gameId"], &heard["move"]), (&game, played));
            assert_eq!(heard["player"]["id"], player);
            assert_eq!(heard["gameState"]["total"], n + 1);
        }
    }
}

async fn moves_made_offline_come_once_and_in_order(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    let reply = chat.delivered("alice", "inviteToGame", json!(["bob", "go"])).await;
    let game = reply[0]["id"].clone();
    chat.testee.on("bob", "gameMove").await;
    chat.cut().await;
    for n in 0..20 {
        chat.testee.send("alice", "sendGameMove", json!([game, n])).await;
    }
    chat.restore().await;
    for n in 0..20 {
        assert_eq!(chat.event("bob", "gameMove").await["move"], n);
    }
    chat.delivered("alice", "sendGameMove", json!([game, "end"])).await;
    assert_eq!(chat.event("bob", "gameMove").await["move"], "end");
    assert_eq!(chat.testee.events("bob", "gameMove").len(), 21);
}

async fn a_move_in_a_game_of_others_is_rejected(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    chat.create("carol", "Carol", &chat.server.url(), json!({})).await;
    chat.testee.connected("carol").await;
    let reply = chat.delivered("alice", "inviteToGame", json!(["bob", "go"])).await;
    for (game, code) in [
        (reply[0]["id"].clone(), "not_a_player"),
        (json!("nowhere"), "unknown_game"),
    ] {
        let receipt = chat.testee.send("carol", "sendGameMove", json!([game, 1])).await;
        let outcome = chat.testee.outcome("carol", receipt).await;
        let error = outcome.error.expect("why");
        assert_eq!((error.code, error.server_code.as_deref()), (4004, Some(code)));
    }
}

async fn whoever_was_away_finds_the_invitation_as_a_notification(protocol: &'static str) {
    let chat = Chat::start(protocol).await;
    let reply = chat.delivered("alice", "inviteToGame", json!(["carol", "chess"])).await;
    chat.create("carol", "Carol", &chat.server.url(), json!({})).await;
    chat.testee.on("carol", "notification").await;
    chat.testee.connected("carol").await;
    assert_eq!(chat.event("carol", "notification").await["id"], reply[0]["id"]);
    chat.testee.on("alice", "gameMove").await;
    chat.delivered("carol", "sendGameMove", json!([reply[0]["id"], 1]))
        .await;
    assert_eq!(chat.event("alice", "gameMove").await["player"]["username"], "Carol");
}

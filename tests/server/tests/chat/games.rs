//! Games: invitations and moves.

use rejoin_server::{Database, Limit, RateLimits, ServerConfig};
use serde_json::{Value, json};

use super::wire::Wire;
use super::{HOUR, config, server, start};

fn alice() -> Value {
    json!({ "id": "u1", "username": "Alice" })
}

async fn invited(wire: &mut Wire, to: &str) -> String {
    let invite = json!({ "recipientId": to, "gameType": "chess" });
    let answer = wire.request("game_invite", invite).await;
    assert_eq!(answer["ok"], true, "{answer}");
    answer["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn an_invitation_reaches_the_other_and_its_answer_names_the_game() {
    let server = server().await;
    let mut one = Wire::user(&server, "u1", "Alice").await;
    let mut two = Wire::user(&server, "u2", "Bob").await;
    let game = invited(&mut one, "u2").await;
    let invitation = json!({ "from": alice(), "gameType": "chess", "inviteId": game });
    assert_eq!(two.event("game_invite").await, invitation);
    assert_eq!(two.rest().await, []);
    assert_eq!(one.rest().await, []);
}

#[tokio::test]
async fn both_players_hear_of_every_move() {
    let server = server().await;
    let mut one = Wire::user(&server, "u1", "Alice").await;
    let mut two = Wire::user(&server, "u2", "Bob").await;
    let game = invited(&mut one, "u2").await;
    two.event("game_invite").await;
    let first = json!({ "gameId": game, "move": { "from": "e2", "to": "e4" } });
    assert_eq!(one.request("game_move", first).await, json!({ "ok": true }));
    let heard = json!({
        "gameId": game,
        "player": alice(),
        "move": { "from": "e2", "to": "e4" },
        "gameState": {
            "gameType": "chess",
            "moves": [{ "player": "u1", "move": { "from": "e2", "to": "e4" } }],
            "total": 1,
        },
    });
    assert_eq!(one.event("game_move").await, heard);
    assert_eq!(two.event("game_move").await, heard);

    two.request("game_move", json!({ "gameId": game, "move": "c5" })).await;
    let heard = one.event("game_move").await;
    assert_eq!(heard["player"]["username"], "Bob");
    let moves = heard["gameState"]["moves"].as_array().expect("moves");
    assert_eq!(moves[1], json!({ "player": "u2", "move": "c5" }));
}

#[tokio::test]
async fn whoever_was_away_finds_the_invitation_as_a_notification_and_can_play() {
    let server = server().await;
    let mut one = Wire::user(&server, "u1", "Alice").await;
    let game = invited(&mut one, "u2").await;
    let mut two = Wire::user(&server, "u2", "Bob").await;
    let notification = two.event("notification").await;
    assert_eq!(notification["id"], game);
    assert_eq!(notification["title"], "Alice");
    assert_eq!(notification["message"], "invites you to play chess");
    let played = two.request("game_move", json!({ "gameId": game, "move": 1 })).await;
    assert_eq!(played["ok"], true);
    assert_eq!(one.event("game_move").await["move"], 1);
}

#[tokio::test]
async fn only_players_move_and_only_in_games_that_are() {
    let server = server().await;
    let mut one = Wire::user(&server, "u1", "Alice").await;
    let mut three = Wire::user(&server, "u3", "Carol").await;
    let game = invited(&mut one, "u2").await;
    let refused = three.request("game_move", json!({ "gameId": game, "move": 1 })).await;
    assert_eq!(refused["error"]["code"], "not_a_player");
    let refused = three
        .request("game_move", json!({ "gameId": "chess", "move": 1 }))
        .await;
    assert_eq!(refused["error"]["code"], "unknown_game");
    assert_eq!(one.rest().await, []);
}

#[tokio::test]
async fn what_cannot_be_taken_is_refused_by_its_fields_name() {
    let server = server().await;
    let mut one = Wire::user(&server, "u1", "Alice").await;
    let game = invited(&mut one, "u2").await;
    for (event, payload, field) in [
        ("game_invite", json!({ "gameType": "chess" }), "recipientId"),
        (
            "game_invite",
            json!({ "recipientId": "u1", "gameType": "chess" }),
            "recipientId",
        ),
        ("game_invite", json!({ "recipientId": "u2" }), "gameType"),
        ("game_move", json!({ "move": 1 }), "gameId"),
        ("game_move", json!({ "gameId": game }), "move"),
        ("game_move", json!({ "gameId": game, "move": "x".repeat(4096) }), "move"),
    ] {
        let error = one.request(event, payload).await["error"].clone();
        assert_eq!(error["code"], "invalid_payload");
        let message = error["message"].as_str().expect("a message");
        assert!(message.starts_with(&format!("{field}: ")), "{message}");
    }
}

#[tokio::test]
async fn copies_of_invitations_and_moves_are_answered_and_not_done_again() {
    let server = server().await;
    let mut one = Wire::user(&server, "u1", "Alice").await;
    let mut two = Wire::user(&server, "u2", "Bob").await;
    let invite = json!({ "recipientId": "u2", "gameType": "chess", "messageId": "m1" });
    let first = one.request("game_invite", invite.clone()).await;
    assert_eq!(one.request("game_invite", invite).await, first);
    let made = json!({ "gameId": first["id"], "move": 1, "messageId": "m2" });
    let moved = one.request("game_move", made.clone()).await;
    assert_eq!(one.request("game_move", made).await, moved);
    let heard = two.rest().await;
    let names: Vec<&str> = heard.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["game_invite", "game_move"]);
    assert_eq!(server.stats().duplicates, 2);
}

#[tokio::test]
async fn games_survive_a_restart() {
    let folder = std::env::temp_dir().join(format!("rejoin-games-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let config = ServerConfig {
        database: Database::File(folder.join("chat.db")),
        ..config()
    };
    let server = start(config.clone()).await;
    let mut one = Wire::user(&server, "u1", "Alice").await;
    let game = invited(&mut one, "u2").await;
    one.request("game_move", json!({ "gameId": game, "move": 1 })).await;
    drop((server, one));

    let server = start(config).await;
    let mut two = Wire::user(&server, "u2", "Bob").await;
    two.request("game_move", json!({ "gameId": game, "move": 2 })).await;
    assert_eq!(two.named("game_move").await["gameState"]["total"], 2);
    server.shutdown().await;
    std::fs::remove_dir_all(folder).expect("removed");
}

#[tokio::test]
async fn invitations_and_moves_have_limits_of_their_own() {
    let limits = RateLimits {
        game_invite: Limit::new(1, HOUR),
        game_move: Limit::new(0, HOUR),
        ..RateLimits::default()
    };
    let server = start(ServerConfig { limits, ..config() }).await;
    let mut one = Wire::user(&server, "u1", "Alice").await;
    let game = invited(&mut one, "u2").await;
    let again = json!({ "recipientId": "u2", "gameType": "chess" });
    let refused = one.request("game_invite", again).await;
    assert_eq!(refused["error"]["code"], "rate_limited");
    let refused = one.request("game_move", json!({ "gameId": game, "move": 1 })).await;
    assert_eq!(refused["error"]["code"], "rate_limited");
}

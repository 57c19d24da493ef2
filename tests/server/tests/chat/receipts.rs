//! `receipts`: what was sent is kept until it is acknowledged, and comes again.

use std::time::Duration;

use rejoin_server::{Database, Features, Server, ServerConfig};
use serde_json::{Value, json};

use super::plain::Plain;
use super::wire::Wire;
use super::{config, server, start};

/// What a client is told first on return, but the greeting.
async fn told(wire: &mut Wire) -> Vec<(String, Value)> {
    let mut told = wire.rest().await;
    told.retain(|(name, _)| name != "connection_status");
    told
}

fn ids(told: &[(String, Value)]) -> Vec<&str> {
    let ids = told.iter().map(|(_, payload)| payload["id"].as_str());
    ids.map(|id| id.expect("an id")).collect()
}

async fn bob(server: &Server) -> Wire {
    Wire::quiet(server, "u2", "Bob").await
}

/// Sends messages to a user, up to their acknowledgements.
async fn write(wire: &mut Wire, to: &str, ids: &[&str]) {
    for id in ids {
        let message = json!({ "recipientId": to, "content": id, "messageId": id });
        assert_eq!(wire.request("private_message", message).await["ok"], true);
    }
}

/// Says something in the room, up to the acknowledgements.
async fn say(wire: &mut Wire, ids: &[&str]) {
    for id in ids {
        let message = json!({ "roomId": "tea", "content": id, "messageId": id });
        assert_eq!(wire.request("group_message", message).await["ok"], true);
    }
}

async fn join(wire: &mut Wire) {
    let joined = wire.request("join_room", json!({ "roomId": "tea" })).await;
    assert_eq!(joined["ok"], true);
}

/// Alice and Bob in a room, and nothing to be heard.
async fn tea(server: &Server) -> (Wire, Wire) {
    let mut alice = Wire::user(server, "u1", "Alice").await;
    let mut bob = Wire::user(server, "u2", "Bob").await;
    alice.request("create_room", json!({ "name": "tea" })).await;
    join(&mut bob).await;
    bob.rest().await;
    alice.rest().await;
    (alice, bob)
}

/// What was owed comes behind the answer to the join, which is what `answer` waits for.
async fn owed_on_join(wire: &mut Wire) -> Vec<(String, Value)> {
    told(wire).await;
    join(wire).await;
    assert_eq!(wire.event("room_joined").await["room"], "tea", "before the answer");
    wire.rest().await
}

#[tokio::test]
async fn a_private_message_comes_again_until_it_is_acknowledged_and_before_newer_ones() {
    let server = server().await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let mut deaf = Wire::user(&server, "u2", "Bob").await.forgetful();
    write(&mut alice, "u2", &["m1", "m2"]).await;
    let first = deaf.event("private_message").await;
    deaf.leave(&server).await;
    write(&mut alice, "u2", &["m3"]).await;
    alice.rest().await;

    let mut again = bob(&server).await.forgetful();
    let all = told(&mut again).await;
    assert_eq!(all[0], ("private_message".to_owned(), first));
    assert_eq!(ids(&all[..3]), ["m1", "m2", "m3"]);
    assert_eq!(all.len(), 4, "and one notification: {all:?}");
    again.leave(&server).await;

    let mut well = bob(&server).await;
    assert_eq!(ids(&told(&mut well).await[..3]), ["m1", "m2", "m3"]);
    well.leave(&server).await;
    let mut last = bob(&server).await;
    let names: Vec<String> = told(&mut last).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["notification"], "that one until it is marked read");
}

#[tokio::test]
async fn one_connection_acknowledges_for_all_of_its_user() {
    let server = server().await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let mut phone = Wire::user(&server, "u2", "Bob").await.forgetful();
    let mut laptop = Wire::user(&server, "u2", "Bob").await;
    write(&mut alice, "u2", &["m1"]).await;
    assert_eq!(phone.event("private_message").await["id"], "m1");
    assert_eq!(laptop.event("private_message").await["id"], "m1");
    laptop.rest().await;
    phone.leave(&server).await;
    assert_eq!(told(&mut bob(&server).await).await, []);
}

#[tokio::test]
async fn while_a_dead_connection_is_not_noticed_the_next_one_gets_it_all() {
    let server = server().await;
    let (mut alice, bob_in_the_tunnel) = tea(&server).await;
    let _dead = bob_in_the_tunnel.forgetful();
    write(&mut alice, "u2", &["m1"]).await;
    say(&mut alice, &["g1"]).await;
    let mut back = bob(&server).await;
    assert_eq!(ids(&told(&mut back).await), ["m1"]);
    say(&mut alice, &["g2"]).await;
    assert_eq!(ids(&owed_on_join(&mut back).await), ["g1", "g2"]);
    say(&mut alice, &["g3"]).await;
    assert_eq!(ids(&back.rest().await), ["g3"]);
}

#[tokio::test]
async fn a_member_who_was_away_gets_what_was_said_behind_the_join_and_before_newer() {
    let server = server().await;
    let (mut alice, deaf) = tea(&server).await;
    let mut deaf = deaf.forgetful();
    say(&mut alice, &["g1"]).await;
    let first = deaf.event("group_message").await;
    deaf.leave(&server).await;
    say(&mut alice, &["g2", "g3"]).await;

    let mut back = bob(&server).await;
    let owed = owed_on_join(&mut back).await;
    assert_eq!(owed[0], ("group_message".to_owned(), first));
    assert_eq!(ids(&owed), ["g1", "g2", "g3"]);
    back.leave(&server).await;
    assert_eq!(owed_on_join(&mut bob(&server).await).await, []);
}

#[tokio::test]
async fn a_second_join_on_the_same_connection_repeats_nothing() {
    let server = server().await;
    let (mut alice, bob) = tea(&server).await;
    let mut bob = bob.forgetful();
    say(&mut alice, &["g1"]).await;
    assert_eq!(bob.event("group_message").await["id"], "g1");
    assert_eq!(owed_on_join(&mut bob).await, []);
}

#[tokio::test]
async fn who_left_a_room_or_was_never_in_it_is_owed_nothing() {
    let server = server().await;
    let (mut alice, deaf) = tea(&server).await;
    let mut deaf = deaf.forgetful();
    say(&mut alice, &["g1"]).await;
    deaf.request("leave_room", json!({ "roomId": "tea" })).await;
    say(&mut alice, &["g2"]).await;
    deaf.leave(&server).await;
    assert_eq!(owed_on_join(&mut bob(&server).await).await, []);
    let mut carol = Wire::quiet(&server, "u3", "Carol").await;
    assert_eq!(owed_on_join(&mut carol).await, []);
    // Nor is the sender, who knows what was said.
    alice.leave(&server).await;
    let mut alice = Wire::quiet(&server, "u1", "Alice").await;
    assert_eq!(owed_on_join(&mut alice).await, []);
}

#[tokio::test]
async fn a_room_can_be_left_by_the_next_connection() {
    let server = server().await;
    let (mut alice, bob_before) = tea(&server).await;
    bob_before.leave(&server).await;
    say(&mut alice, &["g1"]).await;
    let mut back = bob(&server).await;
    back.request("leave_room", json!({ "roomId": "tea" })).await;
    told(&mut back).await;
    assert_eq!(owed_on_join(&mut back).await, []);
}

#[tokio::test]
async fn a_member_who_was_away_too_long_begins_anew() {
    let server = start(ServerConfig {
        max_absence: Duration::ZERO,
        ..config()
    })
    .await;
    let (mut alice, deaf) = tea(&server).await;
    let mut deaf = deaf.forgetful();
    say(&mut alice, &["g1"]).await;
    deaf.event("group_message").await;
    deaf.leave(&server).await;
    assert_eq!(owed_on_join(&mut bob(&server).await).await, []);
    // The same where the room notices first.
    let mut deaf = bob(&server).await.forgetful();
    join(&mut deaf).await;
    say(&mut alice, &["g2"]).await;
    deaf.leave(&server).await;
    say(&mut alice, &["g3"]).await;
    assert_eq!(owed_on_join(&mut bob(&server).await).await, []);
}

#[tokio::test]
async fn of_too_much_that_is_not_acknowledged_the_oldest_goes() {
    let server = start(ServerConfig {
        max_kept: 2,
        ..config()
    })
    .await;
    let (mut alice, deaf) = tea(&server).await;
    let mut deaf = deaf.forgetful();
    write(&mut alice, "u2", &["m1", "m2", "m3"]).await;
    say(&mut alice, &["g1", "g2", "g3"]).await;
    // It hears all of it while it is there.
    assert_eq!(ids(&deaf.rest().await), ["m1", "m2", "m3", "g1", "g2", "g3"]);
    deaf.leave(&server).await;

    // What was handed over makes room for what was not, which is never dropped but refused.
    write(&mut alice, "u2", &["m4"]).await;
    let mut again = bob(&server).await.forgetful();
    assert_eq!(ids(&told(&mut again).await[..2]), ["m3", "m4"]);
    join(&mut again).await;
    again.event("room_joined").await;
    assert_eq!(ids(&again.rest().await), ["g2", "g3"]);
    again.leave(&server).await;
    write(&mut alice, "u2", &["m5", "m6"]).await;
    let message = json!({ "recipientId": "u2", "content": "m7", "messageId": "m7" });
    let refused = alice.request("private_message", message).await;
    assert_eq!(refused["error"]["code"], "mailbox_full");
    assert_eq!(ids(&told(&mut bob(&server).await).await[..2]), ["m5", "m6"]);
}

#[tokio::test]
async fn a_notification_asks_too_and_is_told_until_it_is_marked_read() {
    let server = server().await;
    let mut phone = Wire::user(&server, "u2", "Bob").await;
    let id = server.notify("u2", "News", "there is news").await.expect("kept");
    assert_eq!(phone.event_that(true, "notification").await["id"], *id);
    phone.rest().await;
    let mut laptop = bob(&server).await;
    assert_eq!(ids(&told(&mut laptop).await), [id.as_str()], "once");
    let mark = json!({ "notificationIds": [id] });
    laptop.request("mark_notifications_read", mark).await;
    assert_eq!(told(&mut bob(&server).await).await, []);
}

#[tokio::test]
async fn only_messages_and_notifications_ask() {
    let server = server().await;
    let (mut alice, mut bob) = tea(&server).await;
    write(&mut alice, "u2", &["m1"]).await;
    bob.event_that(true, "private_message").await;
    alice.event_that(false, "message_sent").await;
    say(&mut alice, &["g1"]).await;
    bob.event_that(true, "group_message").await;
    let invite = json!({ "recipientId": "u2", "gameType": "go" });
    alice.request("game_invite", invite).await;
    bob.event_that(false, "game_invite").await;
}

#[tokio::test]
async fn an_acknowledgement_may_say_anything() {
    let server = server().await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    for (n, words) in ["[]", "[null]", r#"[{"ok":true}]"#, "[1,2]"].into_iter().enumerate() {
        let id = format!("m{n}");
        let mut deaf = Wire::user(&server, "u2", "Bob").await.forgetful();
        write(&mut alice, "u2", &[&id]).await;
        deaf.acknowledge(words).await;
        deaf.leave(&server).await;
        assert_eq!(told(&mut bob(&server).await).await, [], "{words}");
    }
}

#[tokio::test]
async fn in_plain_json_an_event_is_acknowledged_by_its_id() {
    let server = server().await;
    let (mut alice, bob) = tea(&server).await;
    bob.leave(&server).await;
    let mut deaf = Plain::user(&server, "u2", "Bob").await.forgetful();
    deaf.request("join_room", json!({ "room": "tea" })).await;
    write(&mut alice, "u2", &["m1", "m2"]).await;
    say(&mut alice, &["g1", "g2"]).await;
    for id in ["m2", "g1", "unheard-of"] {
        deaf.say(json!({ "type": "ack", "id": id })).await;
    }
    deaf.rest().await;
    deaf.leave(&server).await;

    let mut well = Plain::user(&server, "u2", "Bob").await;
    assert_eq!(well.event("private_message").await["id"], "m1");
    let joined = well.request("join_room", json!({ "room": "tea" })).await;
    assert_eq!(joined["ok"], true);
    assert_eq!(well.event("room_joined").await["room"], "tea");
    let owed = well.rest().await;
    assert_eq!(
        (owed.len(), &owed[0]["type"], &owed[0]["id"]),
        (1, &json!("chat_message"), &json!("g2"))
    );
    well.leave(&server).await;
    assert_eq!(owed_on_join(&mut self::bob(&server).await).await, []);
}

#[tokio::test]
async fn in_plain_json_one_acknowledgement_is_for_one_message_of_an_id() {
    let server = server().await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let mut carol = Wire::user(&server, "u3", "Carol").await;
    let mut bob = Plain::user(&server, "u2", "Bob").await.forgetful();
    write(&mut alice, "u2", &["m1"]).await;
    write(&mut carol, "u2", &["m1"]).await;
    bob.say(json!({ "type": "ack", "id": "m1" })).await;
    bob.rest().await;
    bob.leave(&server).await;
    let left = told(&mut self::bob(&server).await).await;
    assert_eq!((left.len(), &left[0].1["sender"]["id"]), (1, &json!("u3")));
}

#[tokio::test]
async fn what_is_not_acknowledged_survives_a_restart_and_what_is_does_not_come_again() {
    let folder = std::env::temp_dir().join(format!("rejoin-receipts-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let config = ServerConfig {
        database: Database::File(folder.join("chat.db")),
        ..config()
    };
    let server = start(config.clone()).await;
    let (mut alice, mut bob_before) = tea(&server).await;
    write(&mut alice, "u2", &["m1"]).await;
    say(&mut alice, &["g1"]).await;
    assert_eq!(ids(&bob_before.rest().await), ["m1", "g1"]);
    bob_before.rest().await;
    let deaf = bob_before.forgetful();
    write(&mut alice, "u2", &["m2"]).await;
    say(&mut alice, &["g2"]).await;
    // Not in good order: as if the process had been killed.
    drop((server, alice, deaf));

    let server = start(config.clone()).await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    join(&mut alice).await;
    // Bob is not back yet, and is still a member.
    say(&mut alice, &["g3"]).await;
    let mut back = bob(&server).await;
    assert_eq!(ids(&told(&mut back).await), ["m2"]);
    assert_eq!(ids(&owed_on_join(&mut back).await), ["g2", "g3"]);
    back.rest().await;
    drop((server, alice, back));

    let server = start(config).await;
    let mut back = bob(&server).await;
    assert_eq!(told(&mut back).await, []);
    assert_eq!(owed_on_join(&mut back).await, []);
    server.shutdown().await;
    std::fs::remove_dir_all(folder).expect("removed");
}

#[tokio::test]
async fn a_database_is_good_with_the_feature_and_without_it() {
    let folder = std::env::temp_dir().join(format!("rejoin-switched-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let with = ServerConfig {
        database: Database::File(folder.join("chat.db")),
        ..config()
    };
    let without = ServerConfig {
        features: Features {
            receipts: false,
            ..Features::default()
        },
        ..with.clone()
    };
    let server = start(without.clone()).await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    write(&mut alice, "u2", &["m1"]).await;
    drop((server, alice));

    // Kept by a server without the feature, handed over by one with it, not acknowledged.
    let server = start(with).await;
    let mut deaf = bob(&server).await.forgetful();
    assert_eq!(ids(&told(&mut deaf).await[..1]), ["m1"]);
    assert_eq!(server.stats().kept, 0);
    drop((server, deaf));

    // And once more by one without it.
    let server = start(without).await;
    let mut back = bob(&server).await;
    assert_eq!(ids(&told(&mut back).await[..1]), ["m1"]);
    back.leave(&server).await;
    let all = told(&mut bob(&server).await).await;
    assert!(all.iter().all(|(name, _)| name == "notification"), "{all:?}");
    drop(server);
    std::fs::remove_dir_all(folder).expect("removed");
}

#[tokio::test]
async fn without_the_feature_nothing_asks_and_nothing_comes_again() {
    let server = start(ServerConfig {
        features: Features {
            receipts: false,
            ..Features::default()
        },
        ..config()
    })
    .await;
    let (mut alice, mut bob_before) = tea(&server).await;
    write(&mut alice, "u2", &["m1"]).await;
    bob_before.event_that(false, "private_message").await;
    say(&mut alice, &["g1"]).await;
    bob_before.event_that(false, "group_message").await;
    bob_before.leave(&server).await;
    say(&mut alice, &["g2"]).await;
    let mut back = bob(&server).await;
    assert_eq!(told(&mut back).await, []);
    assert_eq!(owed_on_join(&mut back).await, []);
    let mut plain = Plain::user(&server, "u2", "Bob").await;
    plain.say(json!({ "type": "ack", "id": "m1" })).await;
    assert_eq!(plain.answer("m1").await["error"]["code"], "unknown_event");
}

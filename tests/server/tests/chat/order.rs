//! `order`: what follows a refused message in its lane waits for it.

use std::time::Duration;

use rejoin_server::{Features, Limit, RateLimits, ServerConfig};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::plain::Plain;
use super::wire::Wire;
use super::{HOUR, config, start};

fn private(to: &str, id: &str) -> Value {
    json!({ "recipientId": to, "content": id, "messageId": id })
}

fn limited(count: u32, window: Duration) -> ServerConfig {
    let limits = RateLimits {
        private_message: Limit::new(count, window),
        group_message: Limit::new(count, window),
        game_move: Limit::new(count, window),
        ..RateLimits::default()
    };
    ServerConfig { limits, ..config() }
}

/// Sends messages to u2 without waiting in between; the answers.
async fn pipelined(wire: &mut Wire, ids: std::ops::RangeInclusive<u32>) -> Vec<Value> {
    let mut asked = Vec::new();
    for id in ids {
        let message = private("u2", &format!("m{id}"));
        asked.push(wire.ask("private_message", message).await);
    }
    let mut answers = Vec::new();
    for asked in asked {
        answers.push(wire.answer(asked).await);
    }
    answers
}

fn taken(answers: &[Value]) -> usize {
    answers.iter().filter(|answer| answer["ok"] == true).count()
}

/// Waits as long as a refusal says.
async fn wait(refused: &Value) {
    let wait = refused["error"]["retryAfterMs"].as_u64();
    tokio::time::sleep(Duration::from_millis(wait.expect("a time"))).await;
}

#[tokio::test]
async fn a_burst_past_the_limit_arrives_in_its_order_however_often_it_has_to_come_again() {
    let server = start(limited(7, Duration::from_millis(200))).await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let mut bob = Wire::user(&server, "u2", "Bob").await;
    let mut next = 1;
    while next <= 40 {
        // All that is left, each time, as one that never learns would.
        let answers = pipelined(&mut alice, next..=40).await;
        let taken = taken(&answers);
        let (first, refused) = answers.split_at(taken);
        assert!(first.iter().all(|answer| answer["ok"] == true), "{answers:?}");
        next += u32::try_from(taken).expect("few");
        if let [head, behind @ ..] = refused {
            assert_eq!(head["error"]["code"], "rate_limited");
            for answer in behind {
                assert_eq!(answer["error"]["code"], "rate_limited");
                assert!(answer["error"]["retryAfterMs"].is_u64(), "{answer}");
                assert_eq!(answer["error"]["behind"], format!("m{next}"));
            }
            wait(head).await;
        }
    }
    for n in 1..=40 {
        assert_eq!(bob.event("private_message").await["id"], format!("m{n}"));
    }
}

#[tokio::test]
async fn what_waits_behind_another_does_not_use_up_the_limit() {
    let server = start(limited(2, Duration::from_millis(500))).await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let answers = pipelined(&mut alice, 1..=4).await;
    assert_eq!((taken(&answers), &answers[2]["error"]["behind"]), (2, &Value::Null));
    assert_eq!(answers[3]["error"]["behind"], "m3");
    wait(&answers[2]).await;
    // The window is open again, and three that may not come first leave it as it is.
    let answers = pipelined(&mut alice, 4..=6).await;
    assert_eq!(taken(&answers), 0, "{answers:?}");
    assert_eq!(taken(&pipelined(&mut alice, 3..=4).await), 2);
}

#[tokio::test]
async fn the_refused_come_in_the_order_in_which_they_were_refused() {
    let server = start(limited(1, Duration::from_millis(500))).await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let answers = pipelined(&mut alice, 1..=4).await;
    wait(&answers[1]).await;
    assert_eq!(taken(&pipelined(&mut alice, 2..=2).await), 1);
    // 2 was taken, and 3 is what the lane waits for now: neither 4 nor what is new may overtake it.
    for later in [4, 5] {
        let refused = &pipelined(&mut alice, later..=later).await[0];
        assert_eq!(refused["error"]["behind"], "m3");
    }
}

#[tokio::test]
async fn other_lanes_and_other_users_do_not_wait() {
    let server = start(limited(1, Duration::from_secs(60))).await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let mut bob = Wire::user(&server, "u2", "Bob").await;
    assert_eq!(taken(&pipelined(&mut alice, 1..=2).await), 1);
    let invite = json!({ "recipientId": "u3", "gameType": "go", "messageId": "i1" });
    assert_eq!(alice.request("game_invite", invite).await["ok"], true);
    alice.request("create_room", json!({ "name": "tea" })).await;
    let message = json!({ "roomId": "tea", "content": "hi", "messageId": "g1" });
    assert_eq!(alice.request("group_message", message).await["ok"], true);
    assert_eq!(bob.request("private_message", private("u1", "m1")).await["ok"], true);
}

#[tokio::test]
async fn an_invitation_is_in_the_lane_of_messages_to_that_user() {
    let server = start(limited(1, Duration::from_secs(60))).await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    assert_eq!(taken(&pipelined(&mut alice, 1..=2).await), 1);
    let invite = json!({ "recipientId": "u2", "gameType": "go", "messageId": "i1" });
    let refused = alice.request("game_invite", invite).await;
    assert_eq!(refused["error"]["behind"], "m2");
}

#[tokio::test]
async fn rooms_and_games_are_lanes_too() {
    let server = start(limited(1, Duration::from_secs(60))).await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    alice.request("create_room", json!({ "name": "tea" })).await;
    let invite = json!({ "recipientId": "u2", "gameType": "go", "messageId": "i1" });
    let game = alice.request("game_invite", invite).await["id"].clone();
    let say = ["a", "b", "c"].map(|id| json!({ "roomId": "tea", "content": "hi", "messageId": id }));
    let play = ["d", "e", "f"].map(|id| json!({ "gameId": game, "move": 1, "messageId": id }));
    for (event, payloads) in [("group_message", say), ("game_move", play)] {
        let [first, head, behind] = payloads;
        assert_eq!(alice.request(event, first).await["ok"], true);
        let refused = alice.request(event, head.clone()).await;
        assert_eq!(refused["error"]["behind"], Value::Null, "{event}");
        let refused = alice.request(event, behind).await;
        assert_eq!(refused["error"]["behind"], head["messageId"], "{event}");
    }
}

#[tokio::test]
async fn who_asks_to_leave_a_room_waits_for_the_messages_before() {
    let server = start(limited(0, Duration::from_secs(60))).await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    alice.request("create_room", json!({ "name": "tea" })).await;
    let message = json!({ "roomId": "tea", "content": "hi", "messageId": "g1" });
    alice.request("group_message", message.clone()).await;
    let leave = json!({ "roomId": "tea", "messageId": "l1" });
    let refused = alice.request("leave_room", leave.clone()).await;
    assert_eq!(refused["error"]["behind"], "g1");
    alice.request("skip", json!({ "messageId": "g1" })).await;
    assert_eq!(alice.request("leave_room", leave).await["ok"], true);
    // Who does not ask would not come again, and so leaves at once.
    alice.request("join_room", json!({ "roomId": "tea" })).await;
    alice.request("group_message", message).await;
    alice.rest().await;
    alice.emit("leave_room", json!({ "roomId": "tea" })).await;
    assert_eq!(alice.event("room_left").await["roomId"], "tea");
}

#[tokio::test]
async fn skip_goes_on_without_the_message_wherever_it_stands() {
    let server = start(limited(1, Duration::from_millis(500))).await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let answers = pipelined(&mut alice, 1..=5).await;
    let skip = |id: &str| json!({ "messageId": id });
    for id in ["m2", "m4", "m4", "unheard-of"] {
        assert_eq!(alice.request("skip", skip(id)).await, json!({ "ok": true }), "{id}");
    }
    wait(&answers[1]).await;
    let answers = pipelined(&mut alice, 3..=3).await;
    assert_eq!(taken(&answers), 1, "{answers:?}");
    assert_eq!(pipelined(&mut alice, 6..=6).await[0]["error"]["behind"], "m5");
    let refused = alice.request("skip", json!({})).await;
    assert_eq!(refused["error"]["code"], "invalid_payload");
}

#[tokio::test]
async fn a_copy_is_answered_as_the_first_though_its_lane_waits() {
    let server = start(limited(1, Duration::from_secs(60))).await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let answers = pipelined(&mut alice, 1..=2).await;
    assert_eq!(alice.request("private_message", private("u2", "m1")).await, answers[0]);
    // The lane waits for m2 still, and not for the copy.
    alice.request("skip", json!({ "messageId": "m2" })).await;
    assert_eq!(pipelined(&mut alice, 3..=3).await[0]["error"]["behind"], Value::Null);
}

#[tokio::test]
async fn a_final_refusal_blocks_nothing_and_ends_a_wait() {
    let server = start(ServerConfig {
        max_content: 5,
        ..limited(1, Duration::from_millis(500))
    })
    .await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let mut too_long = private("u2", "m0");
    too_long["content"] = json!("too long");
    let refused = alice.request("private_message", too_long.clone()).await;
    assert_eq!(refused["error"]["code"], "invalid_payload");
    let answers = pipelined(&mut alice, 1..=2).await;
    assert_eq!((taken(&answers), &answers[1]["error"]["behind"]), (1, &Value::Null));
    // What the lane waits for comes again, but cannot be taken at all.
    too_long["messageId"] = json!("m2");
    let refused = alice.request("private_message", too_long).await;
    assert_eq!(refused["error"]["code"], "invalid_payload");
    wait(&answers[1]).await;
    assert_eq!(taken(&pipelined(&mut alice, 3..=3).await), 1);
}

#[tokio::test]
async fn a_message_without_an_id_waits_but_is_not_waited_for() {
    let server = start(limited(1, Duration::from_millis(500))).await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let nameless = json!({ "recipientId": "u2", "content": "?" });
    let answers = pipelined(&mut alice, 1..=2).await;
    let refused = alice.request("private_message", nameless).await;
    assert_eq!(refused["error"]["behind"], "m2");
    wait(&answers[1]).await;
    assert_eq!(taken(&pipelined(&mut alice, 2..=2).await), 1);
    assert_eq!(pipelined(&mut alice, 3..=3).await[0]["error"]["behind"], Value::Null);
}

#[tokio::test]
async fn who_asks_for_no_acknowledgement_is_told_what_the_message_waits_for() {
    let server = start(limited(0, Duration::from_secs(60))).await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    for id in ["m1", "m2"] {
        alice.emit("private_message", private("u2", id)).await;
    }
    assert_eq!(alice.event("rate_limit_exceeded").await["behind"], Value::Null);
    let told = alice.event("rate_limit_exceeded").await;
    assert_eq!((&told["messageId"], &told["behind"]), (&json!("m2"), &json!("m1")));
}

#[tokio::test]
async fn a_lane_is_a_connections_and_a_new_one_waits_for_nothing() {
    let server = start(limited(1, Duration::from_millis(500))).await;
    let mut phone = Wire::user(&server, "u1", "Alice").await;
    let mut laptop = Plain::user(&server, "u1", "Alice").await;
    let answers = pipelined(&mut phone, 1..=2).await;
    wait(&answers[1]).await;
    // What the phone has lost it may send again over another connection, from where it likes.
    let say = |id: &str| json!({ "type": "private_message", "id": id, "data": { "recipientId": "u2", "content": id } });
    laptop.say(say("m3")).await;
    assert_eq!(laptop.answer("m3").await["ok"], true);
    laptop.say(say("m4")).await;
    laptop.say(say("m5")).await;
    assert_eq!(laptop.answer("m4").await["ok"], false);
    let refused = laptop.answer("m5").await;
    assert_eq!(refused["error"]["behind"], "m4", "in plain JSON too");
    let refused = pipelined(&mut phone, 6..=6).await.remove(0);
    assert_eq!(refused["error"]["behind"], "m2", "the phone still has to send it");
    laptop
        .say(json!({ "type": "skip", "id": "s1", "data": { "messageId": "m4" } }))
        .await;
    assert_eq!(
        laptop.answer("s1").await,
        json!({ "type": "ack", "id": "s1", "ok": true })
    );
    wait(&refused).await;
    laptop.say(say("m5")).await;
    assert_eq!(laptop.answer("m5").await["ok"], true);
}

#[tokio::test]
async fn a_lane_does_not_wait_for_ever_for_a_client_that_lost_its_queue() {
    let server = start(ServerConfig {
        order_patience: Duration::from_millis(100),
        ..limited(1, Duration::from_millis(100))
    })
    .await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    assert_eq!(taken(&pipelined(&mut alice, 1..=2).await), 1);
    let refused = pipelined(&mut alice, 3..=3).await.remove(0);
    assert_eq!(refused["error"]["behind"], "m2");
    let tried = timeout(Duration::from_secs(10), async {
        loop {
            let answer = pipelined(&mut alice, 3..=3).await.remove(0);
            if answer["ok"] == true {
                break;
            }
            assert_eq!(answer["error"]["behind"], "m2", "{answer}");
        }
    });
    tried.await.expect("the lane goes on");
}

#[tokio::test]
async fn without_the_feature_nothing_waits_and_skip_is_unknown() {
    let server = start(ServerConfig {
        features: Features {
            order: false,
            ..Features::default()
        },
        ..limited(1, HOUR)
    })
    .await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    for answer in &pipelined(&mut alice, 1..=3).await[1..] {
        assert_eq!(answer["error"]["code"], "rate_limited");
        assert_eq!(answer["error"]["behind"], Value::Null);
    }
    let refused = alice.request("skip", json!({ "messageId": "m2" })).await;
    assert_eq!(refused["error"]["code"], "unknown_event");
}

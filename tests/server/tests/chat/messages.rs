//! Private messages: delivery, copies, users who are away, what cannot be taken.

use rejoin_server::{Features, ServerConfig};
use serde_json::{Value, json};

use super::wire::{Wire, until};
use super::{config, server, start};

fn private(to: &str, content: &str, id: &str) -> Value {
    json!({ "recipientId": to, "content": content, "messageId": id })
}

#[tokio::test]
async fn a_message_is_delivered_acknowledged_and_confirmed() {
    let server = server().await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let mut bob = Wire::user(&server, "u2", "Bob").await;
    let mut message = private("u2", "hello", "m1");
    message["timestamp"] = json!("2026-11-23T20:36:38.125Z");
    let answer = alice.request("private_message", message).await;
    assert_eq!(answer, json!({ "ok": true, "id": "m1" }));
    let sent = json!({ "id": "m1", "recipientId": "u2", "delivered": true });
    assert_eq!(alice.event("message_sent").await, sent);
    let received = json!({
        "id": "m1",
        "sender": { "id": "u1", "username": "Alice" },
        "content": "hello",
        "timestamp": "2026-11-23T20:36:38.125Z",
    });
    assert_eq!(bob.event("private_message").await, received);
    assert_eq!(server.stats().messages, 1);
}

#[tokio::test]
async fn a_message_without_an_id_gets_one() {
    let server = server().await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let message = json!({ "recipientId": "u1", "content": "note to self" });
    alice.emit("private_message", message).await;
    let received = alice.event("private_message").await;
    assert_eq!(alice.event("message_sent").await["id"], received["id"]);
    assert!(received["id"].as_str().is_some_and(|id| id.len() == 36));
}

#[tokio::test]
async fn every_connection_of_a_user_gets_the_message() {
    let server = server().await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let mut phone = Wire::user(&server, "u2", "Bob").await;
    let mut laptop = Wire::user(&server, "u2", "Bob").await;
    alice.emit("private_message", private("u2", "hello", "m1")).await;
    assert_eq!(phone.event("private_message").await["id"], "m1");
    assert_eq!(laptop.event("private_message").await["id"], "m1");
    assert_eq!((server.stats().users, server.stats().connections), (2, 3));
}

#[tokio::test]
async fn a_pipelined_burst_is_delivered_in_its_order() {
    let server = server().await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let mut bob = Wire::user(&server, "u2", "Bob").await;
    let mut asked = Vec::new();
    for n in 0..500 {
        let message = private("u2", &n.to_string(), &format!("m{n}"));
        asked.push(alice.ask("private_message", message).await);
    }
    for n in 0..500 {
        let received = bob.event("private_message").await;
        assert_eq!(received["content"], n.to_string());
    }
    assert_eq!(alice.answer(asked[499]).await["ok"], true);
}

#[tokio::test]
async fn a_copy_is_answered_as_the_first_and_not_delivered_again() {
    let server = server().await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let mut bob = Wire::user(&server, "u2", "Bob").await;
    let first = alice.request("private_message", private("u2", "hello", "m1")).await;
    let copy = alice.request("private_message", private("u2", "hello", "m1")).await;
    assert_eq!(first, copy);
    let confirmed = alice.event("message_sent").await;
    assert_eq!(alice.event("message_sent").await, confirmed);
    assert_eq!(bob.rest().await.len(), 1);
    assert_eq!(server.stats().duplicates, 1);

    // The id is remembered per sender: another's message of the same id is no copy.
    let mut carol = Wire::user(&server, "u3", "Carol").await;
    carol.request("private_message", private("u2", "hi", "m1")).await;
    assert_eq!(bob.rest().await.len(), 1);
}

#[tokio::test]
async fn of_two_copies_that_race_over_two_connections_one_is_delivered() {
    let server = server().await;
    let mut phone = Wire::user(&server, "u1", "Alice").await;
    let mut laptop = Wire::user(&server, "u1", "Alice").await;
    let mut bob = Wire::user(&server, "u2", "Bob").await;
    let mut asked = Vec::new();
    for n in 0..200 {
        let message = private("u2", &n.to_string(), &format!("m{n}"));
        let (one, other) = tokio::join!(
            phone.ask("private_message", message.clone()),
            laptop.ask("private_message", message),
        );
        asked.push((one, other));
    }
    for (n, (one, other)) in asked.into_iter().enumerate() {
        let answer = json!({ "ok": true, "id": format!("m{n}") });
        assert_eq!(phone.answer(one).await, answer);
        assert_eq!(laptop.answer(other).await, answer);
    }
    let received = bob.rest().await;
    let contents: Vec<&Value> = received.iter().map(|(_, m)| &m["content"]).collect();
    let all: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    assert_eq!(contents, all.iter().collect::<Vec<_>>());
    assert_eq!(server.stats().duplicates, 200);
}

#[tokio::test]
async fn messages_for_a_user_who_is_away_come_on_return_in_order_and_before_newer_ones() {
    let server = server().await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    for n in 0..50 {
        let message = private("u2", &n.to_string(), &format!("m{n}"));
        alice.request("private_message", message).await;
    }
    for _ in 0..50 {
        assert_eq!(alice.event("message_sent").await["delivered"], false);
    }
    assert_eq!(server.stats().kept, 50);

    // While Bob connects, Alice goes on.
    let go_on = async {
        for n in 50..1000 {
            let message = private("u2", &n.to_string(), &format!("m{n}"));
            alice.ask("private_message", message).await;
        }
    };
    let (mut bob, ()) = tokio::join!(Wire::quiet(&server, "u2", "Bob"), go_on);
    bob.event("connection_status").await;
    for n in 0..1000 {
        let received = bob.named("private_message").await;
        assert_eq!(received["content"], n.to_string());
        assert_eq!(received["sender"]["username"], "Alice");
    }
    assert_eq!(server.stats().kept, 0);
    bob.leave(&server).await;
    let mut again = Wire::user(&server, "u2", "Bob").await;
    let kept = again
        .rest()
        .await
        .into_iter()
        .find(|(name, _)| name == "private_message");
    assert_eq!(kept, None);
}

#[tokio::test]
async fn what_a_connection_that_does_not_read_has_no_room_for_comes_on_return() {
    does_not_read(Features {
        receipts: false,
        ..Features::default()
    })
    .await;
}

#[tokio::test]
async fn and_so_it_does_behind_what_was_not_acknowledged_any_more() {
    does_not_read(Features::default()).await;
}

async fn does_not_read(features: Features) {
    let server = start(ServerConfig {
        max_kept: 100,
        features,
        ..config()
    })
    .await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let mut bob = Wire::user(&server, "u2", "Bob").await;
    // Large ones fill what the system buffers, small ones the server's own queue.
    let filling = "x".repeat(64 * 1024);
    let mut first_kept = None;
    for n in 0..10_000 {
        let content = if n < 250 { &filling } else { "y" };
        let message = private("u2", content, &format!("m{n}"));
        alice.emit("private_message", message).await;
        if alice.event("message_sent").await["delivered"] == false {
            first_kept = Some(n);
            break;
        }
    }
    let kept = first_kept.expect("the queue has an end");
    for n in 0..kept {
        assert_eq!(bob.event("private_message").await["id"], format!("m{n}"));
    }
    // There is room again, but what comes now must not overtake what was kept.
    let next = private("u2", "z", &format!("m{}", kept + 1));
    alice.emit("private_message", next).await;
    assert_eq!(alice.event("message_sent").await["delivered"], false);

    until(|| server.stats().connections == 1).await;
    let mut bob = Wire::quiet(&server, "u2", "Bob").await;
    bob.event("connection_status").await;
    let first = bob.event("private_message").await["id"].clone();
    let first = first.as_str().and_then(|id| id.strip_prefix('m')?.parse().ok());
    let first: u32 = first.expect("a number");
    // The last acknowledgements may have come too late, but only so many are kept.
    let earliest = match features.receipts {
        true => kept + 2 - 100,
        false => kept,
    };
    assert!((earliest..=kept).contains(&first), "{first} of {kept}");
    for n in first + 1..=kept + 1 {
        assert_eq!(bob.event("private_message").await["id"], format!("m{n}"));
    }
}

#[tokio::test]
async fn only_so_many_messages_are_kept_for_one_user() {
    let server = start(ServerConfig {
        max_kept: 2,
        ..config()
    })
    .await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    for id in ["m1", "m2"] {
        let answer = alice.request("private_message", private("u2", "hi", id)).await;
        assert_eq!(answer["ok"], true);
    }
    let refused = alice.request("private_message", private("u2", "hi", "m3")).await;
    assert_eq!(refused["error"]["code"], "mailbox_full");
    let copy = alice.request("private_message", private("u2", "hi", "m2")).await;
    assert_eq!(copy, json!({ "ok": true, "id": "m2" }));
    // It is no lasting answer: there is room again once Bob has come.
    let _bob = Wire::user(&server, "u2", "Bob").await;
    let taken = alice.request("private_message", private("u2", "hi", "m3")).await;
    assert_eq!(taken["ok"], true);
}

#[tokio::test]
async fn a_payload_that_cannot_be_taken_is_refused_by_its_fields_name() {
    let server = start(ServerConfig {
        max_content: 5,
        ..config()
    })
    .await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    for (payload, field) in [
        (json!({ "content": "hi" }), "recipientId"),
        (json!({ "recipientId": "u2" }), "content"),
        (json!({ "recipientId": "u2", "content": "toolong" }), "content"),
        (
            json!({ "recipientId": "u2", "content": "hi", "timestamp": "now" }),
            "timestamp",
        ),
        (
            json!({ "recipientId": "u2", "content": "hi", "messageId": 5 }),
            "messageId",
        ),
        (json!("hi"), "payload"),
    ] {
        let answer = alice.request("private_message", payload.clone()).await;
        let error = &answer["error"];
        assert_eq!(error["code"], "invalid_payload");
        let message = error["message"].as_str().expect("a message");
        assert!(message.starts_with(&format!("{field}: ")), "{message}");

        alice.emit("private_message", payload).await;
        let told = alice.event("error").await;
        assert_eq!(told["code"], "invalid_payload");
        assert_eq!(told["event"], "private_message");
        assert_eq!(told["message"], *message);
    }
}

//! What a chat app calls, as it stands on the wire.

#![cfg(feature = "typed")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests run on tokio and fail by panics"
)]

mod support;

use std::sync::{Arc, Mutex};

use rejoin::core::scan::MAX_DEPTH;
use rejoin::store::{Contents, Store, StoreFuture, Transaction};
use rejoin::{Error, NewRoom, Outcome, RealtimeClient, Receipt, Target};
use serde_json::{Value, json};
use support::{Peer, accept, listen, within};
use tokio::net::TcpStream;

const GREETING: &str =
    r#"42["connection_status",{"connected":true,"userId":"u1","username":"Ann","features":["ack","dedupe"]}]"#;

/// Takes the next message as its name, argument and ack id.
async fn take(peer: &mut Peer<TcpStream>) -> (String, Value, String) {
    let frame = peer.hear().await;
    let array = frame.find('[').unwrap();
    let mut message: Vec<Value> = serde_json::from_str(&frame[array..]).unwrap();
    let argument = message.remove(1);
    (
        message[0].as_str().unwrap().to_owned(),
        argument,
        frame[2..array].to_owned(),
    )
}

fn offline() -> RealtimeClient {
    RealtimeClient::builder("http://127.0.0.1:9").build().unwrap()
}

#[tokio::test]
async fn games_and_notifications_are_reliable_messages_with_their_answers() {
    let (listener, address) = listen().await;
    let chat = RealtimeClient::builder(format!("http://{address}")).build().unwrap();
    chat.connect();
    let mut peer = accept(&listener).await;
    peer.say(GREETING).await;
    let calls: [(Receipt, &str, Value); 5] = [
        (
            chat.invite_to_game("u2", "chess"),
            "game_invite",
            json!({"recipientId": "u2", "gameType": "chess"}),
        ),
        (
            chat.send_game_move("g1", json!({"to": "e4"})),
            "game_move",
            json!({"gameId": "g1", "move": {"to": "e4"}}),
        ),
        (
            chat.send_game_move("g1", ("e2", 4)),
            "game_move",
            json!({"gameId": "g1", "move": ["e2", 4]}),
        ),
        (
            chat.send_game_move_json("g\"2", " [1.50] "),
            "game_move",
            json!({"gameId": "g\"2", "move": [1.5]}),
        ),
        (
            chat.mark_notifications_read(["n1", "n\"2"]),
            "mark_notifications_read",
            json!({"notificationIds": ["n1", "n\"2"]}),
        ),
    ];
    for (receipt, event, mut expected) in calls {
        let (name, argument, ack) = take(&mut peer).await;
        expected["messageId"] = json!(receipt.message_id().unwrap());
        assert_eq!((&*name, argument), (event, expected));
        peer.say(&format!(r#"43{ack}[{{"ok":true,"id":"{name}"}}]"#)).await;
        let Outcome::Delivered(reply) = within(receipt).await else {
            panic!("{name} was answered");
        };
        assert_eq!(reply.get::<Value>(0).unwrap()["id"], name);
    }
}

#[tokio::test]
async fn messages_wait_in_the_lane_of_their_user_room_or_game() {
    let lanes = Lanes::default();
    let kept = Arc::clone(&lanes.0);
    let chat = RealtimeClient::builder("http://127.0.0.1:9")
        .store(lanes)
        .build()
        .unwrap();
    let receipts = [
        chat.send_private_message("u2", "hi"),
        chat.invite_to_game("u2", "chess"),
        chat.send_game_move("g1", 1),
        chat.send_game_move_json("g1", "2"),
        chat.send_group_message("r", "hi"),
        chat.mark_notifications_read(vec!["n1".to_owned()]),
    ];
    for receipt in &receipts {
        within(receipt.accepted()).await.unwrap();
    }
    assert_eq!(
        *kept.lock().unwrap(),
        ["user:u2", "user:u2", "game:g1", "game:g1", "room:r", "notifications"]
    );
}

/// A store that notes the lanes of what it is given.
#[derive(Default)]
struct Lanes(Arc<Mutex<Vec<String>>>);

impl Store for Lanes {
    fn load(&mut self) -> StoreFuture<'_, Contents> {
        Box::pin(async { Ok(Contents::default()) })
    }

    fn apply(&mut self, transaction: Transaction) -> StoreFuture<'_, ()> {
        let lanes = transaction.put.into_iter().map(|record| record.lane.unwrap());
        self.0.lock().unwrap().extend(lanes);
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn what_names_nobody_or_is_no_json_is_rejected_at_once_and_alike() {
    let chat = offline();
    let no_name = NewRoom::default();
    let refused = [
        (chat.send_private_message("", "hi"), "recipientId"),
        (chat.send_group_message("", "hi"), "roomId"),
        (chat.join_room(""), "roomId"),
        (chat.join_room_with_password("", "p"), "roomId"),
        (chat.leave_room(""), "roomId"),
        (chat.create_room(no_name), "name"),
        (chat.invite_to_game("", "chess"), "recipientId"),
        (chat.invite_to_game("u2", ""), "gameType"),
        (chat.send_game_move("", 1), "gameId"),
        (chat.send_game_move_json("", "1"), "gameId"),
        (chat.mark_notifications_read::<&str>([]), "notificationIds"),
        (chat.mark_notifications_read(["n1", ""]), "notificationIds"),
    ];
    for (receipt, argument) in refused {
        let Some(Outcome::Rejected(Error::InvalidPayload(reason))) = receipt.outcome() else {
            panic!("{argument}: {:?}", receipt.outcome());
        };
        assert_eq!(reason, format!("`{argument}` is empty; nothing was sent"));
    }
    for bad in ["", "{", "1 2", "undefined", "{\"a\":1}}"] {
        let Some(Outcome::Rejected(Error::InvalidPayload(reason))) = chat.send_game_move_json("g1", bad).outcome()
        else {
            panic!("{bad:?}");
        };
        assert_eq!(reason, "`move` is not one JSON value; nothing was sent");
    }
    chat.start_typing(Target::user(""));
    assert!(chat.socket().pending().is_empty());
}

#[tokio::test]
async fn a_move_that_is_nested_too_deeply_for_its_message_is_rejected() {
    let chat = offline();
    for (depth, taken) in [(MAX_DEPTH - 2, true), (MAX_DEPTH - 1, false)] {
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let outcome = chat.send_game_move_json("g1", &nested).outcome();
        assert_eq!(outcome.is_none(), taken, "{outcome:?}");
    }
}

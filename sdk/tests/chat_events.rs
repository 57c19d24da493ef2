//! What a chat app hears: by type, by name, as a stream.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests run on tokio and fail by panics"
)]

mod support;

use std::sync::{Arc, Mutex};

use futures::StreamExt;
use rejoin::{
    ChatEvent, Closing, ConnectionFailed, ConnectionStatus, FriendStatusChange, GameInvite, GameMove, GroupMessage,
    Lagged, MessageSent, Notice, Notification, NotificationsMarkedRead, Outcome, PrivateMessage, RateLimitExceeded,
    RealtimeClient, Reconnected, RoomCreated, RoomJoinFailed, RoomJoined, RoomLeft, ServerError, StateChange, Told,
    TypingStart, TypingStop, UserJoinedRoom, UserLeftRoom, Warning,
};
use serde_json::{Value, json};
use support::{Peer, accept, backoff, listen, until, within};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A client that is not connected, and where it would connect.
async fn client() -> (RealtimeClient, TcpListener) {
    let (listener, address) = listen().await;
    let chat = RealtimeClient::builder(format!("http://{address}"))
        .transports([rejoin::Transport::WebSocket])
        .backoff(backoff())
        .build()
        .unwrap();
    (chat, listener)
}

async fn connected() -> (RealtimeClient, Peer<TcpStream>, TcpListener) {
    let (chat, listener) = client().await;
    let mut states = chat.socket().states();
    chat.connect();
    let peer = accept(&listener).await;
    until(&mut states, "connected").await;
    (chat, peer, listener)
}

async fn say(peer: &mut Peer<TcpStream>, name: &str, argument: &Value) {
    peer.say(&format!("42{}", json!([name, argument]))).await;
}

/// Has the server send an event, and gives it as its type.
async fn heard<E: ChatEvent + Send>(argument: Value) -> E {
    let (chat, mut peer, _listener) = connected().await;
    let (tell, mut told) = mpsc::unbounded_channel();
    let mut stream = chat.stream::<E>();
    let _names = chat.on_name(E::NAME, move |event| tell.send(event.name().to_owned()).unwrap());
    say(&mut peer, E::NAME, &argument).await;
    assert_eq!(within(told.recv()).await.unwrap(), E::NAME);
    within(stream.next()).await.unwrap().unwrap()
}

#[tokio::test]
async fn every_event_of_the_wire_has_its_type() {
    let ada = json!({"id": "u1", "username": "Ada"});
    let message = heard::<PrivateMessage>(json!({"id": "1", "sender": ada, "content": "hi", "timestamp": "t"})).await;
    assert_eq!(
        (message.sender.username.as_str(), message.content.as_str()),
        ("Ada", "hi")
    );
    let message =
        heard::<GroupMessage>(json!({"id": "1", "room": "r", "sender": "u1", "content": "hi", "timestamp": "t"})).await;
    assert_eq!(
        (message.room.as_str(), message.sender.id.as_str()),
        ("r", "u1"),
        "a user may be an id alone"
    );
    assert!(
        heard::<MessageSent>(json!({"id": "1", "recipientId": "u2", "delivered": true}))
            .await
            .delivered
    );
    assert_eq!(
        heard::<TypingStart>(json!({"userId": "u1", "roomId": "r"}))
            .await
            .room_id
            .as_deref(),
        Some("r")
    );
    assert_eq!(
        heard::<RoomJoined>(json!({"room": "r", "members": [ada]}))
            .await
            .members
            .len(),
        1
    );
    assert_eq!(
        heard::<UserJoinedRoom>(json!({"roomId": "r", "user": ada}))
            .await
            .user
            .id,
        "u1"
    );
    assert_eq!(
        heard::<UserLeftRoom>(json!({"roomId": "r", "user": ada})).await.room_id,
        "r"
    );
    assert_eq!(heard::<RoomLeft>(json!({"roomId": "r"})).await.room_id, "r");
    assert_eq!(
        heard::<RoomCreated>(json!({"id": "r", "name": "Room", "more": 1}))
            .await
            .name,
        "Room"
    );
    let status = json!({"connected": true, "userId": "u1", "username": "Ada", "features": ["ack"],
        "friends": [{"id": "u2", "username": "Bob", "status": "online"}]});
    assert_eq!(heard::<ConnectionStatus>(status).await.friends[0].status, "online");
    let invite = heard::<GameInvite>(json!({"from": ada, "gameType": "chess", "inviteId": "g"})).await;
    assert_eq!((invite.from.id.as_str(), invite.invite_id.as_str()), ("u1", "g"));
    let game = json!({"gameId": "g", "player": "u1", "move": {"from": "e2"}, "gameState": {"moves": []}});
    let game = heard::<GameMove>(game).await;
    assert_eq!(
        (game.player.id.as_str(), &game.game_move),
        ("u1", &json!({"from": "e2"}))
    );
    assert_eq!(game.game_state, json!({"moves": []}));
    let notification = heard::<Notification>(json!({"title": "t", "message": "m"})).await;
    assert_eq!((notification.id, notification.title.as_str()), (None, "t"));
    let read = heard::<NotificationsMarkedRead>(json!({"notificationIds": ["1", "2"]})).await;
    assert_eq!(read.notification_ids, ["1", "2"]);
    let friend = heard::<FriendStatusChange>(json!({"userId": "u2", "status": "offline", "timestamp": "t"})).await;
    assert_eq!(friend.status, "offline");
    assert_eq!(
        heard::<RateLimitExceeded>(json!({"retryAfterMs": 100}))
            .await
            .retry_after_ms,
        Some(100)
    );
    assert_eq!(heard::<Warning>(json!({"message": "w"})).await.message, "w");
    assert_eq!(heard::<ServerError>(json!({"message": "e"})).await.message, "e");
    assert_eq!(
        heard::<Closing>(json!({"code": "idle", "message": "bye"})).await.code,
        "idle"
    );
}

#[tokio::test]
async fn what_the_client_itself_raises_has_a_type_too() {
    let (chat, mut peer, _listener) = connected().await;
    let mut failed = chat.stream::<RoomJoinFailed>();
    let mut stopped = chat.stream::<TypingStop>();
    say(&mut peer, "typing_start", &json!({"userId": "u2"})).await;
    let _join = chat.join_room("locked");
    peer.hear().await;
    say(
        &mut peer,
        "join_room_failed",
        &json!({"roomId": "locked", "reason": "wrong_password"}),
    )
    .await;
    assert_eq!(within(failed.next()).await.unwrap().unwrap().reason, "wrong_password");
    drop(peer);
    assert_eq!(within(stopped.next()).await.unwrap().unwrap().user_id, "u2");
}

#[tokio::test]
async fn changes_of_the_connection_are_events_by_type_and_by_name() {
    let (chat, listener) = client().await;
    let mut changes = chat.stream::<StateChange>();
    let mut again = chat.stream::<Reconnected>();
    let (tell, mut told) = mpsc::unbounded_channel();
    let subscriptions = ["connectionStatusChange", "reconnected"].map(|name| {
        let tell = tell.clone();
        chat.on_name(name, move |event| {
            let object: Value = event.get(0).unwrap();
            tell.send((event.name().to_owned(), object)).unwrap();
        })
    });
    chat.connect();
    let peer = accept(&listener).await;
    for state in ["connecting", "connected"] {
        assert_eq!(within(changes.next()).await.unwrap().unwrap().state.name(), state);
        let (name, object) = within(told.recv()).await.unwrap();
        assert_eq!(
            (name.as_str(), &object["state"]),
            ("connectionStatusChange", &json!(state))
        );
    }
    drop(peer);
    let _peer = accept(&listener).await;
    assert!(!within(again.next()).await.unwrap().unwrap().recovered);
    let object = loop {
        let (name, object) = within(told.recv()).await.unwrap();
        if name == "reconnected" {
            break object;
        }
    };
    assert_eq!(object, json!({"recovered": false}));
    drop(subscriptions);
}

#[tokio::test]
async fn a_first_connection_and_one_after_disconnect_are_no_reconnection() {
    let (chat, listener) = client().await;
    let mut states = chat.socket().states();
    let again = Arc::new(Mutex::new(0));
    let count = Arc::clone(&again);
    let _again = chat.on(move |_: &Reconnected| *count.lock().unwrap() += 1);
    for _ in 0..2 {
        chat.connect();
        let _peer = accept(&listener).await;
        until(&mut states, "connected").await;
        chat.disconnect();
        until(&mut states, "closed").await;
    }
    let mut changes = chat.stream::<StateChange>();
    chat.close();
    while within(changes.next()).await.is_some() {}
    assert_eq!(*again.lock().unwrap(), 0);
}

#[tokio::test]
async fn the_fifth_failure_in_a_row_is_an_event() {
    let (chat, listener) = client().await;
    drop(listener);
    let mut failed = chat.stream::<ConnectionFailed>();
    chat.connect();
    let event = within(failed.next()).await.unwrap().unwrap();
    assert_eq!((event.attempts, event.error.code()), (5, 2001));
}

#[tokio::test]
async fn unknown_events_reach_generic_handlers_and_are_heard_by_their_own_name() {
    let (chat, mut peer, _listener) = connected().await;
    let (tell, mut told) = mpsc::unbounded_channel();
    let any = tell.clone();
    let _any = chat.on_any(move |event| any.send(format!("any {}", event.name())).unwrap());
    let _named = chat.on_name("weather", move |event| {
        tell.send(format!("named {}", event.name())).unwrap()
    });
    say(&mut peer, "weather", &json!(7)).await;
    assert_eq!(within(told.recv()).await.unwrap(), "any weather");
    assert_eq!(within(told.recv()).await.unwrap(), "named weather");
}

#[derive(Debug, PartialEq, serde::Deserialize)]
struct Weather {
    degrees: i32,
}

impl ChatEvent for Weather {
    const NAME: &'static str = "weather";

    fn read(told: Told<'_>) -> Option<Result<Self, rejoin::Error>> {
        told.decode()
    }
}

#[tokio::test]
async fn an_apps_own_event_has_its_type_and_one_that_does_not_fit_is_told() {
    let (chat, mut peer, _listener) = connected().await;
    let (tell, mut told) = mpsc::unbounded_channel();
    let _notices = chat.socket().on_notice(move |notice| {
        if let Notice::Error(error) = notice {
            tell.send(error.to_string()).unwrap();
        }
    });
    let mut weather = chat.stream::<Weather>();
    say(&mut peer, "weather", &json!({"degrees": "warm"})).await;
    say(&mut peer, "weather", &json!({"degrees": 7})).await;
    let text = within(told.recv()).await.unwrap();
    assert!(
        text.contains("weather") && text.contains("degrees") | text.contains("i32"),
        "{text}"
    );
    assert_eq!(within(weather.next()).await.unwrap(), Ok(Weather { degrees: 7 }));
}

#[tokio::test]
async fn once_hears_one_event() {
    let (chat, mut peer, _listener) = connected().await;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&heard);
    let _once = chat.once(move |weather: &Weather| list.lock().unwrap().push(weather.degrees));
    let mut all = chat.stream::<Weather>();
    for degrees in [1, 2] {
        say(&mut peer, "weather", &json!({"degrees": degrees})).await;
        within(all.next()).await.unwrap().unwrap();
    }
    assert_eq!(*heard.lock().unwrap(), [1]);
}

#[tokio::test]
async fn a_stream_that_is_not_read_says_how_much_it_missed_and_ends_with_the_client() {
    let (chat, mut peer, _listener) = connected().await;
    let mut slow = chat.stream_with_capacity::<Weather>(2);
    let mut fast = chat.socket().stream("weather");
    for degrees in 0..5 {
        say(&mut peer, "weather", &json!({"degrees": degrees})).await;
        within(fast.next()).await.unwrap().unwrap();
    }
    // Handlers run in order of registration, so the slow one has had all of them.
    assert_eq!(within(slow.next()).await, Some(Err(Lagged(3))));
    chat.close();
    assert_eq!(within(slow.next()).await, Some(Ok(Weather { degrees: 3 })));
    assert_eq!(within(slow.next()).await, Some(Ok(Weather { degrees: 4 })));
    assert_eq!(within(slow.next()).await, None);
}

#[tokio::test]
async fn games_and_notifications_are_sent_as_the_wire_has_them() {
    let (chat, mut peer, _listener) = connected().await;
    let mut greeted = chat.stream::<ConnectionStatus>();
    let greeting = json!({"connected": true, "userId": "u1", "features": ["ack", "dedupe"]});
    say(&mut peer, "connection_status", &greeting).await;
    within(greeted.next()).await.unwrap().unwrap();
    let receipts = [
        chat.invite_to_game("u2", "chess"),
        chat.send_game_move("g1", json!({"to": "e4"})),
        chat.mark_notifications_read(["n1", "n2"]),
    ];
    for (receipt, (event, fields)) in receipts.into_iter().zip([
        ("game_invite", json!({"recipientId": "u2", "gameType": "chess"})),
        ("game_move", json!({"gameId": "g1", "move": {"to": "e4"}})),
        ("mark_notifications_read", json!({"notificationIds": ["n1", "n2"]})),
    ]) {
        let frame = peer.hear().await;
        let digits = frame[2..].chars().take_while(char::is_ascii_digit).count();
        let packet: Value = serde_json::from_str(&frame[2 + digits..]).unwrap();
        let mut expected = fields;
        expected["messageId"] = json!(receipt.message_id().unwrap());
        assert_eq!(packet, json!([event, expected]));
        peer.say(&format!("43{}[{{\"ok\":true,\"id\":\"x\"}}]", &frame[2..2 + digits]))
            .await;
        assert!(matches!(within(receipt).await, Outcome::Delivered(_)));
    }
}

#[tokio::test]
async fn what_names_nobody_or_is_no_json_is_refused_with_the_field() {
    let (chat, _listener) = client().await;
    for (receipt, word) in [
        (chat.send_private_message("", "hi"), "recipientId"),
        (chat.send_group_message("", "hi"), "roomId"),
        (chat.join_room(""), "roomId"),
        (chat.leave_room(""), "roomId"),
        (chat.invite_to_game("", "chess"), "recipientId"),
        (chat.invite_to_game("u2", ""), "gameType"),
        (chat.send_game_move("", 1), "gameId"),
        (chat.send_game_move_json("g", "{"), "JSON"),
        (chat.mark_notifications_read::<&str>([]), "no notification"),
    ] {
        let outcome = receipt.outcome().expect("at once");
        let error = outcome.error().unwrap();
        assert!(error.code() == 1003 && error.to_string().contains(word), "{error}");
    }
}

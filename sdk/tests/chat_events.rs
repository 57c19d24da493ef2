//! What a chat app hears over a real socket: by type, by name, as streams.

#![cfg(feature = "typed")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests run on tokio and fail by panics"
)]

mod support;

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use rejoin::*;
use support::{Peer, accept, backoff, listen, until, within};
use tokio::net::{TcpListener, TcpStream};

/// A chat client that is not connected, and where it would connect.
async fn idle() -> (RealtimeClient, TcpListener) {
    let (listener, address) = listen().await;
    let chat = RealtimeClient::builder(format!("http://{address}"))
        .transports([Transport::WebSocket])
        .backoff(backoff())
        .build()
        .unwrap();
    (chat, listener)
}

/// One that is connected, and the server's end.
async fn chat() -> (RealtimeClient, Peer<TcpStream>, TcpListener) {
    let (chat, listener) = idle().await;
    chat.connect();
    let peer = accept(&listener).await;
    (chat, peer, listener)
}

fn message(content: &str) -> String {
    format!(
        r#"42["private_message",{{"id":"m","sender":{{"id":"u2","username":"Ben"}},"content":"{content}","timestamp":"t"}}]"#
    )
}

/// Waits until everything that the server said before is handled.
async fn handled(chat: &RealtimeClient, peer: &mut Peer<TcpStream>) {
    let (done, mut waits) = unbounded();
    let _mark = chat.once_name("mark", move |_| done.unbounded_send(()).unwrap());
    peer.say(r#"42["mark"]"#).await;
    within(waits.next()).await.unwrap();
}

/// What handlers heard so far, once the server's words are handled.
async fn heard<T>(chat: &RealtimeClient, peer: &mut Peer<TcpStream>, events: &mut UnboundedReceiver<T>) -> Vec<T> {
    handled(chat, peer).await;
    std::iter::from_fn(|| events.try_recv().ok()).collect()
}

#[tokio::test]
async fn every_event_of_the_chat_protocol_is_heard_by_its_type_and_by_its_name() {
    let (chat, mut peer, _listener) = chat().await;
    let (typed, mut types) = unbounded::<&'static str>();
    let (named, mut names) = unbounded::<String>();
    let mut subscriptions = Vec::new();
    macro_rules! listen {
        ($($event:ident)*) => {$({
            let (typed, named) = (typed.clone(), named.clone());
            subscriptions.push(chat.on(move |_: &$event| typed.unbounded_send($event::NAME).unwrap()));
            let by_name = chat.on_name(&event_name($event::NAME), move |event| {
                named.unbounded_send(event.name().to_owned()).unwrap();
            });
            subscriptions.push(by_name);
        })*};
    }
    listen! {
        ConnectionStatus PrivateMessage GroupMessage MessageSent TypingStart TypingStop RoomJoined RoomJoinFailed
        UserJoinedRoom UserLeftRoom RoomLeft RoomCreated GameInvite GameMove Notification NotificationsMarkedRead
        FriendStatusChange RateLimitExceeded Warning ServerError Closing
    }
    let _room = chat.join_room("r");
    let frames = [
        r#"["connection_status",{"connected":true,"userId":"u1","username":"Ann","features":[],"friends":[]}]"#,
        r#"["private_message",{"id":"m1","sender":{"id":"u2","username":"Ben"},"content":"hi","timestamp":"t"}]"#,
        r#"["group_message",{"id":"m2","room":"r","sender":{"id":"u2"},"content":"hi","timestamp":"t"}]"#,
        r#"["message_sent",{"id":"m3","recipientId":"u2","delivered":true}]"#,
        r#"["typing_start",{"userId":"u2","username":"Ben"}]"#,
        r#"["typing_stop",{"userId":"u2"}]"#,
        r#"["room_joined",{"room":"other","members":[{"id":"u1","username":"Ann"}]}]"#,
        r#"["join_room_failed",{"roomId":"r","reason":"full"}]"#,
        r#"["user_joined_room",{"roomId":"r","user":{"id":"u3","username":"Cas"}}]"#,
        r#"["user_left_room",{"roomId":"r","user":"u3"}]"#,
        r#"["room_left",{"roomId":"r"}]"#,
        r#"["room_created",{"id":"r","name":"R"}]"#,
        r#"["game_invite",{"from":"u2","gameType":"chess","inviteId":"g"}]"#,
        r#"["game_move",{"gameId":"g","player":{"id":"u2"},"move":{"to":"e4"},"gameState":{}}]"#,
        r#"["notification",{"id":"n","title":"T","message":"M"}]"#,
        r#"["notifications_marked_read",{"notificationIds":["n"]}]"#,
        r#"["friend_status_change",{"userId":"u2","status":"online","timestamp":"t"}]"#,
        r#"["rate_limit_exceeded",{}]"#,
        r#"["warning",{"message":"w"}]"#,
        r#"["error",{"message":"e"}]"#,
        r#"["closing",{"code":"idle","message":"bye"}]"#,
    ];
    for frame in frames {
        peer.say(&format!("42{frame}")).await;
    }
    let types = heard(&chat, &mut peer, &mut types).await;
    let expected: Vec<_> = frames.iter().map(|frame| frame.split('"').nth(1).unwrap()).collect();
    assert_eq!(types, expected);
    let names = heard(&chat, &mut peer, &mut names).await;
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_stream_that_is_not_read_lags_and_says_so_while_handlers_hear_everything() {
    let (chat, mut peer, _listener) = chat().await;
    let mut messages = chat.stream_with_capacity::<PrivateMessage>(2);
    let mut raw = chat.socket().stream_with_capacity("private_message", 3);
    let (sender, mut contents) = unbounded();
    let _handler = chat.on(move |m: &PrivateMessage| sender.unbounded_send(m.content.clone()).unwrap());
    for content in ["1", "2", "3", "4", "5"] {
        peer.say(&message(content)).await;
    }
    let contents = heard(&chat, &mut peer, &mut contents).await;
    assert_eq!(contents, ["1", "2", "3", "4", "5"]);
    assert_eq!(within(messages.next()).await, Some(Err(Lagged(3))));
    assert_eq!(within(messages.next()).await.unwrap().unwrap().content, "4");
    assert_eq!(within(messages.next()).await.unwrap().unwrap().content, "5");
    assert_eq!(within(raw.next()).await.unwrap().unwrap_err(), Lagged(2));
    peer.say(&message("6")).await;
    assert_eq!(within(messages.next()).await.unwrap().unwrap().content, "6");
}

#[tokio::test]
async fn a_stream_ends_with_its_client_and_does_not_keep_it_alive() {
    let (chat, mut peer, _listener) = chat().await;
    let mut messages = chat.stream::<PrivateMessage>();
    let mut states = chat.stream::<ConnectionStatusChange>();
    let mut raw = chat.socket().stream("x");
    peer.say(&message("last")).await;
    handled(&chat, &mut peer).await;
    drop(chat);
    assert_eq!(within(messages.next()).await.unwrap().unwrap().content, "last");
    assert_eq!(within(messages.next()).await, None);
    assert!(within(raw.next()).await.is_none());
    let mut last = None;
    while let Some(change) = within(states.next()).await {
        last = Some(change.unwrap().state);
    }
    assert_eq!(last, Some(State::Closed));
}

#[tokio::test]
async fn a_stream_of_a_closed_client_ends_at_once() {
    let (chat, _peer, _listener) = chat().await;
    chat.close();
    let mut messages = chat.stream::<PrivateMessage>();
    assert_eq!(within(messages.next()).await, None);
}

#[tokio::test]
async fn an_event_is_heard_by_either_name_until_off_and_unknown_ones_as_they_are() {
    let (chat, mut peer, _listener) = chat().await;
    let (sender, mut events) = unbounded();
    let tell = |tag: &'static str| {
        let sender: UnboundedSender<String> = sender.clone();
        move |event: &Event| sender.unbounded_send(format!("{tag}:{}", event.name())).unwrap()
    };
    let _any = chat.on_any(tell("any"));
    let _camel = chat.on_name("gameMove", tell("camel"));
    let _wire = chat.on_name("game_move", tell("wire"));
    let _once = chat.once_name("gameMove", tell("once"));
    let _unknown = chat.on_name("my_event", tell("unknown"));
    peer.say(r#"42["game_move",{}]"#).await;
    peer.say(r#"42["game_move",{}]"#).await;
    peer.say(r#"42["my_event",1]"#).await;
    let mut expected: Vec<_> = ["any", "camel", "wire", "once", "any", "camel", "wire"]
        .map(|tag| format!("{tag}:game_move"))
        .into();
    expected.extend(["any:my_event", "unknown:my_event", "any:mark"].map(String::from));
    assert_eq!(heard(&chat, &mut peer, &mut events).await, expected);
    chat.off("gameMove");
    peer.say(r#"42["game_move",{}]"#).await;
    assert_eq!(
        heard(&chat, &mut peer, &mut events).await,
        ["any:game_move", "any:mark"]
    );
}

#[tokio::test]
async fn an_event_that_does_not_fit_its_type_is_told_once_and_does_not_use_up_a_once() {
    let (chat, mut peer, _listener) = chat().await;
    let (sender, mut contents) = unbounded();
    let (notices, mut told) = unbounded();
    let (names, mut named) = unbounded();
    let _notices = chat
        .socket()
        .on_notice(move |notice| notices.unbounded_send(notice.clone()).unwrap());
    let also = sender.clone();
    let _on = chat.on(move |m: &PrivateMessage| sender.unbounded_send(format!("on:{}", m.content)).unwrap());
    let _once = chat.once(move |m: &PrivateMessage| also.unbounded_send(format!("once:{}", m.content)).unwrap());
    let mut stream = chat.stream::<PrivateMessage>();
    let _by_name = chat.on_name("privateMessage", move |_| names.unbounded_send(()).unwrap());
    for content in [r#""secret""#, "7"] {
        let bad =
            format!(r#"42["private_message",{{"id":"m","sender":{{"id":{{}}}},"content":{content},"timestamp":"t"}}]"#);
        peer.say(&bad).await;
    }
    peer.say(&message("good")).await;
    peer.say(&message("next")).await;
    assert_eq!(
        heard(&chat, &mut peer, &mut contents).await,
        ["on:good", "once:good", "on:next"]
    );
    assert_eq!(heard(&chat, &mut peer, &mut named).await.len(), 4);
    assert_eq!(within(stream.next()).await.unwrap().unwrap().content, "good");
    let error = Error::Handler {
        event: "private_message".to_owned(),
        message: "`sender.id`: expected a string".to_owned(),
    };
    let expected = Notice::HandlerError(error);
    assert_eq!(heard(&chat, &mut peer, &mut told).await, [expected.clone(), expected]);
}

#[tokio::test]
async fn connected_again_is_told_by_type_and_by_name() {
    let (chat, listener) = idle().await;
    let (sender, mut events) = unbounded();
    let (by_name, by_state) = (sender.clone(), sender.clone());
    let _typed = chat.on(move |again: &Reconnected| sender.unbounded_send(format!("{again:?}")).unwrap());
    let _named = chat.on_name("reconnected", move |event| {
        let told = format!("{} {}", event.name(), event.payload().to_json());
        by_name.unbounded_send(told).unwrap();
    });
    let _states = chat.on_name("connectionStatusChange", move |event| {
        let change: serde_json::Value = event.get(0).unwrap();
        if change["state"] == "connected" {
            by_state.unbounded_send(change["previous"].to_string()).unwrap();
        }
    });
    chat.connect();
    let mut peer = accept(&listener).await;
    handled(&chat, &mut peer).await;
    drop(peer);
    let mut peer = accept(&listener).await;
    assert_eq!(
        heard(&chat, &mut peer, &mut events).await,
        [
            r#""connecting""#,
            r#""connecting""#,
            "Reconnected { recovered: false }",
            r#"reconnected [{"recovered":false}]"#
        ]
    );
}

#[tokio::test]
async fn an_outage_is_told_once_by_type_and_by_name_and_once_is_once() {
    let (chat, listener) = idle().await;
    drop(listener);
    let mut failures = chat.stream::<ConnectionFailed>();
    let (sender, mut events) = unbounded();
    let once = sender.clone();
    let _named = chat.on_name("connectionFailed", move |event| {
        let attempts: serde_json::Value = event.get(0).unwrap();
        sender.unbounded_send(attempts["attempts"].to_string()).unwrap();
    });
    let _once = chat.once(move |change: &StateChange| once.unbounded_send(change.state.name().to_owned()).unwrap());
    chat.connect();
    let failed = within(failures.next()).await.unwrap().unwrap();
    assert_eq!((failed.attempts, failed.error.kind()), (5, ErrorKind::Unreachable));
    assert_eq!(within(events.next()).await.as_deref(), Some("connecting"));
    assert_eq!(within(events.next()).await.as_deref(), Some("5"));
    chat.off("connectionFailed");
    assert_eq!(within(failures.next()).await, None);
}

#[tokio::test]
async fn a_first_connection_and_one_after_disconnect_are_no_reconnection() {
    let (chat, listener) = idle().await;
    let mut states = chat.socket().states();
    let mut again = chat.stream::<Reconnected>();
    for _ in 0..2 {
        chat.connect();
        let _peer = accept(&listener).await;
        until(&mut states, "connected").await;
        chat.disconnect();
        until(&mut states, "closed").await;
    }
    chat.close();
    assert_eq!(within(again.next()).await, None);
}

#[tokio::test]
async fn what_the_client_itself_raises_in_the_servers_words_has_its_type() {
    let (chat, mut peer, _listener) = chat().await;
    let mut failed = chat.stream::<RoomJoinFailed>();
    let mut stopped = chat.stream::<TypingStop>();
    peer.say(r#"42["typing_start",{"userId":"u2"}]"#).await;
    let _join = chat.join_room("locked");
    peer.hear().await;
    peer.say(r#"42["join_room_failed",{"roomId":"locked","reason":"wrong_password"}]"#)
        .await;
    assert_eq!(within(failed.next()).await.unwrap().unwrap().reason, "wrong_password");
    drop(peer);
    assert_eq!(within(stopped.next()).await.unwrap().unwrap().user_id, "u2");
}

#[derive(Debug, PartialEq, serde::Deserialize)]
struct Weather {
    degrees: i32,
}

impl WireEvent for Weather {
    const NAME: &'static str = "weather";
}

#[tokio::test]
async fn an_apps_own_event_has_its_type_too() {
    let (chat, mut peer, _listener) = chat().await;
    let mut weather = chat.stream::<Weather>();
    peer.say(r#"42["weather",{"degrees":7}]"#).await;
    assert_eq!(within(weather.next()).await, Some(Ok(Weather { degrees: 7 })));
}

#[tokio::test]
async fn a_handler_of_the_clients_own_event_that_panics_is_told_and_is_called_once_by_once() {
    let (chat, listener) = idle().await;
    let (sender, mut events) = unbounded();
    let notices = sender.clone();
    let _notices = chat
        .socket()
        .on_notice(move |notice| notices.unbounded_send(notice.to_json()).unwrap());
    let _once = chat.once_name("connectionStatusChange", move |event| {
        sender.unbounded_send(event.name().to_owned()).unwrap();
        panic!("deliberate");
    });
    chat.connect();
    let mut peer = accept(&listener).await;
    let told = heard(&chat, &mut peer, &mut events).await;
    assert_eq!((told.len(), &*told[0]), (2, "connectionStatusChange"));
    assert!(
        told[1].contains(r#""event":"connectionStatusChange""#) && told[1].contains("deliberate"),
        "{}",
        told[1]
    );
}

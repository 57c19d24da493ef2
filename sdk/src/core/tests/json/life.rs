//! From `connect` to `disconnect`, and what a server must not say.

use bytes::Bytes;
use serde_json::json;

use super::super::pair::*;
use super::*;
use crate::core::{AuthSource, EmitOptions, LinkEvent, NamespaceConfig};
use crate::error::Error;
use crate::state::{Notice, Reason, State, Transport};

#[test]
fn without_credentials_connected_follows_the_servers_greeting() {
    let mut pair = dialing(NamespaceConfig::new("/"));
    assert_eq!(pair.started[0].1.target, "/ws");
    assert_eq!(pair.state(), State::Connecting);
    pair.server(PLAIN);
    assert_eq!(pair.core.state(pair.socket), (State::Connected, Some("c1")));
    assert_eq!(pair.core.transport(), Some(Transport::WebSocket));
    assert_eq!(pair.frames(), [""; 0]);
    assert_eq!(pair.heard(), [""; 0], "the greeting is the protocol's own");
}

#[test]
fn with_credentials_connected_follows_their_acceptance() {
    let mut pair = dialing(with_token(chat_config()));
    pair.server(CONNECTION);
    assert_eq!(pair.frames(), [r#"{"type":"authenticate","data":{"token":"t1"}}"#]);
    assert_eq!(pair.state(), State::Connecting);
    pair.server(r#"{"type":"chat_message","id":"1","room":"r","user":"u","content":"x","timestamp":"t"}"#);
    pair.server(AUTHENTICATED);
    assert_eq!(pair.state(), State::Connected);
    let greeting = r#"connection_status [{"connected":true,"userId":"u1","username":"A","features":["ack","dedupe"]}]"#;
    assert_eq!(pair.heard(), [greeting]);
    pair.server(AUTHENTICATED);
    pair.server(CONNECTION);
    assert_eq!(pair.heard(), [""; 0], "said again it means nothing");
}

#[test]
fn refused_credentials_are_the_end_and_the_error_says_what_the_server_said() {
    let mut pair = dialing(with_token(NamespaceConfig::new("/")));
    pair.server(CONNECTION);
    pair.events.clear();
    pair.server(r#"{"type":"authentication_failed","message":"expired","code":"token"}"#);
    assert_eq!(pair.states(), [(State::Failed, Some(Reason::ConnectError))]);
    let change = pair.core.last_change(pair.socket).unwrap();
    let refused = Error::Refused {
        message: "expired".to_owned(),
        data: Some(r#"{"code":"token"}"#.to_owned()),
    };
    assert_eq!(change.error, Some(refused));
    assert_eq!(pair.stopped, [pair.link()]);
    pair.sleep(secs(60));
    assert_eq!(pair.started.len(), 1);
}

#[test]
fn a_provider_is_asked_once_more_on_the_same_link() {
    let mut namespace = NamespaceConfig::new("/");
    namespace.auth = AuthSource::Provider;
    let mut pair = dialing(namespace);
    for turn in 0..2 {
        let (socket, asked) = pair.auths[turn];
        let token = format!(r#"{{"token":"t{turn}"}}"#);
        pair.core.handle_auth(pair.now, socket, asked, Ok(token));
        pair.drain();
        if turn == 0 {
            pair.server(CONNECTION);
        }
        assert!(pair.frames()[0].contains(&format!(r#""token":"t{turn}""#)));
        if turn == 0 {
            pair.server(r#"{"type":"authentication_failed","message":"stale"}"#);
        }
    }
    pair.server(AUTHENTICATED);
    assert_eq!((pair.state(), pair.started.len()), (State::Connected, 1));
}

#[test]
fn a_server_that_closes_the_link_after_each_refusal_is_not_asked_for_ever() {
    let mut namespace = NamespaceConfig::new("/");
    namespace.auth = AuthSource::Provider;
    let mut pair = dialing(namespace);
    for turn in 0.. {
        let (socket, asked) = *pair.auths.last().unwrap();
        pair.core
            .handle_auth(pair.now, socket, asked, Ok(r#"{"token":"stale"}"#.to_owned()));
        pair.drain();
        pair.server(CONNECTION);
        pair.server(r#"{"type":"authentication_failed","message":"stale"}"#);
        if turn == 1 {
            break;
        }
        pair.cut();
        pair.sleep(secs(1));
    }
    assert_eq!(pair.state(), State::Failed);
}

#[test]
fn a_refusal_that_says_when_to_come_back_is_believed() {
    let mut pair = dialing(with_token(NamespaceConfig::new("/")));
    pair.server(CONNECTION);
    pair.frames();
    pair.server(r#"{"type":"authentication_failed","message":"busy","retryAfterMs":10000}"#);
    let State::Waiting { retry_in } = pair.state() else {
        panic!("{:?}", pair.state())
    };
    assert!(retry_in >= secs(10));
    pair.server(PONG);
    pair.sleep(retry_in);
    assert!(pair.frames().iter().any(|frame| frame.contains("authenticate")));
}

#[test]
fn a_server_that_greets_nobody_is_given_up_in_time() {
    let mut pair = dialing(NamespaceConfig::new("/"));
    pair.server(r#"{"type":"error","message":"full"}"#);
    pair.sleep(secs(20));
    assert_eq!(
        pair.states().last(),
        Some(&(State::Waiting { retry_in: secs(1) }, Some(Reason::ConnectTimeout)))
    );
}

#[test]
fn another_namespace_is_not_supported() {
    let mut pair = dialing(NamespaceConfig::new("/news"));
    assert_eq!(pair.state(), State::Failed);
    let change = pair.core.last_change(pair.socket).unwrap();
    assert_eq!(change.error.as_ref().map(Error::code), Some(1005));
    pair.sleep(secs(60));
    assert!(pair.started.is_empty());
}

#[test]
fn new_credentials_take_a_new_link_and_the_queue_along() {
    let new = || AuthSource::Value(r#"{"token":"t2"}"#.to_owned());
    for joined in [true, false] {
        let mut pair = dialing(with_token(chat_config()));
        pair.server(CONNECTION);
        if joined {
            pair.server(AUTHENTICATED);
        }
        let sent = say_to_room(&mut pair, "r");
        let old = pair.link();
        pair.events.clear();
        pair.frames();
        pair.core.set_auth(pair.now, pair.socket, new());
        pair.drain();
        if !joined {
            // The answer to the old ones comes first.
            assert!(pair.stopped.is_empty());
            pair.server(AUTHENTICATED);
        }
        assert_eq!((pair.stopped.clone(), pair.started.len()), (vec![old], 2));
        pair.event(old, LinkEvent::Text(AUTHENTICATED.into()));
        assert_eq!(pair.state(), State::Connecting);
        pair.sleep(secs(19));
        pair.server(CONNECTION);
        assert_eq!(pair.frames(), [r#"{"type":"authenticate","data":{"token":"t2"}}"#]);
        pair.server(AUTHENTICATED);
        assert_eq!(frame(&mut pair).1, sent.message_id().unwrap());
        assert_eq!(pair.states().last(), Some(&(State::Connected, None)));
    }
}

#[test]
fn new_credentials_after_a_refusal_go_over_the_same_link() {
    let mut pair = dialing(with_token(chat_config()));
    pair.server(CONNECTION);
    pair.frames();
    let new = AuthSource::Value(r#"{"token":"t2"}"#.to_owned());
    pair.core.set_auth(pair.now, pair.socket, new);
    pair.drain();
    pair.server(r#"{"type":"authentication_failed","message":"stale"}"#);
    assert_eq!(pair.frames(), [r#"{"type":"authenticate","data":{"token":"t2"}}"#]);
    pair.server(AUTHENTICATED);
    assert_eq!((pair.state(), pair.started.len()), (State::Connected, 1));
}

#[test]
fn the_servers_last_words_count() {
    let mut pair = chat(CONNECTION);
    pair.server(r#"{"type":"closing","code":"banned","message":"bye"}"#);
    let link = pair.link();
    pair.event(link, LinkEvent::Closed(None));
    assert_eq!(pair.states(), [(State::Failed, Some(Reason::Banned))]);
    pair.sleep(secs(60));
    assert_eq!(pair.started.len(), 1);
}

#[test]
fn disconnect_writes_what_was_sent_before_and_closes_the_link() {
    let mut pair = chat(CONNECTION);
    pair.writes = false;
    let last = pair.emit("bye", "[]", EmitOptions::new());
    pair.core.disconnect(pair.now, pair.socket);
    pair.drain();
    assert_eq!(pair.frames(), [r#"{"type":"bye"}"#]);
    assert!(pair.stopped.is_empty());
    pair.write_all();
    pair.drain();
    assert_eq!((names(&[last]), pair.stopped.len()), (vec!["sent"], 1));
    assert_eq!(pair.state(), State::Closed);
    pair.sleep(secs(60));
    assert_eq!(pair.frames(), [""; 0], "no ping follows");
}

#[test]
fn what_cannot_be_read_is_an_error_and_a_closed_link_and_the_next_one_is_good() {
    let long = format!(r#"{{"type":"connection","clientId":"{}"}}"#, "c".repeat(257));
    let deep = format!(r#"{{"type":"x","a":{}1{}}}"#, "[".repeat(128), "]".repeat(128));
    let texts = ["", "2", "[]", "{", "{}", r#"{"type":null}"#, "40", &long, &deep];
    let text = |text: &str| LinkEvent::Text(text.into());
    let events = texts
        .iter()
        .map(|frame| text(frame))
        .chain([LinkEvent::Binary(Bytes::from_static(b"{}"))]);
    for event in events {
        let opened = event != text(&long);
        let mut pair = dialing(chat_config());
        if opened {
            pair.server(CONNECTION);
        }
        pair.events.clear();
        let link = pair.link();
        pair.event(link, event.clone());
        assert!(
            matches!(pair.notices()[..], [Notice::Error(Error::Protocol(_))]),
            "{event:?}"
        );
        assert_eq!(
            pair.states(),
            [(State::Waiting { retry_in: secs(1) }, Some(Reason::ParseError))]
        );
        assert_eq!(pair.stopped, [link]);
        pair.sleep(secs(1));
        pair.server(CONNECTION);
        assert_eq!(pair.state(), State::Connected);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_a_server_sends_is_no_panic(
        frames in proptest::collection::vec((0..12_usize, ".{0,40}"), 0..20), auth: bool,
    ) {
        let kinds = [
            "connection", "authenticated", "authentication_failed", "pong", "ack", "chat_message", "user_joined",
            "room_joined", "room_created", "connection_status", "closing", "typing_start",
        ];
        let namespace = if auth { with_token(chat_config()) } else { chat_config() };
        let mut pair = dialing(namespace);
        for (kind, rest) in &frames {
            let field = json!(rest).to_string();
            let kind = kinds[*kind];
            for frame in [
                rest.clone(),
                format!(r#"{{"type":"{kind}",{rest}}}"#),
                format!(r#"{{"type":"{kind}","id":{field},"user":{field},"room":{field},"clientId":{field},"name":{field}}}"#),
            ] {
                pair.server(&frame);
            }
            let _message = say_to_room(&mut pair, "r");
            pair.sleep(secs(6));
        }
    }
}

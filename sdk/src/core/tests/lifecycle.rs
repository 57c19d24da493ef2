//! From `connect` to `disconnect`.

use super::pair::*;
use crate::core::{AuthSource, LinkEvent, NamespaceConfig};
use crate::error::Error;
use crate::state::{Notice, Reason, State};

fn provider() -> NamespaceConfig {
    let mut config = NamespaceConfig::new("/");
    config.auth = AuthSource::Provider;
    config
}

#[test]
fn connecting_opens_the_session_and_then_the_namespace() {
    let mut config = config();
    config.query = "room=1".into();
    config.path = "/chat/".into();
    let mut namespace = NamespaceConfig::new("/");
    namespace.auth = AuthSource::Value(r#"{"token":"t"}"#.into());
    let mut pair = Pair::with(config, namespace);
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    let request = pair.started[0].1.clone();
    assert_eq!(request.target, "/chat/?EIO=4&transport=websocket&room=1");
    assert_eq!(
        (request.authority.as_str(), request.port, request.secure),
        ("127.0.0.1:3000", 3000, false)
    );
    assert!(pair.frames().is_empty());
    pair.open();
    assert_eq!(pair.frames(), [r#"40{"token":"t"}"#]);
    assert_eq!(pair.state(), State::Connecting);
    pair.server(CONNECT);
    assert_eq!(pair.core.state(pair.socket), (State::Connected, Some("s1")));
    assert_eq!(pair.states(), [(State::Connecting, None), (State::Connected, None)]);
}

#[test]
fn a_ping_is_answered_and_silence_ends_the_link() {
    let mut pair = Pair::connected();
    pair.sleep(secs(25));
    pair.server("2");
    assert_eq!(pair.frames(), ["3"]);
    pair.sleep(secs(44));
    assert_eq!(pair.state(), State::Connected);
    pair.sleep(secs(1));
    assert_eq!(
        pair.states(),
        [(State::Waiting { retry_in: secs(1) }, Some(Reason::PingTimeout))]
    );
}

#[test]
fn delays_grow_to_the_cap_and_start_anew_only_after_a_stable_connection() {
    let mut pair = Pair::new();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    for expected in [1, 2, 4, 5, 5, 5] {
        pair.cut();
        assert_eq!(
            pair.state(),
            State::Waiting {
                retry_in: secs(expected)
            }
        );
        pair.sleep(secs(expected));
        assert_eq!(pair.state(), State::Connecting);
    }
    pair.open();
    pair.server(CONNECT);
    pair.sleep(secs(5));
    pair.cut();
    assert_eq!(pair.state(), State::Waiting { retry_in: secs(1) });
}

#[test]
fn connection_failed_is_told_once_per_outage_at_the_fifth_failure() {
    let mut pair = Pair::new();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    for failure in 1..=12 {
        pair.cut();
        let told = pair.notices();
        assert_eq!(told.len(), usize::from(failure == 5), "failure {failure}");
        pair.sleep(secs(5));
    }
    pair.open();
    pair.server(CONNECT);
    pair.cut();
    pair.sleep(secs(5));
    for failure in 1..=5 {
        pair.cut();
        let told = pair.notices();
        assert_eq!(
            told.len(),
            usize::from(failure == 5),
            "second outage, failure {failure}"
        );
        pair.sleep(secs(5));
    }
}

#[test]
fn attempts_that_are_used_up_end_failed_and_connect_tries_again() {
    let mut config = config();
    config.max_attempts = Some(2);
    let mut pair = Pair::with(config, NamespaceConfig::new("/"));
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    for _ in 0..2 {
        pair.cut();
        pair.sleep(secs(5));
    }
    pair.cut();
    assert_eq!(pair.state(), State::Failed);
    pair.sleep(secs(100));
    assert_eq!(pair.started.len(), 3);
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    assert_eq!((pair.started.len(), pair.state()), (4, State::Connecting));
}

#[test]
fn connect_dials_at_once_whatever_delay_was_running() {
    let mut pair = Pair::connected();
    pair.cut();
    let links = pair.started.len();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    assert_eq!(pair.started.len(), links + 1);
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    assert_eq!(pair.started.len(), links + 1, "an attempt under way is not doubled");
}

#[test]
fn disconnect_writes_what_was_sent_before_and_closes_the_link() {
    let mut pair = Pair::connected();
    let said = pair.emit("bye", "[]", Default::default());
    pair.core.disconnect(pair.now, pair.socket);
    pair.drain();
    assert_eq!(pair.frames(), [r#"42["bye"]"#, "ws ping"]);
    assert_eq!(names(&[said]), ["sent"]);
    assert_eq!(pair.states(), [(State::Closed, Some(Reason::ClientDisconnect))]);
    assert!(pair.stopped.is_empty(), "not before the server has read it");
    pair.event(pair.link(), LinkEvent::Pong);
    assert_eq!(pair.frames(), ["41"]);
    assert_eq!(pair.stopped, [pair.link()]);
    pair.sleep(secs(600));
    assert_eq!(pair.started.len(), 1);
    pair.connect();
    assert_eq!(pair.state(), State::Connected);
}

#[test]
fn without_pings_the_servers_word_about_a_probe_is_the_proof_that_it_has_read_the_last_messages() {
    let mut config = config();
    config.can_ping = false;
    let mut pair = Pair::with(config, NamespaceConfig::new("/"));
    pair.connect();
    let _said = pair.emit("bye", "[]", Default::default());
    pair.core.disconnect(pair.now, pair.socket);
    pair.drain();
    assert_eq!(pair.frames(), [r#"42["bye"]"#, "40/rejoin-probe,"]);
    pair.server(r#"44/rejoin-probe,{"message":"Invalid namespace"}"#);
    assert_eq!(pair.frames(), ["41"]);
    assert_eq!(pair.stopped, [pair.link()]);
}

#[test]
fn a_server_that_proves_nothing_hears_the_last_word_after_a_second_and_an_idle_link_at_once() {
    let mut pair = Pair::connected();
    let _said = pair.say("a");
    pair.frames();
    pair.sleep(millis(999));
    pair.core.disconnect(pair.now, pair.socket);
    pair.drain();
    assert_eq!(pair.frames(), ["ws ping"]);
    pair.sleep(secs(1));
    assert_eq!(pair.frames(), ["41"]);
    assert_eq!(pair.stopped, [pair.link()]);

    let mut idle = Pair::connected();
    let _said = idle.say("a");
    idle.frames();
    idle.sleep(secs(1));
    idle.core.disconnect(idle.now, idle.socket);
    idle.drain();
    assert_eq!(idle.frames(), ["41"]);
}

#[test]
fn a_link_that_does_not_get_rid_of_its_last_words_is_closed_after_a_second() {
    let mut pair = Pair::connected();
    pair.writes = false;
    let said = pair.emit("bye", "[]", Default::default());
    pair.core.disconnect(pair.now, pair.socket);
    pair.drain();
    assert!(pair.stopped.is_empty());
    pair.sleep(secs(1));
    assert_eq!(pair.stopped, [pair.link()]);
    assert_eq!(names(&[said]), ["unconfirmed"]);
}

#[test]
fn the_server_taking_the_client_out_reconnects_with_a_delay() {
    let mut pair = Pair::connected();
    pair.server("41");
    assert_eq!(
        pair.states(),
        [(State::Waiting { retry_in: secs(1) }, Some(Reason::ServerDisconnect))]
    );
    pair.sleep(secs(1));
    assert_eq!(pair.state(), State::Connecting);
}

#[test]
fn a_refusal_ends_failed_with_the_servers_words_and_frees_the_link() {
    let mut pair = Pair::new();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.open();
    pair.server(r#"44{"message":"not you","data":{"code":"x"}}"#);
    assert_eq!(pair.state(), State::Failed);
    let (_, crate::core::Happening::State(change)) = pair.events.pop_back().unwrap() else {
        panic!("no change of state")
    };
    let expected = Error::Refused {
        message: "not you".into(),
        data: Some(r#"{"code":"x"}"#.into()),
    };
    assert_eq!(change.error, Some(expected));
    assert_eq!(pair.stopped, [pair.link()]);
    pair.sleep(secs(600));
    assert_eq!(pair.started.len(), 1);
}

#[test]
fn a_refusal_with_a_time_is_tried_again_then_over_the_same_link() {
    let mut pair = Pair::new();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.open();
    pair.frames();
    pair.server(r#"44{"message":"busy","data":{"retryAfterMs":3000}}"#);
    let State::Waiting { retry_in } = pair.state() else {
        panic!("not waiting")
    };
    assert!((secs(3)..secs(8)).contains(&retry_in), "{retry_in:?}");
    pair.sleep(retry_in);
    assert_eq!(pair.frames(), ["40"]);
    pair.server(CONNECT);
    assert_eq!((pair.state(), pair.started.len()), (State::Connected, 1));
}

#[test]
fn a_refused_token_is_asked_for_anew_once_and_sent_on_the_same_link() {
    let mut pair = Pair::with(config(), provider());
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    assert!(pair.started.is_empty(), "credentials come first");
    let (socket, turn) = pair.auths[0];
    pair.core
        .handle_auth(pair.now, socket, turn, Ok(r#"{"token":"old"}"#.into()));
    pair.drain();
    pair.open();
    pair.server(r#"44{"message":"expired"}"#);
    assert_eq!(pair.auths.len(), 2);
    let (socket, turn) = pair.auths[1];
    pair.core
        .handle_auth(pair.now, socket, turn, Ok(r#"{"token":"new"}"#.into()));
    pair.drain();
    assert_eq!(pair.frames(), [r#"40{"token":"old"}"#, r#"40{"token":"new"}"#]);
    pair.server(r#"44{"message":"expired"}"#);
    assert_eq!(
        (pair.state(), pair.auths.len(), pair.started.len()),
        (State::Failed, 2, 1)
    );
}

#[test]
fn a_provider_that_fails_is_a_failed_attempt_that_is_made_again() {
    let mut pair = Pair::with(config(), provider());
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    let (socket, turn) = pair.auths[0];
    pair.core.handle_auth(pair.now, socket, turn, Err("signed out".into()));
    pair.drain();
    assert_eq!(pair.state(), State::Waiting { retry_in: secs(1) });
    pair.sleep(secs(1));
    assert_eq!(pair.auths.len(), 2);
    pair.core.handle_auth(pair.now, socket, turn, Ok("{}".into()));
    pair.drain();
    assert!(pair.started.is_empty(), "an answer to an earlier question is ignored");
}

#[test]
fn namespaces_share_one_link_and_have_states_of_their_own() {
    let mut pair = Pair::connected();
    let news = pair.core.add_socket(NamespaceConfig::new("/news"));
    pair.core.connect(pair.now, news);
    pair.drain();
    assert_eq!((pair.frames(), pair.started.len()), (vec!["40/news,".to_owned()], 1));
    pair.server(r#"44/news,{"message":"members only"}"#);
    assert_eq!(
        (pair.core.state(news).0, pair.state()),
        (State::Failed, State::Connected)
    );
    pair.core.connect(pair.now, news);
    pair.drain();
    pair.server(r#"40/news,{"sid":"n1"}"#);
    assert_eq!(pair.core.state(news), (State::Connected, Some("n1")));
    pair.server("41/news,");
    assert!(matches!(pair.core.state(news).0, State::Waiting { .. }));
    assert_eq!(pair.state(), State::Connected);
    pair.frames();
    pair.sleep(secs(1));
    assert_eq!(pair.frames(), ["40/news,"]);
    pair.core.disconnect(pair.now, pair.socket);
    pair.drain();
    assert!(pair.stopped.is_empty(), "the link belongs to the other socket too");
}

#[test]
fn packets_of_namespaces_that_nobody_joined_are_ignored() {
    let mut pair = Pair::connected();
    for frame in [
        r#"42/other,["x"]"#,
        "41/other,",
        r#"40/other,{"sid":"x"}"#,
        "43/other,0[]",
    ] {
        pair.server(frame);
    }
    assert!(pair.events.is_empty());
    assert_eq!(pair.state(), State::Connected);
}

#[test]
fn a_namespace_that_cannot_be_written_fails_at_connect() {
    let mut pair = Pair::with(config(), NamespaceConfig::new("/a,b"));
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    assert_eq!((pair.state(), pair.started.len()), (State::Failed, 0));
}

#[test]
fn a_server_of_version_2_is_told_apart() {
    let mut pair = Pair::new();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.open();
    pair.server("40");
    let (_, crate::core::Happening::State(change)) = pair.events.pop_back().unwrap() else {
        panic!("no change of state")
    };
    assert!(matches!(change.error, Some(Error::Handshake(_))), "{:?}", change.error);
}

#[test]
fn a_stall_of_the_handlers_outlasts_the_heartbeat_by_a_second_at_most() {
    let mut pair = Pair::connected();
    pair.sleep(secs(44));
    pair.core.handle_stalled(pair.now);
    pair.drain();
    pair.sleep(secs(45));
    assert_eq!(pair.state(), State::Connected, "whoever reads gives up first");
    pair.sleep(secs(1));
    assert_eq!(pair.states()[0].1, Some(Reason::PingTimeout));
}

#[test]
fn a_clean_close_during_the_handshake_says_what_was_wrong() {
    let mut pair = Pair::new();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    let link = pair.link();
    pair.event(link, LinkEvent::Closed(None));
    assert_eq!(pair.states()[1].1, Some(Reason::ConnectError));
    assert_eq!(pair.notices(), Vec::<Notice>::new());
}

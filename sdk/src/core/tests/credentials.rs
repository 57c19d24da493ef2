//! Where credentials come from, and what happens when they change.

use super::pair::*;
use crate::config::Endpoint;
use crate::core::{AuthSource, EmitOptions, LinkEvent, NamespaceConfig, SocketId};
use crate::error::Error;
use crate::state::{Hint, Notice, Reason, State};

fn token(name: &str) -> AuthSource {
    AuthSource::Value(format!(r#"{{"token":"{name}"}}"#))
}

fn with_token() -> NamespaceConfig {
    let mut config = NamespaceConfig::new("/");
    config.auth = token("old");
    config
}

fn with_provider() -> NamespaceConfig {
    let mut config = NamespaceConfig::new("/");
    config.auth = AuthSource::Provider;
    config
}

/// `connect` was called.
fn dialling(namespace: NamespaceConfig) -> Pair {
    let mut pair = Pair::with(config(), namespace);
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair
}

fn set(pair: &mut Pair, auth: AuthSource) {
    pair.core.set_auth(pair.now, pair.socket, auth);
    pair.drain();
}

/// The provider answers a question, the newest being the last.
fn answer(pair: &mut Pair, question: usize, name: &str) {
    let (socket, turn) = pair.auths[question];
    let json = format!(r#"{{"token":"{name}"}}"#);
    pair.core.handle_auth(pair.now, socket, turn, Ok(json));
    pair.drain();
}

fn connected_chat() -> Pair {
    let mut namespace = chat_config();
    namespace.auth = token("old");
    let mut pair = Pair::with(config(), namespace);
    pair.connect();
    pair.server(GREETING);
    pair.events.clear();
    pair
}

const OLD: &str = r#"40{"token":"old"}"#;
const NEW: &str = r#"40{"token":"new"}"#;

/// A namespace was left and is joined again, once an answer to a probe has proved that the server knows of the first.
fn rejoins(pair: &mut Pair, leave: &str, join: &str) {
    assert_eq!(pair.frames(), [leave, "ws ping"]);
    pair.event(pair.link(), LinkEvent::Pong);
    assert_eq!(pair.frames(), [join]);
}

#[test]
fn a_joined_socket_joins_again_with_the_new_token_over_the_same_link() {
    let mut pair = connected_chat();
    let _join = pair.core.join_room(pair.now, pair.socket, "a", None);
    pair.drain();
    let join = pair.frames().remove(0);
    ok(&mut pair, &join);
    let reliable = pair.emit("m", "[{}]", EmitOptions::new().reliable());
    let asked = pair.emit("q", "[]", EmitOptions::new().ack());
    pair.drain();
    pair.frames();

    set(&mut pair, token("new"));
    rejoins(&mut pair, "41", NEW);
    assert_eq!(error_of(&asked), Error::LinkLost);
    let queued = pair.say("later");
    assert_eq!(names(&[reliable, queued]), ["none"; 2]);
    pair.server(r#"42["old"]"#);
    pair.server(r#"40{"sid":"s2"}"#);
    assert_eq!(pair.frames(), [""; 0], "it may be another user's");
    pair.server(GREETING);
    assert_eq!(
        pair.core.state(pair.socket),
        (State::Connecting, Some("s2")),
        "the room comes first"
    );
    let join = pair.frames().remove(0);
    assert!(join.contains("join_room"), "{join}");
    ok(&mut pair, &join);
    let frames = pair.frames();
    assert!(
        frames[0].contains("messageId") && frames[1].contains("later"),
        "{frames:?}"
    );
    assert_eq!(pair.states(), [(State::Connecting, None), (State::Connected, None)]);
    assert!(!pair.heard().iter().any(|heard| heard.starts_with("old")));
    assert_eq!((pair.started.len(), pair.stopped.len()), (1, 0));
}

#[test]
fn other_namespaces_notice_nothing() {
    let mut pair = Pair::connected();
    let news = pair.core.add_socket(NamespaceConfig::new("/news"));
    pair.core.connect(pair.now, news);
    pair.drain();
    pair.server(r#"40/news,{"sid":"n1"}"#);
    pair.frames();
    pair.events.clear();
    pair.core.set_auth(pair.now, news, token("new"));
    pair.drain();
    rejoins(&mut pair, "41/news,", r#"40/news,{"token":"new"}"#);
    assert_eq!(pair.state(), State::Connected);
    assert!(pair.events.iter().all(|(socket, _)| *socket == SocketId(1)));
    pair.core.set_auth(pair.now, news, AuthSource::None);
    pair.server(r#"40/news,{"sid":"n2"}"#);
    rejoins(&mut pair, "41/news,", "40/news,");
}

#[test]
fn the_answer_to_a_probe_from_before_a_leave_proves_nothing_about_it() {
    let mut pair = connected_chat();
    pair.core.hint(pair.now, Hint::Online);
    pair.drain();
    assert_eq!(pair.frames(), ["ws ping"]);
    set(&mut pair, token("new"));
    assert_eq!(pair.frames(), ["41"]);
    pair.event(pair.link(), LinkEvent::Pong);
    assert_eq!(pair.frames(), ["ws ping"]);
    pair.event(pair.link(), LinkEvent::Pong);
    assert_eq!(pair.frames(), [NEW]);
}

#[test]
fn a_socket_on_its_way_uses_the_new_token_for_its_connect() {
    let mut pair = dialling(with_token());
    set(&mut pair, token("new"));
    pair.open();
    assert_eq!(pair.frames(), [NEW]);

    let mut pair = dialling(with_token());
    pair.cut();
    set(&mut pair, token("new"));
    assert!(matches!(pair.state(), State::Waiting { .. }), "the delay stays");
    pair.sleep(secs(1));
    pair.open();
    assert_eq!(pair.frames(), [NEW]);
}

#[test]
fn a_connect_that_was_sent_is_answered_before_the_next_one() {
    let mut pair = dialling(with_token());
    pair.open();
    set(&mut pair, token("newer"));
    set(&mut pair, token("new"));
    assert_eq!(pair.frames(), [OLD]);
    pair.server(r#"42["for the old"]"#);
    pair.server(CONNECT);
    rejoins(&mut pair, "41", NEW);
    assert_eq!(pair.state(), State::Connecting);
    pair.server(r#"40{"sid":"s2"}"#);
    assert_eq!(pair.core.state(pair.socket), (State::Connected, Some("s2")));
    assert!(pair.heard().is_empty());
}

#[test]
fn a_refusal_of_the_old_token_is_not_the_end() {
    let mut pair = dialling(with_token());
    pair.open();
    set(&mut pair, token("new"));
    pair.server(r#"44{"message":"expired"}"#);
    assert_eq!(pair.frames(), [OLD, NEW]);
    pair.server(r#"44{"message":"expired"}"#);
    assert_eq!((pair.state(), pair.started.len()), (State::Failed, 1));
}

#[test]
fn a_socket_that_was_refused_connects_again() {
    let mut pair = dialling(with_token());
    pair.open();
    pair.server(r#"44{"message":"expired"}"#);
    pair.frames();
    assert_eq!(pair.state(), State::Failed);
    set(&mut pair, token("new"));
    assert_eq!((pair.state(), pair.started.len()), (State::Connecting, 2));
    pair.open();
    assert_eq!(pair.frames(), [NEW]);
}

#[test]
fn a_socket_that_nobody_wants_or_that_failed_for_another_reason_only_remembers_it() {
    let mut idle = Pair::with(config(), with_token());
    set(&mut idle, token("new"));
    let mut closed = Pair::with(config(), with_token());
    closed.connect();
    closed.core.disconnect(closed.now, closed.socket);
    closed.drain();
    set(&mut closed, token("new"));
    let mut once = config();
    once.max_attempts = Some(0);
    let mut failed = Pair::with(once, with_token());
    failed.core.connect(failed.now, failed.socket);
    failed.drain();
    failed.cut();
    set(&mut failed, token("new"));
    for (mut pair, state) in [(idle, State::Idle), (closed, State::Closed), (failed, State::Failed)] {
        assert_eq!(pair.state(), state);
        let links = pair.started.len();
        pair.sleep(secs(60));
        assert_eq!(pair.started.len(), links);
        pair.frames();
        pair.core.connect(pair.now, pair.socket);
        pair.drain();
        pair.open();
        assert_eq!(pair.frames(), [NEW]);
    }
}

#[test]
fn a_new_token_takes_the_providers_place() {
    let mut pair = dialling(with_provider());
    set(&mut pair, token("new"));
    assert_eq!(pair.started.len(), 1, "it is not waited for");
    answer(&mut pair, 0, "late");
    pair.open();
    assert_eq!(pair.frames(), [NEW]);
    pair.server(CONNECT);
    pair.cut();
    pair.sleep(secs(1));
    assert_eq!(
        (pair.auths.len(), pair.started.len()),
        (1, 2),
        "it is not asked any more"
    );
}

#[test]
fn the_old_users_session_is_not_taken_up_again() {
    let mut pair = dialling(with_token());
    pair.open();
    pair.server(r#"40{"sid":"s1","pid":"p1"}"#);
    pair.server(r#"42["m","o1"]"#);
    pair.cut();
    set(&mut pair, token("new"));
    pair.sleep(secs(1));
    pair.frames();
    pair.open();
    assert_eq!(pair.frames(), [NEW]);
}

#[test]
fn a_time_that_the_server_gave_is_kept() {
    let mut pair = dialling(with_token());
    pair.open();
    pair.frames();
    pair.server(r#"44{"message":"busy","data":{"retryAfterMs":20000}}"#);
    set(&mut pair, token("new"));
    pair.sleep(secs(19));
    assert!(pair.frames().is_empty());
    pair.sleep(secs(7));
    assert_eq!(pair.frames(), [NEW]);

    let mut pair = dialling(with_token());
    pair.open();
    set(&mut pair, token("new"));
    pair.server(r#"44{"message":"busy","data":{"retryAfterMs":20000}}"#);
    pair.sleep(secs(26));
    assert_eq!(pair.frames(), [OLD, NEW]);
}

#[test]
fn credentials_that_come_later_are_warned_of_without_tls() {
    let mut config = config();
    config.endpoint = Endpoint::parse("http://chat.example.com").unwrap();
    let mut pair = Pair::with(config, NamespaceConfig::new("/"));
    pair.core.connect(pair.now, pair.socket);
    set(&mut pair, token("new"));
    set(&mut pair, token("newer"));
    assert!(matches!(pair.notices()[..], [Notice::Warning(_)]));
}

#[test]
fn a_closed_client_takes_no_credentials() {
    let mut pair = Pair::connected();
    pair.core.close(pair.now);
    pair.drain();
    pair.frames();
    set(&mut pair, token("new"));
    assert!(pair.frames().is_empty());
    assert_eq!(pair.state(), State::Closed);
}

#[test]
fn a_provider_is_asked_once_however_often_connect_is_called() {
    let mut pair = dialling(with_provider());
    for _ in 0..3 {
        pair.core.connect(pair.now, pair.socket);
        pair.drain();
    }
    assert_eq!(pair.auths.len(), 1);
    answer(&mut pair, 0, "new");
    answer(&mut pair, 0, "newer");
    assert_eq!(pair.started.len(), 1);
    pair.open();
    assert_eq!(pair.frames(), [NEW]);
}

#[test]
fn a_provider_has_ten_seconds_and_its_late_answer_is_ignored() {
    let mut pair = dialling(with_provider());
    pair.sleep(secs(10) - millis(1));
    assert_eq!(pair.state(), State::Connecting);
    pair.sleep(millis(1));
    assert_eq!(pair.state(), State::Waiting { retry_in: secs(1) });
    let change = pair.core.last_change(pair.socket).cloned().unwrap();
    assert_eq!(change.error.map(|error| error.code()), Some(3002));
    answer(&mut pair, 0, "late");
    assert!(pair.started.is_empty());
    pair.sleep(secs(1));
    answer(&mut pair, 0, "late");
    assert!(pair.started.is_empty(), "also while the next question is open");
    answer(&mut pair, 1, "new");
    pair.open();
    assert_eq!(pair.frames(), [NEW]);
}

#[test]
fn the_connect_timeout_covers_the_provider() {
    let mut config = config();
    config.connect_timeout = secs(4);
    let mut pair = Pair::with(config, with_provider());
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.sleep(secs(4));
    assert_eq!(pair.states().last().unwrap().1, Some(Reason::ConnectTimeout));
}

#[test]
fn a_provider_is_asked_anew_once_for_each_connection_that_is_refused() {
    let mut pair = dialling(with_provider());
    answer(&mut pair, 0, "old");
    pair.open();
    pair.server(r#"44{"message":"expired"}"#);
    answer(&mut pair, 1, "new");
    assert_eq!(pair.frames(), [OLD, NEW]);
    pair.server(CONNECT);
    // The next connection has its own second chance.
    pair.cut();
    pair.sleep(secs(1));
    answer(&mut pair, 2, "old");
    pair.open();
    pair.frames();
    pair.server(r#"44{"message":"expired"}"#);
    assert_eq!((pair.auths.len(), pair.started.len()), (4, 2));
    answer(&mut pair, 3, "new");
    pair.server(r#"44{"message":"expired"}"#);
    assert_eq!((pair.state(), pair.auths.len()), (State::Failed, 4));
}

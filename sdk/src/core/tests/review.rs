//! What a review found after transports, recovery and plain JSON were built: one test for each defect.

use super::pair::*;
use super::transports::{UPGRADABLE, get, polled, posted, websocket, with};
use crate::core::{AuthSource, LinkEvent, NamespaceConfig, SocketId};
use crate::state::{Hint, State, Transport};

/// A second socket on the link of the first, and its CONNECT is sent.
fn joining() -> (Pair, SocketId) {
    let mut pair = Pair::connected();
    let news = pair.core.add_socket(NamespaceConfig::new("/news"));
    pair.core.connect(pair.now, news);
    pair.drain();
    assert_eq!(pair.frames(), ["40/news,"]);
    (pair, news)
}

#[test]
fn connect_after_a_disconnect_before_the_answer_sends_no_second_connect() {
    // npm's server closes the whole link for a CONNECT to a namespace that was joined already.
    let (mut pair, news) = joining();
    pair.core.disconnect(pair.now, news);
    pair.core.connect(pair.now, news);
    pair.drain();
    assert_eq!(pair.frames(), [""; 0]);
    pair.server(r#"40/news,{"sid":"n1"}"#);
    assert_eq!(pair.frames(), ["41/news,", "ws ping"]);
    pair.event(pair.link(), LinkEvent::Pong);
    assert_eq!(pair.frames(), ["40/news,"]);
    pair.server(r#"40/news,{"sid":"n2"}"#);
    assert_eq!(pair.core.state(news), (State::Connected, Some("n2")));
}

#[test]
fn connect_after_a_disconnect_before_a_refusal_asks_again() {
    let (mut pair, news) = joining();
    pair.core.disconnect(pair.now, news);
    pair.core.connect(pair.now, news);
    pair.drain();
    pair.server(r#"44/news,{"message":"no"}"#);
    assert_eq!(pair.frames(), ["40/news,"]);
    pair.server(r#"40/news,{"sid":"n1"}"#);
    assert_eq!(pair.core.state(news), (State::Connected, Some("n1")));
}

#[test]
fn a_connect_that_is_never_answered_is_sent_again() {
    let (mut pair, news) = joining();
    pair.core.disconnect(pair.now, news);
    pair.core.connect(pair.now, news);
    pair.drain();
    // The heartbeat holds the link.
    for _ in 0..30 {
        pair.sleep(secs(1));
        pair.server("2");
        pair.event(pair.link(), LinkEvent::Pong);
    }
    assert!(pair.frames().contains(&"40/news,".to_owned()));
}

#[test]
fn goodbyes_that_cannot_be_written_do_not_pile_up() {
    let mut pair = Pair::connected();
    let _news = pair.core.add_socket(NamespaceConfig::new("/news"));
    pair.writes = false;
    let _receipt = pair.say("m");
    for _ in 0..10_000 {
        pair.server(r#"40/rejoin-probe,{"sid":"p"}"#);
        pair.server(r#"40/news,{"sid":"n"}"#);
    }
    pair.frames();
    pair.written();
    pair.drain();
    let frames = pair.frames();
    assert!(frames.len() < 10, "{} frames", frames.len());
    assert!(frames.contains(&"41/news,".to_owned()));
    assert!(frames.contains(&"41/rejoin-probe,".to_owned()));
}

#[test]
fn what_is_emitted_while_an_upgrade_waits_is_still_queued_when_the_link_dies() {
    let mut pair = with(&[Transport::Polling, Transport::WebSocket], |_| {});
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    polled(&mut pair, UPGRADABLE);
    posted(&mut pair);
    polled(&mut pair, CONNECT);
    let socket = websocket(&pair);
    pair.event(socket, LinkEvent::Text("3probe".into()));
    let receipt = pair.say("meanwhile");
    let get = get(&pair);
    pair.stopped.push(get);
    pair.event(get, LinkEvent::Closed(None));
    assert_eq!(receipt.outcome(), None);
    pair.sleep(secs(1));
    polled(&mut pair, OPEN);
    posted(&mut pair);
    polled(&mut pair, CONNECT);
    assert_eq!(posted(&mut pair), "42[\"meanwhile\"]");
    assert_eq!(names(&[receipt]), ["sent"]);
}

#[test]
fn a_probe_waits_while_nobody_reads_its_answer() {
    let mut pair = Pair::connected();
    pair.core.handle_stalled(pair.now);
    pair.core.hint(pair.now, Hint::Online);
    pair.drain();
    assert_eq!(pair.frames(), ["ws ping"]);
    pair.sleep(secs(10));
    assert_eq!(pair.state(), State::Connected, "handlers are slow, not the server");
    // Reading goes on, and what came first was sent before the answer.
    pair.server(r#"42["old"]"#);
    pair.sleep(secs(1));
    pair.event(pair.link(), LinkEvent::Pong);
    pair.sleep(secs(10));
    assert_eq!(pair.state(), State::Connected);
}

#[test]
fn a_link_that_is_dead_when_reading_goes_on_is_found() {
    let mut pair = Pair::connected();
    pair.core.handle_stalled(pair.now);
    pair.core.hint(pair.now, Hint::Online);
    pair.drain();
    pair.sleep(secs(10));
    pair.server(r#"42["old"]"#);
    pair.sleep(secs(2));
    assert_ne!(pair.state(), State::Connected);
}

#[test]
fn an_attempt_ends_when_the_only_socket_on_its_way_leaves() {
    let mut config = config();
    config.max_attempts = Some(1);
    let mut asks = NamespaceConfig::new("/");
    asks.auth = AuthSource::Provider;
    let mut pair = Pair::with(config, asks);
    let news = pair.core.add_socket(NamespaceConfig::new("/news"));
    pair.core.connect(pair.now, news);
    pair.drain();
    pair.open();
    pair.server(r#"44/news,{"message":"busy","data":{"retryAfterMs":60000}}"#);
    pair.cut();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    assert_eq!((pair.auths.len(), pair.started.len()), (1, 1));
    pair.core.disconnect(pair.now, pair.socket);
    pair.drain();
    pair.sleep(secs(30));
    assert!(
        matches!(pair.core.state(news).0, State::Waiting { .. }),
        "it waits for its own time"
    );
    pair.sleep(secs(40));
    assert_eq!(pair.started.len(), 2);
}

#[test]
fn a_closing_that_is_replayed_says_nothing_about_the_session_that_came_back() {
    let mut pair = Pair::new();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.open();
    pair.server(r#"40{"sid":"s1","pid":"p1"}"#);
    pair.cut();
    pair.sleep(secs(5));
    pair.open();
    pair.server(r#"42["closing",{"code":"banned","message":"x"},"o1"]"#);
    pair.server(r#"40{"sid":"s1","pid":"p1"}"#);
    assert!(pair.heard().iter().any(|event| event.starts_with("closing")));
    pair.cut();
    assert!(matches!(pair.state(), State::Waiting { .. }), "{:?}", pair.state());
}

#[test]
fn a_typist_whose_id_is_longer_than_any_is_not_kept() {
    let mut pair = greeted();
    let long = "x".repeat(257);
    pair.server(&format!(r#"42["typing_start",{{"userId":"{long}"}}]"#));
    pair.server(r#"42["typing_start",{"userId":"u2"}]"#);
    pair.events.clear();
    pair.sleep(secs(6));
    let stops: Vec<_> = pair.heard();
    assert_eq!(stops.len(), 1, "{stops:?}");
    assert!(stops[0].contains("u2"));
}

#[test]
fn nothing_is_given_to_a_link_whose_end_is_known() {
    let mut pair = Pair::new();
    let queued = pair.emit("m", "[]", crate::EmitOptions::new());
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.open();
    pair.frames();
    // As after a sleep: the answer and the end are read in one go.
    let link = pair.link();
    pair.core.expect_end(link);
    pair.core.handle_link(pair.now, link, LinkEvent::Text(CONNECT.into()));
    let end = LinkEvent::Closed(Some(crate::Error::Unreachable("reset".into())));
    pair.core.handle_link(pair.now, link, end);
    pair.drain();
    assert_eq!((names(&[queued]), pair.frames()), (vec!["none"], vec![]));
    assert_eq!(pair.core.pending(pair.socket).len(), 1);
}

//! What goes wrong in the field, and must not here.

use super::pair::*;
use crate::core::{AuthSource, EmitOptions, NamespaceConfig};
use crate::error::Error;
use crate::state::{Reason, State};

#[test]
fn a_server_that_accepts_and_drops_is_not_hammered() {
    let mut pair = Pair::new();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    let mut delays = Vec::new();
    for _ in 0..6 {
        pair.open();
        pair.server(CONNECT);
        pair.sleep(secs(4));
        pair.cut();
        let State::Waiting { retry_in } = pair.state() else {
            panic!("not waiting")
        };
        delays.push(retry_in.as_secs());
        pair.sleep(retry_in);
    }
    assert_eq!(delays, [1, 2, 4, 5, 5, 5]);
}

#[test]
fn delays_keep_their_jitter_and_never_overflow_however_long_the_outage() {
    let mut config = config();
    config.backoff.jitter = true;
    let mut pair = Pair::with(config, NamespaceConfig::new("/"));
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    let mut delays = Vec::new();
    for _ in 0..3000 {
        pair.cut();
        let State::Waiting { retry_in } = pair.state() else {
            panic!("not waiting")
        };
        delays.push(retry_in);
        pair.sleep(retry_in);
    }
    let late = &delays[100..];
    assert!(late.iter().all(|delay| (millis(2500)..=secs(5)).contains(delay)));
    assert!(late.iter().any(|delay| *delay < millis(2600)) && late.iter().any(|delay| *delay > millis(4900)));
}

#[test]
fn the_connect_timeout_covers_the_namespace_handshake() {
    let mut pair = Pair::new();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.sleep(secs(12));
    pair.open();
    pair.sleep(millis(7999));
    assert_eq!(pair.state(), State::Connecting);
    // Heartbeats do not help a server that never answers CONNECT.
    pair.server("2");
    pair.sleep(millis(1));
    assert_eq!(
        pair.states().last().unwrap(),
        &(State::Waiting { retry_in: secs(1) }, Some(Reason::ConnectTimeout))
    );
    assert_eq!(pair.stopped, [pair.link()]);
}

#[test]
fn an_auth_provider_that_never_answers_does_not_hang_for_ever() {
    let mut namespace = NamespaceConfig::new("/");
    namespace.auth = AuthSource::Provider;
    let mut pair = Pair::with(config(), namespace);
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.sleep(secs(10));
    assert_eq!(
        pair.states().last().unwrap(),
        &(State::Waiting { retry_in: secs(1) }, Some(Reason::ConnectError))
    );
    pair.sleep(secs(1));
    assert_eq!(pair.auths.len(), 2);
}

#[test]
fn what_is_written_to_a_dying_link_has_an_outcome() {
    let mut pair = Pair::connected();
    pair.writes = false;
    let in_flight = pair.say("a");
    let waiting = pair.say("b");
    pair.cut();
    assert_eq!(error_of(&in_flight), Error::LinkLost);
    assert_eq!(
        waiting.outcome(),
        None,
        "it was never handed over, so it is still in the queue"
    );
    pair.writes = true;
    pair.sleep(secs(1));
    pair.open();
    pair.frames();
    pair.server(CONNECT);
    assert_eq!(pair.frames(), [r#"42["b"]"#]);
    assert_eq!(names(&[waiting]), ["sent"]);
}

#[test]
fn acknowledgements_of_a_lost_connection_resolve() {
    let mut pair = Pair::connected();
    let receipt = pair.emit("q", "[]", EmitOptions::new().ack());
    pair.drain();
    pair.cut();
    assert_eq!(error_of(&receipt), Error::LinkLost);
    // The new link's answers are not taken for the old one's.
    pair.sleep(secs(1));
    pair.open();
    pair.server(CONNECT);
    let other = pair.emit("q", "[]", EmitOptions::new().ack());
    pair.drain();
    pair.server("430[]");
    assert_eq!(other.outcome(), None);
    pair.server("431[]");
    assert_eq!(names(&[other]), ["delivered"]);
}

#[test]
fn a_forced_reconnect_leaves_one_live_link() {
    let mut pair = Pair::connected();
    for _ in 0..5 {
        pair.core.disconnect(pair.now, pair.socket);
        pair.core.connect(pair.now, pair.socket);
        pair.drain();
    }
    let live = pair
        .started
        .iter()
        .filter(|(link, _)| !pair.stopped.contains(link))
        .count();
    assert_eq!(live, 1);
}

#[test]
fn a_link_that_is_lost_while_being_opened_is_stopped() {
    let mut pair = Pair::new();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.sleep(secs(20));
    assert_eq!(pair.stopped, [pair.link()]);
    pair.sleep(secs(1));
    assert_eq!(pair.started.len(), 2);
}

#[test]
fn emitting_from_a_handler_after_a_reconnect_comes_behind_what_was_queued() {
    let mut pair = Pair::connected();
    pair.cut();
    let _queued = pair.say("queued");
    pair.sleep(secs(1));
    pair.open();
    pair.frames();
    pair.server(CONNECT);
    let _handler = pair.say("from handler");
    assert_eq!(pair.frames(), [r#"42["queued"]"#, r#"42["from handler"]"#]);
}

#[test]
fn closing_gives_every_message_its_outcome_and_nothing_is_sent_afterwards() {
    let mut pair = Pair::connected();
    let asked = pair.emit("q", "[]", EmitOptions::new().ack());
    pair.drain();
    pair.cut();
    let queued = pair.say("m");
    pair.core.close(pair.now);
    pair.drain();
    let after = pair.say("n");
    assert_eq!(names(&[asked, queued, after]), ["unconfirmed", "rejected", "rejected"]);
    pair.frames();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.sleep(secs(100));
    assert!(pair.frames().is_empty());
    assert_eq!(pair.state(), State::Closed);
}

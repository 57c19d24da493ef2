//! Pings, pongs and probes.

use std::time::Duration;

use super::super::pair::*;
use super::*;
use crate::state::{Hint, Reason, State};

#[test]
fn the_client_pings_and_gives_up_on_silence() {
    let mut pair = chat(CONNECTION);
    pair.sleep(millis(24_999));
    assert_eq!(pair.frames(), [""; 0]);
    pair.sleep(millis(1));
    assert_eq!(pair.frames(), [PING]);
    pair.server(PONG);
    pair.sleep(secs(25));
    assert_eq!(pair.frames(), [PING]);
    pair.sleep(millis(19_999));
    assert_eq!(pair.state(), State::Connected, "45 s after it was heard last");
    pair.sleep(millis(1));
    assert_eq!(
        pair.states(),
        [(State::Waiting { retry_in: secs(1) }, Some(Reason::PingTimeout))]
    );
    assert_eq!(pair.heard(), [""; 0], "a pong is the protocol's own");
}

#[test]
fn a_timer_that_was_held_back_does_not_make_a_dead_link_look_alive() {
    let mut pair = chat(CONNECTION);
    pair.jump(pair.now.mono + secs(45));
    assert_eq!(names(&[pair.say("x")]), ["none"]);
    assert!(matches!(pair.state(), State::Waiting { .. }));
    assert_eq!(pair.frames(), [""; 0]);
}

#[test]
fn pings_that_cannot_be_written_do_not_pile_up() {
    let mut pair = chat(CONNECTION);
    pair.writes = false;
    let _big = pair.say("x");
    for _ in 0..4 {
        pair.sleep(secs(25));
        pair.server(r#"{"type":"news"}"#);
    }
    pair.write_all();
    pair.drain();
    assert_eq!(pair.frames(), [r#"{"type":"x"}"#, PING]);
}

#[test]
fn an_overdue_answer_probes_the_link_by_a_ping() {
    let mut pair = chat(CONNECTION);
    let sent = say_to_room(&mut pair, "r");
    let (first, id) = frame(&mut pair);
    pair.sleep(secs(10));
    assert_eq!(pair.frames(), [PING]);
    // No pong: the link is dead, and the message goes again.
    pair.sleep(secs(2));
    assert!(matches!(pair.state(), State::Waiting { .. }));
    pair.sleep(secs(5));
    pair.server(CONNECTION);
    assert_eq!(frame(&mut pair), (first, id.clone()), "the same, with the same id");
    pair.sleep(secs(10));
    assert_eq!(pair.frames(), [PING]);
    pair.server(PONG);
    assert_eq!(names(std::slice::from_ref(&sent)), ["unconfirmed"]);
    assert_eq!(error_of(&sent).code(), 4002);
    assert_eq!(pair.state(), State::Connected);
}

#[test]
fn a_probe_is_not_answered_by_the_pong_of_an_earlier_ping() {
    let mut pair = chat(CONNECTION);
    pair.sleep(secs(25));
    pair.core.hint(pair.now, Hint::Foreground);
    pair.drain();
    assert_eq!(pair.frames(), [PING, PING]);
    pair.server(PONG);
    pair.sleep(secs(2));
    let lost = State::Waiting {
        retry_in: Duration::ZERO,
    };
    assert_eq!(pair.states()[0], (lost, Some(Reason::PingTimeout)));
    pair.server(CONNECTION);
    pair.core.hint(pair.now, Hint::Foreground);
    pair.drain();
    pair.server(PONG);
    pair.sleep(secs(5));
    assert_eq!(pair.state(), State::Connected);
}

#[test]
fn a_pong_that_never_came_is_not_waited_for_at_the_next_probe() {
    let mut pair = chat(CONNECTION);
    pair.sleep(secs(25));
    pair.server(r#"{"type":"news"}"#);
    pair.sleep(secs(25));
    pair.server(PONG);
    pair.core.hint(pair.now, Hint::Foreground);
    pair.drain();
    pair.server(PONG);
    pair.sleep(secs(5));
    assert_eq!(pair.state(), State::Connected);
}

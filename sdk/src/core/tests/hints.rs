//! What the platform says about the network and the app, and clocks that step.

use super::pair::*;
use crate::core::{EmitOptions, LinkEvent, Response, Target};
use crate::error::Error;
use crate::state::{Hint, Reason, State};

fn hint(pair: &mut Pair, hint: Hint) {
    pair.core.hint(pair.now, hint);
    pair.drain();
}

fn names_of(states: &[(State, Option<Reason>)]) -> Vec<&'static str> {
    states.iter().map(|(state, _)| state.name()).collect()
}

#[test]
fn a_dead_link_is_found_within_two_seconds_of_foreground_and_replaced_at_once() {
    for told in [Hint::Foreground, Hint::Online] {
        let mut pair = Pair::connected();
        hint(&mut pair, told);
        assert_eq!(pair.frames(), ["ws ping"]);
        pair.sleep(secs(2));
        assert_eq!(names_of(&pair.states()), ["waiting", "connecting"], "{told:?}");
        assert_eq!(pair.started.len(), 2);
    }
}

#[test]
fn a_link_that_answers_is_kept() {
    let mut pair = Pair::connected();
    hint(&mut pair, Hint::Foreground);
    pair.sleep(secs(1));
    pair.event(pair.link(), LinkEvent::Pong);
    pair.sleep(secs(20));
    assert_eq!((pair.state(), pair.started.len()), (State::Connected, 1));
}

#[test]
fn a_link_that_is_busy_writing_has_no_longer_than_two_seconds_either() {
    let mut pair = Pair::connected();
    pair.writes = false;
    let _receipt = pair.say("stuck");
    hint(&mut pair, Hint::Foreground);
    pair.sleep(secs(2));
    assert_eq!(pair.state(), State::Connecting);
}

#[test]
fn what_comes_from_the_link_without_an_answer_does_not_make_it_look_alive() {
    let mut pair = Pair::connected();
    hint(&mut pair, Hint::Foreground);
    pair.server("42[\"old\"]");
    pair.sleep(secs(2));
    assert_eq!(pair.state(), State::Connecting);
}

#[test]
fn redials_at_once_only_the_first_time() {
    let mut pair = Pair::connected();
    hint(&mut pair, Hint::Foreground);
    pair.sleep(secs(2));
    pair.cut();
    assert!(matches!(pair.state(), State::Waiting { retry_in } if retry_in >= secs(1)));
}

#[test]
fn without_a_link_online_and_foreground_dial_at_once() {
    for told in [Hint::Foreground, Hint::Online] {
        let mut pair = Pair::connected();
        pair.cut();
        hint(&mut pair, told);
        assert_eq!((pair.state(), pair.started.len()), (State::Connecting, 2), "{told:?}");
    }
}

#[test]
fn a_dial_over_a_network_that_is_gone_is_started_anew_but_not_a_fresh_one() {
    let mut pair = Pair::new();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.sleep(secs(1));
    hint(&mut pair, Hint::Online);
    assert_eq!(pair.started.len(), 1, "it has just begun");
    pair.sleep(secs(2));
    hint(&mut pair, Hint::Online);
    assert_eq!((pair.started.len(), pair.stopped.len()), (2, 1));
    assert_eq!(names_of(&pair.states()), ["connecting"], "the same attempt");
    pair.sleep(secs(19));
    pair.open();
    pair.server(CONNECT);
    assert_eq!(pair.state(), State::Connected, "with a budget of its own");
}

#[test]
fn a_hint_does_not_dial_before_the_server_wants_it() {
    let mut pair = Pair::new();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    let response = Response {
        status: 503,
        retry_after: Some(secs(60)),
        body: bytes::Bytes::new(),
    };
    pair.event(pair.link(), LinkEvent::Response(response));
    hint(&mut pair, Hint::Offline);
    assert_eq!(pair.state(), State::Offline);
    pair.sleep(secs(10));
    hint(&mut pair, Hint::Online);
    assert!(matches!(pair.state(), State::Waiting { retry_in } if retry_in >= secs(50)));
    assert_eq!(pair.started.len(), 1);
    pair.sleep(secs(55));
    assert_eq!(pair.started.len(), 2);
}

#[test]
fn offline_holds_redials_and_probes_a_live_link() {
    let mut pair = Pair::connected();
    hint(&mut pair, Hint::Offline);
    assert_eq!(pair.frames(), ["ws ping"]);
    assert_eq!(pair.state(), State::Connected, "the platform may be wrong");
    pair.sleep(secs(2));
    assert_eq!(pair.states(), [(State::Offline, Some(Reason::PingTimeout))]);
    pair.sleep(secs(3_600));
    assert_eq!(pair.started.len(), 1);
    hint(&mut pair, Hint::Online);
    assert_eq!((pair.state(), pair.started.len()), (State::Connecting, 2));
}

#[test]
fn offline_while_waiting_is_offline_and_online_dials_at_once() {
    let mut pair = Pair::connected();
    pair.cut();
    pair.events.clear();
    hint(&mut pair, Hint::Offline);
    hint(&mut pair, Hint::Offline);
    assert_eq!(pair.states(), [(State::Offline, Some(Reason::Offline))], "told once");
    hint(&mut pair, Hint::Online);
    assert_eq!(pair.state(), State::Connecting);
}

#[test]
fn an_explicit_connect_dials_although_the_platform_says_offline() {
    let mut pair = Pair::new();
    hint(&mut pair, Hint::Offline);
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    assert_eq!(pair.state(), State::Connecting);
    pair.cut();
    assert_eq!(pair.state(), State::Offline, "but redials are held");
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.open();
    pair.server(CONNECT);
    assert_eq!(pair.state(), State::Connected);
}

#[test]
fn background_closes_a_live_link_after_ten_seconds_without_a_disconnect_packet() {
    let mut pair = Pair::connected();
    let first = pair.link();
    hint(&mut pair, Hint::Background);
    pair.sleep(secs(10) - millis(1));
    assert_eq!(pair.state(), State::Connected);
    pair.sleep(millis(1));
    assert_eq!(pair.states(), [(State::Paused, Some(Reason::Background))]);
    assert!(pair.stopped.contains(&first));
    assert_eq!(pair.frames(), [""; 0]);
    pair.sleep(secs(3_600));
    assert_eq!(pair.started.len(), 1);
    hint(&mut pair, Hint::Foreground);
    assert_eq!((pair.state(), pair.started.len()), (State::Connecting, 2));
}

#[test]
fn coming_back_within_ten_seconds_keeps_the_link() {
    let mut pair = Pair::connected();
    hint(&mut pair, Hint::Background);
    pair.sleep(secs(9));
    hint(&mut pair, Hint::Foreground);
    pair.event(pair.link(), LinkEvent::Pong);
    pair.sleep(secs(20));
    assert_eq!((pair.state(), pair.started.len()), (State::Connected, 1));
}

#[test]
fn background_stops_dialling_at_once() {
    let mut waiting = Pair::connected();
    waiting.cut();
    let mut dialling = Pair::new();
    dialling.core.connect(dialling.now, dialling.socket);
    dialling.drain();
    for mut pair in [waiting, dialling] {
        let dialled = pair.started.len();
        hint(&mut pair, Hint::Background);
        assert_eq!(pair.state(), State::Paused);
        pair.sleep(secs(60));
        assert_eq!((pair.state(), pair.started.len()), (State::Paused, dialled));
    }
}

#[test]
fn a_link_lost_in_the_background_is_not_made_anew_until_the_app_is_back() {
    let mut pair = Pair::connected();
    hint(&mut pair, Hint::Background);
    pair.cut();
    assert_eq!(pair.states(), [(State::Paused, Some(Reason::TransportError))]);
    pair.sleep(secs(60));
    assert_eq!(pair.started.len(), 1);
}

#[test]
fn an_explicit_connect_in_the_background_connects_and_stays() {
    let mut pair = Pair::connected();
    hint(&mut pair, Hint::Background);
    pair.sleep(secs(10));
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.open();
    pair.server(CONNECT);
    pair.sleep(secs(20));
    assert_eq!(pair.state(), State::Connected);
}

#[test]
fn foreground_without_a_network_is_offline_and_online_in_the_background_stays_paused() {
    let mut pair = Pair::connected();
    pair.cut();
    hint(&mut pair, Hint::Offline);
    hint(&mut pair, Hint::Background);
    assert_eq!(pair.state(), State::Paused);
    hint(&mut pair, Hint::Foreground);
    assert_eq!(pair.state(), State::Offline);
    hint(&mut pair, Hint::Background);
    hint(&mut pair, Hint::Online);
    assert_eq!(pair.state(), State::Paused);
    hint(&mut pair, Hint::Foreground);
    assert_eq!(pair.state(), State::Connecting);
}

#[test]
fn background_stops_typing() {
    let mut pair = greeted();
    pair.core.start_typing(pair.now, pair.socket, Target::user("u2"));
    pair.drain();
    pair.frames();
    hint(&mut pair, Hint::Background);
    let frames = pair.frames();
    assert!(frames.len() == 1 && frames[0].contains("typing_stop"), "{frames:?}");
}

#[test]
fn an_app_that_is_about_to_be_frozen_closes_its_link_at_once_and_says_what_it_had_to_say() {
    let mut pair = greeted();
    let first = pair.link();
    pair.core.start_typing(pair.now, pair.socket, Target::user("u2"));
    pair.drain();
    pair.frames();
    hint(&mut pair, Hint::Suspend);
    assert_eq!(pair.state(), State::Paused);
    assert!(pair.stopped.contains(&first));
    let frames = pair.frames();
    assert!(frames.len() == 1 && frames[0].contains("typing_stop"), "{frames:?}");
    hint(&mut pair, Hint::Foreground);
    assert_eq!((pair.state(), pair.started.len()), (State::Connecting, 2));
}

#[test]
fn what_waits_in_the_background_is_sent_when_the_app_is_back() {
    let mut pair = Pair::connected();
    hint(&mut pair, Hint::Background);
    pair.sleep(secs(10));
    let receipt = pair.say("later");
    assert!(receipt.outcome().is_none());
    hint(&mut pair, Hint::Foreground);
    pair.open();
    pair.server(CONNECT);
    assert_eq!(names(&[receipt]), ["sent"]);
}

#[test]
fn what_was_written_before_the_app_went_is_accounted_for() {
    let mut pair = Pair::connected();
    let asked = pair.emit("ask", "[]", EmitOptions::new().ack());
    pair.drain();
    hint(&mut pair, Hint::Background);
    pair.sleep(secs(10));
    assert_eq!(error_of(&asked), Error::LinkLost);
}

#[test]
fn hints_mean_nothing_to_a_client_that_does_not_want_to_be_connected() {
    for told in [Hint::Offline, Hint::Online, Hint::Background, Hint::Foreground] {
        let mut idle = Pair::new();
        hint(&mut idle, told);
        let mut closed = Pair::connected();
        closed.core.disconnect(closed.now, closed.socket);
        closed.drain();
        closed.events.clear();
        hint(&mut closed, told);
        assert_eq!((idle.state(), closed.state()), (State::Idle, State::Closed), "{told:?}");
        assert!(idle.started.is_empty() && closed.started.len() == 1);
        assert!(idle.states().is_empty() && closed.states().is_empty());
    }
}

#[test]
fn disconnect_works_while_attempts_are_held_back() {
    let mut pair = Pair::connected();
    pair.cut();
    hint(&mut pair, Hint::Offline);
    pair.core.disconnect(pair.now, pair.socket);
    pair.drain();
    hint(&mut pair, Hint::Online);
    assert_eq!((pair.state(), pair.started.len()), (State::Closed, 1));
}

#[test]
fn a_wall_clock_that_steps_ahead_has_the_link_probed() {
    let mut pair = Pair::connected();
    pair.now.unix_ms += 5_000;
    pair.core.handle_timeout(pair.now);
    pair.drain();
    assert_eq!(pair.frames(), [""; 0], "five seconds are not more than five");
    pair.now.unix_ms += 5_001;
    pair.core.handle_timeout(pair.now);
    pair.drain();
    assert_eq!(pair.frames(), ["ws ping"]);
    pair.now.unix_ms -= 3_600_000;
    pair.core.handle_timeout(pair.now);
    pair.drain();
    assert_eq!(
        pair.frames(),
        [""; 0],
        "a clock that is set back says nothing about sleep"
    );
}

#[test]
fn a_wall_clock_that_steps_ahead_dials_unless_the_app_is_in_the_background() {
    let mut pair = Pair::connected();
    pair.cut();
    pair.now.unix_ms += 60_000;
    pair.core.handle_timeout(pair.now);
    pair.drain();
    assert_eq!(pair.state(), State::Connecting);
    hint(&mut pair, Hint::Background);
    pair.now.unix_ms += 60_000;
    pair.core.handle_timeout(pair.now);
    pair.drain();
    assert_eq!(pair.state(), State::Paused);
}

#[test]
fn to_say_background_again_does_not_prolong_the_grace() {
    let mut pair = Pair::connected();
    hint(&mut pair, Hint::Background);
    pair.sleep(secs(6));
    hint(&mut pair, Hint::Background);
    pair.sleep(secs(4));
    assert_eq!(pair.state(), State::Paused);
}

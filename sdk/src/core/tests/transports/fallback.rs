//! Which transport is tried when.

use super::super::pair::*;
use super::*;

#[test]
fn a_websocket_that_is_refused_gives_way_to_polling_in_the_same_attempt() {
    let mut pair = with(&[Transport::WebSocket, Transport::Polling], |_| {});
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    let socket = websocket(&pair);
    answer(&mut pair, socket, 403, "no");
    polled(&mut pair, OPEN);
    posted(&mut pair);
    polled(&mut pair, CONNECT);
    let states: Vec<_> = pair.states().into_iter().map(|(state, _)| state).collect();
    assert_eq!(states, [State::Connecting, State::Connected]);
}

#[test]
fn a_websocket_that_is_silent_gives_way_after_six_seconds_or_half_a_shorter_budget() {
    for (budget, patience) in [(secs(20), secs(6)), (secs(4), secs(2))] {
        let mut pair = with(&[Transport::WebSocket, Transport::Polling], |config| {
            config.connect_timeout = budget
        });
        pair.core.connect(pair.now, pair.socket);
        pair.drain();
        pair.sleep(patience - millis(1));
        let socket = websocket(&pair);
        pair.sleep(millis(1));
        assert!(pair.stopped.contains(&socket), "{budget:?}");
        assert_eq!(open_requests(&pair).len(), 1);
        get(&pair);
        pair.sleep(budget - patience);
        assert_eq!(
            pair.states().last().unwrap().1,
            Some(Reason::ConnectTimeout),
            "one budget for both"
        );
    }
}

#[test]
fn a_certificate_that_is_not_trusted_is_no_reason_to_try_the_other_transport() {
    let mut pair = with(&[Transport::WebSocket, Transport::Polling], |_| {});
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    let socket = websocket(&pair);
    pair.event(socket, LinkEvent::Closed(Some(Error::Tls("expired".into()))));
    assert_eq!(pair.started.len(), 1);
}

#[test]
fn a_server_that_says_when_to_come_back_is_not_asked_by_the_other_transport() {
    let mut pair = with(&[Transport::WebSocket, Transport::Polling], |_| {});
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    let response = Response {
        status: 503,
        retry_after: Some(secs(30)),
        body: bytes::Bytes::new(),
    };
    let socket = websocket(&pair);
    pair.event(socket, LinkEvent::Response(response));
    let Some((State::Waiting { retry_in }, _)) = pair.states().pop() else {
        panic!("it waits")
    };
    assert!((secs(30)..=secs(35)).contains(&retry_in), "{retry_in:?}");
    pair.sleep(secs(29));
    assert_eq!(pair.started.len(), 1);
    pair.sleep(secs(6));
    assert_eq!(pair.started.len(), 2);
}

#[test]
fn a_retry_after_of_a_year_is_cut_to_five_minutes() {
    let mut pair = with(&[Transport::Polling], |_| {});
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    let response = Response {
        status: 429,
        retry_after: Some(secs(365 * 86_400)),
        body: bytes::Bytes::new(),
    };
    let link = get(&pair);
    pair.event(link, LinkEvent::Response(response));
    let Some((State::Waiting { retry_in }, _)) = pair.states().pop() else {
        panic!("it waits")
    };
    assert!((secs(300)..=secs(305)).contains(&retry_in), "{retry_in:?}");
}

/// Fails attempt after attempt; gives which transports each tried.
fn tried(pair: &mut Pair, attempts: usize) -> Vec<Vec<Transport>> {
    let mut tried = Vec::new();
    for _ in 0..attempts {
        let mut attempt = Vec::new();
        while let Some((link, method)) = open_requests(pair).pop() {
            attempt.push(match method {
                Method::WebSocket => Transport::WebSocket,
                _ => Transport::Polling,
            });
            pair.stopped.push(link);
            pair.event(link, LinkEvent::Closed(Some(Error::Unreachable("refused".into()))));
        }
        tried.push(attempt);
        pair.sleep(secs(6));
    }
    tried
}

#[test]
fn after_a_full_failure_the_other_transport_is_tried_in_every_second_attempt() {
    use Transport::{Polling, WebSocket};
    let mut pair = with(&[WebSocket, Polling], |_| {});
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    let expected = [
        vec![WebSocket, Polling],
        vec![WebSocket],
        vec![WebSocket, Polling],
        vec![WebSocket],
    ];
    assert_eq!(tried(&mut pair, 4), expected);
}

#[test]
fn the_next_attempt_starts_with_the_transport_that_last_worked() {
    use Transport::{Polling, WebSocket};
    let mut pair = with(&[WebSocket, Polling], |_| {});
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    let socket = websocket(&pair);
    answer(&mut pair, socket, 403, "");
    polled(&mut pair, OPEN);
    posted(&mut pair);
    polled(&mut pair, CONNECT);
    let link = get(&pair);
    pair.stopped.push(link);
    pair.event(link, LinkEvent::Closed(Some(Error::Unreachable("reset".into()))));
    pair.sleep(secs(2));
    let socket_or_polling = tried(&mut pair, 4);
    assert_eq!(
        socket_or_polling,
        [vec![Polling], vec![WebSocket], vec![Polling], vec![WebSocket]],
        "one dial for each attempt where nobody answers: the server is away"
    );
}

#[test]
fn a_transport_that_worked_and_is_refused_with_words_gives_way_in_the_same_attempt() {
    let mut pair = with(&[Transport::WebSocket, Transport::Polling], |_| {});
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.server(OPEN);
    pair.server(CONNECT);
    pair.cut();
    pair.sleep(secs(2));
    let socket = websocket(&pair);
    answer(&mut pair, socket, 403, "a proxy says no");
    polled(&mut pair, OPEN);
    posted(&mut pair);
    polled(&mut pair, CONNECT);
    assert_eq!(pair.state(), State::Connected);
}

//! From polling to a WebSocket.

use super::super::pair::*;
use super::*;

/// Connected by polling, and a WebSocket is being probed.
fn probing() -> (Pair, LinkId) {
    let mut pair = connected(with(&[Transport::Polling, Transport::WebSocket], |_| {}));
    let socket = websocket(&pair);
    assert_eq!(target(&pair, socket), "/socket.io/?EIO=4&transport=websocket&sid=e1");
    assert_eq!(pair.frames(), ["2probe"]);
    (pair, socket)
}

fn on(pair: &mut Pair, link: LinkId, text: &str) {
    pair.event(link, LinkEvent::Text(text.into()));
}

#[test]
fn an_upgrade_lets_both_exchanges_end_before_the_websocket_takes_over() {
    let (mut pair, socket) = probing();
    let _receipt = pair.say("before");
    on(&mut pair, socket, "3probe");
    let _receipt = pair.say("meanwhile");
    assert_eq!(pair.frames(), [""; 0], "not while an exchange is under way");
    assert_eq!(posted(&mut pair), "42[\"before\"]");
    assert!(post(&pair).is_none(), "no new POST once the WebSocket has answered");
    polled(&mut pair, "42[\"last\"]\u{1e}6");
    assert_eq!(pair.heard(), ["last []"]);
    assert_eq!(pair.frames(), ["5", "42[\"meanwhile\"]"]);
    assert_eq!(open_requests(&pair), [(socket, Method::WebSocket)]);
    on(&mut pair, socket, "42[\"hello\"]");
    assert_eq!(pair.heard(), ["hello []"]);
    pair.sleep(secs(20));
    assert_eq!(
        pair.state(),
        State::Connected,
        "the time for the upgrade is over with it"
    );
    assert_eq!(pair.core.transport(), Some(Transport::WebSocket));
}

#[test]
fn a_noop_that_comes_before_the_answer_to_the_probe_is_not_followed_by_another_get() {
    let (mut pair, socket) = probing();
    polled(&mut pair, "6");
    assert_eq!(open_requests(&pair), [(socket, Method::WebSocket)]);
    on(&mut pair, socket, "3probe");
    assert_eq!(pair.frames(), ["5"]);
}

#[test]
fn an_upgrade_that_fails_leaves_the_session_on_polling() {
    let ends: [fn(&mut Pair, LinkId); 4] = [
        |pair, socket| pair.event(socket, LinkEvent::Closed(None)),
        |pair, socket| answer(pair, socket, 400, "no"),
        |pair, socket| on(pair, socket, "garbage"),
        |pair, _| pair.sleep(secs(10)),
    ];
    for end in ends {
        let (mut pair, socket) = probing();
        polled(&mut pair, "6");
        let queued = pair.say("a");
        end(&mut pair, socket);
        assert!(pair.stopped.contains(&socket));
        assert_eq!(posted(&mut pair), "42[\"a\"]");
        assert_eq!(names(&[queued]), ["sent"]);
        polled(&mut pair, "42[\"b\"]");
        assert_eq!(
            (pair.heard(), pair.state()),
            (vec!["b []".to_owned()], State::Connected)
        );
    }
}

#[test]
fn a_websocket_that_dies_between_its_answer_and_the_takeover_is_given_up_and_polling_goes_on() {
    let (mut pair, socket) = probing();
    on(&mut pair, socket, "3probe");
    let _receipt = pair.say("a");
    pair.event(socket, LinkEvent::Closed(Some(Error::Unreachable("reset".into()))));
    assert_eq!(posted(&mut pair), "42[\"a\"]");
    polled(&mut pair, "42[\"b\"]");
    assert_eq!(pair.state(), State::Connected);
}

#[test]
fn disconnect_during_an_upgrade_says_goodbye_by_polling() {
    let (mut pair, socket) = probing();
    on(&mut pair, socket, "3probe");
    pair.core.disconnect(pair.now, pair.socket);
    pair.drain();
    assert_eq!([posted(&mut pair), posted(&mut pair)], ["41", "1"]);
    assert!(pair.stopped.contains(&socket) && open_requests(&pair).is_empty());
}

#[test]
fn an_upgraded_session_comes_back_by_websocket() {
    let (mut pair, socket) = probing();
    on(&mut pair, socket, "3probe");
    polled(&mut pair, "6");
    pair.event(socket, LinkEvent::Closed(None));
    pair.stopped.push(socket);
    pair.sleep(secs(2));
    assert_eq!(open_requests(&pair).pop().unwrap().1, Method::WebSocket);
}

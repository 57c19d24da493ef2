//! What a server says with `closing` before it disconnects.

use std::time::Duration;

use super::pair::*;
use crate::core::{Happening, LinkEvent, NamespaceConfig, SocketId};
use crate::error::Error;
use crate::state::{Hint, Reason, State, StateChange};

/// How a session ends.
type End = fn(&mut Pair);

fn by_disconnect(pair: &mut Pair) {
    pair.server("41");
}

fn by_close(pair: &mut Pair) {
    let link = pair.link();
    pair.event(link, LinkEvent::Closed(None));
}

fn by_engine_close(pair: &mut Pair) {
    pair.server("1");
}

fn by_silence(pair: &mut Pair) {
    pair.sleep(secs(45));
}

const ENDS: [End; 4] = [by_disconnect, by_close, by_engine_close, by_silence];

fn closing(code: &str, more: &str) -> String {
    format!(r#"42["closing",{{"code":"{code}","message":"so it is"{more}}}]"#)
}

fn last_change(pair: &Pair) -> StateChange {
    pair.core.last_change(pair.socket).cloned().unwrap()
}

fn waits(pair: &Pair, socket: SocketId) -> Duration {
    match pair.core.state(socket).0 {
        State::Waiting { retry_in } => retry_in,
        other => panic!("{other:?}"),
    }
}

/// A second namespace that is joined on the same link.
fn with_news(pair: &mut Pair) -> SocketId {
    let news = pair.core.add_socket(NamespaceConfig::new("/news"));
    pair.core.connect(pair.now, news);
    pair.drain();
    pair.server(r#"40/news,{"sid":"n1"}"#);
    pair.events.clear();
    news
}

#[test]
fn who_is_replaced_or_banned_has_failed_and_does_not_dial_again() {
    for (code, reason) in [("replaced", Reason::Replaced), ("banned", Reason::Banned)] {
        for end in ENDS {
            let mut pair = Pair::connected();
            pair.server(&closing(code, r#","retryAfterMs":10"#));
            assert_eq!(pair.state(), State::Connected, "it goes on until the server ends it");
            assert_eq!(pair.heard().len(), 1, "handlers hear it");
            end(&mut pair);
            let change = last_change(&pair);
            assert_eq!((change.state, change.reason), (State::Failed, Some(reason)));
            assert_eq!(change.error, Some(Error::Kicked("so it is".into())));
            assert_eq!(pair.states().len(), 1, "no detour");
            assert_eq!(pair.stopped, [pair.link()]);
            pair.sleep(secs(600));
            assert_eq!((pair.started.len(), pair.wake), (1, None));
            pair.connect();
            assert_eq!(pair.state(), State::Connected, "unless the user insists");
        }
    }
}

#[test]
fn who_is_banned_and_goes_to_the_background_does_not_come_back_either() {
    let mut pair = Pair::connected();
    pair.server(&closing("banned", ""));
    pair.core.hint(pair.now, Hint::Background);
    pair.drain();
    pair.sleep(secs(10));
    assert_eq!(pair.states(), [(State::Failed, Some(Reason::Banned))]);
    pair.core.hint(pair.now, Hint::Foreground);
    pair.drain();
    assert_eq!(pair.started.len(), 1);
}

#[test]
fn others_on_the_link_live_on_when_one_is_replaced() {
    let mut pair = Pair::connected();
    let news = with_news(&mut pair);
    pair.server(&closing("replaced", ""));
    by_disconnect(&mut pair);
    assert_eq!(
        (pair.state(), pair.core.state(news).0),
        (State::Failed, State::Connected)
    );
    assert!(pair.stopped.is_empty());

    let mut pair = Pair::connected();
    let news = with_news(&mut pair);
    pair.server(&closing("banned", ""));
    by_close(&mut pair);
    assert_eq!((pair.state(), waits(&pair, news)), (State::Failed, secs(1)));
    pair.sleep(secs(1));
    pair.frames();
    pair.open();
    assert_eq!(pair.frames(), ["40/news,"]);
}

#[test]
fn another_that_is_still_joining_is_not_held_up_by_one_that_is_replaced() {
    let mut pair = Pair::connected();
    let news = pair.core.add_socket(NamespaceConfig::new("/news"));
    pair.core.connect(pair.now, news);
    pair.drain();
    pair.server(&closing("replaced", ""));
    by_disconnect(&mut pair);
    pair.server(r#"40/news,{"sid":"n1"}"#);
    assert_eq!((pair.core.state(news).0, pair.started.len()), (State::Connected, 1));
}

#[test]
fn a_shutdown_is_called_so_and_dialled_again() {
    for end in ENDS {
        let mut pair = Pair::connected();
        pair.server(&closing("shutdown", ""));
        end(&mut pair);
        assert_eq!(
            pair.states(),
            [(State::Waiting { retry_in: secs(1) }, Some(Reason::Shutdown))]
        );
        pair.sleep(secs(1));
        assert_eq!(pair.state(), State::Connecting);
        pair.cut();
        assert_eq!(last_change(&pair).reason, Some(Reason::ConnectError), "said once");
    }
}

#[test]
fn an_idle_session_ends_as_one_that_the_server_disconnects() {
    for end in ENDS {
        let mut pair = Pair::connected();
        pair.server(&closing("idle", ""));
        end(&mut pair);
        assert_eq!(
            pair.states(),
            [(State::Waiting { retry_in: secs(1) }, Some(Reason::ServerDisconnect))]
        );
    }
}

#[test]
fn the_servers_time_wins_over_the_backoff() {
    for end in ENDS {
        for (asked, least) in [(20_000, 20), (86_400_000, 300)] {
            let mut pair = Pair::connected();
            pair.server(&closing("shutdown", &format!(r#","retryAfterMs":{asked}"#)));
            end(&mut pair);
            let wait = waits(&pair, pair.socket);
            assert!((secs(least)..=secs(least + 5)).contains(&wait), "{wait:?}");
            pair.sleep(wait - millis(1));
            assert_eq!(pair.started.len(), 1);
            pair.sleep(millis(1));
            assert_eq!((pair.started.len(), pair.state()), (2, State::Connecting));
        }
    }
}

#[test]
fn a_time_for_one_namespace_is_no_time_for_the_others() {
    let mut pair = Pair::connected();
    let news = with_news(&mut pair);
    pair.server(&closing("idle", r#","retryAfterMs":20000"#));
    by_disconnect(&mut pair);
    assert!(waits(&pair, pair.socket) >= secs(20));
    assert_eq!(last_change(&pair).reason, Some(Reason::ServerDisconnect));
    assert_eq!(pair.core.state(news).0, State::Connected);

    let mut pair = Pair::connected();
    let news = with_news(&mut pair);
    pair.server(&closing("shutdown", r#","retryAfterMs":20000"#));
    by_close(&mut pair);
    let wait = waits(&pair, pair.socket);
    assert!(wait >= secs(20));
    assert_eq!(waits(&pair, news), secs(1));
    pair.sleep(secs(1));
    pair.frames();
    pair.open();
    assert_eq!(pair.frames(), ["40/news,"]);
    pair.server(r#"40/news,{"sid":"n2"}"#);
    pair.sleep(wait);
    assert_eq!(pair.frames()[0], "40", "over the link that is there");
}

#[test]
fn connect_does_not_wait_for_the_servers_time() {
    let mut pair = Pair::connected();
    pair.server(&closing("shutdown", r#","retryAfterMs":60000"#));
    by_close(&mut pair);
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    assert_eq!((pair.state(), pair.started.len()), (State::Connecting, 2));
}

#[test]
fn the_attempts_are_counted_also_where_the_server_gave_a_time() {
    let mut config = config();
    config.max_attempts = Some(0);
    let mut pair = Pair::with(config, NamespaceConfig::new("/"));
    pair.connect();
    pair.server(&closing("shutdown", r#","retryAfterMs":1000"#));
    by_close(&mut pair);
    assert_eq!(pair.states(), [(State::Failed, Some(Reason::Shutdown))]);
}

#[test]
fn what_was_said_in_one_session_is_not_held_against_the_next() {
    let mut pair = Pair::connected();
    pair.server(&closing("banned", ""));
    pair.core.disconnect(pair.now, pair.socket);
    pair.drain();
    assert_eq!(last_change(&pair).reason, Some(Reason::ClientDisconnect));
    pair.connect();
    pair.cut();
    assert_eq!(last_change(&pair).reason, Some(Reason::TransportError));

    let mut pair = Pair::connected();
    pair.server(&closing("shutdown", ""));
    pair.cut();
    pair.sleep(secs(1));
    pair.open();
    pair.server(CONNECT);
    pair.cut();
    assert_eq!(last_change(&pair).reason, Some(Reason::TransportError));
}

#[test]
fn what_was_said_before_the_app_went_to_the_background_is_over_when_it_comes_back() {
    let mut pair = Pair::connected();
    pair.server(&closing("shutdown", r#","retryAfterMs":60000"#));
    pair.core.hint(pair.now, Hint::Background);
    pair.drain();
    pair.sleep(secs(10));
    pair.core.hint(pair.now, Hint::Foreground);
    pair.drain();
    pair.cut();
    assert_eq!(last_change(&pair).reason, Some(Reason::ConnectError));
    assert_eq!(waits(&pair, pair.socket), secs(1));
}

#[test]
fn an_apps_own_event_of_that_name_means_nothing() {
    for payload in [r#"{"code":"soon"}"#, r#"{"message":"x"}"#, r#""banned""#, "7"] {
        let mut pair = Pair::connected();
        pair.server(&format!(r#"42["closing",{payload}]"#));
        assert_eq!(pair.heard().len(), 1);
        by_disconnect(&mut pair);
        assert_eq!(pair.states()[0].1, Some(Reason::ServerDisconnect), "{payload}");
    }
}

#[test]
fn a_session_that_was_replaced_is_not_asked_for_again() {
    let mut pair = Pair::new();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.open();
    pair.server(r#"40{"sid":"s1","pid":"p1"}"#);
    pair.server(r#"42["m","o1"]"#);
    pair.server(&closing("replaced", ""));
    by_close(&mut pair);
    pair.frames();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.open();
    assert_eq!(pair.frames(), ["40"]);
}

#[test]
fn messages_that_wait_stay_when_the_server_ends_the_session() {
    let mut pair = greeted();
    pair.server(&closing("replaced", ""));
    by_disconnect(&mut pair);
    let waits = pair.say("later");
    assert_eq!(names(&[waits]), ["none"]);
    assert!(
        pair.events
            .iter()
            .all(|(_, happening)| !matches!(happening, Happening::Notice(_)))
    );
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.open();
    pair.frames();
    pair.server(CONNECT);
    assert_eq!(pair.frames(), [r#"42["later"]"#]);
}

//! What the browser does for a client, in a browser. The only server is the one that the page of the tests came from: it
//! answers a request for `/` with that page, for most else with 404, and no WebSocket.

#![allow(clippy::unwrap_used, reason = "tests fail by panics")]

use std::collections::HashSet;
use std::future::poll_fn;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::{Either, select};
use js_sys::{Function, Reflect};
use wasm_bindgen::JsValue;

use super::*;
use crate::core::{Frame, LinkEvent, Response};
use crate::{Client, State};

/// No test waits longer than this for anything.
const DEADLINE: Duration = Duration::from_secs(20);

/// An address at which nobody listens, of a port that browsers allow.
const NOBODY: &str = "127.0.0.1:2";

/// None if the future is not ready in time.
async fn before<T>(time: Duration, future: impl Future<Output = T>) -> Option<T> {
    let timeout = TimeoutFuture::new(u32::try_from(time.as_millis()).unwrap());
    match select(Box::pin(future), timeout).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(_) => None,
    }
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    before(DEADLINE, future).await.expect("it did not happen in time")
}

async fn rings(alarm: &mut Timer) {
    poll_fn(|cx| alarm.poll(cx)).await;
}

fn after(millis: u64) -> Duration {
    Web.now().mono + Duration::from_millis(millis)
}

/// A browser may round its clock and its timers to a few milliseconds.
fn has_come(time: Duration) -> bool {
    Web.now().mono + Duration::from_millis(5) >= time
}

fn request(method: Method, authority: &str, target: &str) -> Request {
    Request {
        method,
        secure: false,
        host: "127.0.0.1".into(),
        port: 0,
        authority: authority.into(),
        target: target.into(),
    }
}

fn dial(request: Request, max_message: usize) -> Box<dyn Wire> {
    let options = LinkOptions {
        max_message,
        ..LinkOptions::default()
    };
    Web.dialer(options).unwrap().open(request)
}

async fn next(wire: &mut Box<dyn Wire>) -> LinkEvent {
    within(poll_fn(|cx| wire.poll_event(cx, true))).await
}

/// The first event of what is asked of the tests' own server, or of nobody.
async fn outcome(method: Method, authority: &str, target: &str) -> LinkEvent {
    next(&mut dial(request(method, authority, target), 1 << 20)).await
}

/// Where the tests came from.
fn home() -> String {
    let get = |of: &JsValue, name: &str| Reflect::get(of, &name.into()).unwrap();
    get(&get(&js_sys::global(), "location"), "host").as_string().unwrap()
}

fn post() -> Method {
    Method::Post(Bytes::from_static(b"40"))
}

fn response(event: LinkEvent) -> Response {
    match event {
        LinkEvent::Response(response) => response,
        other => panic!("{other:?}"),
    }
}

fn error(event: LinkEvent) -> Error {
    match event {
        LinkEvent::Closed(Some(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
async fn an_alarm_goes_off_once_and_not_before_its_time() {
    let mut alarm = Timer::default();
    let at = after(40);
    assert!(alarm.set(Some(at)));
    assert_eq!(before(Duration::ZERO, rings(&mut alarm)).await, None);
    assert!(!alarm.set(Some(at)), "it is set for that time");
    within(rings(&mut alarm)).await;
    assert!(has_come(at));
    assert_eq!(before(Duration::from_millis(80), rings(&mut alarm)).await, None);
    assert!(alarm.set(Some(at)), "the same time again, which has come");
    within(rings(&mut alarm)).await;
}

#[test]
async fn an_alarm_that_is_set_anew_goes_off_at_the_new_time() {
    let mut alarm = Timer::default();
    alarm.set(Some(after(3_600_000)));
    assert_eq!(before(Duration::ZERO, rings(&mut alarm)).await, None);
    let earlier = after(20);
    assert!(alarm.set(Some(earlier)));
    within(rings(&mut alarm)).await;

    alarm.set(Some(after(20)));
    assert_eq!(before(Duration::ZERO, rings(&mut alarm)).await, None);
    let later = after(100);
    assert!(
        !alarm.set(Some(later)),
        "the timeout that is there stays, and looks at the clock"
    );
    within(rings(&mut alarm)).await;
    assert!(has_come(later));
}

#[test]
async fn an_alarm_further_away_than_set_timeout_can_hold_does_not_go_off_at_once() {
    let days = |days: u64| after(days * 86_400_000);
    // A signed number of 32 bits holds 24.8 days of milliseconds, an unsigned one 49.7.
    for at in [days(24), days(26), days(51), Duration::MAX] {
        let mut alarm = Timer::default();
        alarm.set(Some(at));
        assert_eq!(
            before(Duration::from_millis(20), rings(&mut alarm)).await,
            None,
            "{at:?}"
        );
    }
}

#[test]
fn seeds_differ_in_both_halves() {
    let seeds: Vec<u64> = (0..100).map(|_| Web.seed()).collect();
    let halves = |shift: u32| seeds.iter().map(|seed| (seed >> shift) as u32).collect::<HashSet<_>>();
    // Of 100 out of 2^32 hardly ever two are the same, and five never.
    assert!(halves(0).len() > 95 && halves(32).len() > 95, "{seeds:?}");
}

#[test]
fn what_browsers_do_not_allow_is_said_when_the_client_is_made() {
    let headers = LinkOptions {
        headers: vec![("x-name".into(), "value".into())],
        ..LinkOptions::default()
    };
    let roots = LinkOptions {
        ca_pem: Some(String::new()),
        ..LinkOptions::default()
    };
    for options in [headers, roots] {
        assert!(matches!(Web.dialer(options).err(), Some(Error::Unsupported(_))));
    }
    let cookies = LinkOptions {
        with_credentials: true,
        ..LinkOptions::default()
    };
    assert!(Web.dialer(cookies).is_ok());
}

#[test]
async fn an_answer_has_its_status_and_its_whole_body() {
    for method in [Method::Get, post()] {
        let page = response(outcome(method, &home(), "/").await);
        assert_eq!(page.status, 200);
        let text = std::str::from_utf8(&page.body).unwrap().trim();
        assert!(text.starts_with('<') && text.ends_with("</html>"), "{text}");
        assert_eq!(page.retry_after, None);
    }
    let nothing = response(outcome(Method::Get, &home(), "/there/is?nothing").await);
    assert_eq!(nothing.status, 404);
}

#[test]
async fn an_answer_over_the_limit_is_refused() {
    let length = response(outcome(Method::Get, &home(), "/").await).body.len();
    let mut short = dial(request(Method::Get, &home(), "/"), length.div_ceil(4) - 1);
    let refused = error(next(&mut short).await);
    assert!(matches!(refused, Error::Protocol { .. }), "{refused:?}");
    let mut exact = dial(request(Method::Get, &home(), "/"), length.div_ceil(4));
    assert_eq!(response(next(&mut exact).await).body.len(), length);
}

#[test]
async fn nobody_there_is_unreachable() {
    for method in [Method::Get, post(), Method::WebSocket] {
        let said = error(outcome(method.clone(), NOBODY, "/socket.io/?EIO=4").await);
        assert!(matches!(said, Error::Unreachable(_)), "{method:?}: {said:?}");
    }
}

#[test]
async fn a_websocket_that_the_server_refuses_is_unreachable() {
    let said = error(outcome(Method::WebSocket, &home(), "/").await);
    assert!(matches!(said, Error::Unreachable(_)), "{said:?}");
}

#[test]
async fn an_address_that_is_none_is_an_error() {
    for method in [Method::Get, post(), Method::WebSocket] {
        error(outcome(method, "no host", "/").await);
    }
}

#[test]
async fn a_fetch_that_throws_what_is_no_error_is_an_error() {
    let (global, name) = (js_sys::global(), JsValue::from_str("fetch"));
    let real = Reflect::get(&global, &name).unwrap();
    for script in ["throw 'text'", "return Promise.reject(7)"] {
        Reflect::set(&global, &name, &Function::new_no_args(script)).unwrap();
        let event = outcome(Method::Get, &home(), "/").await;
        Reflect::set(&global, &name, &real).unwrap();
        assert!(matches!(error(event), Error::Unreachable(_)), "{script}");
    }
}

#[test]
async fn a_websocket_that_is_not_open_writes_nothing_and_tells_its_end_when_it_is_read() {
    let mut wire = dial(request(Method::WebSocket, NOBODY, "/"), 1 << 20);
    wire.send(vec![Frame::Text(Bytes::from_static(b"40"))]);
    let time = Duration::from_millis(300);
    assert_eq!(before(time, poll_fn(|cx| wire.poll_event(cx, false))).await, None);
    assert!(matches!(error(next(&mut wire).await), Error::Unreachable(_)));
    within(wire.close()).await;
}

#[test]
async fn closing_what_is_still_being_opened_ends() {
    for method in [Method::Get, post(), Method::WebSocket] {
        let mut wire = dial(request(method, &home(), "/"), 1 << 20);
        assert_eq!(
            before(Duration::ZERO, poll_fn(|cx| wire.poll_event(cx, false))).await,
            None
        );
        within(wire.close()).await;
    }
}

#[test]
async fn a_client_without_a_server_tries_again_and_can_be_closed() {
    let client = Client::builder(format!("http://{NOBODY}")).build().unwrap();
    let mut states = client.socket("/").states();
    client.connect();
    let mut attempts = 0;
    while attempts < 2 {
        let change = within(states.next()).await.expect("the client lives");
        attempts += usize::from(matches!(change.state, State::Waiting { .. }));
    }
    client.close();
    within(async { while states.next().await.is_some() {} }).await;
}

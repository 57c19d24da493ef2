//! A server that says when to come back.

use std::time::{Duration, Instant};

use rejoin_interop::{in_browser, options};
use serde_json::json;

use crate::{client, over, works};

#[tokio::test]
async fn a_handshake_that_is_refused_for_a_time_is_tried_again_then() {
    // A page is not shown the answer that refuses a WebSocket.
    let transports = if in_browser() {
        &["polling"][..]
    } else {
        &["websocket", "polling"]
    };
    for transport in transports {
        let gate = json!({ "upgrade": 503, "request": 503, "retryAfter": "1", "times": 1 });
        let (server, testee) = client(json!({ "gate": gate }), over(&[transport])).await;
        let began = Instant::now();
        testee.connect("a").await;
        let waiting = testee.wait_state("a", "waiting").await;
        assert_eq!(waiting["error"]["code"], 2004, "{waiting}");
        // A second, and up to `maxDelay` more, so that not everybody comes back at once.
        let wait = waiting["retryIn"].as_u64().expect("milliseconds");
        assert!((1000..=1100).contains(&wait), "{waiting}");
        testee.wait_state("a", "connected").await;
        assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
        works(&testee).await;
        assert_eq!(server.turned_away(), 1);
    }
}

#[tokio::test]
async fn a_date_is_understood_too() {
    let gate = json!({ "request": 503, "retryAfter": "Thu, 31 Dec 2099 23:59:59 GMT", "times": 1 });
    let (_server, testee) = client(json!({ "gate": gate }), over(&["polling"])).await;
    testee.connect("a").await;
    let waiting = testee.wait_state("a", "waiting").await;
    let wait = waiting["retryIn"].as_u64().expect("milliseconds");
    assert!((300_000..=300_100).contains(&wait), "{waiting}");
    // The user knows better.
    testee.connected("a").await;
}

#[tokio::test]
async fn a_server_that_has_said_when_is_not_asked_over_the_other_transport() {
    // Where a page is not shown the answer, the other transport comes first.
    let (refused, options) = match in_browser() {
        true => ("request", over(&["polling", "websocket"])),
        false => ("upgrade", options(json!({}))),
    };
    let gate = json!({ refused: 503, "retryAfter": "600", "times": 1 });
    let (server, testee) = client(json!({ "gate": gate }), options).await;
    testee.connect("a").await;
    let waiting = testee.wait_state("a", "waiting").await;
    // Five minutes at most, whatever it asks for.
    let wait = waiting["retryIn"].as_u64().expect("milliseconds");
    assert!((300_000..=300_100).contains(&wait), "{waiting}");
    assert_eq!(server.links(), 0);
    testee.connected("a").await;
}

//! Rate limits over the wire.

use std::time::Duration;

use rejoin_server::{Limit, RateLimits, ServerConfig};
use serde_json::{Value, json};

use super::wire::Wire;
use super::{config, start};

fn private(id: &str) -> Value {
    json!({ "recipientId": "u2", "content": id, "messageId": id })
}

fn limited(count: u32, window: Duration) -> ServerConfig {
    let limits = RateLimits {
        private_message: Limit::new(count, window),
        ..RateLimits::default()
    };
    ServerConfig { limits, ..config() }
}

#[tokio::test]
async fn past_the_limit_a_message_is_refused_until_the_time_that_the_refusal_says() {
    let server = start(limited(2, Duration::from_millis(300))).await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    for id in ["m1", "m2"] {
        assert_eq!(alice.request("private_message", private(id)).await["ok"], true);
    }
    let refused = alice.request("private_message", private("m3")).await;
    assert_eq!(refused["error"]["code"], "rate_limited");
    let wait = refused["error"]["retryAfterMs"].as_u64().expect("a number");
    assert!((1..=300).contains(&wait), "{wait}");
    assert_eq!(server.stats().rate_limited, 1);

    tokio::time::sleep(Duration::from_millis(wait)).await;
    let answer = alice.request("private_message", private("m3")).await;
    assert_eq!(answer, json!({ "ok": true, "id": "m3" }));
}

#[tokio::test]
async fn who_asks_for_no_acknowledgement_is_told_by_an_event() {
    let server = start(limited(0, Duration::from_secs(60))).await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    alice.emit("private_message", private("m1")).await;
    let told = alice.event("rate_limit_exceeded").await;
    assert_eq!(told["event"], "private_message");
    assert_eq!(told["messageId"], "m1");
    assert!(told["retryAfterMs"].as_u64().is_some_and(|ms| ms > 50_000));
}

#[tokio::test]
async fn when_most_of_a_window_is_used_there_is_one_warning() {
    let server = start(limited(5, Duration::from_secs(60))).await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    for n in 1..=5 {
        alice.request("private_message", private(&format!("m{n}"))).await;
        if n == 4 {
            assert!(alice.event("warning").await["message"].is_string());
        }
        alice.event("message_sent").await;
    }
    assert_eq!(alice.rest().await, []);
}

#[tokio::test]
async fn a_copy_is_answered_as_the_first_even_past_the_limit() {
    let server = start(limited(1, Duration::from_secs(60))).await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let first = alice.request("private_message", private("m1")).await;
    assert_eq!(first["ok"], true);
    assert_eq!(alice.request("private_message", private("m1")).await, first);
}

#[tokio::test]
async fn another_connection_does_not_get_around_the_limit() {
    let server = start(limited(1, Duration::from_secs(60))).await;
    let mut phone = Wire::user(&server, "u1", "Alice").await;
    let mut laptop = Wire::user(&server, "u1", "Alice").await;
    phone.request("private_message", private("m1")).await;
    let refused = laptop.request("private_message", private("m2")).await;
    assert_eq!(refused["error"]["code"], "rate_limited");
}

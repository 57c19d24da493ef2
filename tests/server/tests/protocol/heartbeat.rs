//! Engine.IO: ping and pong.

use super::link::Link;
use super::polling::Session;
use super::{quick, server};

#[tokio::test]
async fn a_websocket_that_answers_pings_stays() {
    let server = quick().await;
    let mut link = Link::session(&server).await;
    for _ in 0..3 {
        assert_eq!(link.raw().await.as_deref(), Some("2"));
        link.say("3").await;
    }
}

#[tokio::test]
async fn a_websocket_that_does_not_answer_a_ping_is_closed() {
    let server = quick().await;
    let mut link = Link::session(&server).await;
    assert_eq!(link.raw().await.as_deref(), Some("2"));
    // It says so before it closes.
    assert_eq!(link.raw().await.as_deref(), Some("1"));
    assert_eq!(link.raw().await, None);
}

#[tokio::test]
async fn a_polling_session_that_answers_pings_stays() {
    let server = quick().await;
    let session = Session::open(&server).await;
    for _ in 0..3 {
        assert_eq!(session.poll().await.body, "2");
        assert_eq!(session.post("3").await.body, "ok");
    }
}

#[tokio::test]
async fn a_polling_session_that_does_not_answer_a_ping_is_closed() {
    let server = quick().await;
    let session = Session::open(&server).await;
    assert_eq!(session.poll().await.body, "2");
    // The pending poll ends with the session.
    session.poll().await;
    session.is_gone().await;
}

// npm's first ping comes after the interval.
#[tokio::test]
async fn unlike_npms_the_first_ping_comes_at_once() {
    let server = server().await;
    let mut link = Link::session(&server).await;
    assert_eq!(link.raw().await.as_deref(), Some("2"));
    assert_eq!(Session::open(&server).await.poll().await.body, "2");
}

// npm's server closes the session: in protocol 4 only servers ping.
#[tokio::test]
async fn unlike_npms_a_ping_from_the_client_is_taken_as_a_sign_of_life() {
    let server = server().await;
    let mut link = Link::connected(&server).await;
    link.say("2").await;
    link.say(r#"421["barrier",{}]"#).await;
    link.hears("431[").await;
}

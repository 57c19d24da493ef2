//! Engine.IO: from long-polling to a WebSocket.

use super::link::Link;
use super::polling::Session;
use super::{connect, server};

fn probe(session: &Session<'_>) -> String {
    format!("EIO=4&transport=websocket&sid={}", session.sid)
}

/// Upgrades a session.
async fn upgraded(server: &rejoin_server::Server, session: &Session<'_>) -> Link {
    let link = Link::open(server, &probe(session)).await;
    let mut link = link.expect("a WebSocket");
    link.say("2probe").await;
    assert_eq!(link.next().await, "3probe");
    link.say("5").await;
    link
}

#[tokio::test]
async fn a_session_goes_on_over_the_websocket() {
    let server = server().await;
    let session = Session::connected(&server).await;
    let mut link = upgraded(&server, &session).await;
    link.say(r#"421["private_message",{"recipientId":"u1","content":"to myself"}]"#)
        .await;
    link.hears("to myself").await;
    link.hears("431[").await;
    assert_eq!(server.stats().connections_total, 1);
}

#[tokio::test]
async fn a_namespace_can_be_joined_after_the_upgrade() {
    let server = server().await;
    let session = Session::open(&server).await;
    let mut link = upgraded(&server, &session).await;
    link.say(&connect(&server)).await;
    link.hears("connection_status").await;
}

#[tokio::test]
async fn a_poll_that_is_pending_is_ended_by_the_probe() {
    let server = server().await;
    let session = Session::connected(&server).await;
    let pending = session.clone();
    let (polled, _link) = tokio::join!(pending.poll(), upgraded(&server, &session));
    // Where the poll comes after the upgrade, it is no longer this transport's turn.
    assert!(polled.body == "6" || polled.status == 400, "{polled:?}");
}

#[tokio::test]
async fn requests_after_the_upgrade_are_refused() {
    let server = server().await;
    let session = Session::connected(&server).await;
    let mut link = upgraded(&server, &session).await;
    link.say(r#"421["barrier",{}]"#).await;
    link.hears("431[").await;
    assert_eq!(session.poll().await.status, 400);
    assert_eq!(session.post("3").await.status, 400);
    link.say(r#"422["barrier",{}]"#).await;
    link.hears("432[").await;
}

#[tokio::test]
async fn a_second_websocket_for_the_session_is_closed() {
    let server = server().await;
    let session = Session::connected(&server).await;
    let mut link = upgraded(&server, &session).await;
    link.say(r#"421["barrier",{}]"#).await;
    link.hears("431[").await;
    let second = Link::open(&server, &probe(&session)).await;
    assert_eq!(second.expect("a WebSocket").ends().await, Vec::<String>::new());
    link.say(r#"422["barrier",{}]"#).await;
    link.hears("432[").await;
}

#[tokio::test]
async fn a_websocket_for_an_unknown_session_is_closed() {
    let server = server().await;
    let query = "EIO=4&transport=websocket&sid=AAAAAAAAAAAAAAAA";
    let link = Link::open(&server, query).await;
    assert_eq!(link.expect("a WebSocket").ends().await, Vec::<String>::new());
}

// npm's server goes on polling.
#[tokio::test]
async fn unlike_npms_a_failed_probe_ends_the_session() {
    let server = server().await;
    for wrong in ["2", "3probe", "4", "5", "abc"] {
        let session = Session::connected(&server).await;
        let link = Link::open(&server, &probe(&session)).await;
        let mut link = link.expect("a WebSocket");
        link.say(wrong).await;
        assert_eq!(link.ends().await, Vec::<String>::new(), "{wrong}");
        session.is_gone().await;
    }
}

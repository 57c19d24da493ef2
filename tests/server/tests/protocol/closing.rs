//! Engine.IO and Socket.IO: how connections end.

use std::time::Duration;

use tokio::time::timeout;

use super::link::Link;
use super::polling::Session;
use super::{DEADLINE, connect, server};

async fn until_nobody_is_connected(server: &rejoin_server::Server) {
    let waited = timeout(DEADLINE, async {
        while server.stats().connections > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    waited.await.expect("in time");
}

#[tokio::test]
async fn a_close_packet_ends_a_polling_session_and_its_pending_poll() {
    let server = server().await;
    let session = Session::connected(&server).await;
    let other = session.clone();
    let close = async {
        // A poll that comes after the close finds no session, which is as good.
        let polled = session.poll().await;
        assert!(
            polled.status == 400 || polled.body == "6" || polled.body.is_empty(),
            "{polled:?}"
        );
    };
    let (closed, ()) = tokio::join!(other.post("1"), close);
    assert_eq!(closed.status, 200);
    session.is_gone().await;
    until_nobody_is_connected(&server).await;
}

#[tokio::test]
async fn a_close_packet_ends_a_websocket() {
    let server = server().await;
    let mut link = Link::connected(&server).await;
    link.say("1").await;
    assert_eq!(link.ends().await, Vec::<String>::new());
    until_nobody_is_connected(&server).await;
}

#[tokio::test]
async fn closing_the_websocket_ends_the_session() {
    let server = server().await;
    Link::connected(&server).await.close().await;
    until_nobody_is_connected(&server).await;
}

#[tokio::test]
async fn a_second_poll_ends_the_session() {
    let server = server().await;
    let session = Session::open(&server).await;
    assert_eq!(session.poll().await.body, "2");
    let (one, other) = tokio::join!(session.poll(), session.poll());
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
    session.is_gone().await;
}

#[tokio::test]
async fn disconnect_leaves_the_namespace_and_keeps_the_link() {
    let server = server().await;
    let mut link = Link::connected(&server).await;
    link.say("41").await;
    until_nobody_is_connected(&server).await;
    link.say(&connect(&server)).await;
    link.hears("connection_status").await;
    assert_eq!(server.stats().connections_total, 2);
}

#[tokio::test]
async fn an_event_of_a_namespace_that_was_left_or_never_joined_closes_the_link() {
    let server = server().await;
    let mut link = Link::connected(&server).await;
    link.say("41").await;
    until_nobody_is_connected(&server).await;
    link.say(r#"421["barrier",{}]"#).await;
    assert_eq!(link.ends().await, Vec::<String>::new());
    let mut link = Link::session(&server).await;
    link.say(r#"421["barrier",{}]"#).await;
    assert_eq!(link.ends().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_a_server_says_last_reaches_a_client_that_polls() {
    let server = server().await;
    let session = Session::connected(&server).await;
    let poll = session.pending().await;
    server.shutdown().await;
    let last = poll.response().await;
    assert!(last.body.contains(r#"42["closing",{"code":"shutdown""#), "{last:?}");
}

//! Engine.IO: the handshake.

use super::link::Link;
use super::polling::{Response, Session, request};
use super::{body, server};

fn refused(code: u8, message: &str) -> Response {
    Response {
        status: 400,
        body: format!(r#"{{"code":"{code}","message":"{message}"}}"#),
    }
}

#[tokio::test]
async fn polling_opens_a_session_with_an_upgrade_to_websocket() {
    let server = server().await;
    let opened = request(&server, "GET", "EIO=4&transport=polling", "").await;
    assert_eq!(opened.status, 200);
    let open = body(&opened.body, "0");
    assert!(open["sid"].is_string());
    assert_eq!(open["upgrades"][0], "websocket");
    assert_eq!(
        (&open["pingInterval"], &open["pingTimeout"]),
        (&25_000.into(), &20_000.into())
    );
    assert_eq!(open["maxPayload"], 1_000_000);
}

#[tokio::test]
async fn a_websocket_opens_a_session_without_upgrades() {
    let server = server().await;
    let link = Link::open(&server, "EIO=4&transport=websocket").await;
    let open = body(&link.expect("a WebSocket").next().await, "0");
    assert!(open["sid"].is_string());
    assert_eq!(open["upgrades"].as_array().map(Vec::len), Some(0));
    assert_eq!(
        (&open["pingInterval"], &open["pingTimeout"]),
        (&25_000.into(), &20_000.into())
    );
    assert_eq!(open["maxPayload"], 1_000_000);
}

// npm's `code` is a number.
#[tokio::test]
async fn another_protocol_version_is_refused_and_unlike_npms_the_code_is_text() {
    let server = server().await;
    for query in [
        "transport=polling",
        "EIO=abc&transport=polling",
        "EIO=3&transport=polling",
    ] {
        let response = request(&server, "GET", query, "").await;
        assert_eq!(response, refused(5, "Unsupported protocol version"), "{query}");
    }
    for query in ["transport=websocket", "EIO=abc&transport=websocket"] {
        assert_eq!(Link::open(&server, query).await.err(), Some(400), "{query}");
    }
}

#[tokio::test]
async fn an_unknown_transport_is_refused() {
    let server = server().await;
    for query in ["EIO=4", "EIO=4&transport=abc"] {
        let response = request(&server, "GET", query, "").await;
        assert_eq!(response, refused(0, "Transport unknown"), "{query}");
        assert_eq!(Link::open(&server, query).await.err(), Some(400), "{query}");
    }
}

#[tokio::test]
async fn a_handshake_is_a_get() {
    let server = server().await;
    for method in ["POST", "PUT", "DELETE"] {
        let response = request(&server, method, "EIO=4&transport=polling", "").await;
        assert_eq!(response, refused(2, "Bad handshake method"), "{method}");
    }
}

#[tokio::test]
async fn an_unknown_session_is_refused() {
    let server = server().await;
    for sid in ["abc", "AAAAAAAAAAAAAAAA"] {
        let query = format!("EIO=4&transport=polling&sid={sid}");
        let unknown = refused(1, "Session ID unknown");
        assert_eq!(request(&server, "GET", &query, "").await, unknown, "{sid}");
        assert_eq!(request(&server, "POST", &query, "3").await, unknown, "{sid}");
    }
}

#[tokio::test]
async fn a_session_takes_no_other_method() {
    let server = server().await;
    let session = Session::open(&server).await;
    let query = format!("EIO=4&transport=polling&sid={}", session.sid);
    assert_eq!(request(&server, "PUT", &query, "3").await.status, 400);
}

#[tokio::test]
async fn a_request_without_an_upgrade_is_no_websocket() {
    let server = server().await;
    let response = request(&server, "GET", "EIO=4&transport=websocket", "").await;
    assert_eq!(response.status, 400);
}

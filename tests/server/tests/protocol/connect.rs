//! Socket.IO: CONNECT.

use serde_json::json;

use super::link::Link;
use super::polling::Session;
use super::{body, connect, server};

#[tokio::test]
async fn with_good_auth_the_default_namespace_is_joined_over_a_websocket() {
    let server = server().await;
    let mut link = Link::session(&server).await;
    link.say(&connect(&server)).await;
    let joined = body(&link.next().await, "40");
    assert!(joined["sid"].is_string());
    // There is no recovery of a connection's state here.
    assert_eq!(joined.get("pid"), None);
}

#[tokio::test]
async fn with_good_auth_the_default_namespace_is_joined_over_polling() {
    let server = server().await;
    let session = Session::open(&server).await;
    assert_eq!(session.post(&connect(&server)).await.body, "ok");
    let joined = session.hears("40{").await;
    assert!(body(&joined, "40")["sid"].is_string());
}

#[tokio::test]
async fn without_auth_the_namespace_is_refused_and_the_link_stays() {
    let server = server().await;
    let mut link = Link::session(&server).await;
    link.say("40").await;
    let refused = body(&link.next().await, "44");
    let message = refused["message"].as_str().expect("a message");
    assert!(message.starts_with("token_missing: "), "{message}");
    link.say(&connect(&server)).await;
    assert!(link.next().await.starts_with("40{"));
}

#[tokio::test]
async fn an_unknown_namespace_is_refused_and_the_link_stays() {
    let server = server().await;
    let mut link = Link::connected(&server).await;
    for auth in ["", r#"{"token":"x"}"#] {
        link.say(&format!("40/random,{auth}")).await;
        let refused = body(&link.hears("/random").await, "44/random,");
        assert_eq!(refused, json!({ "message": "Invalid namespace" }));
    }
    link.say(r#"421["barrier",{}]"#).await;
    link.hears("431[").await;
}

#[tokio::test]
async fn a_second_connect_to_the_same_namespace_is_ignored() {
    let server = server().await;
    let mut link = Link::connected(&server).await;
    link.say(&connect(&server)).await;
    link.say(r#"421["barrier",{}]"#).await;
    assert!(link.next().await.starts_with("431["));
    assert_eq!(server.stats().connections_total, 1);
}

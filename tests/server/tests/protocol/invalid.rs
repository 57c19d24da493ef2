//! What cannot be read closes the link.

use rejoin_server::ServerConfig;

use super::link::Link;
use super::polling::Session;
use super::{server, start};

#[tokio::test]
async fn what_is_no_packet_closes_a_websocket() {
    let server = server().await;
    for garbage in ["abc", "", "8", "0{}"] {
        let mut link = Link::connected(&server).await;
        link.say(garbage).await;
        assert_eq!(link.ends().await, Vec::<String>::new(), "{garbage}");
    }
}

// npm's server takes no notice of them.
#[tokio::test]
async fn unlike_npms_a_packet_out_of_place_closes_a_websocket() {
    let server = server().await;
    for misplaced in ["5", "6", "2probe", "3probe"] {
        let mut link = Link::connected(&server).await;
        link.say(misplaced).await;
        assert_eq!(link.ends().await, Vec::<String>::new(), "{misplaced}");
    }
}

#[tokio::test]
async fn what_is_no_packet_is_refused_over_polling_and_ends_the_session() {
    let server = server().await;
    for garbage in ["abc", "8", "0{}"] {
        let session = Session::open(&server).await;
        assert_eq!(session.post(garbage).await.status, 400, "{garbage}");
        session.is_gone().await;
    }
}

// npm's server takes no notice of them.
#[tokio::test]
async fn unlike_npms_a_packet_out_of_place_is_refused_over_polling_and_the_session_stays() {
    let server = server().await;
    let session = Session::connected(&server).await;
    for misplaced in ["5", "6", "2probe"] {
        assert_eq!(session.post(misplaced).await.status, 400, "{misplaced}");
    }
    session.post(r#"421["barrier",{}]"#).await;
    session.hears("431[").await;
}

#[tokio::test]
async fn what_is_no_socketio_packet_closes_the_link() {
    let server = server().await;
    for garbage in ["4abc", "49", "42{}", "42abc", r#"42["#, r#"42[{}]"#, "42[]"] {
        let mut link = Link::connected(&server).await;
        link.say(garbage).await;
        assert_eq!(link.ends().await, Vec::<String>::new(), "{garbage}");
    }
}

#[tokio::test]
async fn a_malformed_connect_closes_the_link() {
    let server = server().await;
    let mut link = Link::session(&server).await;
    link.say("4abc").await;
    assert_eq!(link.ends().await, Vec::<String>::new());
}

#[tokio::test]
async fn text_in_the_midst_of_a_binary_event_closes_the_link() {
    let server = server().await;
    let mut link = Link::connected(&server).await;
    link.say(r#"451-["barrier",{"_placeholder":true,"num":0}]"#).await;
    link.say(r#"42["barrier",{}]"#).await;
    assert_eq!(link.ends().await, Vec::<String>::new());
}

#[tokio::test]
async fn binary_that_no_event_announced_closes_the_link() {
    let server = server().await;
    let mut link = Link::connected(&server).await;
    link.say_binary(&[1, 2, 3]).await;
    assert_eq!(link.ends().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_message_over_the_limit_closes_the_link() {
    let server = start(ServerConfig {
        max_payload: 1000,
        ..ServerConfig::default()
    })
    .await;
    let mut link = Link::connected(&server).await;
    link.say(&format!(r#"42["barrier","{}"]"#, "x".repeat(1000))).await;
    assert_eq!(link.ends().await, Vec::<String>::new());
    let session = Session::connected(&server).await;
    let large = format!(r#"42["barrier","{}"]"#, "x".repeat(1000));
    assert_eq!(session.post(&large).await.status, 413);
}

//! Socket.IO: events, binary and acknowledgements.

use serde_json::json;

use super::link::Link;
use super::polling::Session;
use super::{body, server};

fn to_myself(content: &str) -> String {
    let message = json!(["private_message", { "recipientId": "u1", "content": content, "messageId": content }]);
    format!("42{message}")
}

#[tokio::test]
async fn an_event_is_heard_over_a_websocket() {
    let server = server().await;
    let mut link = Link::connected(&server).await;
    link.say(&to_myself("hello")).await;
    let heard = body(&link.next().await, "42");
    assert_eq!(
        (&heard[0], &heard[1]["content"]),
        (&json!("private_message"), &json!("hello"))
    );
}

#[tokio::test]
async fn several_events_of_one_request_are_heard_in_their_order_over_polling() {
    let server = server().await;
    let session = Session::connected(&server).await;
    let packets: Vec<String> = ["m1", "m2", "m3"].map(to_myself).into();
    assert_eq!(session.post(&packets.join("\u{1e}")).await.body, "ok");
    let mut heard = Vec::new();
    while heard.len() < 3 {
        let polled = session.poll().await;
        let packets = polled.body.split('\u{1e}').map(str::to_owned);
        heard.extend(packets.filter(|packet| packet.contains(r#"42["private_message""#)));
    }
    for (packet, id) in heard.iter().zip(["m1", "m2", "m3"]) {
        assert_eq!(body(packet, "42")[1]["id"], id);
    }
}

#[tokio::test]
async fn text_beyond_ascii_arrives_as_it_was_over_both_transports() {
    let server = server().await;
    let content = "Grüße, 世界 🌍 \u{2028}";
    let mut link = Link::connected(&server).await;
    link.say(&to_myself(content)).await;
    let heard = body(&link.hears("private_message").await, "42");
    assert_eq!(heard[1]["content"], content);
    let session = Session::connected(&server).await;
    let other = format!("{content} again");
    session.post(&to_myself(&other)).await;
    let heard = body(&session.hears(r#"42["private_message""#).await, "42");
    assert_eq!(heard[1]["content"], other.as_str());
}

#[tokio::test]
async fn an_acknowledgement_has_the_id_that_was_asked_with() {
    let server = server().await;
    let mut link = Link::connected(&server).await;
    link.say(r#"42456["barrier",{}]"#).await;
    let answer = body(&link.next().await, "43456");
    assert_eq!(answer[0]["error"]["code"], "unknown_event");
    let session = Session::connected(&server).await;
    session.post(r#"427["barrier",{}]"#).await;
    session.hears("437[").await;
}

#[tokio::test]
async fn an_acknowledgement_that_nobody_asked_for_is_ignored() {
    let server = server().await;
    let mut link = Link::connected(&server).await;
    link.say(r#"437["what?"]"#).await;
    link.say(r#"421["barrier",{}]"#).await;
    assert!(link.next().await.starts_with("431["));
}

#[tokio::test]
async fn an_event_with_binary_is_put_together_and_answered() {
    let server = server().await;
    let mut link = Link::connected(&server).await;
    let placeholders = r#"{"a":{"_placeholder":true,"num":0},"b":{"_placeholder":true,"num":1}}"#;
    link.say(&format!(r#"452-1["barrier",{placeholders}]"#)).await;
    link.say_binary(&[1, 2, 3]).await;
    link.say_binary(&[]).await;
    // Only now it is whole: what comes next is the next packet.
    let answer = body(&link.next().await, "431");
    // This server has no use for it, though.
    assert_eq!(answer[0]["error"]["code"], "invalid_payload");

    let session = Session::connected(&server).await;
    let event = format!(r#"452-2["barrier",{placeholders}]"#);
    let posted = session.post(&format!("{event}\u{1e}bAQID\u{1e}bBA==")).await;
    assert_eq!(posted.body, "ok");
    session.hears("432[").await;
}

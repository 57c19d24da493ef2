//! Notifications: when they are made, how long they are told, and marking them read.

use rejoin_server::{Limit, RateLimits, ServerConfig};
use serde_json::{Value, json};

use super::wire::Wire;
use super::{HOUR, config, server, start};

async fn notified(wire: &mut Wire) -> Vec<Value> {
    let rest = wire.rest().await.into_iter();
    let notifications = rest.filter(|(name, _)| name == "notification");
    notifications.map(|(_, notification)| notification).collect()
}

fn titles(notifications: &[Value]) -> Vec<&str> {
    let titles = notifications.iter().map(|notification| notification["title"].as_str());
    titles.map(|title| title.expect("a title")).collect()
}

#[tokio::test]
async fn a_message_to_a_user_who_is_away_makes_a_notification() {
    let server = server().await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let message = json!({ "recipientId": "u2", "content": "where are you?", "messageId": "m1" });
    alice.request("private_message", message.clone()).await;
    // A copy makes none.
    alice.request("private_message", message).await;

    let mut bob = Wire::user(&server, "u2", "Bob").await;
    assert_eq!(bob.event("private_message").await["id"], "m1");
    let notification = bob.event("notification").await;
    assert_eq!(notification["title"], "Alice");
    assert_eq!(notification["message"], "where are you?");
    assert_eq!(notification["icon"], "message");
    assert!(notification["id"].is_string());
    assert_eq!(bob.rest().await, []);
}

#[tokio::test]
async fn a_message_to_a_user_who_is_there_makes_none() {
    let server = server().await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let mut bob = Wire::user(&server, "u2", "Bob").await;
    let message = json!({ "recipientId": "u2", "content": "hello" });
    alice.request("private_message", message).await;
    bob.event("private_message").await;
    assert_eq!(bob.rest().await, []);
}

#[tokio::test]
async fn notifications_come_in_order_on_every_connect_until_they_are_marked_read() {
    let server = server().await;
    for title in ["one", "two", "three"] {
        server.notify("u2", title, "look").await.expect("kept");
    }
    let mut phone = Wire::user(&server, "u2", "Bob").await;
    let told = notified(&mut phone).await;
    assert_eq!(titles(&told), ["one", "two", "three"]);
    let mut laptop = Wire::user(&server, "u2", "Bob").await;
    assert_eq!(notified(&mut laptop).await, told);

    let ids = json!([told[0]["id"], told[2]["id"]]);
    let mark = json!({ "notificationIds": ids, "messageId": "m1" });
    assert_eq!(
        phone.request("mark_notifications_read", mark).await,
        json!({ "ok": true })
    );
    let marked = json!({ "notificationIds": ids });
    assert_eq!(phone.event("notifications_marked_read").await, marked);
    assert_eq!(laptop.event("notifications_marked_read").await, marked);

    let mut tablet = Wire::user(&server, "u2", "Bob").await;
    assert_eq!(titles(&notified(&mut tablet).await), ["two"]);
}

#[tokio::test]
async fn a_notification_is_told_at_once_to_every_connection() {
    let server = server().await;
    let mut phone = Wire::user(&server, "u2", "Bob").await;
    let mut laptop = Wire::user(&server, "u2", "Bob").await;
    let id = server.notify("u2", "News", "there is news").await.expect("kept");
    let notification = json!({ "id": id, "title": "News", "message": "there is news" });
    assert_eq!(phone.event("notification").await, notification);
    assert_eq!(laptop.event("notification").await, notification);
}

#[tokio::test]
async fn with_an_unknown_or_foreign_id_nothing_is_marked() {
    let server = server().await;
    let own = server.notify("u1", "own", "look").await.expect("kept");
    let foreign = server.notify("u2", "foreign", "look").await.expect("kept");
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    alice.event("notification").await;
    for id in [foreign.as_str(), "unheard-of"] {
        let mark = json!({ "notificationIds": [own, id] });
        let refused = alice.request("mark_notifications_read", mark).await;
        assert_eq!(refused["error"]["code"], "unknown_notification");
    }
    assert_eq!(alice.rest().await, []);
    let mut again = Wire::user(&server, "u1", "Alice").await;
    assert_eq!(titles(&notified(&mut again).await), ["own"]);
}

#[tokio::test]
async fn a_copy_of_a_mark_is_answered_as_the_first_and_told_to_nobody() {
    let server = server().await;
    let id = server.notify("u1", "own", "look").await.expect("kept");
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    alice.event("notification").await;
    let mark = json!({ "notificationIds": [id], "messageId": "m1" });
    let first = alice.request("mark_notifications_read", mark.clone()).await;
    alice.event("notifications_marked_read").await;
    assert_eq!(alice.request("mark_notifications_read", mark).await, first);
    assert_eq!(alice.rest().await, []);
    assert_eq!(server.stats().duplicates, 1);
}

#[tokio::test]
async fn of_too_many_notifications_the_oldest_go() {
    let server = start(ServerConfig {
        max_notifications: 2,
        ..config()
    })
    .await;
    server.notify("u2", "another's", "look").await.expect("kept");
    for title in ["one", "two", "three"] {
        server.notify("u1", title, "look").await.expect("kept");
    }
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    assert_eq!(titles(&notified(&mut alice).await), ["two", "three"]);
    let mut bob = Wire::user(&server, "u2", "Bob").await;
    assert_eq!(titles(&notified(&mut bob).await), ["another's"]);
}

#[tokio::test]
async fn marking_has_a_limit_of_its_own() {
    let limits = RateLimits {
        mark_read: Limit::new(0, HOUR),
        ..RateLimits::default()
    };
    let server = start(ServerConfig { limits, ..config() }).await;
    let mut alice = Wire::user(&server, "u1", "Alice").await;
    let mark = json!({ "notificationIds": ["n1"] });
    let refused = alice.request("mark_notifications_read", mark).await;
    assert_eq!(refused["error"]["code"], "rate_limited");
}

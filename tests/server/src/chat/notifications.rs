//! Notifications: told at once and on every connect, until they are marked read.

use serde_json::json;
use uuid::Uuid;

use super::answer::{Answer, Refusal};
use super::copies::Once;
use super::fields::{Fields, MAX_NAME};
use super::hub::Hub;
use super::messages::deliver;
use super::order::Place;
use super::receipts;
use super::session::Session;
use crate::auth::User;
use crate::limits::Action;
use crate::store::{Notification, Store};

/// The most notifications that one event marks.
const MAX_MARKED: usize = 1_000;

/// The longest excerpt of a message, in characters.
const MAX_EXCERPT: usize = 100;

impl Notification {
    /// A notification without an icon.
    pub(crate) fn new(title: &str, message: &str) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            title: title.to_owned(),
            message: message.to_owned(),
            icon: None,
        }
    }

    /// Of a private message to a user who is away.
    pub(super) fn of_message(from: &User, content: &str) -> Self {
        let mut excerpt: String = content.chars().take(MAX_EXCERPT).collect();
        if excerpt.len() < content.len() {
            excerpt.push('…');
        }
        Self {
            icon: Some("message".to_owned()),
            ..Self::new(&from.username, &excerpt)
        }
    }

    /// Of an invitation to a user who is away. It has the invitation's id, by which the game can be
    /// played.
    pub(super) fn of_invite(from: &User, game_type: &str, invite: &str) -> Self {
        Self {
            id: invite.to_owned(),
            icon: Some("game".to_owned()),
            ..Self::new(&from.username, &format!("invites you to play {game_type}"))
        }
    }
}

/// Keeps a notification, and tells it to every connection that its user has now.
pub(crate) async fn notify(
    hub: &Hub,
    store: &mut Store,
    user: &str,
    notification: &Notification,
) -> Result<(), sqlx::Error> {
    let max = hub.config.max_notifications;
    store.notify(user, notification, max).await?;
    receipts::deliver(hub, &hub.presence.of(user), "notification", &json!(notification), None);
    Ok(())
}

/// Tells a new connection what its user has not read yet, oldest first.
pub(super) async fn hand_over(hub: &Hub, store: &mut Store, session: &Session) -> Result<(), Refusal> {
    for notification in store.unread(&session.user.id).await? {
        if !receipts::send(hub, session, "notification", &json!(notification), None) {
            break;
        }
    }
    Ok(())
}

/// `mark_notifications_read`: all of them, or none where one is not the user's.
pub(super) async fn mark_read(
    hub: &Hub,
    session: &Session,
    fields: &Fields,
    place: &Place<'_>,
) -> Result<Answer, Refusal> {
    let user = &session.user.id;
    let ids = fields.texts("notificationIds", MAX_MARKED, MAX_NAME)?;
    let once = Once::read(hub, session, fields)?;
    let mut store = hub.store.lock().await;
    if let Some(answer) = once.before(hub, &mut store).await? {
        return Ok(answer);
    }
    place.take_or_wait(hub, session, Action::MarkRead)?;
    let answer = Answer::done();
    let json = answer.to_json();
    if !store.mark_read(user, &ids, &once.entry(&json)).await? {
        let unknown = "notificationIds: one of them is not a notification of this user";
        return once
            .refuse(&mut store, Refusal::new("unknown_notification", unknown))
            .await;
    }
    let marked = json!({ "notificationIds": ids });
    deliver(&hub.presence.of(user), "notifications_marked_read", &marked);
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let alice = User {
            id: "u1".into(),
            username: "Alice".into(),
        };
        let notification = Notification::of_message(&alice, &"ü".repeat(MAX_EXCERPT + 1));
        assert_eq!(notification.message, "ü".repeat(MAX_EXCERPT) + "…");
        let notification = Notification::of_message(&alice, &"ü".repeat(MAX_EXCERPT));
        assert_eq!(notification.message, "ü".repeat(MAX_EXCERPT));
    }
}

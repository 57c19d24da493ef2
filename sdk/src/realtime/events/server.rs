//! What the server itself has to say: its greeting, presence, notifications, warnings.

use super::Friend;
use super::values::{millis, optional, optional_text, text, text_or_empty, texts};

events! {
    /// The server's greeting.
    ConnectionStatus "connection_status" {
        /// Whether we are connected.
        connected: bool,
        /// Who we are.
        #[serde(default, deserialize_with = "text_or_empty")]
        user_id: String,
        /// Our name.
        #[serde(default, deserialize_with = "optional")]
        username: String,
        /// What the server promises: `ack`, `dedupe` and so on.
        #[serde(default, deserialize_with = "texts")]
        features: Vec<String>,
        /// With whom we have had private messages, where the server keeps that.
        #[serde(default, deserialize_with = "optional")]
        friends: Vec<Friend>,
    }

    /// A friend came or went.
    FriendStatusChange "friend_status_change" {
        /// Who.
        #[serde(deserialize_with = "text")]
        user_id: String,
        /// For example `online` or `offline`.
        #[serde(deserialize_with = "text")]
        status: String,
        /// When: ISO 8601 in UTC, or as the server has it.
        #[serde(default, deserialize_with = "text_or_empty")]
        timestamp: String,
    }

    /// Something to show to the user.
    Notification "notification" {
        /// The server's id, for
        /// [`mark_notifications_read`](crate::RealtimeClient::mark_notifications_read).
        #[serde(default, deserialize_with = "optional_text")]
        id: Option<String>,
        /// The title.
        #[serde(default, deserialize_with = "optional")]
        title: String,
        /// The text.
        #[serde(default, deserialize_with = "optional")]
        message: String,
        /// A picture: its address, or a name that the app knows.
        #[serde(default, deserialize_with = "optional_text")]
        icon: Option<String>,
    }

    /// Notifications were marked read, here or on another device of ours.
    NotificationsMarkedRead "notifications_marked_read" {
        /// Which.
        #[serde(deserialize_with = "texts")]
        notification_ids: Vec<String>,
    }

    /// The server did not take something, because it was too much. A message that was acknowledged with this ends
    /// [`Rejected`](crate::Outcome::Rejected) instead, with [`RateLimited`](crate::Error::RateLimited).
    RateLimitExceeded "rate_limit_exceeded" {
        /// The server's own words.
        #[serde(default, deserialize_with = "optional_text")]
        message: Option<String>,
        /// What is limited, in the server's words.
        #[serde(default, deserialize_with = "optional_text")]
        action: Option<String>,
        /// The event that it did not take.
        #[serde(default, deserialize_with = "optional_text")]
        event: Option<String>,
        /// The message id of what it did not take.
        #[serde(default, deserialize_with = "optional_text")]
        message_id: Option<String>,
        /// When it may be tried again, in milliseconds.
        #[serde(default, deserialize_with = "millis")]
        retry_after_ms: Option<u64>,
    }

    /// The server warns. The client's own warnings are [`Notice::Warning`](crate::Notice::Warning).
    Warning "warning" {
        /// The server's own words.
        #[serde(default, deserialize_with = "optional")]
        message: String,
    }

    /// The server could not do something, and nobody waits for its answer.
    ServerError "error" {
        /// The server's own words.
        #[serde(default, deserialize_with = "optional")]
        message: String,
        /// The server's code, for example `not_a_member`.
        #[serde(default, deserialize_with = "optional_text")]
        code: Option<String>,
        /// The event that it could not take.
        #[serde(default, deserialize_with = "optional_text")]
        event: Option<String>,
        /// The message id of what it could not take.
        #[serde(default, deserialize_with = "optional_text")]
        message_id: Option<String>,
    }

    /// The server is about to disconnect, and says why. After `replaced` and `banned` the client does not come back by itself.
    Closing "closing" {
        /// `replaced`, `banned`, `shutdown` or `idle`.
        #[serde(deserialize_with = "text")]
        code: String,
        /// The server's own words.
        #[serde(default, deserialize_with = "optional")]
        message: String,
        /// When to come back, in milliseconds: the client does so by itself.
        #[serde(default, deserialize_with = "millis")]
        retry_after_ms: Option<u64>,
    }
}

//! Messages and typing.

use super::User;
use super::values::{optional, optional_text, text, text_or_empty};

events! {
    /// A message from one user to another.
    PrivateMessage "private_message" {
        /// The server's id of the message.
        #[serde(deserialize_with = "text")]
        id: String,
        /// Who wrote it.
        sender: User,
        /// The text.
        content: String,
        /// When it was written: ISO 8601 in UTC, or as the server has it.
        #[serde(deserialize_with = "text")]
        timestamp: String,
    }

    /// A message to a room.
    GroupMessage "group_message" {
        /// The server's id of the message.
        #[serde(deserialize_with = "text")]
        id: String,
        /// The room's id.
        #[serde(deserialize_with = "text")]
        room: String,
        /// Who wrote it.
        sender: User,
        /// The text.
        content: String,
        /// When it was written: ISO 8601 in UTC, or as the server has it.
        #[serde(deserialize_with = "text")]
        timestamp: String,
    }

    /// The server has a message of ours.
    MessageSent "message_sent" {
        /// The server's id of the message.
        #[serde(deserialize_with = "text")]
        id: String,
        /// Whom it is for.
        #[serde(default, deserialize_with = "text_or_empty")]
        recipient_id: String,
        /// Whether the recipient was connected.
        #[serde(default, deserialize_with = "optional")]
        delivered: bool,
    }

    /// Somebody types: to us, or in a room.
    TypingStart "typing_start" {
        /// Who.
        #[serde(deserialize_with = "text")]
        user_id: String,
        /// The name to show.
        #[serde(default, deserialize_with = "optional")]
        username: String,
        /// The room, if it is one.
        #[serde(default, deserialize_with = "optional_text")]
        room_id: Option<String>,
    }

    /// Somebody stopped typing. Raised exactly once per start: on the server's word, on their message, when they leave,
    /// 6 s after their last start, and on disconnect.
    TypingStop "typing_stop" {
        /// Who.
        #[serde(deserialize_with = "text")]
        user_id: String,
        /// The room, if it is one.
        #[serde(default, deserialize_with = "optional_text")]
        room_id: Option<String>,
    }
}

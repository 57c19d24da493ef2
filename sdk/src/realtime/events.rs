//! What a chat app hears, as types. Fields that a server adds are ignored; those that it may leave out are optional.

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// An event that has a type: handlers are registered for it with [`RealtimeClient::on`](super::RealtimeClient::on).
pub trait ChatEvent: DeserializeOwned {
    /// The event's name on the wire.
    const NAME: &'static str;
}

/// Who somebody is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct User {
    /// The user's id.
    pub id: String,
    /// The name to show.
    #[serde(default)]
    pub username: String,
}

macro_rules! events {
    ($($(#[doc = $doc:literal])+ $name:ident $wire:literal { $($(#[doc = $field_doc:literal])+ $(#[serde($($serde:tt)*)])? $field:ident: $type:ty,)* })*) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[non_exhaustive]
        pub struct $name { $($(#[doc = $field_doc])+ $(#[serde($($serde)*)])? pub $field: $type,)* }

        impl ChatEvent for $name {
            const NAME: &'static str = $wire;
        }
    )*};
}

events! {
    /// A message from one user to another.
    PrivateMessage "private_message" {
        /// The server's id of the message.
        id: String,
        /// Who wrote it.
        sender: User,
        /// The text.
        content: String,
        /// When it was written, ISO 8601 in UTC.
        timestamp: String,
    }

    /// A message to a room.
    GroupMessage "group_message" {
        /// The server's id of the message.
        id: String,
        /// The room's id.
        room: String,
        /// Who wrote it.
        sender: User,
        /// The text.
        content: String,
        /// When it was written, ISO 8601 in UTC.
        timestamp: String,
    }

    /// The server has a message of ours.
    MessageSent "message_sent" {
        /// The server's id of the message.
        id: String,
        /// Whom it is for.
        #[serde(default)]
        recipient_id: String,
        /// Whether the recipient was connected.
        #[serde(default)]
        delivered: bool,
    }

    /// Somebody types: to us, or in a room.
    TypingStart "typing_start" {
        /// Who.
        user_id: String,
        /// The name to show.
        #[serde(default)]
        username: String,
        /// The room, if it is one.
        room_id: Option<String>,
    }

    /// Somebody stopped typing. Raised exactly once per start: on the server's word, on their message, when they leave,
    /// 6 s after their last start, and on disconnect.
    TypingStop "typing_stop" {
        /// Who.
        user_id: String,
        /// The room, if it is one.
        room_id: Option<String>,
    }

    /// We are in a room.
    RoomJoined "room_joined" {
        /// The room's id.
        room: String,
        /// Who is in it.
        #[serde(default)]
        members: Vec<User>,
    }

    /// A room could not be joined, or not again.
    RoomJoinFailed "join_room_failed" {
        /// The room's id.
        room_id: String,
        /// The server's reason, or `timeout`.
        #[serde(default)]
        reason: String,
    }

    /// Somebody came into a room that we are in.
    UserJoinedRoom "user_joined_room" {
        /// The room's id.
        room_id: String,
        /// Who.
        user: User,
    }

    /// Somebody left a room that we are in.
    UserLeftRoom "user_left_room" {
        /// The room's id.
        room_id: String,
        /// Who.
        user: User,
    }

    /// We left a room.
    RoomLeft "room_left" {
        /// The room's id.
        room_id: String,
    }

    /// A room was created.
    RoomCreated "room_created" {
        /// The room's id.
        id: String,
        /// Its name.
        name: String,
    }

    /// The server's greeting.
    ConnectionStatus "connection_status" {
        /// Whether we are connected.
        connected: bool,
        /// Who we are.
        #[serde(default)]
        user_id: String,
        /// Our name.
        #[serde(default)]
        username: String,
        /// What the server promises: `ack`, `dedupe` and so on.
        #[serde(default)]
        features: Vec<String>,
    }
}

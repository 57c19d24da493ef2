//! What a chat app hears, as types. Fields that a server adds are ignored; those that it may leave out are optional.

use serde::Deserialize;
use serde_json::Value;

use super::listen::{ChatEvent, Told};
use crate::error::Error;

/// Who somebody is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "AnyUser")]
#[non_exhaustive]
pub struct User {
    /// The user's id.
    pub id: String,
    /// The name to show.
    pub username: String,
}

/// Servers name a user in full, or by the id alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum AnyUser {
    Id(String),
    Full {
        id: String,
        #[serde(default)]
        username: String,
    },
}

impl From<AnyUser> for User {
    fn from(user: AnyUser) -> Self {
        let (id, username) = match user {
            AnyUser::Id(id) => (id, String::new()),
            AnyUser::Full { id, username } => (id, username),
        };
        Self { id, username }
    }
}

/// Somebody that the user has exchanged private messages with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Friend {
    /// The user's id.
    pub id: String,
    /// The name to show.
    #[serde(default)]
    pub username: String,
    /// `online` or `offline`.
    #[serde(default)]
    pub status: String,
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

            fn read(told: Told<'_>) -> Option<Result<Self, Error>> {
                told.decode()
            }
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
        /// With whom the user has exchanged private messages.
        #[serde(default)]
        friends: Vec<Friend>,
    }

    /// Somebody invites us to a game. We are in it already: `send_game_move` takes part.
    GameInvite "game_invite" {
        /// Who.
        from: User,
        /// Which game, in the app's own words.
        game_type: String,
        /// The invite's id, which is the game's.
        invite_id: String,
    }

    /// Somebody made a move in a game that we are in.
    GameMove "game_move" {
        /// The game's id.
        game_id: String,
        /// Who.
        player: User,
        /// The move, in the app's own form.
        #[serde(rename = "move", default)]
        game_move: Value,
        /// Where the game stands, as the server has it.
        #[serde(default)]
        game_state: Value,
    }

    /// Something that the user should know of, also from while they were away.
    Notification "notification" {
        /// Its id, for `mark_notifications_read`.
        id: Option<String>,
        /// Its title.
        #[serde(default)]
        title: String,
        /// Its text.
        #[serde(default)]
        message: String,
        /// An icon's name or address.
        icon: Option<String>,
    }

    /// Notifications were read, here or on another of the user's devices.
    NotificationsMarkedRead "notifications_marked_read" {
        /// Which.
        notification_ids: Vec<String>,
    }

    /// A friend came or went.
    FriendStatusChange "friend_status_change" {
        /// Who.
        user_id: String,
        /// `online` or `offline`.
        status: String,
        /// Since when, ISO 8601 in UTC.
        #[serde(default)]
        timestamp: String,
    }

    /// The server limits what we do. The message that it was about has it in its outcome, too.
    RateLimitExceeded "rate_limit_exceeded" {
        /// The server's own words.
        message: Option<String>,
        /// Which event was too much.
        #[serde(alias = "event")]
        action: Option<String>,
        /// When it may be tried again, in milliseconds.
        retry_after_ms: Option<u64>,
    }

    /// Something that the server finds worth a warning.
    Warning "warning" {
        /// The server's own words.
        #[serde(default)]
        message: String,
    }

    /// The server could not do something.
    ServerError "error" {
        /// The server's own words.
        #[serde(default)]
        message: String,
    }

    /// The server is going to disconnect. What the client does then stands in the state's reason.
    Closing "closing" {
        /// `replaced`, `banned`, `shutdown` or `idle`.
        code: String,
        /// The server's own words.
        #[serde(default)]
        message: String,
        /// When the client comes back, in milliseconds.
        retry_after_ms: Option<u64>,
    }
}

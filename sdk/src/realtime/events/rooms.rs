//! Rooms, and who is in them.

use super::User;
use super::values::{optional, text};

events! {
    /// We are in a room.
    RoomJoined "room_joined" {
        /// The room's id.
        #[serde(deserialize_with = "text")]
        room: String,
        /// Who is in it.
        #[serde(default, deserialize_with = "optional")]
        members: Vec<User>,
    }

    /// A room could not be joined, or not again.
    RoomJoinFailed "join_room_failed" {
        /// The room's id.
        #[serde(deserialize_with = "text")]
        room_id: String,
        /// The server's reason, or `timeout`.
        #[serde(default, deserialize_with = "optional")]
        reason: String,
    }

    /// Somebody came into a room that we are in.
    UserJoinedRoom "user_joined_room" {
        /// The room's id.
        #[serde(deserialize_with = "text")]
        room_id: String,
        /// Who.
        user: User,
    }

    /// Somebody left a room that we are in.
    UserLeftRoom "user_left_room" {
        /// The room's id.
        #[serde(deserialize_with = "text")]
        room_id: String,
        /// Who.
        user: User,
    }

    /// We left a room.
    RoomLeft "room_left" {
        /// The room's id.
        #[serde(deserialize_with = "text")]
        room_id: String,
    }

    /// A room was created. Its creator is in it.
    RoomCreated "room_created" {
        /// The room's id.
        #[serde(deserialize_with = "text")]
        id: String,
        /// Its name.
        #[serde(deserialize_with = "text")]
        name: String,
    }
}

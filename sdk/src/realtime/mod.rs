//! The chat layer: private and group messages, rooms, typing, over the same core as any other socket.
//!
//! - [`RealtimeClient`]: what an app calls.
//! - `events`: what it hears, as types (feature `typed`).
//! - `time`: timestamps as the wire has them.

mod client;
#[cfg(feature = "typed")]
mod events;
mod time;

pub use client::{NewRoom, RealtimeClient};
#[cfg(feature = "typed")]
pub use events::{
    ChatEvent, ConnectionStatus, GroupMessage, MessageSent, PrivateMessage, RoomCreated, RoomJoinFailed, RoomJoined,
    RoomLeft, TypingStart, TypingStop, User, UserJoinedRoom, UserLeftRoom,
};

//! The chat layer: messages, rooms, typing, presence, notifications and games, over the same core as any other socket.
//!
//! - [`RealtimeClient`]: what an app calls.
//! - `events`: what it hears, as types (feature `typed`); `listen`: how it listens to them, and the client's own.
//! - `names`: how events are called on the wire and elsewhere.
//! - `time`: timestamps as the wire has them.

mod client;
#[cfg(feature = "typed")]
mod events;
#[cfg(feature = "typed")]
mod listen;
mod names;
mod time;

pub use client::{NewRoom, RealtimeClient};
#[cfg(feature = "typed")]
pub use events::{
    Closing, ConnectionStatus, Friend, FriendStatusChange, GameInvite, GameMove, GroupMessage, MessageSent,
    Notification, NotificationsMarkedRead, PrivateMessage, RateLimitExceeded, RoomCreated, RoomJoinFailed, RoomJoined,
    RoomLeft, ServerError, TypingStart, TypingStop, User, UserJoinedRoom, UserLeftRoom, Warning,
};
#[cfg(feature = "typed")]
pub use listen::{ChatEvent, ConnectionFailed, Reconnected, Source, Told};
pub use names::{event_name, wire_name};

//! What a chat app hears, as types. Fields that a server adds are ignored; those that it may leave out are optional.
//!
//! - `typed`: how a handler for a type hears its event.
//! - `messages`, `rooms`, `games`, `server`: the chat protocol's events.
//! - `own`: the client's own.
//! - `values`: what stands in them: users, raw JSON.

/// Types of events, with their names on the wire.
macro_rules! events {
    ($($(#[doc = $doc:literal])+ $name:ident $wire:literal { $($(#[doc = $field_doc:literal])+ $(#[serde($($serde:tt)*)])? $field:ident: $type:ty,)* })*) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[non_exhaustive]
        pub struct $name { $($(#[doc = $field_doc])+ $(#[serde($($serde)*)])? pub $field: $type,)* }

        impl super::WireEvent for $name {
            const NAME: &'static str = $wire;
        }
    )*};
}

mod games;
mod messages;
mod own;
mod rooms;
mod server;
mod typed;
mod values;

pub use games::{GameInvite, GameMove};
pub use messages::{GroupMessage, MessageSent, PrivateMessage, TypingStart, TypingStop};
pub use own::{ConnectionFailed, ConnectionStatusChange, Reconnected};
pub use rooms::{RoomCreated, RoomJoinFailed, RoomJoined, RoomLeft, UserJoinedRoom, UserLeftRoom};
pub use server::{
    Closing, ConnectionStatus, FriendStatusChange, Notification, NotificationsMarkedRead, RateLimitExceeded,
    ServerError, Warning,
};
pub use typed::{ChatEvent, WireEvent};
pub use values::{Friend, Json, User};

#[cfg(test)]
mod tests;

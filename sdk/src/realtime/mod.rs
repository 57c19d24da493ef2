//! The chat layer: private and group messages, rooms, typing, games, notifications, over the same core as any other socket.
//!
//! - `client`: [`RealtimeClient`], what an app holds.
//! - `messages`, `rooms`, `games`, `notifications`: what it calls.
//! - `listening`: how it hears.
//! - `events`: what it hears, as types (feature `typed`).
//! - `names`: what events are called on the wire and on other platforms.
//! - `arguments`: what methods check.
//! - `time`: timestamps as the wire has them.
//!
//! The table of all events, by type, by name and on the wire, stands at [`ChatEvent`].

mod arguments;
mod client;
#[cfg(feature = "typed")]
mod events;
mod games;
#[cfg(feature = "handlers")]
mod listening;
mod messages;
mod names;
mod notifications;
mod rooms;
mod time;

pub use client::RealtimeClient;
#[cfg(feature = "typed")]
pub use events::*;
pub use names::{event_name, wire_name};
pub use rooms::NewRoom;

//! The chat: one file per topic of the protocol.
//!
//! - `hub.rs`: what all connections share
//! - `gate.rs`: who may connect
//! - `inbox.rs`: the events of one connection, kept in the order in which they came
//! - `json/`: the same chat as plain JSON over a WebSocket
//! - `life.rs`: the life of one connection: greeting, what was kept, its events one by one
//! - `session.rs`, `outlet.rs`: one connection as the others see it, over either protocol
//! - `closing.rs`: why the server ends one
//! - `presence.rs`: who is connected, and in which rooms
//! - `dispatch.rs`: from an event to what it does, and to its answer
//! - `order.rs`: what has to wait behind a refused message
//! - `receipts.rs`: what is kept until it is acknowledged
//! - `messages.rs`, `rooms.rs`, `typing.rs`, `games.rs`, `notifications.rs`, `friends.rs`: the events
//!   themselves
//! - `fields.rs`, `answer.rs`, `copies.rs`: reading payloads, what is answered, and to copies
//! - `password.rs`: passwords of rooms

mod answer;
mod closing;
mod copies;
mod dispatch;
mod fields;
mod friends;
mod games;
mod gate;
mod hub;
mod inbox;
pub(crate) mod json;
mod life;
mod messages;
mod notifications;
mod order;
mod outlet;
mod password;
mod presence;
mod receipts;
mod rooms;
mod session;
mod typing;

pub use closing::Closing;
pub(crate) use gate::authenticate;
pub(crate) use hub::Hub;
pub(crate) use life::run;
pub(crate) use notifications::notify;

//! The chat: one file per topic of the protocol.
//!
//! - `hub.rs`: what all connections share
//! - `gate.rs`: who may connect
//! - `inbox.rs`: the events of one connection, kept in the order in which they came
//! - `session.rs`: the life of one connection: greeting, kept messages, its events one by one
//! - `presence.rs`: who is connected, and in which rooms
//! - `messages.rs`, `rooms.rs`, `typing.rs`: the events themselves
//! - `fields.rs`, `answer.rs`: reading payloads, and what is answered
//! - `password.rs`: passwords of rooms

mod answer;
mod fields;
mod gate;
mod hub;
mod inbox;
mod messages;
mod password;
mod presence;
mod rooms;
mod session;
mod typing;

pub(crate) use gate::authenticate;
pub(crate) use hub::Hub;
pub(crate) use session::run;

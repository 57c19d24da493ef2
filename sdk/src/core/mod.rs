//! The client's logic, pure: no clock, no source of randomness, no async, no IO.
//!
//! Inputs are method calls that bring the time along; outputs are polled until [`Output::Timeout`]. The rules that hold
//! for it stand in ARCHITECTURE.md, each with the test that holds it.
//!
//! - [`Core`] (`connection`): the link's life; `dialing`: how one comes to be; `inbound`, `outbound`: packets.
//! - `namespace`: one socket's life; `sending`, `receiving`: its messages.
//! - `outbox`, `acks`, `rooms`, `typing`, `backoff`, `timers`: one idea each, without knowledge of the others.
//! - [`engineio`], [`socketio`], [`scan`]: the wire.
//!
//! It is public for the project's own tests and carries no promise of stability.

mod acks;
pub mod backoff;
mod body;
mod chat;
mod connection;
mod context;
mod dialing;
pub mod engineio;
mod features;
pub mod id;
mod inbound;
mod io;
mod namespace;
mod outbound;
mod outbox;
mod probe;
mod receiving;
pub mod rng;
mod rooms;
pub mod scan;
mod sending;
pub mod socketio;
mod timers;
mod typing;

#[cfg(test)]
mod tests;

pub use connection::{ConnectionConfig, Core};
pub use io::{
    Emission, EmitOptions, Frame, Happening, LinkEvent, LinkId, Now, Output, Pending, ReplyTo, Request, SocketId,
};
pub use namespace::{AuthSource, NamespaceConfig};
pub(crate) use rooms::lane as room_lane;
#[cfg(feature = "typed")]
pub(crate) use sending::{EmissionWriter, check_name};
pub use typing::Target;

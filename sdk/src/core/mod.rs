//! The client's logic, pure: no clock, no source of randomness, no async, no IO.
//!
//! Inputs are method calls that bring the time along; outputs are polled until [`Output::Timeout`]. The rules that hold
//! for it stand in ARCHITECTURE.md, each with the test that holds it.
//!
//! - [`Core`] (`connection`): the link's life; `dialing`: how one comes to be; `probe`: whether it is alive; `leaving`: how
//!   it ends by the user's wish; `inbound`, `outbound`: packets.
//! - `namespace`: one socket's life; `emission`, `sending`, `receiving`: its messages; `chat`: its rooms and typing.
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
mod emission;
pub mod engineio;
mod features;
pub mod id;
mod inbound;
mod io;
mod leaving;
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
pub use emission::{Emission, EmitOptions};
#[cfg(feature = "typed")]
pub(crate) use emission::{EmissionWriter, check_name};
pub use io::{Frame, Happening, LinkEvent, LinkId, Method, Now, Output, Pending, ReplyTo, Request, Response, SocketId};
pub use namespace::{AuthSource, NamespaceConfig};
pub(crate) use rooms::lane as room_lane;
pub use typing::Target;

//! The client's logic, pure: no clock, no source of randomness, no async, no IO.
//!
//! Inputs are method calls that bring the time along; outputs are polled until [`Output::Timeout`]. The rules that hold
//! for it stand in ARCHITECTURE.md, each with the test that holds it.
//!
//! - [`Core`] (`connection`): the link's life; `dialing`: when it is tried; `opening`: by which transport; `probe`: whether
//!   it is alive; `hints`: what the platform knows; `leaving`: how it ends by the user's wish; `inbound`, `outbound`: packets.
//! - `link`: the link and what carries it; `polling`: HTTP exchanges; `upgrade`: from these to a WebSocket; `requests`: where
//!   they go.
//! - `settings`: what a client is made with. `namespace`: one socket's life; `emission`, `sending`, `receiving`, `ending`: its
//!   messages; `keeping`: what a store means to it; `accounts`: whose they are; `chat`: its rooms and typing.
//! - `outbox`, `acks`, `lanes`, `seen`, `rooms`, `typing`, `backoff`, `timers`: one idea each, without knowledge of the others.
//! - [`engineio`], [`socketio`], [`json`], [`scan`]: the wire.
//!
//! It is public for the project's own tests and carries no promise of stability.

mod accounts;
mod acks;
pub mod backoff;
mod body;
mod chat;
mod closing;
mod connection;
mod context;
mod credentials;
mod dialing;
mod emission;
mod ending;
pub mod engineio;
mod features;
mod hints;
pub mod id;
mod inbound;
mod io;
pub mod json;
mod keeping;
mod lanes;
mod leaving;
mod link;
mod namespace;
mod opening;
mod outbound;
mod outbox;
mod polling;
mod probe;
mod receiving;
mod recovery;
mod requests;
pub mod rng;
mod rooms;
pub mod scan;
mod seen;
mod sending;
mod settings;
pub mod socketio;
mod stats;
mod timers;
mod typing;
mod upgrade;

#[cfg(test)]
mod tests;

pub(crate) use body::Body;
pub use connection::Core;
pub use emission::{Emission, EmitOptions};
#[cfg(feature = "typed")]
pub(crate) use emission::{EmissionWriter, check_name};
pub use io::{Frame, Happening, LinkEvent, LinkId, Method, Now, Output, Pending, ReplyTo, Request, Response, SocketId};
pub use namespace::{AuthSource, NamespaceConfig};
pub(crate) use rooms::lane as room_lane;
pub use settings::ConnectionConfig;
pub use typing::Target;

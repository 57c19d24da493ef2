//! The chat as plain JSON over a WebSocket, at `/ws`.
//!
//! - `upgrade.rs`: from an HTTP request to a WebSocket
//! - `connection.rs`: the life of one: `connection`, `authenticate`, then as any other
//! - `incoming.rs`: what it reads
//! - `outlet.rs`: what it writes
//! - `frames.rs`: what one frame says, under the chat's own names

mod connection;
mod frames;
mod incoming;
mod outlet;
mod upgrade;

pub(crate) use outlet::Outlet;
pub(crate) use upgrade::upgrade;

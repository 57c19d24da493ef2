//! The reference server of rejoin: a small chat server that keeps the promises it announces.
//!
//! It serves the chat protocol over Socket.IO (socketioxide on axum) and, at `/ws`, as plain JSON over
//! WebSocket, to the same users in the same rooms. It asks for a JSON Web Token on connect, keeps messages in SQLite, removes duplicates, and hands messages to whoever was away on
//! their return. It needs no other service, so tests, examples and the quickstart start it in their
//! own process:
//!
//! ```
//! use std::time::Duration;
//! use rejoin_server::{Server, ServerConfig};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), rejoin_server::ServerError> {
//! let server = Server::start(ServerConfig::default()).await?;
//! let token = server.mint_token("u1", "Alice", Duration::from_secs(3600));
//! println!("connect to {} with {token}", server.url());
//! server.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! [`Tunnel`] stands between a client and any server and takes the network away: it cuts, freezes
//! and delays.
//!
//! Where to look: `chat/` has one file per topic of the protocol, `store.rs` what survives a
//! restart, `limits.rs` the rate limits, `auth.rs` the tokens, `http.rs` the pages beside the chat.

// The client's clock and tasks go through its `sys` module; a server uses tokio's.
#![allow(clippy::disallowed_methods)]

mod auth;
mod chat;
mod clock;
mod config;
mod http;
mod limits;
mod network;
mod server;
mod stats;
mod store;

pub use chat::Closing;
pub use config::{Database, Features, ServerConfig};
pub use limits::{Limit, RateLimits};
pub use network::Tunnel;
pub use server::{Server, ServerError};
pub use stats::Stats;

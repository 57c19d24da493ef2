//! A realtime client that keeps its promises over bad networks.
//!
//! It speaks Socket.IO (protocol 5, Engine.IO 4) to any existing server, over WebSocket and long-polling, and plain JSON
//! over WebSocket. It reconnects with capped exponential backoff, keeps a bounded queue while offline and sends it in order
//! on connect, and tells the outcome of every message: nothing is lost, repeated or reordered in silence.
//!
//! # A tour
//!
//! [`RealtimeClient`] is the chat layer: messages, rooms, typing, notifications, friends, games.
//!
//! ```no_run
//! # async fn run() -> Result<(), rejoin::Error> {
//! use rejoin::{PrivateMessage, RealtimeClient};
//!
//! let chat = RealtimeClient::builder("https://chat.example.com").token("…").build()?;
//! let _messages = chat.on(|m: &PrivateMessage| println!("{}: {}", m.sender.username, m.content));
//! chat.connect();
//! let outcome = chat.send_private_message("u2", "hello").await; // Delivered(..), even if a tunnel came between
//! # Ok(()) }
//! ```
//!
//! [`Client`] and [`Socket`] are the same for any Socket.IO server and any event.
//!
//! ```no_run
//! # async fn run() -> Result<(), rejoin::Error> {
//! let socket = rejoin::Client::builder("http://127.0.0.1:3000").build()?.socket("/news");
//! let _printed = socket.on("headline", |event| println!("{:?}", event.get::<String>(0)));
//! socket.connect();
//! let total: u32 = socket.request("add", (1, 2)).await?;
//! # Ok(()) }
//! ```
//!
//! Every send hands back a [`Receipt`] at once and ends in one [`Outcome`]. Every connection has a [`State`], with the
//! reason and the time of the next attempt. Every failure is an [`Error`] with a stable code.
//!
//! # Inside
//!
//! The logic is a pure state machine without clock, randomness, async or IO ([`core`]); one driver runs it, the same on
//! every platform; `sys` is all that differs between platforms.
//!
//! # Features
//!
//! - `handlers` (default): handlers and streams of events. Without it there are states, receipts and an observer.
//! - `typed` (default): events and payloads as serde types.
//! - `tls` (default): `https://` and `wss://` through rustls.

#![forbid(unsafe_code)]
// On the web handlers and links are not `Send`, and stand in an `Arc` all the same, so that the code is one for every
// platform. Where there are threads the bounds of `sys` demand `Send`.
#![allow(clippy::arc_with_non_send_sync)]

// `#[test]` is the browser's.
#[cfg(all(test, target_arch = "wasm32"))]
#[macro_use]
extern crate rejoin_wasm_test;

mod broken;
mod builder;
mod client;
mod config;
#[doc(hidden)]
pub mod core;
mod credentials;
mod dispatch;
mod driver;
mod error;
#[cfg(feature = "handlers")]
mod event;
#[doc(hidden)]
pub mod observer;
#[cfg(feature = "handlers")]
mod own;
mod payload;
mod realtime;
#[doc(hidden)]
pub mod receipt;
#[cfg(feature = "handlers")]
mod registry;
#[cfg(not(feature = "handlers"))]
#[path = "registry/none.rs"]
mod registry;
mod shared;
mod socket;
mod socket_options;
mod state;
mod stats;
pub mod store;
#[cfg(feature = "handlers")]
mod stream;
mod sys;

/// README's code compiles.
#[cfg(all(doctest, feature = "typed"))]
#[doc = include_str!("../../README.md")]
struct Readme;

pub use builder::{Buildable, Builder};
pub use client::Client;
#[doc(hidden)]
pub use config::Endpoint;
pub use config::{BackoffConfig, Delivery, Limits, Overflow, Protocol, QueueConfig, TypingConfig};
pub use core::{EmitOptions, Pending, Target};
pub use error::{Error, ErrorKind, Text};
#[cfg(feature = "handlers")]
pub use event::Event;
#[cfg(feature = "typed")]
pub use payload::Binary;
pub use payload::{Payload, RawArgs};
pub use realtime::*;
pub use receipt::{Accepted, Outcome, Receipt};
#[cfg(feature = "handlers")]
pub use registry::Subscription;
pub use socket::Socket;
pub use socket_options::SocketOptions;
pub use state::{Hint, Notice, Reason, State, StateChange, Transport};
pub use stats::{AckMs, Stats};
#[cfg(feature = "handlers")]
pub use stream::{EventStream, Events, Lagged};
#[cfg(feature = "sim")]
#[doc(hidden)]
pub use sys::sim;

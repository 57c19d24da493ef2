//! The plain-JSON protocol: every frame on a WebSocket is one object with a `type`.
//!
//! It carries the same core: one namespace, `/`, whose CONNECT is `authenticate` and whose greeting is `connection`.
//!
//! - `incoming`: what a frame from the server is.
//! - `outgoing`: a message of the queue as a frame.
//! - `names`: the chat protocol's events in this protocol's words.
//! - `session`: its life on a link: greeting, credentials, heartbeat, answers.

mod incoming;
mod names;
mod outgoing;
mod session;

pub use incoming::{FrameError, decode, reply};
pub use names::chat_event;
pub use outgoing::{Refused, check, encode};
pub(super) use session::Session;

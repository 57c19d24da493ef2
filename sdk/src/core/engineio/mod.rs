//! Engine.IO 4: packets, the handshake that opens a session, and long-polling payloads.
//!
//! Source: the [Engine.IO protocol](https://socket.io/docs/v4/engine-io-protocol/), and npm's `engine.io-parser` 5 where the
//! text leaves something open.

mod base64;
mod packet;
mod payload;
mod session;

pub use packet::{DecodeError, MESSAGE, Packet, decode, encode};
pub use payload::{Record, Records, binary_len, decode_payload, push_binary, push_packet};
pub use session::{Handshake, HandshakeError};

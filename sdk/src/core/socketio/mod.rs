//! Socket.IO 5: the packet codec, and the reassembly of packets with binary attachments.
//!
//! Source: the [Socket.IO protocol](https://socket.io/docs/v4/socket-io-protocol/), and npm's `socket.io-parser` 4 where the
//! text leaves something open.

mod assembler;
mod error;
mod packet;
mod placeholder;

pub use assembler::{Assembled, Assembler};
pub use error::PacketError;
pub use packet::{Kind, Limits, Packet, decode, encode_message_prefix, encode_prefix, is_namespace, is_reserved};
pub(crate) use placeholder::check as check_placeholders;
pub use placeholder::{placeholder, write_placeholder};

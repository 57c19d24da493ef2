//! The form of the log: bytes in, bytes out, and no IO.
//!
//! ```text
//! log      = header frame*
//! header   = magic[8] version:u32 crc:u32            the same for ever, so that a newer log is known as one
//!            generation:u64 snapshot:u64 crc:u32     snapshot: where the part ends that was written as a whole
//! frame    = length:u32 payload-crc:u32 head-crc:u32 payload          one transaction, whole or not at all
//! payload  = (kind:u8 length:u32 item)*
//! ```
//!
//! Numbers are little-endian, checksums CRC-32C. `head-crc` covers the log's generation, the frame's place in the file,
//! its length and `payload-crc`: a frame that was moved, repeated or left over from an older log is a bad one, and a
//! length is believed before what it measures is there. That is what tells an append that was cut short from damage.
//!
//! A log that was rewritten begins with a snapshot: the profiles in one frame, then every message in a frame of its own,
//! so that damage costs what comes after it and not everything.
//!
//! - `crc`: CRC-32C.
//! - `codec`: a [`Transaction`](super::Transaction) as a payload.
//! - `frame`: header and frames.
//! - `replay`: from a log to what it keeps, and back to a snapshot.

mod codec;
mod crc;
mod frame;
mod replay;

#[cfg(test)]
pub(crate) use codec::decode;
pub(crate) use codec::encode;
#[cfg(test)]
pub(crate) use crc::crc32c;
pub(crate) use frame::frame;
pub(crate) use replay::{Newer, Tail, replay, snapshot};

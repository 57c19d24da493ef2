//! What travels in an event: raw JSON text plus binary attachments, until someone asks for a type.
//!
//! - [`Payload`]: what came from the server.
//! - [`RawArgs`]: what goes to it, as text.
//! - `typed`: both as serde types, behind the feature `typed`.
//! - `misfit`: why a payload does not fit a type.

#[cfg(feature = "typed")]
mod misfit;
mod raw;
#[cfg(feature = "typed")]
mod typed;

pub use raw::{Payload, RawArgs};
#[cfg(feature = "typed")]
pub use typed::Binary;
#[cfg(feature = "typed")]
pub(crate) use typed::{decode, encode, encode_event};

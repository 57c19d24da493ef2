//! One suite for the clients of every platform, against servers that none of them wrote.
//!
//! Each platform ships a *testee*, a small program that drives the SDK's public API from JSON lines on standard
//! input and reports on standard output. A case starts one ([`Testee`]), and a server of its own beside it:
//! npm's socket.io in a real Node process ([`NodeServer`]), or the reference server. It tells the one what to
//! do, and looks at what both report. Nothing here links the SDK, so the same cases hold the Rust crate, the
//! npm package, Swift and Kotlin:
//!
//! ```text
//!    a case ──── JSON lines ──── testee ════ Socket.IO ════ server
//!       └──────────────────────── JSON lines ─────────────────┘
//! ```
//!
//! `REJOIN_TESTEE` names the platform (`rust` where it is absent). Every wait has a deadline. A case that fails
//! prints what was said in both directions; and a testee that said what can never be right, such as two
//! outcomes of one emit, fails its case even where nothing asked for it (`invariants.rs`).

mod invariants;
mod node;
mod path;
mod peer;
mod testee;
mod transcript;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

pub use node::NodeServer;
pub use path::Path;
pub use testee::{Outcome, Refusal, Testee, in_browser, is_no_handshake};

/// A binary argument as JSON lines carry it, at any depth of a payload.
pub fn binary(bytes: &[u8]) -> Value {
    json!({ "$binary": STANDARD.encode(bytes) })
}

/// Options of a client without the chat layer that dials again within milliseconds; those in `more` are added,
/// or stand instead.
pub fn options(more: Value) -> Value {
    let quick = json!({ "initialDelay": 20, "maxDelay": 100 });
    merged(json!({ "chat": false, "reconnect": quick }), more)
}

/// An object with the fields of two; where both have one, that of `more` stands.
///
/// # Panics
/// If one is not an object.
pub fn merged(mut object: Value, more: Value) -> Value {
    let (Value::Object(fields), Value::Object(more)) = (&mut object, more) else {
        panic!("both have to be objects");
    };
    fields.extend(more);
    object
}

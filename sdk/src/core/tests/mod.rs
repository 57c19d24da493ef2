//! The core against a scripted peer and a virtual clock.
//!
//! - `pair`: the harness.
//! - `rules`: the eight rules of ARCHITECTURE.md.
//! - `lifecycle`, `sending`, `limits`, `poison`, `receipts`, `accounts`, `keeping`, `chat`, `hints`, `forget`: behaviour by topic; `defects`: what goes wrong in the field and must not here;
//!   `transports`: long-polling and upgrades; `interleavings`, `review` and `promises`: what goes wrong when two things happen at once; `gaps`: what only a mutation check missed.
//! - `model`: random histories with an honest server over every kind of link: nothing lost, doubled or out of order once it
//!   is quiet. `carriage`: what these found.

#![allow(clippy::unwrap_used)]

mod accounts;
mod carriage;
mod chat;
mod closing;
mod credentials;
mod defects;
mod forget;
mod gaps;
mod hints;
mod interleavings;
mod json;
mod keeping;
mod lifecycle;
mod limits;
mod model;
mod pair;
mod poison;
mod promises;
mod receipts;
mod recovery;
mod review;
mod rules;
mod sending;
mod stats;
mod transports;

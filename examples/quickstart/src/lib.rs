//! The quickstart: two clients chat through a real server while the network is taken away and given back.
//!
//! Read [`story`] first: it is what an app does with the client, from top to bottom.
//!
//! - [`story`]: what happens, in order.
//! - `person`: one client, its handlers, and how to wait for what they hear.
//! - [`stage`]: the server, the network that can be cut, and who connects.
//! - [`timeline`]: what is printed.
//! - [`checks`]: whether every message was accounted for.

pub mod checks;
mod person;
pub mod stage;
pub mod story;
pub mod timeline;

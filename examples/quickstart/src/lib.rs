//! The quickstart: two clients chat through a real server while the network is taken away and given back.
//!
//! Read [`story`] first: it is what an app does with the client, from top to bottom.
//!
//! - [`story`]: what happens, in order.
//! - `killed`: its last chapter, in which a program is killed; [`phone`]: that program.
//! - `person`: one client, its handlers, and how to wait for what they hear.
//! - [`stage`]: the server, the network that can be cut, and who connects.
//! - [`timeline`]: what is printed.
//! - [`checks`]: whether every message was accounted for.

pub mod checks;
mod killed;
mod person;
pub mod phone;
pub mod stage;
pub mod story;
pub mod timeline;

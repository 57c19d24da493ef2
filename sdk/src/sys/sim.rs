//! A simulated platform: virtual time, one thread, one seed. For the project's own tests, behind the feature `sim`.
//!
//! Everything that the client is made of in an app runs here too: driver, dispatch, the store's task, the app's handlers.
//! Only time, tasks and links are different. A [`World`] has the time and runs the tasks, in an order that its seed
//! draws. A [`Device`] has clocks of its own and can sleep; a [`Process`] runs on it and can be killed. A [`Network`] is
//! what a test puts between the client's half of a [`Far`] wire and a server.

mod alarm;
mod defect;
mod device;
mod wire;
mod world;

pub use defect::Defect;
pub use device::{Device, Process};
pub use wire::{Far, Network, WireId};
pub use world::World;

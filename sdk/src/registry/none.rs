//! In the place of the registry where the feature `handlers` is off: nobody registers anything.

use std::sync::Arc;

use crate::core::{Happening, SocketId};
use crate::shared::Shared;
use crate::state::StateChange;

#[derive(Default)]
pub(crate) struct Registry {}

impl Registry {
    pub(crate) fn close(&self) {}

    pub(crate) fn finish(&self) {}

    pub(crate) fn stream_state(&self, _: &StateChange) {}
}

/// In the place of those who run handlers.
#[derive(Default)]
pub(crate) struct Listeners {}

impl Listeners {
    pub(crate) fn hear(&mut self, _: &Arc<Shared>, _: SocketId, _: Happening) {}

    pub(crate) fn rest(&mut self) {}
}

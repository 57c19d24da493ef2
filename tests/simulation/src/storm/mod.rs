//! The reconnect storm: what a server meets when it comes back.

pub(crate) fn run() {}

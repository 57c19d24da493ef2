//! What a server promises in its greeting.

use super::scan;

/// The features that the client makes use of; DESIGN's table says what each promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Features {
    /// Answers every event that asks for it.
    pub(crate) ack: bool,
    /// Removes duplicates by message id.
    pub(crate) dedupe: bool,
}

impl Features {
    /// Reads the JSON array of names; unknown ones are ignored.
    pub(crate) fn parse(array: &str) -> Self {
        let mut features = Self::default();
        for name in scan::elements(array).filter_map(scan::string) {
            match &*name {
                "ack" => features.ack = true,
                "dedupe" => features.dedupe = true,
                _ => {}
            }
        }
        features
    }
}

//! What the client is able to do; what is not built yet is not asked for.

/// A lane pauses when its server's limit is reached, and goes on by itself.
pub(crate) const LANES_PAUSE: bool = true;

/// What is written at most once leaves the store before that.
pub(crate) const RELEASES: bool = true;

/// A message that is given up is skipped also where nothing is sent again.
pub(crate) const SKIPS_AT_MOST_ONCE: bool = true;

/// What a store could not forget is forgotten before the process can be killed.
pub(crate) const STORES_FORGET: bool = true;

/// One refusal for the limit says nothing of copies on earlier links.
pub(crate) const COPIES_COUNT: bool = true;

/// What left the store to be written at most once, and was not written, is in the store again.
pub(crate) const KEPT_AGAIN: bool = true;

/// What a link has no time for any more is not handed to it, also where a device has slept.
pub(crate) const ENDS_ARE_KNOWN: bool = true;

/// A room that was left is left also where links were lost meanwhile and their session was taken up again.
pub(crate) const LEAVES_STAY: bool = true;

/// The chat layer gives receipts for what must not be lost.
pub(crate) const RECEIPTS: bool = true;

/// A message under which links die is given up after the third.
pub(crate) const POISON: bool = true;

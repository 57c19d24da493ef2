//! A JSON scanner: finds its way through JSON text without building a value.
//!
//! The core needs little of what a server sends: that it is well formed, the event name, where the arguments are, a field or
//! two. `validate` and `array_head` answer that in one pass, which every received event takes once; `elements`,
//! `fields` and `string` then read slices of the same text. Nothing here recurses, and nothing allocates but a decoded
//! string that has escapes.
//!
//! The grammar is RFC 8259, strictly. `serde_json` is not used because it costs a browser more to download than all of the
//! core.

mod cursor;
mod plain;
mod read;
mod validate;
mod write;

pub use cursor::MAX_DEPTH;
pub use read::{Elements, Fields, boolean, elements, elements_from, field, fields, is_null, name_is, string, uint};
pub(crate) use validate::string_end;
pub use validate::{ArrayHead, ScanError, array_head, validate};
pub use write::{ObjectWriter, write_string, write_uint};

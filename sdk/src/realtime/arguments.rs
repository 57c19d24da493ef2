//! What the chat layer's methods check, and how they write what they send.

use crate::core::scan::ObjectWriter;
use crate::error::Error;

/// An id that names nothing is a mistake of the app's, and no server's matter.
pub(super) fn check_id(id: &str, argument: &'static str) -> Result<(), Error> {
    match id.is_empty() {
        true => Err(empty(argument)),
        false => Ok(()),
    }
}

/// The argument is there and says nothing.
pub(super) fn empty(argument: &'static str) -> Error {
    Error::payload(["`", argument, "` is empty; nothing was sent"].concat())
}

/// One JSON object.
pub(super) fn object(write: impl FnOnce(&mut ObjectWriter<'_, Vec<u8>>)) -> Vec<u8> {
    let mut json = Vec::with_capacity(160);
    let mut object = ObjectWriter::new(&mut json);
    write(&mut object);
    object.end();
    json
}

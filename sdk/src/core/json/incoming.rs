//! What a frame from the server is.

use std::borrow::Cow;

use crate::core::scan::{self, ObjectWriter};

/// Checks that `text` is one JSON object of at most `max_len` bytes and `max_depth` levels, and gives its `type`.
///
/// # Errors
/// [`FrameError`] says what is wrong with it.
pub fn decode(text: &str, max_len: usize, max_depth: usize) -> Result<Cow<'_, str>, FrameError> {
    if text.len() > max_len {
        return Err(FrameError::TooLarge);
    }
    if scan::validate(text, max_depth).is_err() {
        return Err(FrameError::NotJson);
    }
    if !text.trim_start().starts_with('{') {
        return Err(FrameError::NotAnObject);
    }
    scan::field(text, "type")
        .and_then(scan::string)
        .ok_or(FrameError::NoType)
}

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// It is over the limit.
    TooLarge,
    /// It is not JSON, or nested too deeply.
    NotJson,
    /// It is another value than an object.
    NotAnObject,
    /// It has no `type` that is a string.
    NoType,
}

impl FrameError {
    /// The reason as a fragment of a sentence, without a full stop.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::TooLarge => "message over the size limit",
            Self::NotJson => "a frame that is not JSON, or nested too deeply",
            Self::NotAnObject => "a frame that is no JSON object",
            Self::NoType => "a frame without a `type`",
        }
    }
}

/// The answer that an `ack` holds, in the form that answers have over Socket.IO: `{"ok":…,"error":…}` with the fields of
/// `data` beside them.
pub fn reply(ack: &str) -> String {
    let mut json = Vec::with_capacity(ack.len());
    let mut object = ObjectWriter::new(&mut json);
    for name in ["ok", "error"] {
        if let Some(value) = scan::field(ack, name) {
            object.raw(name, value);
        }
    }
    match scan::field(ack, "data") {
        Some(data) if data.starts_with('{') => {
            for (name, value) in scan::fields(data) {
                match scan::string(name) {
                    Some(name) if !matches!(&*name, "ok" | "error") => _ = object.raw(&name, value),
                    _ => {}
                }
            }
        }
        Some(data) if !scan::is_null(data) => _ = object.raw("data", data),
        _ => {}
    }
    object.end();
    String::from_utf8(json).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_an_object_with_a_type() {
        assert_eq!(decode(r#" {"x":1,"type":"pong"} "#, 100, 8).as_deref(), Ok("pong"));
        assert_eq!(decode(r#"{"type":"a\u0062"}"#, 100, 8).as_deref(), Ok("ab"));
        let error = |text| decode(text, 20, 2).map(drop);
        assert_eq!(error(r#"{"type":"xxxxxxxxxxx"}"#), Err(FrameError::TooLarge));
        assert_eq!(error("{"), Err(FrameError::NotJson));
        assert_eq!(error(r#"{"type":"a","b":[[]]}"#), Err(FrameError::TooLarge));
        assert_eq!(error(r#"{"b":[[]]}"#), Err(FrameError::NotJson));
        assert_eq!(error("[]"), Err(FrameError::NotAnObject));
        assert_eq!(error(r#""type""#), Err(FrameError::NotAnObject));
        assert_eq!(error("{}"), Err(FrameError::NoType));
        assert_eq!(error(r#"{"type":1}"#), Err(FrameError::NoType));
    }

    #[test]
    fn an_answer_is_as_over_socket_io() {
        let cases = [
            (r#"{"type":"ack","id":"1","ok":true}"#, r#"{"ok":true}"#),
            (
                r#"{"type":"ack","id":"1","ok":true,"data":{"id":"r1","ok":false}}"#,
                r#"{"ok":true,"id":"r1"}"#,
            ),
            (
                r#"{"ok":false,"error":{"code":"x"},"data":null}"#,
                r#"{"ok":false,"error":{"code":"x"}}"#,
            ),
            (r#"{"ok":true,"data":[1]}"#, r#"{"ok":true,"data":[1]}"#),
        ];
        for (ack, expected) in cases {
            assert_eq!(reply(ack), expected);
        }
    }
}

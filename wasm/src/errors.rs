//! Errors as JSON: their sentences stand in TypeScript.

use rejoin::Error;
use wasm_bindgen::JsValue;

/// An error as the text of a JSON object, to be thrown.
pub(crate) fn thrown(error: Error) -> JsValue {
    let mut json = Vec::with_capacity(96);
    error.write_parts(&mut json);
    text(&json).into()
}

/// What was written here is UTF-8.
pub(crate) fn text(json: &[u8]) -> &str {
    std::str::from_utf8(json).unwrap_or_default()
}

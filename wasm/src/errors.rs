//! Errors as JSON: the code, and what its sentence needs.

use rejoin::Error;
use rejoin::core::scan::ObjectWriter;
use wasm_bindgen::JsValue;

/// An error as the text of a JSON object, to be thrown.
pub(crate) fn thrown(error: Error) -> JsValue {
    let mut json = Vec::with_capacity(96);
    write(&mut json, &error);
    text(&json).into()
}

/// What was written here is UTF-8.
pub(crate) fn text(json: &[u8]) -> &str {
    std::str::from_utf8(json).unwrap_or_default()
}

/// Appends an error as a JSON object.
pub(crate) fn write(json: &mut Vec<u8>, error: &Error) {
    let mut object = ObjectWriter::new(json);
    object.uint("code", u64::from(error.code()));
    match error {
        Error::InvalidUrl(detail)
        | Error::InvalidPayload(detail)
        | Error::Unsupported(detail)
        | Error::Unreachable(detail)
        | Error::Tls(detail)
        | Error::Handshake(detail)
        | Error::Protocol(detail)
        | Error::Kicked(detail)
        | Error::AuthFailed(detail)
        | Error::Store(detail)
        | Error::StoreBusy(detail)
        | Error::StoreDamaged(detail) => {
            object.string("detail", detail);
        }
        Error::InvalidOption { option, reason } => {
            object.string("option", option).string("detail", reason);
        }
        Error::ConnectTimeout { after, stage } => {
            object.uint("after", millis(*after)).string("detail", stage);
        }
        Error::AckTimeout { after } => {
            object.uint("after", millis(*after));
        }
        Error::Refused { message, data } => {
            object.string("detail", message);
            if let Some(data) = data {
                object.raw("data", data);
            }
        }
        Error::Server { code, message } => {
            object.string("detail", message);
            if let Some(code) = code {
                object.string("serverCode", code);
            }
        }
        Error::RateLimited { message, retry_after } => {
            object.string("detail", message);
            if let Some(after) = retry_after {
                object.uint("retryAfter", millis(*after));
            }
        }
        Error::RoomRefused { room, reason } => {
            object.string("room", room).string("detail", reason);
        }
        Error::AccountChanged(account) => {
            object.string("detail", account);
        }
        Error::Handler { event, message } => {
            object.string("event", event).string("detail", message);
        }
        _ => {}
    }
    object.end();
}

pub(crate) fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

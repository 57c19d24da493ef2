//! An error as JSON, for a platform that has the sentences itself: the code, and what its sentence needs.

use std::time::Duration;

use super::Error;
use crate::core::scan::ObjectWriter;

impl Error {
    /// Appends it as a JSON object. `wasm/js/errors.ts` has the other half.
    #[doc(hidden)]
    pub fn write_parts(&self, json: &mut Vec<u8>) {
        let mut object = ObjectWriter::new(json);
        object.uint("code", u64::from(self.code()));
        match self {
            Self::InvalidUrl(detail)
            | Self::InvalidPayload(detail)
            | Self::Unsupported(detail)
            | Self::Unreachable(detail)
            | Self::Tls(detail)
            | Self::Handshake(detail)
            | Self::Protocol(detail)
            | Self::Kicked(detail)
            | Self::AuthFailed(detail)
            | Self::Store(detail)
            | Self::StoreBusy(detail)
            | Self::StoreDamaged(detail) => {
                object.string("detail", detail);
            }
            Self::InvalidOption { option, reason } => {
                object.string("option", option).string("detail", reason);
            }
            Self::ConnectTimeout { after, stage } => {
                object.uint("after", millis(*after)).string("detail", stage);
            }
            Self::AckTimeout { after } => {
                object.uint("after", millis(*after));
            }
            Self::Refused { message, data } => {
                object.string("detail", message);
                if let Some(data) = data {
                    object.raw("data", data);
                }
            }
            Self::Server { code, message } => {
                object.string("detail", message);
                if let Some(code) = code {
                    object.string("serverCode", code);
                }
            }
            Self::RateLimited { message, retry_after } => {
                object.string("detail", message);
                if let Some(after) = retry_after {
                    object.uint("retryAfter", millis(*after));
                }
            }
            Self::RoomRefused { room, reason } => {
                object.string("room", room).string("detail", reason);
            }
            Self::AccountChanged(account) => {
                object.string("detail", account);
            }
            Self::Handler { event, message } => {
                object.string("event", event).string("detail", message);
            }
            Self::Closed | Self::LinkLost | Self::SlowConsumer | Self::Overloaded | Self::Poison => {}
        }
        object.end();
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

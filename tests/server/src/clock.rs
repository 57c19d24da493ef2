//! The wall clock, and times as the wire writes them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// ISO 8601 in UTC with milliseconds, e.g. `2026-11-23T20:36:38.125Z`.
pub(crate) fn iso8601(unix_ms: u64) -> String {
    humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(unix_ms)).to_string()
}

/// Whether a client wrote a time in the wire's form.
pub(crate) fn is_iso8601(text: &str) -> bool {
    let form = b"0000-00-00T00:00:00.000Z";
    text.len() == form.len()
        && text.bytes().zip(form).all(|(is, &must)| match must {
            b'0' => is.is_ascii_digit(),
            other => is == other,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_javascript_writes_them() {
        assert_eq!(iso8601(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso8601(951_827_696_789), "2000-02-29T12:34:56.789Z");
        assert_eq!(iso8601(1_795_466_198_125), "2026-11-23T20:36:38.125Z");
        assert_eq!(iso8601(4_102_444_799_999), "2099-12-31T23:59:59.999Z");
    }

    #[test]
    fn only_the_wires_form_of_a_time_is_taken() {
        assert!(is_iso8601(&iso8601(unix_ms())));
        assert!(!is_iso8601("2026-11-23T20:36:38Z"));
        assert!(!is_iso8601("2026-11-23T20:36:38.125+01"));
        assert!(!is_iso8601("yesterday"));
    }
}

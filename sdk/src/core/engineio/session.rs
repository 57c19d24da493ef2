//! The Engine.IO handshake: what the server's first packet promises for the session.

use std::time::Duration;

use crate::core::scan;

/// The longest heartbeat interval or timeout that is believed, in milliseconds: one day.
const LONGEST_MS: u64 = 24 * 60 * 60 * 1000;

/// The content of an OPEN packet
/// ([protocol](https://socket.io/docs/v4/engine-io-protocol/#handshake)).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Handshake {
    /// The session's id, visible ASCII only, so that it can stand in a URL's query.
    pub sid: String,
    /// Whether the server offers a change from long-polling to WebSocket.
    pub websocket_upgrade: bool,
    /// The time between two heartbeats of the server.
    pub ping_interval: Duration,
    /// How long after an interval without a heartbeat the link counts as dead.
    pub ping_timeout: Duration,
    /// The most bytes the server takes in one message; absent where it does not say, as Socket.IO 3 does not.
    pub max_payload: Option<u64>,
}

impl Handshake {
    /// Reads the JSON of an OPEN packet. `max_sid` bounds the session id, in bytes.
    ///
    /// Unknown fields are ignored; of fields given twice the last counts.
    pub fn parse(json: &str, max_sid: usize) -> Result<Self, HandshakeError> {
        if scan::validate(json, scan::MAX_DEPTH).is_err() || !json.trim_start().starts_with('{') {
            return Err(HandshakeError::NotAnObject);
        }
        let mut found = [None; 5];
        let names = ["sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"];
        for (name, value) in scan::fields(json) {
            if let Some(at) = names.iter().position(|known| scan::name_is(name, known)) {
                found[at] = Some(value);
            }
        }
        let [sid, upgrades, interval, timeout, max_payload] = found;
        let sid = sid.and_then(scan::string).ok_or(HandshakeError::Sid)?;
        if !(1..=max_sid).contains(&sid.len()) || !sid.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(HandshakeError::Sid);
        }
        let duration = |raw: Option<&str>| {
            let ms = scan::uint(raw?)?;
            (1..=LONGEST_MS).contains(&ms).then(|| Duration::from_millis(ms))
        };
        let max_payload = match max_payload {
            None => None,
            Some(raw) if scan::is_null(raw) => None,
            Some(raw) => match scan::uint(raw) {
                None | Some(0) => return Err(HandshakeError::MaxPayload),
                bytes => bytes,
            },
        };
        Ok(Self {
            sid: sid.into_owned(),
            websocket_upgrade: upgrades
                .is_some_and(|list| scan::elements(list).any(|raw| scan::name_is(raw, "websocket"))),
            ping_interval: duration(interval).ok_or(HandshakeError::PingInterval)?,
            ping_timeout: duration(timeout).ok_or(HandshakeError::PingTimeout)?,
            max_payload,
        })
    }
}

/// What is wrong with a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandshakeError {
    /// Not a JSON object.
    NotAnObject,
    /// No session id, or one that is empty, too long, or not visible ASCII.
    Sid,
    /// No interval, or none between 1 ms and a day.
    PingInterval,
    /// No timeout, or none between 1 ms and a day.
    PingTimeout,
    /// A largest message that is no positive integer.
    MaxPayload,
}

impl HandshakeError {
    /// The reason as a fragment of a sentence, without a full stop.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NotAnObject => "the handshake is not a JSON object",
            Self::Sid => "the handshake has no usable sid",
            Self::PingInterval => "the handshake has no usable pingInterval",
            Self::PingTimeout => "the handshake has no usable pingTimeout",
            Self::MaxPayload => "the handshake has no usable maxPayload",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Handshake, HandshakeError> {
        Handshake::parse(json, 256)
    }

    fn with_sid(sid: &str) -> String {
        ["{\"sid\":\"", sid, "\",\"pingInterval\":25000,\"pingTimeout\":20000}"].concat()
    }

    #[test]
    fn the_handshake_of_a_server_is_read() {
        let json = r#"{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000,"new":[{}]}"#;
        let expected = Handshake {
            sid: "lv_VI97HAXpY6yYWAAAC".into(),
            websocket_upgrade: true,
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            max_payload: Some(1_000_000),
        };
        assert_eq!(parse(json), Ok(expected));
    }

    #[test]
    fn upgrades_and_the_largest_payload_may_be_absent() {
        let read = parse(&with_sid("a")).expect("valid");
        assert_eq!((read.websocket_upgrade, read.max_payload), (false, None));
        let json =
            r#"{"sid":"a","upgrades":["webtransport"],"pingInterval":1,"pingTimeout":86400000,"maxPayload":null}"#;
        let read = parse(json).expect("valid");
        assert_eq!((read.websocket_upgrade, read.max_payload), (false, None));
    }

    #[test]
    fn a_sid_is_bounded_and_visible_ascii() {
        assert!(parse(&with_sid(&"a".repeat(256))).is_ok());
        let long = "a".repeat(257);
        for sid in ["", "a b", "é", "a\\n", "a\\u0000", long.as_str()] {
            assert_eq!(parse(&with_sid(sid)), Err(HandshakeError::Sid), "{sid}");
        }
        assert_eq!(
            parse(r#"{"sid":7,"pingInterval":1,"pingTimeout":1}"#),
            Err(HandshakeError::Sid)
        );
    }

    #[test]
    fn intervals_must_be_sane() {
        for bad in ["0", "-1", "86400001", "1.5", "\"25000\"", "null", "1e3"] {
            let interval = ["{\"sid\":\"a\",\"pingTimeout\":1,\"pingInterval\":", bad, "}"].concat();
            assert_eq!(parse(&interval), Err(HandshakeError::PingInterval), "{bad}");
            let timeout = ["{\"sid\":\"a\",\"pingInterval\":1,\"pingTimeout\":", bad, "}"].concat();
            assert_eq!(parse(&timeout), Err(HandshakeError::PingTimeout), "{bad}");
        }
        assert_eq!(
            parse(r#"{"sid":"a","pingTimeout":1}"#),
            Err(HandshakeError::PingInterval)
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for json in ["", "[]", "null", "{", "{\"sid\":\"a\"", "\"sid\""] {
            assert_eq!(parse(json), Err(HandshakeError::NotAnObject), "{json}");
        }
        for bad in ["0", "-1", "\"1\"", "1.0"] {
            let json = [
                "{\"sid\":\"a\",\"pingInterval\":1,\"pingTimeout\":1,\"maxPayload\":",
                bad,
                "}",
            ]
            .concat();
            assert_eq!(parse(&json), Err(HandshakeError::MaxPayload), "{bad}");
        }
    }
}

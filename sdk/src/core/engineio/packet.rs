//! One Engine.IO packet: a type digit and what follows it.

use bytes::BufMut;

/// The type digit of a message, which stands before every Socket.IO packet.
pub const MESSAGE: u8 = b'4';

/// An Engine.IO packet that came or goes as text. Binary frames are messages without a type digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the protocol has these seven")]
pub enum Packet<'a> {
    /// `0`: the handshake's JSON, see [`Handshake::parse`](super::Handshake::parse).
    Open(&'a str),
    /// `1`: the other side is about to close.
    Close,
    /// `2`: a heartbeat of the server, or a probe with the text `probe`.
    Ping(&'a str),
    /// `3`: the answer to a ping, with its text.
    Pong(&'a str),
    /// `4`: a Socket.IO packet.
    Message(&'a str),
    /// `5`: the transport changes to this one.
    Upgrade,
    /// `6`: ends a waiting poll.
    Noop,
}

/// Decodes a text frame. What follows the digit of a packet that carries nothing is ignored, as npm's parser does.
pub fn decode(frame: &str) -> Result<Packet<'_>, DecodeError> {
    let Some(kind) = frame.bytes().next() else {
        return Err(DecodeError::Empty);
    };
    let body = frame.get(1..).unwrap_or_default();
    match kind {
        b'0' => Ok(Packet::Open(body)),
        b'1' => Ok(Packet::Close),
        b'2' => Ok(Packet::Ping(body)),
        b'3' => Ok(Packet::Pong(body)),
        MESSAGE => Ok(Packet::Message(body)),
        b'5' => Ok(Packet::Upgrade),
        b'6' => Ok(Packet::Noop),
        _ => Err(DecodeError::UnknownType),
    }
}

/// Appends `packet` to `out` as a text frame.
pub fn encode(packet: Packet<'_>, out: &mut impl BufMut) {
    let (kind, body) = match packet {
        Packet::Open(json) => (b'0', json),
        Packet::Close => (b'1', ""),
        Packet::Ping(text) => (b'2', text),
        Packet::Pong(text) => (b'3', text),
        Packet::Message(text) => (MESSAGE, text),
        Packet::Upgrade => (b'5', ""),
        Packet::Noop => (b'6', ""),
    };
    out.put_u8(kind);
    out.put_slice(body.as_bytes());
}

/// Why a frame is not an Engine.IO packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// A frame without a single byte.
    Empty,
    /// The first character is none of the seven types.
    UnknownType,
    /// A `b` record whose rest is not base64.
    Base64,
}

impl DecodeError {
    /// The reason as a fragment of a sentence, without a full stop.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Empty => "empty Engine.IO packet",
            Self::UnknownType => "unknown Engine.IO packet type",
            Self::Base64 => "malformed base64 in an Engine.IO payload",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_its_digit() {
        let pairs = [
            ("0{}", Packet::Open("{}")),
            ("1", Packet::Close),
            ("2", Packet::Ping("")),
            ("2probe", Packet::Ping("probe")),
            ("3", Packet::Pong("")),
            ("3probe", Packet::Pong("probe")),
            ("4", Packet::Message("")),
            ("42[\"é\"]", Packet::Message("2[\"é\"]")),
            ("5", Packet::Upgrade),
            ("6", Packet::Noop),
        ];
        for (text, packet) in pairs {
            assert_eq!(decode(text), Ok(packet));
            let mut out = Vec::new();
            encode(packet, &mut out);
            assert_eq!(out, text.as_bytes());
        }
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        assert_eq!(decode(""), Err(DecodeError::Empty));
        for text in ["7", "b", "é", " 4", "a2"] {
            assert_eq!(decode(text), Err(DecodeError::UnknownType), "{text}");
        }
    }

    #[test]
    fn text_behind_a_packet_without_content_is_ignored() {
        assert_eq!(decode("1x"), Ok(Packet::Close));
        assert_eq!(decode("6é"), Ok(Packet::Noop));
    }
}

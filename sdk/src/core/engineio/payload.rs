//! Long-polling payloads: several packets in the body of one HTTP request or response.
//!
//! Records are separated by U+001E, which stands in no JSON text. A binary message is `b` and its base64.

use bytes::{BufMut, BytesMut};

use super::base64;
use super::packet::{self, DecodeError, Packet};

const SEPARATOR: u8 = 0x1e;

/// One record of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the protocol has these two")]
pub enum Record<'a> {
    /// A packet that is text.
    Packet(Packet<'a>),
    /// A binary message.
    Binary(Vec<u8>),
}

/// Decodes the records of `body` one by one. After the first error nothing more comes.
pub fn decode_payload(body: &str) -> Records<'_> {
    Records { rest: Some(body) }
}

/// Iterator over the records of a payload; made by [`decode_payload`].
#[derive(Clone, Debug)]
pub struct Records<'a> {
    rest: Option<&'a str>,
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let body = self.rest.take()?;
        let (text, rest) = match body.split_once(char::from(SEPARATOR)) {
            Some((text, rest)) => (text, Some(rest)),
            None => (body, None),
        };
        let record = match text.strip_prefix('b') {
            Some(encoded) => base64::decode(encoded).map(Record::Binary).ok_or(DecodeError::Base64),
            None => packet::decode(text).map(Record::Packet),
        };
        if record.is_ok() {
            self.rest = rest;
        }
        Some(record)
    }
}

/// Appends a record to the payload `out`: a packet that is encoded already, type digit first.
pub fn push_packet(out: &mut BytesMut, packet: &str) {
    separate(out);
    out.put_slice(packet.as_bytes());
}

/// Appends a binary message to the payload `out`.
pub fn push_binary(out: &mut BytesMut, message: &[u8]) {
    separate(out);
    out.put_u8(b'b');
    base64::encode(message, out);
}

fn separate(out: &mut BytesMut) {
    if !out.is_empty() {
        out.put_u8(SEPARATOR);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_separated_and_binary_is_base64() {
        let mut out = BytesMut::new();
        push_packet(&mut out, "42[\"é\"]");
        push_binary(&mut out, &[1, 2, 3, 4]);
        push_packet(&mut out, "2probe");
        push_binary(&mut out, &[]);
        let body = std::str::from_utf8(&out).expect("UTF-8");
        assert_eq!(body, "42[\"é\"]\u{1e}bAQIDBA==\u{1e}2probe\u{1e}b");

        let records: Result<Vec<_>, _> = decode_payload(body).collect();
        assert_eq!(
            records,
            Ok(vec![
                Record::Packet(Packet::Message("2[\"é\"]")),
                Record::Binary(vec![1, 2, 3, 4]),
                Record::Packet(Packet::Ping("probe")),
                Record::Binary(vec![]),
            ])
        );
    }

    #[test]
    fn the_first_bad_record_is_the_last_one_told() {
        let records: Vec<_> = decode_payload("2\u{1e}x\u{1e}3").collect();
        assert_eq!(
            records,
            [Ok(Record::Packet(Packet::Ping(""))), Err(DecodeError::UnknownType)]
        );
        assert_eq!(decode_payload("").collect::<Vec<_>>(), [Err(DecodeError::Empty)]);
        assert_eq!(decode_payload("4a\u{1e}").last(), Some(Err(DecodeError::Empty)));
        assert_eq!(decode_payload("b!").last(), Some(Err(DecodeError::Base64)));
    }
}

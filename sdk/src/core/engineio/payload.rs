//! Long-polling payloads: several packets in the body of one HTTP request or response.
//!
//! Records are separated by U+001E, which stands in no JSON text. A binary message is `b` and its base64.

use bytes::{BufMut, Bytes, BytesMut};

use super::base64;
use super::packet::DecodeError;

const SEPARATOR: u8 = 0x1e;

/// One record of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the protocol has these two")]
pub enum Record<'a> {
    /// A packet as text, still to be decoded.
    Packet(&'a str),
    /// A binary message.
    Binary(Bytes),
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
            Some(encoded) => match base64::decode(encoded) {
                Some(bytes) => Ok(Record::Binary(bytes.into())),
                None => Err(DecodeError::Base64),
            },
            None => Ok(Record::Packet(text)),
        };
        if record.is_ok() {
            self.rest = rest;
        }
        Some(record)
    }
}

/// Appends a record to the payload `out`: a packet that is encoded already, type digit first.
pub fn push_packet(out: &mut BytesMut, packet: &[u8]) {
    separate(out);
    out.put_slice(packet);
}

/// Appends a binary message to the payload `out`.
pub fn push_binary(out: &mut BytesMut, message: &[u8]) {
    separate(out);
    out.put_u8(b'b');
    base64::encode(message, out);
}

/// How many bytes a binary message of `len` bytes takes in a payload.
pub fn binary_len(len: usize) -> usize {
    1 + len.div_ceil(3) * 4
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
        push_packet(&mut out, "42[\"é\"]".as_bytes());
        push_binary(&mut out, &[1, 2, 3, 4]);
        push_packet(&mut out, b"2probe");
        push_binary(&mut out, &[]);
        let body = std::str::from_utf8(&out).expect("UTF-8");
        assert_eq!(body, "42[\"é\"]\u{1e}bAQIDBA==\u{1e}2probe\u{1e}b");

        let records: Result<Vec<_>, _> = decode_payload(body).collect();
        assert_eq!(
            records,
            Ok(vec![
                Record::Packet("42[\"é\"]"),
                Record::Binary(Bytes::from_static(&[1, 2, 3, 4])),
                Record::Packet("2probe"),
                Record::Binary(Bytes::new()),
            ])
        );
    }

    #[test]
    fn the_first_bad_record_is_the_last_one_told() {
        let records: Vec<_> = decode_payload("2\u{1e}b!\u{1e}3").collect();
        assert_eq!(records, [Ok(Record::Packet("2")), Err(DecodeError::Base64)]);
        assert_eq!(decode_payload("").collect::<Vec<_>>(), [Ok(Record::Packet(""))]);
    }

    #[test]
    fn the_length_of_a_binary_message_is_known_before_it_is_encoded() {
        for len in 0..10 {
            let mut out = BytesMut::new();
            push_binary(&mut out, &vec![7; len]);
            assert_eq!(out.len(), binary_len(len));
        }
    }
}

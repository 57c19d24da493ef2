//! One Socket.IO packet: `<kind>[<attachments>-][<namespace>,][<id>][<JSON>]`.

use bytes::BufMut;

use super::error::PacketError;
use crate::core::engineio;
use crate::core::scan::{self, ArrayHead, ScanError};

/// The seven kinds of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the protocol has these seven")]
pub enum Kind {
    /// `0`: asks to join a namespace, or says that it is joined.
    Connect,
    /// `1`: leaves a namespace.
    Disconnect,
    /// `2`: an event, an array with its name first.
    Event,
    /// `3`: the answer to an event, an array.
    Ack,
    /// `4`: a namespace cannot be joined.
    ConnectError,
    /// `5`: an event with binary attachments, which follow in frames of their own.
    BinaryEvent,
    /// `6`: an answer with binary attachments.
    BinaryAck,
}

impl Kind {
    fn from_digit(digit: u8) -> Option<Self> {
        Some(match digit {
            b'0' => Self::Connect,
            b'1' => Self::Disconnect,
            b'2' => Self::Event,
            b'3' => Self::Ack,
            b'4' => Self::ConnectError,
            b'5' => Self::BinaryEvent,
            b'6' => Self::BinaryAck,
            _ => return None,
        })
    }

    fn digit(self) -> u8 {
        b'0' + self as u8
    }

    fn is_binary(self) -> bool {
        matches!(self, Self::BinaryEvent | Self::BinaryAck)
    }
}

/// What is accepted of a server. Whatever is over a limit is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made with struct syntax by the configuration")]
pub struct Limits {
    /// Binary attachments of one packet.
    pub max_attachments: usize,
    /// Nesting of JSON.
    pub max_depth: usize,
    /// Bytes of one packet, attachments included.
    pub max_message: usize,
}

impl Default for Limits {
    /// 10 attachments, 128 levels, 16 MiB.
    fn default() -> Self {
        Self {
            max_attachments: 10,
            max_depth: 128,
            max_message: 16 << 20,
        }
    }
}

/// A decoded packet, borrowed from its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Packet<'a> {
    /// The kind.
    pub kind: Kind,
    /// How many binary frames follow; 0 for all but the two binary kinds, at least 1 for them.
    pub attachments: usize,
    /// The namespace, `/` where none is written.
    pub namespace: &'a str,
    /// The number that ties an answer to its event.
    pub id: Option<u64>,
    /// The JSON as it was written, empty where there is none. It is well formed.
    pub data: &'a str,
    /// Where the elements of `data` are; offsets count from the beginning of `data`. Empty where `data` is no array.
    pub head: ArrayHead<'a>,
}

/// Decodes the text of a packet, as npm's decoder does but for these:
/// - numbers are ASCII digits only (npm takes `1e0-` for one attachment, a space for the id 0), and ids have at most 64 bits;
/// - an event, an answer and a refusal must have data (npm lets it be absent, and then calls nobody, or throws).
///
/// An answer without an id passes, as with npm: it answers nothing.
pub fn decode<'a>(text: &'a str, limits: &Limits) -> Result<Packet<'a>, PacketError> {
    if text.len() > limits.max_message {
        return Err(PacketError::TooLarge);
    }
    let digit = text.bytes().next().ok_or(PacketError::Empty)?;
    let kind = Kind::from_digit(digit).ok_or(PacketError::UnknownKind)?;
    let mut rest = &text[1..];

    let mut attachments = 0;
    if kind.is_binary() {
        let digits = digits(rest);
        rest = rest[digits.len()..]
            .strip_prefix('-')
            .ok_or(PacketError::IllegalAttachments)?;
        if digits.is_empty() {
            return Err(PacketError::IllegalAttachments);
        }
        attachments = usize::try_from(number(digits).unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        if attachments == 0 {
            return Err(PacketError::IllegalAttachments);
        }
        if attachments > limits.max_attachments {
            return Err(PacketError::TooManyAttachments);
        }
    }

    let mut namespace = "/";
    if rest.starts_with('/') {
        (namespace, rest) = rest.split_once(',').unwrap_or((rest, ""));
    }

    let mut id = None;
    let digits = digits(rest);
    if !digits.is_empty() {
        id = Some(number(digits).ok_or(PacketError::IllegalId)?);
        rest = &rest[digits.len()..];
    }

    let head = check_data(kind, rest, limits.max_depth)?;
    Ok(Packet {
        kind,
        attachments,
        namespace,
        id,
        data: rest,
        head,
    })
}

/// Appends what stands before a packet's JSON.
///
/// `attachments` is written for the binary kinds only. `namespace` must satisfy [`is_namespace`]. What comes behind must be
/// JSON of the kind's shape, or nothing; with an `id` of `None` it must not begin with a digit.
pub fn encode_prefix(out: &mut impl BufMut, kind: Kind, attachments: usize, namespace: &str, id: Option<u64>) {
    debug_assert!(is_namespace(namespace));
    out.put_u8(kind.digit());
    if kind.is_binary() {
        scan::write_uint(out, attachments as u64);
        out.put_u8(b'-');
    }
    if namespace != "/" {
        out.put_slice(namespace.as_bytes());
        out.put_u8(b',');
    }
    if let Some(id) = id {
        scan::write_uint(out, id);
    }
}

/// Appends the Engine.IO message digit `4`, then what [`encode_prefix`] writes: the beginning of a whole text frame.
pub fn encode_message_prefix(out: &mut impl BufMut, kind: Kind, attachments: usize, namespace: &str, id: Option<u64>) {
    out.put_u8(engineio::MESSAGE);
    encode_prefix(out, kind, attachments, namespace, id);
}

/// Whether `namespace` can be written on the wire: it begins with a slash and has no comma, which would end it.
pub fn is_namespace(namespace: &str) -> bool {
    namespace.starts_with('/') && !namespace.contains(',')
}

/// Whether `name` has a meaning of its own in npm's implementation, so that no event can have it; both sides refuse it.
pub fn is_reserved(name: &str) -> bool {
    matches!(
        name,
        "connect" | "connect_error" | "disconnect" | "disconnecting" | "newListener" | "removeListener"
    )
}

/// Checks the data of a packet against its kind, in the one pass over it.
fn check_data(kind: Kind, data: &str, max_depth: usize) -> Result<ArrayHead<'_>, PacketError> {
    match kind {
        Kind::Event | Kind::BinaryEvent => {
            let head = array(data, max_depth)?;
            match head.first.bytes().next() {
                Some(b'"') if names_reserved(head.first) => Err(PacketError::ReservedName),
                Some(b'"' | b'-' | b'0'..=b'9') => Ok(head),
                _ => Err(PacketError::IllegalData),
            }
        }
        Kind::Ack | Kind::BinaryAck => array(data, max_depth),
        Kind::Disconnect if data.is_empty() => Ok(ArrayHead::default()),
        Kind::Disconnect => Err(PacketError::IllegalData),
        Kind::Connect if data.is_empty() => Ok(ArrayHead::default()),
        Kind::Connect | Kind::ConnectError => {
            scan::validate(data, max_depth).map_err(PacketError::Json)?;
            match data.trim_start().bytes().next() {
                Some(b'{') => Ok(ArrayHead::default()),
                Some(b'"') if kind == Kind::ConnectError => Ok(ArrayHead::default()),
                _ => Err(PacketError::IllegalData),
            }
        }
    }
}

fn array(data: &str, max_depth: usize) -> Result<ArrayHead<'_>, PacketError> {
    scan::array_head(data, max_depth).map_err(|error| match error {
        ScanError::NotAnArray => PacketError::IllegalData,
        error => PacketError::Json(error),
    })
}

/// Whether the string literal `raw` spells a reserved name. Only the few that begin like one, or with an escape, are compared.
fn names_reserved(raw: &str) -> bool {
    matches!(raw.as_bytes().get(1), Some(b'c' | b'd' | b'n' | b'r' | b'\\'))
        && scan::string(raw).is_some_and(|name| is_reserved(&name))
}

/// The ASCII digits at the beginning of `text`.
fn digits(text: &str) -> &str {
    let count = text.bytes().take_while(u8::is_ascii_digit).count();
    &text[..count]
}

/// The value of decimal digits, leading zeros allowed.
fn number(digits: &str) -> Option<u64> {
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Packet<'_>, PacketError> {
        decode(text, &Limits::default())
    }

    fn parts(text: &str) -> (Kind, usize, &str, Option<u64>, &str) {
        let packet = read(text).expect(text);
        (
            packet.kind,
            packet.attachments,
            packet.namespace,
            packet.id,
            packet.data,
        )
    }

    #[test]
    fn every_part_of_a_packet_is_read_and_written() {
        let cases = [
            ("0", (Kind::Connect, 0, "/", None, "")),
            (
                "0/admin,{\"sid\":\"x\"}",
                (Kind::Connect, 0, "/admin", None, "{\"sid\":\"x\"}"),
            ),
            ("1/admin,", (Kind::Disconnect, 0, "/admin", None, "")),
            ("2[\"a\"]", (Kind::Event, 0, "/", None, "[\"a\"]")),
            ("2/é,12[\"a/b,c\"]", (Kind::Event, 0, "/é", Some(12), "[\"a/b,c\"]")),
            ("30[]", (Kind::Ack, 0, "/", Some(0), "[]")),
            (
                "4{\"message\":\"no\"}",
                (Kind::ConnectError, 0, "/", None, "{\"message\":\"no\"}"),
            ),
            ("4\"no\"", (Kind::ConnectError, 0, "/", None, "\"no\"")),
            ("510-[\"a\"]", (Kind::BinaryEvent, 10, "/", None, "[\"a\"]")),
            (
                "61-/a,18446744073709551615[1]",
                (Kind::BinaryAck, 1, "/a", Some(u64::MAX), "[1]"),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(parts(text), expected);
            let (kind, attachments, namespace, id, data) = expected;
            let mut out = Vec::new();
            encode_message_prefix(&mut out, kind, attachments, namespace, id);
            out.extend_from_slice(data.as_bytes());
            assert_eq!(out, [b"4", text.as_bytes()].concat());
        }
    }

    #[test]
    fn a_namespace_may_end_with_the_packet() {
        assert_eq!(parts("1/admin"), (Kind::Disconnect, 0, "/admin", None, ""));
        assert_eq!(parts("0/"), (Kind::Connect, 0, "/", None, ""));
        assert_eq!(parts("0/a?b=c,"), (Kind::Connect, 0, "/a?b=c", None, ""));
    }

    #[test]
    fn numbers_are_ascii_digits_within_their_range() {
        assert_eq!(parts("501-[1]").1, 1);
        assert_eq!(parts("2007[1]").3, Some(7));
        for text in [
            "5[1]",
            "5-[1]",
            "50-[1]",
            "51",
            "51[\"a-b\"]",
            "5 1-[1]",
            "51e0-[1]",
            "5-1-[1]",
        ] {
            assert_eq!(read(text), Err(PacketError::IllegalAttachments), "{text}");
        }
        for text in ["511-[1]", "599999999999999999999-[1]"] {
            assert_eq!(read(text), Err(PacketError::TooManyAttachments), "{text}");
        }
        assert_eq!(read("218446744073709551616[1]"), Err(PacketError::IllegalId));
        assert!(matches!(
            read("2-1[1]"),
            Err(PacketError::Json(_) | PacketError::IllegalData)
        ));
    }

    #[test]
    fn data_must_have_the_shape_of_its_kind() {
        for text in [
            "2{}",
            "2[]",
            "2[null]",
            "2[[\"a\"]]",
            "2[{}]",
            "2[true]",
            "3{}",
            "3\"a\"",
            "0[]",
            "0null",
            "0\"a\"",
            "1{}",
            "1 ",
            "4[]",
            "4null",
        ] {
            assert_eq!(read(text), Err(PacketError::IllegalData), "{text}");
        }
        for text in [
            "2",
            "3",
            "31",
            "4",
            "2[\"a\"",
            "2[\"a\"]x",
            "2[a]",
            "0{",
            "0/a,{]",
            "3[1,]",
        ] {
            assert!(matches!(read(text), Err(PacketError::Json(_))), "{text}");
        }
        for text in ["2[1]", "2[-1.5]", "2 [ \"a\" ] ", "0 {} ", "3[]"] {
            assert!(read(text).is_ok(), "{text}");
        }
        assert_eq!(read(""), Err(PacketError::Empty));
        for text in ["7", "a", "é", " 2[1]"] {
            assert_eq!(read(text), Err(PacketError::UnknownKind), "{text}");
        }
    }

    #[test]
    fn reserved_names_are_refused_however_they_are_spelled() {
        for name in [
            "connect",
            "connect_error",
            "disconnect",
            "disconnecting",
            "newListener",
            "removeListener",
        ] {
            assert!(is_reserved(name));
            assert_eq!(read(&["2[\"", name, "\"]"].concat()), Err(PacketError::ReservedName));
        }
        assert_eq!(read("51-[\"disconnect\"]"), Err(PacketError::ReservedName));
        assert_eq!(read("2[\"\\u0063onnect\"]"), Err(PacketError::ReservedName));
        assert_eq!(read("2[\"c\\u006fnnect\"]"), Err(PacketError::ReservedName));
        for name in ["connected", "Connect", "error", "message", "reconnect"] {
            assert!(read(&["2[\"", name, "\"]"].concat()).is_ok());
        }
        assert!(read("3[\"connect\"]").is_ok());
    }

    #[test]
    fn limits_hold_at_their_edge() {
        let limits = Limits {
            max_attachments: 1,
            max_depth: 2,
            max_message: 11,
        };
        assert!(decode("2[\"a\",[12]]", &limits).is_ok());
        assert_eq!(decode("2[\"a\",[123]]", &limits), Err(PacketError::TooLarge));
        assert_eq!(
            decode("2[\"\",[[]]]", &limits),
            Err(PacketError::Json(ScanError::TooDeep))
        );
        assert_eq!(decode("52-[1]", &limits), Err(PacketError::TooManyAttachments));
    }

    #[test]
    fn a_namespace_begins_with_a_slash_and_has_no_comma() {
        assert!(is_namespace("/") && is_namespace("/a/b?c"));
        assert!(!is_namespace("") && !is_namespace("a") && !is_namespace("/a,b"));
    }
}

//! Puts packets together again whose binary attachments come in frames of their own.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use bytestring::ByteString;

use super::error::PacketError;
use super::packet::{self, Kind, Limits, Packet};
use super::placeholder;
use crate::core::scan::{self, Elements};

/// Turns the frames of one link into whole packets.
///
/// A packet without attachments is handed on at once, and nothing is copied or allocated for it. After an error the link is of
/// no use any more; [`reset`](Self::reset) before the frames of another one.
#[derive(Debug)]
pub struct Assembler {
    limits: Limits,
    partial: Option<Partial>,
}

/// A binary packet, and what has come of its attachments.
struct Partial {
    packet: Assembled,
    expected: usize,
    bytes: usize,
}

impl fmt::Debug for Partial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not what it says.
        write!(f, "Partial({} of {})", self.packet.attachments.len(), self.expected)
    }
}

impl Assembler {
    /// An assembler that waits for a packet.
    pub fn new(limits: Limits) -> Self {
        Self { limits, partial: None }
    }

    /// Takes the text of a Socket.IO packet; `None` where its attachments are still to come.
    pub fn text(&mut self, text: ByteString) -> Result<Option<Assembled>, PacketError> {
        self.text_from(text, 0)
    }

    /// Takes a text frame whose Socket.IO packet begins at byte `start`.
    ///
    /// With 1 this takes an Engine.IO message as it came, without the cost of cutting it first.
    pub fn text_from(&mut self, frame: ByteString, start: usize) -> Result<Option<Assembled>, PacketError> {
        if self.partial.is_some() {
            return Err(PacketError::TextInsteadOfBinary);
        }
        let text = frame.get(start..).unwrap_or_default();
        let packet = packet::decode(text, &self.limits)?;
        let (expected, bytes) = (packet.attachments, text.len());
        if expected > 0 {
            placeholder::check(packet.data, expected)?;
        }
        let layout = Layout::of(&packet, &frame, start);
        let mut packet = Assembled::new(layout, frame);
        if expected == 0 {
            return Ok(Some(packet));
        }
        packet.attachments.reserve_exact(expected);
        self.partial = Some(Partial {
            packet,
            expected,
            bytes,
        });
        Ok(None)
    }

    /// Takes a binary frame; the whole packet where it was the last one due.
    pub fn binary(&mut self, attachment: Bytes) -> Result<Option<Assembled>, PacketError> {
        let partial = self.partial.as_mut().ok_or(PacketError::UnexpectedBinary)?;
        partial.bytes = partial.bytes.saturating_add(attachment.len());
        if partial.bytes > self.limits.max_message {
            return Err(PacketError::TooLarge);
        }
        partial.packet.attachments.push(attachment);
        if partial.packet.attachments.len() < partial.expected {
            return Ok(None);
        }
        Ok(self.partial.take().map(|partial| partial.packet))
    }

    /// Forgets a packet that is not complete.
    pub fn reset(&mut self) {
        self.partial = None;
    }
}

/// A whole packet. Its parts are slices of the frame that brought it, which it keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assembled {
    /// The kind; a packet whose attachments have come is an [`Kind::Event`] or [`Kind::Ack`] like any other.
    pub kind: Kind,
    /// The number that ties an answer to its event.
    pub id: Option<u64>,
    /// The binary attachments in the order of their placeholders' numbers.
    pub attachments: Vec<Bytes>,
    frame: ByteString,
    /// Empty for the default namespace, which is not written.
    namespace: Range<usize>,
    data: usize,
    name: Range<usize>,
    args: Range<usize>,
    arg_count: usize,
}

impl Assembled {
    /// The namespace, `/` where none was written.
    pub fn namespace(&self) -> &str {
        let written = &self.frame[self.namespace.clone()];
        if written.is_empty() { "/" } else { written }
    }

    /// The packet's JSON as it was written, well formed; empty where there is none.
    pub fn data(&self) -> &str {
        &self.frame[self.data..]
    }

    /// An event's name as it was written: a string literal, or a number; empty for other kinds.
    pub fn raw_name(&self) -> &str {
        &self.frame[self.name.clone()]
    }

    /// An event's name, decoded. A number's is its text, as npm's emitter has it. Borrows where there are no escapes.
    pub fn name(&self) -> Cow<'_, str> {
        let raw = self.raw_name();
        scan::string(raw).unwrap_or(Cow::Borrowed(raw))
    }

    /// The raw arguments: of an event what stands behind its name, of an answer every element.
    pub fn args(&self) -> Elements<'_> {
        scan::elements_from(self.raw_args(), 0)
    }

    /// The text of all arguments, with the commas between them and without the array's brackets.
    pub fn raw_args(&self) -> &str {
        &self.frame[self.args.clone()]
    }

    /// How many arguments there are.
    pub fn arg_count(&self) -> usize {
        self.arg_count
    }

    /// `part`, a slice of this packet's text, as a string that shares the frame's memory.
    ///
    /// # Panics
    ///
    /// When `part` is not a slice of this packet's text.
    pub fn share(&self, part: &str) -> ByteString {
        self.frame.slice_ref(part)
    }

    fn new(layout: Layout, frame: ByteString) -> Self {
        let Layout {
            kind,
            id,
            namespace,
            data,
            name,
            args,
            arg_count,
        } = layout;
        Self {
            kind,
            id,
            attachments: Vec::new(),
            frame,
            namespace,
            data,
            name,
            args,
            arg_count,
        }
    }
}

/// Where the parts of a decoded packet are in its frame: what is left of a [`Packet`] when its borrow ends.
struct Layout {
    kind: Kind,
    id: Option<u64>,
    namespace: Range<usize>,
    data: usize,
    name: Range<usize>,
    args: Range<usize>,
    arg_count: usize,
}

impl Layout {
    /// `start` is where the packet begins in `frame`.
    fn of(packet: &Packet<'_>, frame: &str, start: usize) -> Self {
        let data = frame.len() - packet.data.len();
        let head = &packet.head;
        let first = data + head.start..data + head.start + head.first.len();
        let all = data + head.start..data + head.end;
        let behind_first = data + head.rest..data + head.end;
        let (kind, name, args, arg_count) = match packet.kind {
            Kind::Event | Kind::BinaryEvent => (Kind::Event, first, behind_first, head.len - 1),
            Kind::Ack | Kind::BinaryAck => (Kind::Ack, 0..0, all, head.len),
            other => (other, 0..0, 0..0, 0),
        };
        // Nothing before a written namespace has a slash.
        let namespace = match packet.namespace {
            "/" => 0..0,
            written => {
                let at = start + frame[start..].find('/').unwrap_or_default();
                at..at + written.len()
            }
        };
        Self {
            kind,
            id: packet.id,
            namespace,
            data,
            name,
            args,
            arg_count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assembler() -> Assembler {
        Assembler::new(Limits {
            max_attachments: 2,
            max_depth: 8,
            max_message: 100,
        })
    }

    fn whole(text: &'static str) -> Assembled {
        let packet = assembler().text(ByteString::from_static(text)).expect("valid");
        packet.expect("needs no attachments")
    }

    const BINARY: &str = r#"52-/x,7["up",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]"#;

    #[test]
    fn a_packet_without_attachments_is_whole_at_once() {
        let packet = whole(r#"2/chat,12[ "say" , {"a":1} ,2 ]"#);
        assert_eq!((packet.kind, packet.id), (Kind::Event, Some(12)));
        assert_eq!(packet.namespace(), "/chat");
        assert_eq!((packet.raw_name(), &*packet.name()), ("\"say\"", "say"));
        assert_eq!(packet.args().collect::<Vec<_>>(), ["{\"a\":1}", "2"]);
        assert_eq!((packet.arg_count(), packet.raw_args()), (2, "{\"a\":1} ,2 "));
        assert_eq!(packet.data(), r#"[ "say" , {"a":1} ,2 ]"#);
    }

    #[test]
    fn an_answer_has_arguments_only() {
        let packet = whole("37[1,[2]]");
        assert_eq!(
            (packet.kind, packet.namespace(), packet.raw_name()),
            (Kind::Ack, "/", "")
        );
        assert_eq!(
            (packet.arg_count(), packet.args().collect::<Vec<_>>()),
            (2, vec!["1", "[2]"])
        );
        let empty = whole("37[]");
        assert_eq!((empty.arg_count(), empty.args().next()), (0, None));
    }

    #[test]
    fn an_event_may_be_its_name_alone() {
        let packet = whole(r#"2["\u00e9"]"#);
        assert_eq!(
            (&*packet.name(), packet.arg_count(), packet.args().next()),
            ("é", 0, None)
        );
        assert_eq!(&*whole("2[7,1]").name(), "7");
    }

    #[test]
    fn packets_without_an_array_have_no_arguments() {
        for (text, data) in [
            ("0", ""),
            ("1/a,", ""),
            ("0/a,{\"sid\":\"s\"}", "{\"sid\":\"s\"}"),
            ("4\"no\"", "\"no\""),
        ] {
            let packet = whole(text);
            assert_eq!(
                (packet.data(), packet.arg_count(), packet.args().next()),
                (data, 0, None)
            );
            assert_eq!(packet.namespace(), if text.contains("/a") { "/a" } else { "/" });
        }
    }

    #[test]
    fn a_frame_is_taken_behind_its_engine_io_digit_and_its_memory_shared() {
        let frame = ByteString::from(String::from("42/a,[\"b\",{\"x\":[1,2]}]"));
        let packet = assembler().text_from(frame.clone(), 1).expect("valid").expect("whole");
        assert_eq!((packet.namespace(), &*packet.name()), ("/a", "b"));
        let arg = packet.args().next().expect("an argument");
        let shared = packet.share(arg);
        assert_eq!(shared, "{\"x\":[1,2]}");
        assert_eq!(shared.as_ptr(), frame[10..].as_ptr());
        assert_eq!(assembler().text_from(frame, 99), Err(PacketError::Empty));
    }

    #[test]
    fn attachments_are_waited_for_and_kept_in_order() {
        let mut assembler = assembler();
        assert_eq!(assembler.text(BINARY.into()), Ok(None));
        assert_eq!(assembler.binary(Bytes::from_static(b"a")), Ok(None));
        let packet = assembler
            .binary(Bytes::from_static(b"b"))
            .expect("valid")
            .expect("whole");
        assert_eq!(
            (packet.kind, packet.id, packet.namespace()),
            (Kind::Event, Some(7), "/x")
        );
        assert_eq!(packet.attachments, ["a", "b"]);
        assert_eq!(packet.arg_count(), 2);

        assert_eq!(
            assembler.text("61-3[{\"_placeholder\":true,\"num\":0}]".into()),
            Ok(None)
        );
        let answer = assembler.binary(Bytes::new()).expect("valid").expect("whole");
        assert_eq!(
            (answer.kind, answer.id, answer.attachments.len()),
            (Kind::Ack, Some(3), 1)
        );
    }

    #[test]
    fn frames_out_of_turn_are_errors() {
        let mut assembler = assembler();
        assert_eq!(assembler.binary(Bytes::new()), Err(PacketError::UnexpectedBinary));
        assert_eq!(assembler.text(BINARY.into()), Ok(None));
        assert_eq!(assembler.text("2[\"a\"]".into()), Err(PacketError::TextInsteadOfBinary));
        assembler.reset();
        assert!(matches!(assembler.text("2[\"a\"]".into()), Ok(Some(_))));
        assert_eq!(assembler.binary(Bytes::new()), Err(PacketError::UnexpectedBinary));
    }

    #[test]
    fn text_and_attachments_count_together() {
        let mut assembler = assembler();
        let room = 100 - BINARY.len();
        assert_eq!(assembler.text(BINARY.into()), Ok(None));
        assert_eq!(assembler.binary(vec![0; room].into()), Ok(None));
        assert!(matches!(assembler.binary(Bytes::new()), Ok(Some(_))));

        assert_eq!(assembler.text(BINARY.into()), Ok(None));
        assert_eq!(assembler.binary(vec![0; room].into()), Ok(None));
        assert_eq!(assembler.binary(vec![0; 1].into()), Err(PacketError::TooLarge));

        assembler.reset();
        let long = ["2[\"", &"a".repeat(96), "\"]"].concat();
        assert_eq!(assembler.text(long.into()), Err(PacketError::TooLarge));
    }

    #[test]
    fn a_placeholder_of_no_attachment_is_refused_before_any_arrives() {
        let text = r#"51-["up",{"_placeholder":true,"num":1}]"#;
        assert_eq!(assembler().text(text.into()), Err(PacketError::IllegalAttachments));
        let three = r#"53-["up"]"#;
        assert_eq!(assembler().text(three.into()), Err(PacketError::TooManyAttachments));
    }
}

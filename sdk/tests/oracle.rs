//! The Socket.IO codec held against another implementation: socketioxide's parser.
//!
//! What one side writes the other must read as it was meant, in both directions, with attachments. Where socketioxide is laxer
//! or stricter than npm's parser, which is the one we follow, the cases are listed by name.

#![allow(clippy::unwrap_used)]

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use proptest::collection::vec;
use proptest::prelude::*;
use rejoin::core::socketio::{self, Assembled, Assembler, Kind, Limits, PacketError};
use serde_json::{Value as Json, json};
use socketioxide_core::packet::{Packet, PacketData};
use socketioxide_core::parser::{Parse, ParseConfig, ParseError, ParserState};
use socketioxide_core::{Str, Value};
use socketioxide_parser_common::CommonParser;

/// Reads a packet as socketioxide does.
fn theirs(text: &str, attachments: &[Vec<u8>]) -> Result<Packet, ParseError> {
    let config = ParseConfig {
        max_incoming_binaries: 10,
        ..ParseConfig::default()
    };
    let state = ParserState::default();
    let mut read = CommonParser.decode_str(&config, &state, Str::from(text.to_owned()));
    for attachment in attachments {
        assert!(matches!(read, Err(ParseError::NeedsMoreBinaryData)), "{text}");
        read = CommonParser.decode_bin(&config, &state, Bytes::copy_from_slice(attachment));
    }
    read
}

/// Reads a packet as we do.
fn ours(text: &str, attachments: &[Bytes]) -> Result<Assembled, PacketError> {
    let mut assembler = Assembler::new(Limits::default());
    let mut read = assembler.text(ByteString::from(text))?;
    for attachment in attachments {
        assert_eq!(read, None, "{text}");
        read = assembler.binary(attachment.clone())?;
    }
    Ok(read.expect("all attachments are there"))
}

/// Writes a packet as we do.
fn written(kind: Kind, attachments: usize, namespace: &str, id: Option<u64>, data: &str) -> String {
    let mut out = BytesMut::new();
    socketio::encode_prefix(&mut out, kind, attachments, namespace, id);
    out.extend_from_slice(data.as_bytes());
    String::from_utf8(out.into()).unwrap()
}

/// Writes a packet as socketioxide does.
fn written_by_them(packet: Packet) -> (String, Vec<Bytes>) {
    match CommonParser.encode(packet) {
        Value::Str(text, attachments) => (text.into(), attachments.unwrap_or_default().into()),
        Value::Bytes(_) => unreachable!("this parser writes text"),
    }
}

/// A packet of theirs in our terms, without its attachments.
fn in_our_terms(packet: &Packet) -> (Kind, &str, Option<u64>, &str) {
    let id = |id: i64| u64::try_from(id).unwrap();
    let (kind, ack, data) = match &packet.inner {
        PacketData::Connect(data) => (Kind::Connect, None, data.as_ref()),
        PacketData::Disconnect => (Kind::Disconnect, None, None),
        PacketData::Event(data, ack) | PacketData::BinaryEvent(data, ack) => (Kind::Event, ack.map(id), Some(data)),
        PacketData::EventAck(data, ack) | PacketData::BinaryAck(data, ack) => (Kind::Ack, Some(id(*ack)), Some(data)),
        PacketData::ConnectError(_) => unreachable!("their decoder knows none"),
    };
    (kind, &packet.ns, ack, data.map_or("", |data| data.as_str().unwrap()))
}

fn in_our_terms_too(packet: &Assembled) -> (Kind, &str, Option<u64>, &str) {
    (packet.kind, packet.namespace(), packet.id, packet.data())
}

fn attachments_of(packet: &Packet) -> Vec<Bytes> {
    match &packet.inner {
        PacketData::BinaryEvent(Value::Str(_, Some(bins)), _) | PacketData::BinaryAck(Value::Str(_, Some(bins)), _) => {
            bins.iter().cloned().collect()
        }
        _ => Vec::new(),
    }
}

fn namespace() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::from("/")), "/[^,]{0,12}"]
}

/// Their ids are signed.
fn id() -> impl Strategy<Value = u64> {
    prop_oneof![0u64..200, 0..=i64::MAX as u64]
}

fn args() -> impl Strategy<Value = Vec<Json>> {
    let arg = prop_oneof![
        any::<i64>().prop_map(Json::from),
        ".{0,12}".prop_map(Json::from),
        (".{0,6}", any::<bool>()).prop_map(|(name, value)| json!({ name: [value, null, "],{\"\\"] })),
    ];
    vec(arg, 0..4)
}

fn event_name() -> impl Strategy<Value = String> {
    "[^a-z]?.{0,12}".prop_filter("reserved", |name| !socketio::is_reserved(name))
}

fn named(name: &str, args: &[Json]) -> Json {
    [&[Json::from(name)], args].concat().into()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn they_read_our_events_and_answers(
        namespace in namespace(), id in id(), asks in any::<bool>(), name in event_name(), args in args(),
    ) {
        let data = named(&name, &args).to_string();
        let ack = asks.then_some(id);
        let read = theirs(&written(Kind::Event, 0, &namespace, ack, &data), &[]).unwrap();
        prop_assert_eq!(in_our_terms(&read), (Kind::Event, &*namespace, ack, &*data));
        let PacketData::Event(value, _) = &read.inner else { unreachable!() };
        // A name that needs escapes they cannot read at all.
        let read_name = CommonParser.read_event(value).ok();
        let plain = !json!(name).to_string().contains('\\');
        prop_assert_eq!(read_name, plain.then_some(name.as_str()));

        let data = Json::from(args).to_string();
        let read = theirs(&written(Kind::Ack, 0, &namespace, Some(id), &data), &[]).unwrap();
        prop_assert_eq!(in_our_terms(&read), (Kind::Ack, &*namespace, Some(id), &*data));
    }

    #[test]
    fn they_read_how_we_join_and_leave(namespace in namespace(), token in ".{0,12}", auth in any::<bool>()) {
        let data = if auth { json!({ "token": token }).to_string() } else { String::new() };
        let read = theirs(&written(Kind::Connect, 0, &namespace, None, &data), &[]).unwrap();
        prop_assert_eq!(in_our_terms(&read), (Kind::Connect, &*namespace, None, &*data));
        let read = theirs(&written(Kind::Disconnect, 0, &namespace, None, ""), &[]).unwrap();
        prop_assert_eq!(in_our_terms(&read), (Kind::Disconnect, &*namespace, None, ""));
    }

    #[test]
    fn they_put_our_attachments_where_our_placeholders_stand(
        event in any::<bool>(), namespace in namespace(), id in id(), first in vec(any::<u8>(), 0..20),
        second in vec(any::<u8>(), 0..20),
    ) {
        let placeholder = |num| {
            let mut out = Vec::new();
            socketio::write_placeholder(&mut out, num);
            String::from_utf8(out).unwrap()
        };
        // One inside of another argument. They go by the order of the placeholders, not by their numbers.
        let name = if event { "\"upload\"," } else { "" };
        let data = ["[", name, "{\"inner\":[", &placeholder(0), "]},", &placeholder(1), "]"].concat();
        let kind = if event { Kind::BinaryEvent } else { Kind::BinaryAck };
        let read = theirs(&written(kind, 2, &namespace, Some(id), &data), &[first.clone(), second.clone()]).unwrap();
        let kind = if event { Kind::Event } else { Kind::Ack };
        prop_assert_eq!(in_our_terms(&read), (kind, &*namespace, Some(id), &*data));
        prop_assert_eq!(attachments_of(&read), vec![first.clone(), second.clone()]);

        let (PacketData::BinaryEvent(mut value, _) | PacketData::BinaryAck(mut value, _)) = read.inner else { unreachable!() };
        let (nested, plain): (std::collections::BTreeMap<String, Vec<Bytes>>, Bytes) =
            CommonParser.decode_value(&mut value, event).unwrap();
        prop_assert_eq!(&nested["inner"], &[first]);
        prop_assert_eq!(plain, second);
    }

    #[test]
    fn we_read_their_events_and_answers(
        namespace in namespace(), id in id(), asks in any::<bool>(), name in event_name(), args in args(),
    ) {
        let value = CommonParser.encode_value(&(&args, 1), Some(&name)).unwrap();
        let mut packet = Packet::event(namespace.clone(), value);
        if asks {
            packet.inner.set_ack_id(i64::try_from(id).unwrap());
        }
        let (text, _) = written_by_them(packet.clone());
        let read = ours(&text, &[]).unwrap();
        prop_assert_eq!(in_our_terms_too(&read), in_our_terms(&packet));
        prop_assert_eq!((read.name(), read.arg_count()), (name.as_str().into(), 2));
        prop_assert_eq!(read.args().next().unwrap(), Json::from(args.clone()).to_string());

        let value = CommonParser.encode_value(&(&args, 1), None).unwrap();
        let packet = Packet::ack(namespace, value, i64::try_from(id).unwrap());
        let (text, _) = written_by_them(packet.clone());
        let read = ours(&text, &[]).unwrap();
        prop_assert_eq!(in_our_terms_too(&read), in_our_terms(&packet));
        prop_assert_eq!(read.args().next().unwrap(), Json::from(args).to_string());
    }

    #[test]
    fn we_read_their_attachments(
        event in any::<bool>(), namespace in namespace(), id in id(), name in event_name(), binaries in vec(vec(any::<u8>(), 0..20), 1..10),
    ) {
        let binaries: Vec<Bytes> = binaries.into_iter().map(Bytes::from).collect();
        let last = Bytes::from_static(b"last");
        let value = CommonParser.encode_value(&(&binaries, "text", &last), event.then_some(&name)).unwrap();
        let packet = match event {
            true => Packet::event(namespace, value),
            false => Packet::ack(namespace, value, i64::try_from(id).unwrap()),
        };
        let (text, attachments) = written_by_them(packet.clone());
        let read = ours(&text, &attachments).unwrap();
        prop_assert_eq!(in_our_terms_too(&read), in_our_terms(&packet));
        prop_assert_eq!(&read.attachments, &attachments);

        // Each placeholder leads back to its binary.
        let args: Vec<_> = read.args().collect();
        let binary = |raw: &str| read.attachments[socketio::placeholder(raw).unwrap()].clone();
        let list: Vec<_> = rejoin::core::scan::elements(args[0]).map(binary).collect();
        prop_assert_eq!(list, binaries);
        prop_assert_eq!((args[1], binary(args[2])), ("\"text\"", last));
    }

    #[test]
    fn we_read_how_they_admit_refuse_and_dismiss(namespace in namespace(), message in ".{0,12}") {
        let sid = json!({ "sid": message }).to_string();
        for packet in [
            Packet::connect(namespace.clone(), Some(Value::Str(sid.into(), None))),
            Packet::connect(namespace.clone(), None),
            Packet::disconnect(namespace.clone()),
        ] {
            let (text, _) = written_by_them(packet.clone());
            let read = ours(&text, &[]).unwrap();
            prop_assert_eq!(in_our_terms_too(&read), in_our_terms(&packet));
        }
        let (text, _) = written_by_them(Packet::connect_error(namespace.clone(), message.clone()));
        let read = ours(&text, &[]).unwrap();
        prop_assert_eq!((read.kind, read.namespace()), (Kind::ConnectError, &*namespace));
        prop_assert_eq!(read.data(), json!({ "message": message }).to_string());
    }

    #[test]
    fn of_any_text_that_both_take_both_read_the_same(
        text in "[0-6]([0-9]{1,2}-)?(/[a-z?/-]{0,3},?)?[0-9]{0,3}(\\[(\"[a-z,/]{0,2}\"(,[0-9])?)?\\]|\\{\\}|)?",
    ) {
        let (Ok(ours), Ok(theirs)) = (socketio::decode(&text, &Limits::default()), theirs(&text, &[])) else {
            return Ok(());
        };
        // They pass over an id that does not stand before an array or object, and whatever stands behind a DISCONNECT.
        if ours.data.is_empty() {
            prop_assert_eq!((ours.kind, ours.namespace), (in_our_terms(&theirs).0, in_our_terms(&theirs).1));
            return Ok(());
        }
        // They have no place for the id of a CONNECT.
        let id = if ours.kind == Kind::Connect { None } else { ours.id };
        prop_assert_eq!((ours.kind, ours.namespace, id, ours.data), in_our_terms(&theirs));
    }
}

#[test]
fn they_are_laxer_in_known_cases() {
    for (text, refusal) in [
        ("2[\"connect\"]", PacketError::ReservedName),
        ("2[]", PacketError::IllegalData),
        ("2[null]", PacketError::IllegalData),
        ("2{}", PacketError::IllegalData),
        ("2junk", PacketError::IllegalData),
        ("31{}", PacketError::IllegalData),
        ("0[]", PacketError::IllegalData),
        ("1{}", PacketError::IllegalData),
        ("50-[\"a\"]", PacketError::IllegalAttachments),
    ] {
        assert!(theirs(text, &[]).is_ok(), "{text}");
        assert_eq!(ours(text, &[]), Err(refusal), "{text}");
    }
    for text in ["2", "2[\"a\"", "2[\"a\"]x", "0{"] {
        assert!(theirs(text, &[]).is_ok(), "{text}");
        assert!(matches!(ours(text, &[]), Err(PacketError::Json(_))), "{text}");
    }
    // A placeholder that names no attachment.
    let text = "51-[\"a\",{\"_placeholder\":true,\"num\":1}]";
    assert!(theirs(text, &[vec![0]]).is_ok());
    assert_eq!(ours(text, &[Bytes::new()]), Err(PacketError::IllegalAttachments));
}

#[test]
fn they_are_stricter_in_known_cases() {
    // An answer to nothing; a refusal, which only servers send.
    for text in ["3[1]", "4{\"message\":\"no\"}", "39223372036854775808[]"] {
        assert!(theirs(text, &[]).is_err(), "{text}");
        assert!(ours(text, &[]).is_ok(), "{text}");
    }
}

#[test]
fn both_refuse_frames_out_of_turn_and_too_many_attachments() {
    let state = ParserState::default();
    let config = ParseConfig {
        max_incoming_binaries: 10,
        ..ParseConfig::default()
    };
    let mut assembler = Assembler::new(Limits::default());

    let stray = CommonParser.decode_bin(&config, &state, Bytes::new());
    assert!(matches!(stray, Err(ParseError::UnexpectedBinaryPacket)));
    assert_eq!(assembler.binary(Bytes::new()), Err(PacketError::UnexpectedBinary));

    let many = CommonParser.decode_str(&config, &state, "511-[\"a\"]".into());
    assert!(matches!(many, Err(ParseError::TooManyAttachments { got: 11, max: 10 })));
    assert_eq!(
        assembler.text("511-[\"a\"]".into()),
        Err(PacketError::TooManyAttachments)
    );

    let partial = CommonParser.decode_str(&config, &state, "51-[\"a\"]".into());
    assert!(matches!(partial, Err(ParseError::NeedsMoreBinaryData)));
    assert_eq!(assembler.text("51-[\"a\"]".into()), Ok(None));
    let text = CommonParser.decode_str(&config, &state, "2[\"a\"]".into());
    assert!(matches!(text, Err(ParseError::UnexpectedStringPacket)));
    assert_eq!(assembler.text("2[\"a\"]".into()), Err(PacketError::TextInsteadOfBinary));
}

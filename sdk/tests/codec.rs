//! Properties of the wire codecs: round trips, agreement with `serde_json`, and no panic whatever a server sends.

#![allow(clippy::unwrap_used)]

#[cfg(target_arch = "wasm32")]
#[macro_use]
extern crate rejoin_wasm_test;

mod strategies;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::prelude::*;
use rejoin::core::engineio::{self, Handshake, Record};
use rejoin::core::scan;
use rejoin::core::socketio::{self, Assembler, Kind, Limits};
use serde_json::{Value, json};
use strategies::*;

fn namespace() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::from("/")),
        text().prop_map(|name| ["/", &name.replace(',', "")].concat())
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(vec![
        Kind::Connect,
        Kind::Disconnect,
        Kind::Event,
        Kind::Ack,
        Kind::ConnectError,
        Kind::BinaryEvent,
        Kind::BinaryAck,
    ])
}

/// Data of the kind's shape, as text.
fn data_for(kind: Kind, name: String, args: Vec<Value>) -> String {
    let value = match kind {
        Kind::Disconnect => return String::new(),
        Kind::Connect => json!({ "arguments": args }),
        Kind::ConnectError => json!({ "message": name, "data": args }),
        Kind::Ack | Kind::BinaryAck => Value::from(args),
        Kind::Event | Kind::BinaryEvent => [vec![Value::from(name)], args].concat().into(),
    };
    value.to_string()
}

fn event_name() -> impl Strategy<Value = String> {
    text().prop_filter("reserved", |name| !socketio::is_reserved(name))
}

/// A packet's text with what it was made of.
fn packet() -> impl Strategy<Value = (String, Kind, usize, String, Option<u64>, String)> {
    let parts = (
        kind(),
        1usize..=10,
        namespace(),
        any::<Option<u64>>(),
        event_name(),
        vec(json(), 0..4),
    );
    parts.prop_map(|(kind, attachments, namespace, id, name, args)| {
        let binary = matches!(kind, Kind::BinaryEvent | Kind::BinaryAck);
        let attachments = if binary { attachments } else { 0 };
        let data = data_for(kind, name, args);
        let mut out = BytesMut::new();
        socketio::encode_prefix(&mut out, kind, attachments, &namespace, id);
        out.extend_from_slice(data.as_bytes());
        (
            String::from_utf8(out.into()).unwrap(),
            kind,
            attachments,
            namespace,
            id,
            data,
        )
    })
}

/// A binary: its placeholder is written at some depth of the arguments.
fn attachments() -> impl Strategy<Value = Vec<(Vec<u8>, usize)>> {
    vec((vec(any::<u8>(), 0..16), 0usize..4), 1..=10)
}

fn nested_placeholder(num: usize, depth: usize) -> Value {
    let mut out = Vec::new();
    socketio::write_placeholder(&mut out, num);
    let placeholder = serde_json::from_slice(&out).unwrap();
    (0..depth).fold(placeholder, |inner, level| {
        if level % 2 == 0 {
            json!([level, inner])
        } else {
            json!({ "x": inner })
        }
    })
}

/// Everything there is to a decoder, for what it must survive.
fn decode_everything(text: &str) {
    let _ = scan::validate(text, 128);
    let _ = scan::array_head(text, 128);
    let _ = scan::elements(text).count();
    for offset in 0..=text.len() {
        let _ = scan::elements_from(text, offset).count();
    }
    let _ = scan::fields(text).count();
    let _ = (
        scan::string(text),
        scan::uint(text),
        scan::field(text, "num"),
        socketio::placeholder(text),
    );
    let _ = engineio::decode(text);
    let _ = engineio::decode_payload(text).count();
    let _ = Handshake::parse(text, 256);
    let _ = socketio::decode(text, &Limits::default());
    let mut assembler = Assembler::new(Limits::default());
    for start in 0..3 {
        if let Ok(Some(packet)) = assembler.text_from(text.into(), start) {
            let _ = (
                packet.namespace(),
                packet.name(),
                packet.args().count(),
                packet.share(packet.data()),
            );
        }
    }
    let _ = assembler.binary(Bytes::from_static(b"x"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_socketio_packet_survives_the_round_trip((text, kind, attachments, namespace, id, data) in packet()) {
        let packet = socketio::decode(&text, &Limits::default()).unwrap();
        prop_assert_eq!(packet.kind, kind);
        prop_assert_eq!(packet.attachments, attachments);
        prop_assert_eq!(packet.namespace, namespace);
        prop_assert_eq!(packet.id, id);
        prop_assert_eq!(packet.data, data);
    }

    #[test]
    fn a_packet_with_attachments_survives_the_round_trip(
        event in any::<bool>(),
        namespace in namespace(),
        id in any::<Option<u64>>(),
        name in event_name(),
        mut args in vec(json(), 0..3),
        attachments in attachments(),
    ) {
        let kind = if event { Kind::BinaryEvent } else { Kind::BinaryAck };
        args.extend(attachments.iter().enumerate().map(|(num, (_, depth))| nested_placeholder(num, *depth)));
        let mut frame = BytesMut::new();
        socketio::encode_message_prefix(&mut frame, kind, attachments.len(), &namespace, id);
        frame.extend_from_slice(data_for(kind, name.clone(), args.clone()).as_bytes());

        let mut assembler = Assembler::new(Limits::default());
        let mut whole = assembler.text_from(frame.try_into().unwrap(), 1).unwrap();
        for (binary, _) in &attachments {
            prop_assert!(whole.is_none());
            whole = assembler.binary(Bytes::copy_from_slice(binary)).unwrap();
        }
        let packet = whole.unwrap();
        prop_assert_eq!(packet.kind, if event { Kind::Event } else { Kind::Ack });
        prop_assert_eq!((packet.namespace(), packet.id), (&*namespace, id));
        prop_assert_eq!(packet.name(), if event { &*name } else { "" });
        let expected: Vec<_> = args.iter().map(Value::to_string).collect();
        prop_assert_eq!(packet.args().collect::<Vec<_>>(), expected);
        prop_assert_eq!(packet.arg_count(), args.len());
        let binaries: Vec<_> = attachments.iter().map(|(binary, _)| binary.clone()).collect();
        prop_assert_eq!(packet.attachments, binaries);
    }

    #[test]
    fn one_placeholder_out_of_range_spoils_a_packet(attachments in attachments(), bad in 0usize..10, depth in 0usize..5) {
        let mut args: Vec<_> =
            attachments.iter().enumerate().map(|(num, (_, depth))| nested_placeholder(num, *depth)).collect();
        args.push(nested_placeholder(attachments.len() + bad, depth));
        let mut frame = BytesMut::new();
        socketio::encode_prefix(&mut frame, Kind::BinaryAck, attachments.len(), "/", Some(1));
        frame.extend_from_slice(Value::from(args).to_string().as_bytes());
        let refused = Assembler::new(Limits::default()).text(frame.try_into().unwrap());
        prop_assert_eq!(refused, Err(socketio::PacketError::IllegalAttachments));
    }

    #[test]
    fn an_engineio_packet_survives_the_round_trip(body in text(), which in 0usize..7) {
        use engineio::Packet::{Close, Message, Noop, Open, Ping, Pong, Upgrade};
        let packet = [Open(&body), Close, Ping(&body), Pong(&body), Message(&body), Upgrade, Noop][which];
        let mut out = BytesMut::new();
        engineio::encode(packet, &mut out);
        prop_assert_eq!(engineio::decode(std::str::from_utf8(&out).unwrap()), Ok(packet));
    }

    #[test]
    fn a_payload_survives_the_round_trip(records in vec((text(), vec(any::<u8>(), 0..40), any::<bool>()), 1..8)) {
        let records: Vec<_> = records.into_iter().map(|(text, data, binary)| (["4", &text.replace('\u{1e}', "")].concat(), data, binary)).collect();
        let mut out = BytesMut::new();
        for (text, data, binary) in &records {
            if *binary {
                engineio::push_binary(&mut out, data);
            } else {
                engineio::push_packet(&mut out, text.as_bytes());
            }
        }
        let body = String::from_utf8(out.into()).unwrap();
        let read: Vec<_> = engineio::decode_payload(&body).map(Result::unwrap).collect();
        let expected: Vec<_> = records
            .iter()
            .map(|(text, data, binary)| match binary {
                true => Record::Binary(data.clone().into()),
                false => Record::Packet(text),
            })
            .collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn base64_agrees_with_the_base64_crate(data in vec(any::<u8>(), 0..80), edits in edits()) {
        let mut out = BytesMut::new();
        engineio::push_binary(&mut out, &data);
        prop_assert_eq!(std::str::from_utf8(&out[1..]).unwrap(), BASE64_STANDARD.encode(&data));

        // Of damaged text: what it takes, we read the same. We take absent padding, too.
        let damaged = edited(&BASE64_STANDARD.encode(&data), &edits).replace('\u{1e}', "");
        let record = ["b", &damaged].concat();
        let read = engineio::decode_payload(&record).next().unwrap().ok();
        let padded = damaged.len().is_multiple_of(4);
        match BASE64_STANDARD.decode(&damaged) {
            Ok(expected) => prop_assert_eq!(read, Some(Record::Binary(expected.into()))),
            Err(_) => prop_assert!(read.is_none() || !padded, "{}", damaged),
        }
    }

    #[test]
    fn nothing_panics_on_arbitrary_text(text in any::<String>(), wild in text()) {
        decode_everything(&text);
        decode_everything(&wild);
    }

    #[test]
    fn nothing_panics_on_arbitrary_bytes(bytes in vec(any::<u8>(), 0..64)) {
        decode_everything(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn nothing_panics_on_damaged_packets((text, ..) in packet(), edits in edits(), prefix in "[0-6b]?") {
        let text = edited(&text, &edits);
        decode_everything(&text);
        decode_everything(&[&prefix, &*text].concat());
    }

    #[test]
    fn frames_in_any_order_leave_the_assembler_usable_after_a_reset(
        frames in vec((packet(), edits(), any::<bool>()), 0..6),
    ) {
        let mut assembler = Assembler::new(Limits::default());
        for ((text, ..), edits, binary) in frames {
            let _ = assembler.text(edited(&text, &edits).into());
            if binary {
                let _ = assembler.binary(Bytes::from_static(b"x"));
            }
        }
        assembler.reset();
        let whole = assembler.text("2[\"a\"]".into());
        prop_assert!(matches!(whole, Ok(Some(_))));
    }

    #[test]
    fn a_handshake_is_taken_exactly_when_it_is_sane(
        sid in prop_oneof![text(), "[!-~]{0,12}", "[ -~]{1,3}"],
        times in prop::array::uniform2(prop_oneof![0u64..3, 86_399_998u64..86_400_003]),
        max_payload in prop::option::of(prop_oneof![Just(0), any::<u64>()]),
        upgrades in vec(text(), 0..2),
        websocket in any::<bool>(),
    ) {
        let mut upgrades = upgrades;
        upgrades.extend(websocket.then(|| String::from("websocket")));
        let json = json!({
            "sid": sid, "upgrades": upgrades, "pingInterval": times[0], "pingTimeout": times[1], "maxPayload": max_payload,
        });
        let sane = (1..=8).contains(&sid.len())
            && sid.bytes().all(|byte| (0x21..=0x7e).contains(&byte))
            && times.iter().all(|ms| (1..=86_400_000).contains(ms))
            && max_payload != Some(0);
        let read = Handshake::parse(&json.to_string(), 8).ok();
        prop_assert_eq!(read.is_some(), sane);
        if let Some(read) = read {
            let ms = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap();
            prop_assert_eq!((read.sid, read.websocket_upgrade), (sid, websocket));
            prop_assert_eq!([ms(read.ping_interval), ms(read.ping_timeout)], times);
            prop_assert_eq!(read.max_payload, max_payload);
        }
    }
}

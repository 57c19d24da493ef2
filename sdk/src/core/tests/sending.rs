//! From `emit` to the one outcome.

use bytes::Bytes;

use super::pair::*;
use crate::config::{Delivery, Overflow};
use crate::core::{Emission, EmitOptions, NamespaceConfig};
use crate::error::Error;
use crate::payload::RawArgs;
use crate::receipt::{Outcome, Receipt};
use crate::state::{Notice, State};

#[test]
fn what_is_sent_while_offline_goes_out_in_order_in_one_batch_before_connected_is_raised() {
    let mut pair = Pair::new();
    let receipts: Vec<Receipt> = (0..100)
        .map(|n| pair.emit("m", &format!("[{n}]"), EmitOptions::new()))
        .collect();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.open();
    pair.frames();
    let (batches, logged) = (pair.batches, pair.log.len());
    pair.server(CONNECT);
    assert_eq!(pair.batches, batches + 1);
    let expected: Vec<String> = (0..100).map(|n| format!(r#"42["m",{n}]"#)).collect();
    assert_eq!(pair.frames(), expected);
    assert_eq!(names(&receipts), ["sent"; 100]);
    let said: Vec<&str> = pair.log[logged..].iter().map(|line| &line[..5]).collect();
    assert_eq!(said[..2], ["Send(", "Event"], "the batch first, then `connected`");
}

#[test]
fn the_101st_drops_the_oldest_and_says_so() {
    let mut pair = Pair::new();
    let receipts: Vec<Receipt> = (0..101)
        .map(|n| pair.emit("m", &format!("[{n}]"), EmitOptions::new()))
        .collect();
    pair.drain();
    assert_eq!(receipts[0].outcome(), Some(Outcome::Dropped));
    assert_eq!(names(&receipts[1..]), ["none"; 100]);
    let overflow = Notice::Overflow {
        receipt: receipts[0].id(),
        message_id: None,
        event: "m".into(),
    };
    assert_eq!(pair.notices(), [overflow]);
    assert_eq!(pair.core.pending(pair.socket).len(), 100);
}

#[test]
fn with_reject_the_newest_is_refused_at_once() {
    let mut namespace = NamespaceConfig::new("/");
    namespace.queue.overflow = Overflow::Reject;
    namespace.queue.capacity = 2;
    let mut pair = Pair::with(config(), namespace);
    let receipts: Vec<Receipt> = (0..3).map(|_| pair.emit("m", "[]", EmitOptions::new())).collect();
    assert_eq!(names(&receipts), ["none", "none", "rejected"]);
    assert_eq!(error_of(&receipts[2]), Error::Overloaded);
}

#[test]
fn the_queue_is_bounded_in_bytes_too() {
    let mut namespace = NamespaceConfig::new("/");
    namespace.queue.bytes = 100;
    let mut pair = Pair::with(config(), namespace);
    let text = format!("[\"{}\"]", "x".repeat(60));
    let first = pair.emit("m", &text, EmitOptions::new());
    let second = pair.emit("m", &text, EmitOptions::new());
    assert_eq!(pair.core.pending(pair.socket).len(), 1);
    let huge = pair.emit("m", &format!("[\"{}\"]", "x".repeat(200)), EmitOptions::new());
    pair.drain();
    assert_eq!(names(&[first, second, huge]), ["dropped", "none", "rejected"]);
}

#[test]
fn an_acknowledgement_delivers_its_arguments() {
    let mut pair = Pair::connected();
    let receipt = pair.emit("add", "[1,2]", EmitOptions::new().ack());
    pair.drain();
    assert_eq!(pair.frames(), [r#"420["add",1,2]"#]);
    pair.server("430[3]");
    match receipt.outcome() {
        Some(Outcome::Delivered(payload)) => assert_eq!(payload.to_json(), "[3]"),
        other => panic!("{other:?}"),
    }
    pair.server("430[4]");
    pair.server("4377[4]");
    assert_eq!(pair.state(), State::Connected, "late and unknown ids are ignored");
}

#[test]
fn binary_goes_out_as_attachments_behind_its_packet() {
    let mut pair = Pair::connected();
    let args = RawArgs {
        json: r#"[{"a":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1}]"#.into(),
        attachments: vec![Bytes::from_static(b"one"), Bytes::from_static(b"two")],
    };
    let emission = Emission::new("up", args, EmitOptions::new()).unwrap();
    let _receipt = pair.core.emit(pair.now, pair.socket, emission);
    pair.drain();
    assert_eq!(
        pair.frames(),
        [r#"452-["up",{"a":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1}]"#]
    );
    assert_eq!(pair.binary, [Bytes::from_static(b"one"), Bytes::from_static(b"two")]);
}

#[test]
fn what_no_server_would_take_is_refused_at_emit() {
    let mut pair = Pair::connected();
    for name in [
        "connect",
        "connect_error",
        "disconnect",
        "disconnecting",
        "newListener",
        "removeListener",
    ] {
        let error = Emission::new(name, RawArgs::json("[]"), EmitOptions::new()).unwrap_err();
        assert_eq!(error.code(), 1003, "{name}");
    }
    for json in ["", "{}", "[1", "[1] [2]", "null"] {
        assert!(
            Emission::new("m", RawArgs::json(json), EmitOptions::new()).is_err(),
            "{json:?}"
        );
    }
    let big = pair.emit("m", &format!("[\"{}\"]", "x".repeat(1_000_001)), EmitOptions::new());
    let args = RawArgs {
        json: "[]".into(),
        attachments: vec![Bytes::new(); 11],
    };
    let emission = Emission::new("m", args, EmitOptions::new()).unwrap();
    let many = pair.core.emit(pair.now, pair.socket, emission);
    let bare = pair.emit("m", "[1]", EmitOptions::new().reliable());
    pair.drain();
    for receipt in [&big, &many, &bare] {
        assert_eq!(error_of(receipt).code(), 1003);
    }
    assert!(pair.frames().is_empty());
}

#[test]
fn an_answer_that_does_not_come_ends_unconfirmed_and_the_link_is_probed() {
    let mut pair = Pair::connected();
    let receipt = pair.emit("q", "[]", EmitOptions::new().timeout(secs(3)));
    pair.drain();
    pair.sleep(millis(2999));
    assert_eq!(receipt.outcome(), None);
    pair.sleep(millis(1));
    assert_eq!(error_of(&receipt), Error::AckTimeout { after: secs(3) });
    assert_eq!(pair.frames()[1], "ws ping");
    let link = pair.link();
    pair.event(link, crate::core::LinkEvent::Pong);
    pair.sleep(secs(10));
    assert_eq!(pair.state(), State::Connected);
}

#[test]
fn a_link_that_does_not_answer_a_probe_is_given_up() {
    let mut pair = Pair::connected();
    let _receipt = pair.emit("q", "[]", EmitOptions::new().timeout(secs(3)));
    pair.drain();
    pair.sleep(secs(5));
    assert!(matches!(pair.state(), State::Waiting { .. }));
}

#[test]
fn without_pings_the_probe_is_a_namespace_that_does_not_exist() {
    for answer in [
        r#"44/rejoin-probe,{"message":"Invalid namespace"}"#,
        r#"40/rejoin-probe,{"sid":"p"}"#,
    ] {
        let mut config = config();
        config.can_ping = false;
        let mut pair = Pair::with(config, NamespaceConfig::new("/"));
        pair.connect();
        let _receipt = pair.emit("q", "[]", EmitOptions::new().timeout(secs(3)));
        pair.drain();
        pair.sleep(secs(3));
        assert_eq!(pair.frames()[1], "40/rejoin-probe,");
        pair.server(answer);
        let left = pair.frames();
        assert_eq!(
            left,
            if answer.starts_with("40") {
                vec!["41/rejoin-probe,"]
            } else {
                vec![]
            }
        );
        pair.sleep(secs(10));
        assert_eq!(pair.state(), State::Connected);
    }
}

#[test]
fn volatile_is_sent_now_or_never() {
    let mut pair = Pair::new();
    let offline = pair.emit("v", "[]", EmitOptions::new().volatile());
    assert_eq!(offline.outcome(), Some(Outcome::Dropped));
    pair.connect();
    let online = pair.emit("v", "[]", EmitOptions::new().volatile());
    pair.drain();
    assert_eq!(names(&[online]), ["sent"]);
    pair.writes = false;
    let _first = pair.say("a");
    let caught = pair.emit("v", "[]", EmitOptions::new().volatile());
    pair.cut();
    assert_eq!(names(&[caught]), ["dropped"]);
}

#[test]
fn while_connected_a_full_buffer_refuses_until_it_is_writable() {
    let mut config = config();
    config.limits.outgoing = 1000;
    let mut pair = Pair::with(config, NamespaceConfig::new("/"));
    pair.connect();
    pair.writes = false;
    let text = format!("[\"{}\"]", "x".repeat(300));
    let receipts: Vec<Receipt> = (0..4).map(|_| pair.emit("m", &text, EmitOptions::new())).collect();
    assert_eq!(names(&receipts), ["none", "none", "none", "rejected"]);
    assert_eq!(error_of(&receipts[3]), Error::Overloaded);
    assert!(!pair.core.is_writable(pair.socket));
    pair.drain();
    assert!(!pair.core.is_writable(pair.socket), "what the link is writing counts");
    pair.written();
    assert!(pair.core.is_writable(pair.socket));
    pair.drain();
    assert!(pair.log.iter().any(|line| line.starts_with("Writable")));
}

#[test]
fn cancel_takes_back_what_was_not_written_and_clear_takes_all() {
    let mut pair = Pair::new();
    let receipts: Vec<Receipt> = (0..4).map(|_| pair.emit("m", "[]", EmitOptions::new())).collect();
    assert!(pair.core.cancel(pair.now, pair.socket, receipts[1].id()));
    assert!(!pair.core.cancel(pair.now, pair.socket, receipts[1].id()));
    pair.drain();
    assert_eq!(names(&receipts), ["none", "cancelled", "none", "none"]);
    pair.core.clear(pair.now, pair.socket);
    pair.drain();
    assert_eq!(names(&receipts), ["cancelled"; 4]);
    pair.connect();
    let asked = pair.emit("q", "[]", EmitOptions::new().ack());
    pair.drain();
    assert!(
        !pair.core.cancel(pair.now, pair.socket, asked.id()),
        "written at most once"
    );
}

#[test]
fn a_message_whose_time_is_over_expires_in_the_queue() {
    let mut pair = Pair::new();
    let short = pair.emit("m", "[]", EmitOptions::new().ttl(secs(2)));
    let long = pair.emit("m", "[]", EmitOptions::new());
    pair.drain();
    pair.sleep(secs(2));
    assert_eq!(names(&[short, long]), ["expired", "none"]);
}

#[test]
fn what_a_handler_answers_goes_out_behind_what_it_sent_before() {
    let mut pair = Pair::connected();
    pair.server(r#"4212["ask",1]"#);
    let Some((_, crate::core::Happening::Message { reply_to, .. })) = pair.events.pop_back() else {
        panic!("no event")
    };
    let _said = pair.emit("first", "[]", EmitOptions::new());
    let to = *reply_to.unwrap();
    pair.core
        .reply(pair.now, pair.socket, to, RawArgs::json("[true]"))
        .unwrap();
    pair.drain();
    assert_eq!(pair.frames(), [r#"42["first"]"#, "4312[true]"]);
    pair.cut();
    pair.sleep(secs(1));
    pair.open();
    pair.server(CONNECT);
    let late = pair.core.reply(pair.now, pair.socket, to, RawArgs::json("[]"));
    assert_eq!(late, Err(Error::LinkLost), "the server that asked is gone");
}

#[test]
fn reliable_messages_are_sent_again_with_the_same_id_where_the_server_removes_duplicates() {
    let mut pair = Pair::chat();
    pair.connect();
    pair.server(GREETING);
    let receipts: Vec<Receipt> = (0..3)
        .map(|n| pair.emit("m", &format!(r#"[{{"n":{n}}}]"#), EmitOptions::new().reliable()))
        .collect();
    pair.drain();
    let first = pair.frames();
    assert!(first[0].starts_with(r#"420["m",{"messageId":""#), "{}", first[0]);
    assert!(first[0].contains(receipts[0].message_id().unwrap()));
    pair.server(r#"430[{"ok":true,"id":"a"}]"#);
    pair.cut();
    let _later = pair.emit("m", r#"[{"n":9}]"#, EmitOptions::new().reliable());
    pair.sleep(secs(1));
    pair.open();
    pair.frames();
    pair.server(CONNECT);
    let body = |frame: &str| frame[frame.find('[').unwrap()..].to_owned();
    let again: Vec<String> = pair.frames().iter().map(|frame| body(frame)).collect();
    assert_eq!(again[..2], [body(&first[1]), body(&first[2])]);
    assert!(again[2].contains(r#""n":9"#));
    assert_eq!(names(&receipts), ["delivered", "none", "none"]);
}

#[test]
fn a_server_without_features_never_sees_a_message_twice() {
    let mut pair = Pair::chat();
    pair.connect();
    pair.server(r#"42["connection_status",{"connected":true}]"#);
    let receipt = pair.emit("m", "[{}]", EmitOptions::new().reliable());
    pair.drain();
    assert_eq!(pair.frames().len(), 1);
    assert_eq!(names(&[receipt]), ["sent"], "nobody is asked to acknowledge");
    pair.cut();
    pair.sleep(secs(1));
    pair.open();
    pair.frames();
    pair.server(CONNECT);
    assert!(pair.frames().is_empty());
}

#[test]
fn reliable_messages_wait_for_the_greeting_and_for_two_seconds_at_most() {
    for greeted in [true, false] {
        let mut pair = Pair::chat();
        let receipt = pair.emit("m", "[{}]", EmitOptions::new().reliable());
        let _other = pair.emit("n", "[]", EmitOptions::new());
        pair.core.connect(pair.now, pair.socket);
        pair.drain();
        pair.open();
        pair.frames();
        pair.server(CONNECT);
        assert_eq!((pair.frames().len(), pair.state()), (0, State::Connecting));
        if greeted {
            pair.server(GREETING);
            assert!(pair.frames()[0].starts_with("420"), "acknowledged");
        } else {
            pair.sleep(secs(2));
            assert!(pair.frames()[0].starts_with("42["), "not acknowledged");
            assert_eq!(names(&[receipt]), ["sent"]);
        }
        assert_eq!(pair.state(), State::Connected);
    }
}

#[test]
fn an_error_reply_to_a_reliable_message_rejects_it() {
    let mut pair = Pair::chat();
    pair.connect();
    pair.server(GREETING);
    let no = pair.emit("m", "[{}]", EmitOptions::new().reliable());
    pair.drain();
    pair.server(r#"430[{"ok":false,"error":{"code":"not_a_member","message":"no"}}]"#);
    let server = Error::Server {
        code: Some("not_a_member".into()),
        message: "no".into(),
    };
    assert_eq!(error_of(&no), server);
}

#[test]
fn unanswered_reliable_messages_fill_the_queue_while_connected() {
    let mut namespace = chat_config();
    namespace.queue.capacity = 2;
    let mut pair = Pair::with(config(), namespace);
    pair.connect();
    pair.server(GREETING);
    let reliable = || EmitOptions::new().reliable();
    let receipts: Vec<Receipt> = (0..3).map(|_| pair.emit("m", "[{}]", reliable())).collect();
    pair.drain();
    assert_eq!(names(&receipts), ["none", "none", "rejected"]);
    pair.server(r#"430[{"ok":true}]"#);
    let next = pair.emit("m", "[{}]", reliable());
    assert_eq!(names(&[next]), ["none"]);
}

#[test]
fn a_silent_half_open_link_loses_no_reliable_message() {
    let mut pair = Pair::chat();
    pair.connect();
    pair.server(GREETING);
    let receipt = pair.emit("m", "[{}]", EmitOptions::new().reliable());
    pair.drain();
    // Nothing comes any more; after the ack's 10 s and the probe's 2 s the link is replaced and the message sent again.
    pair.sleep(secs(12));
    assert!(matches!(pair.state(), State::Waiting { .. }));
    assert_eq!(receipt.outcome(), None);
    pair.sleep(secs(1));
    pair.open();
    pair.frames();
    pair.server(CONNECT);
    let frames = pair.frames();
    assert_eq!(frames.len(), 1);
    let id = &frames[0][2..frames[0].find('[').unwrap()];
    pair.server(&format!(r#"43{id}[{{"ok":true}}]"#));
    assert_eq!(names(&[receipt]), ["delivered"]);
}

#[test]
fn delivery_can_be_set_by_hand() {
    for (delivery, again) in [(Delivery::AtLeastOnce, 1), (Delivery::AtMostOnce, 0)] {
        let mut namespace = NamespaceConfig::new("/");
        namespace.delivery = delivery;
        let mut pair = Pair::with(config(), namespace);
        pair.connect();
        let _receipt = pair.emit("m", "[{}]", EmitOptions::new().reliable());
        pair.drain();
        pair.cut();
        pair.sleep(secs(1));
        pair.open();
        pair.frames();
        pair.server(CONNECT);
        assert_eq!(pair.frames().len(), again);
    }
}

#[test]
fn with_a_store_a_message_is_accepted_when_it_is_kept_and_forgotten_when_it_is_answered() {
    let mut config = config();
    config.stored = true;
    let mut pair = Pair::with(config, chat_config());
    let receipt = pair.emit("m", "[{}]", EmitOptions::new().reliable());
    pair.drain();
    let put = pair.transactions[0].put.clone();
    assert_eq!(put.len(), 1);
    let accepted = || futures::FutureExt::now_or_never(receipt.accepted());
    assert_eq!(accepted(), None);
    pair.core.handle_stored(pair.now, pair.turn);
    pair.drain();
    assert_eq!(accepted(), Some(Ok(())));
    pair.connect();
    pair.server(GREETING);
    pair.core.handle_stored(pair.now, pair.turn);
    pair.drain();
    pair.server(r#"430[{"ok":true}]"#);
    assert_eq!(pair.transactions.last().unwrap().remove, [put[0].seq]);

    let mut next = Pair::with(pair_config_stored(), chat_config());
    next.core.restore(next.now, contents(put));
    next.connect();
    next.server(GREETING);
    next.core.handle_stored(next.now, next.turn);
    next.drain();
    assert!(
        next.frames()[0].contains(receipt.message_id().unwrap()),
        "the same id after a restart"
    );
}

fn pair_config_stored() -> crate::core::ConnectionConfig {
    let mut config = config();
    config.stored = true;
    config
}

#[test]
fn a_long_queue_goes_out_in_several_batches_and_pings_are_answered_between_them() {
    let mut pair = Pair::connected();
    pair.writes = false;
    let text = format!("[\"{}\"]", "x".repeat(100_000));
    let receipts: Vec<Receipt> = (0..6).map(|_| pair.emit("m", &text, EmitOptions::new())).collect();
    pair.drain();
    assert_eq!(pair.frames().len(), 3, "256 KiB are reached");
    pair.server("2");
    pair.written();
    pair.drain();
    let next = pair.frames();
    assert_eq!((next[0].as_str(), next.len()), ("3", 4));
    pair.written();
    pair.drain();
    assert_eq!(names(&receipts), ["sent"; 6]);
}

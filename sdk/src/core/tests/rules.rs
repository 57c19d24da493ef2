//! The eight rules of the core.

use bytes::Bytes;
use bytestring::ByteString;
use proptest::prelude::*;

use super::pair::*;
use crate::config::Limits;
use crate::core::{EmitOptions, LinkEvent, LinkId, Output};
use crate::receipt::Receipt;
use crate::state::{Notice, Reason, State};

#[test]
fn rule_1_one_drain_after_a_mutation_leaves_nothing_to_do() {
    let mut pair = Pair::connected();
    let _receipts: Vec<Receipt> = (0..3)
        .map(|_| pair.emit("x", "[1]", EmitOptions::new().ack()))
        .collect();
    pair.drain();
    assert_eq!(pair.frames().len(), 3);
    for _ in 0..3 {
        assert!(
            matches!(pair.core.poll_output(), Output::Timeout(Some(_))),
            "poll_output answers the same again"
        );
    }
}

#[test]
fn rule_2_every_entry_expires_timers_first_so_that_a_phone_that_slept_is_not_connected() {
    let mut pair = Pair::connected();
    let receipt = pair.emit("question", "[]", EmitOptions::new().ack());
    pair.drain();
    // It sleeps for an hour; no timer is called. The first thing after it is the server's answer, read from a buffer.
    pair.jump(pair.now.mono + secs(3600));
    pair.server("430[]");
    assert_eq!(pair.states()[0].1, Some(Reason::PingTimeout));
    assert_eq!(names(&[receipt]), ["unconfirmed"]);
    assert_eq!(pair.stopped, [pair.link()]);
}

#[test]
fn rule_2_time_never_goes_back() {
    let mut pair = Pair::connected();
    let before = pair.wake;
    pair.now.mono -= secs(50);
    pair.core.handle_timeout(pair.now);
    pair.drain();
    assert_eq!(pair.wake, before);
    assert_eq!(pair.state(), State::Connected);
}

#[test]
fn rule_3_events_of_a_dead_link_are_ignored() {
    let mut pair = Pair::connected();
    let dead = pair.link();
    pair.cut();
    pair.sleep(secs(2));
    assert_ne!(pair.link(), dead);
    pair.events.clear();
    for event in [
        LinkEvent::Text(ByteString::from_static(r#"42["ghost"]"#)),
        LinkEvent::Text(ByteString::from_static(OPEN)),
        LinkEvent::Binary(Bytes::from_static(b"x")),
        LinkEvent::Sent,
        LinkEvent::Pong,
        LinkEvent::Closed(None),
    ] {
        pair.event(dead, event);
    }
    pair.event(LinkId(99), LinkEvent::Closed(None));
    assert!(pair.events.is_empty());
    pair.open();
    pair.server(CONNECT);
    assert_eq!(pair.state(), State::Connected);
}

#[test]
fn rule_4_one_batch_is_in_flight_and_all_that_came_meanwhile_is_the_next() {
    let mut pair = Pair::connected();
    pair.writes = false;
    let batches = pair.batches;
    let first = pair.say("a");
    assert_eq!(pair.batches, batches + 1);
    let rest: Vec<Receipt> = ["b", "c", "d"].into_iter().map(|event| pair.say(event)).collect();
    assert_eq!(pair.batches, batches + 1, "nothing more before the first is written");
    assert_eq!(first.outcome(), None);
    pair.written();
    pair.drain();
    assert_eq!(pair.batches, batches + 2);
    assert_eq!(pair.frames(), [r#"42["a"]"#, r#"42["b"]"#, r#"42["c"]"#, r#"42["d"]"#]);
    assert_eq!(names(&[first]), ["sent"]);
    assert_eq!(names(&rest), ["none"; 3]);
    pair.written();
    pair.drain();
    assert_eq!(names(&rest), ["sent"; 3]);
}

/// What a random run does to a core. Shared by rules 5, 6 and 8.
#[derive(Debug, Clone)]
enum Step {
    Connect,
    Disconnect,
    Emit {
        ack: bool,
        reliable: bool,
        volatile: bool,
        ttl: bool,
    },
    Join,
    Leave,
    Typing,
    Cancel(u8),
    Clear,
    Server(u8),
    Garbage(String),
    Binary,
    Written,
    Cut,
    Sleep(u16),
}

const LINES: [&str; 16] = [
    OPEN,
    CONNECT,
    GREETING,
    "2",
    "430[]",
    r#"431[{"ok":false,"error":{"code":"rate_limited","message":"m","retryAfterMs":5}}]"#,
    r#"42["x",1]"#,
    r#"427["asks"]"#,
    r#"451-["bin",{"_placeholder":true,"num":0}]"#,
    r#"44{"message":"no"}"#,
    r#"44{"message":"later","data":{"retryAfterMs":10}}"#,
    "41",
    "1",
    r#"42["room_joined",{"room":"r"}]"#,
    r#"42["typing_start",{"userId":"u2","username":"B"}]"#,
    r#"42["private_message",{"id":"1","sender":{"id":"u2"},"content":"c","timestamp":"t"}]"#,
];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Connect),
        1 => Just(Step::Disconnect),
        6 => (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>())
            .prop_map(|(ack, reliable, volatile, ttl)| Step::Emit { ack, reliable, volatile: volatile && !reliable, ttl }),
        1 => Just(Step::Join),
        1 => Just(Step::Leave),
        1 => Just(Step::Typing),
        1 => any::<u8>().prop_map(Step::Cancel),
        1 => Just(Step::Clear),
        10 => (0..16_u8).prop_map(Step::Server),
        1 => ".{0,40}".prop_map(Step::Garbage),
        1 => Just(Step::Binary),
        4 => Just(Step::Written),
        1 => Just(Step::Cut),
        3 => (0..30_000_u16).prop_map(Step::Sleep),
    ]
}

fn run(steps: &[Step], seed: u64) -> (Pair, Vec<Receipt>) {
    let mut config = config();
    config.seed = seed;
    config.backoff.jitter = true;
    let mut pair = Pair::with(config, chat_config());
    pair.writes = false;
    let mut receipts = Vec::new();
    for step in steps {
        match step {
            Step::Connect => pair.core.connect(pair.now, pair.socket),
            Step::Disconnect => pair.core.disconnect(pair.now, pair.socket),
            Step::Emit {
                ack,
                reliable,
                volatile,
                ttl,
            } => {
                let options = EmitOptions {
                    ack: *ack,
                    reliable: *reliable,
                    volatile: *volatile,
                    ttl: ttl.then(|| secs(3)),
                    ..EmitOptions::new()
                };
                receipts.push(pair.emit("e", r#"[{"n":1}]"#, options));
            }
            Step::Join => receipts.push(pair.core.join_room(pair.now, pair.socket, "r", None)),
            Step::Leave => receipts.push(pair.core.leave_room(pair.now, pair.socket, "r")),
            Step::Typing => pair.core.start_typing(pair.now, pair.socket, crate::Target::user("u2")),
            Step::Cancel(n) => {
                if let Some(receipt) = receipts.get(usize::from(*n) % receipts.len().max(1)) {
                    pair.core.cancel(pair.now, pair.socket, receipt.id());
                }
            }
            Step::Clear => pair.core.clear(pair.now, pair.socket),
            Step::Server(n) if !pair.started.is_empty() => pair.server(LINES[usize::from(*n)]),
            Step::Garbage(text) if !pair.started.is_empty() => pair.server(text),
            Step::Binary if !pair.started.is_empty() => {
                let link = pair.link();
                pair.event(link, LinkEvent::Binary(Bytes::from_static(b"bytes")));
            }
            Step::Written => pair.write_all(),
            Step::Cut if !pair.started.is_empty() => pair.cut(),
            Step::Sleep(ms) => pair.sleep(millis(u64::from(*ms))),
            _ => {}
        }
        pair.drain();
    }
    (pair, receipts)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rule_5_the_same_seed_and_inputs_give_the_same_outputs(steps in prop::collection::vec(step(), 0..60), seed: u64) {
        let (one, _) = run(&steps, seed);
        let (two, _) = run(&steps, seed);
        prop_assert_eq!(one.log, two.log);
        prop_assert_eq!(one.wire, two.wire);
    }

    #[test]
    fn rule_6_every_receipt_resolves_exactly_once(steps in prop::collection::vec(step(), 0..80), seed: u64) {
        // Completing takes the completer, so that twice cannot be written; what is left to show is that none is forgotten.
        let (mut pair, receipts) = run(&steps, seed);
        pair.core.close(pair.now);
        pair.drain();
        pair.sleep(secs(60));
        for receipt in &receipts {
            prop_assert!(receipt.outcome().is_some(), "message {} has no outcome", receipt.id());
        }
        prop_assert!(pair.core.pending(pair.socket).is_empty());
    }

    #[test]
    fn rule_8_whatever_a_server_sends_is_no_panic(frames in prop::collection::vec(".{0,60}", 0..20), binary in prop::collection::vec(any::<u8>(), 0..9)) {
        for opened in [false, true] {
            let mut pair = Pair::chat();
            pair.core.connect(pair.now, pair.socket);
            pair.drain();
            if opened {
                pair.open();
                pair.server(CONNECT);
            }
            for frame in &frames {
                for prefix in ["", "0", "4", "40", "42", "43", "44", "451-"] {
                    pair.server(&format!("{prefix}{frame}"));
                }
                let link = pair.link();
                pair.event(link, LinkEvent::Binary(Bytes::from(binary.clone())));
                pair.sleep(secs(6));
            }
        }
    }
}

#[test]
fn rule_5_another_seed_gives_other_delays() {
    let delay = |seed| {
        let (pair, _) = run(&[Step::Connect, Step::Cut], seed);
        pair.state()
    };
    assert_eq!(delay(1), delay(1));
    assert_ne!(delay(1), delay(2));
}

#[test]
fn rule_7_what_a_server_sends_is_bounded() {
    let deep = format!(r#"42["x",{}1{}]"#, "[".repeat(200), "]".repeat(200));
    let many = r#"4511-["x"]"#.to_owned();
    let sid = format!(
        r#"0{{"sid":"{}","upgrades":[],"pingInterval":25000,"pingTimeout":20000}}"#,
        "s".repeat(257)
    );
    for (opened, frame) in [(true, deep), (true, many), (false, sid)] {
        let mut pair = Pair::new();
        pair.core.connect(pair.now, pair.socket);
        pair.drain();
        if opened {
            pair.open();
            pair.server(CONNECT);
        }
        pair.events.clear();
        pair.server(&frame);
        assert!(matches!(&pair.notices()[..], [Notice::Error(error)] if error.code() == 2005));
        assert_eq!(pair.states().last().unwrap().1, Some(Reason::ParseError));
    }
}

#[test]
fn rule_7_a_message_with_its_attachments_is_bounded() {
    let mut config = config();
    config.limits = Limits {
        message: 100,
        ..Limits::default()
    };
    let mut pair = Pair::with(config, crate::core::NamespaceConfig::new("/"));
    pair.connect();
    pair.server(r#"451-["x",{"_placeholder":true,"num":0}]"#);
    let link = pair.link();
    pair.event(link, LinkEvent::Binary(Bytes::from(vec![0; 99])));
    assert_eq!(pair.notices().len(), 1);
    assert_eq!(pair.stopped, [link]);
}

#[test]
fn rule_8_bad_input_is_an_error_event_and_a_closed_link_and_the_next_link_is_good() {
    for frame in [
        "",
        "9",
        "4",
        "49",
        "42",
        "42{}",
        "42[1",
        "4x",
        "0",
        "0[]",
        "b",
        r#"451["x"]"#,
    ] {
        let mut pair = Pair::connected();
        if frame == "0" || frame == "0[]" {
            pair.cut();
            pair.sleep(secs(2));
        }
        pair.events.clear();
        let link = pair.link();
        pair.server(frame);
        assert!(matches!(&pair.notices()[..], [Notice::Error(_)]), "{frame:?}");
        assert!(pair.stopped.contains(&link), "{frame:?}");
        pair.sleep(secs(6));
        pair.open();
        pair.server(CONNECT);
        assert_eq!(pair.state(), State::Connected, "{frame:?}");
    }
}

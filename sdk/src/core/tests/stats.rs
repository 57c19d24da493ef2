//! What is counted, and when.

use super::pair::*;
use crate::core::{EmitOptions, LinkEvent, NamespaceConfig};
use crate::state::Hint;
use crate::stats::{AckMs, Stats};

fn stats(pair: &Pair) -> Stats {
    pair.core.stats(pair.socket, pair.now.mono)
}

fn ended(stats: &Stats) -> [u64; 7] {
    let Stats {
        sent,
        delivered,
        rejected,
        unconfirmed,
        expired,
        dropped,
        cancelled,
        ..
    } = *stats;
    [sent, delivered, rejected, unconfirmed, expired, dropped, cancelled]
}

#[test]
fn every_receipt_that_ended_counts_once_under_its_outcome() {
    let mut pair = Pair::connected();
    let mut receipts = vec![pair.say("sent"), pair.say("sent")];
    for _ in 0..3 {
        receipts.push(pair.emit("q", "[]", EmitOptions::new().ack()));
    }
    pair.drain();
    pair.server("430[]");
    receipts.push(pair.emit("m", "[]", EmitOptions::new().reliable()));
    pair.cut();
    receipts.push(pair.emit("v", "[]", EmitOptions::new().volatile()));
    receipts.push(pair.emit("t", "[]", EmitOptions::new().ttl(millis(1))));
    receipts.push(pair.say("c"));
    let last = receipts.last().unwrap().id();
    assert!(pair.core.cancel(pair.now, pair.socket, last));
    receipts.push(pair.core.refuse(pair.socket, crate::Error::payload("reserved")));
    pair.sleep(millis(2));
    pair.core.close(pair.now);
    pair.drain();
    receipts.push(pair.say("closed"));
    assert_eq!(ended(&stats(&pair)), [2, 1, 3, 2, 1, 1, 1]);
    for (name, count) in [("sent", 2), ("delivered", 1), ("rejected", 3), ("unconfirmed", 2)] {
        assert_eq!(names(&receipts).iter().filter(|other| **other == name).count(), count);
    }
}

#[test]
fn rooms_and_leaves_have_receipts_and_typing_has_none() {
    let mut pair = in_room("a");
    let before = stats(&pair);
    assert_eq!(ended(&before), [0, 1, 0, 0, 0, 0, 0], "the join");
    pair.core.start_typing(pair.now, pair.socket, crate::Target::user("u2"));
    pair.drain();
    let _leave = pair.core.leave_room(pair.now, pair.socket, "a");
    pair.drain();
    assert_eq!((stats(&pair).queued, stats(&pair).unacked), (0, 0), "no messages");
    let leave = pair.frames().pop().unwrap();
    ok(&mut pair, &leave);
    pair.cut();
    pair.core.start_typing(pair.now, pair.socket, crate::Target::user("u3"));
    pair.drain();
    assert_eq!(ended(&stats(&pair)), [0, 2, 0, 0, 0, 0, 0]);
}

#[test]
fn what_waits_is_counted_with_its_age() {
    let mut pair = greeted();
    assert_eq!(stats(&pair).oldest_ms, None);
    let _unacked = pair.emit("m", "[{}]", EmitOptions::new().reliable());
    pair.drain();
    pair.sleep(millis(1500));
    let now = stats(&pair);
    assert_eq!((now.queued, now.unacked, now.oldest_ms), (0, 1, Some(1500)));
    pair.cut();
    let _queued = pair.say("q");
    pair.sleep(millis(500));
    let now = stats(&pair);
    assert_eq!(
        (now.queued, now.unacked, now.oldest_ms),
        (2, 0, Some(2000)),
        "it kept its age"
    );
}

#[test]
fn a_message_that_is_written_again_is_a_retry() {
    let mut pair = greeted();
    let _receipt = pair.emit("m", "[{}]", EmitOptions::new().reliable());
    pair.drain();
    let _queued = pair.say("once");
    for retries in 1..=2 {
        reconnect(&mut pair);
        assert_eq!(stats(&pair).retries, retries);
    }
}

#[test]
fn attempts_connections_and_what_came_after_a_loss_are_told_apart() {
    let counts = |pair: &Pair| {
        let stats = stats(pair);
        (stats.attempts, stats.connects, stats.reconnects)
    };
    let mut pair = Pair::new();
    assert_eq!(counts(&pair), (0, 0, 0));
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.cut();
    assert_eq!(counts(&pair), (1, 0, 0));
    pair.sleep(secs(1));
    pair.open();
    pair.server(CONNECT);
    assert_eq!(counts(&pair), (2, 1, 0), "the first is none");
    let news = pair.core.add_socket(NamespaceConfig::new("/news"));
    pair.core.connect(pair.now, news);
    pair.drain();
    pair.server(r#"40/news,{"sid":"n1"}"#);
    assert_eq!(counts(&pair), (2, 1, 0), "the link was there");
    reconnect(&mut pair);
    assert_eq!(counts(&pair), (3, 2, 1));
    assert_eq!(pair.core.stats(news, pair.now.mono).connects, 2, "they share it");

    pair.core.disconnect(pair.now, news);
    pair.core.disconnect(pair.now, pair.socket);
    pair.connect();
    assert_eq!(counts(&pair), (4, 3, 1), "the user wanted it so");
    pair.cut();
    pair.core.disconnect(pair.now, pair.socket);
    pair.connect();
    assert_eq!(counts(&pair), (5, 4, 1), "also where it was lost before");
}

#[test]
fn coming_back_from_the_background_is_a_reconnect() {
    let mut pair = Pair::connected();
    pair.core.hint(pair.now, Hint::Background);
    pair.drain();
    pair.sleep(secs(10));
    pair.core.hint(pair.now, Hint::Foreground);
    pair.drain();
    pair.open();
    pair.server(CONNECT);
    assert_eq!((stats(&pair).connects, stats(&pair).reconnects), (2, 1));
}

#[test]
fn bytes_are_those_of_the_packets() {
    let mut pair = Pair::connected();
    let before = stats(&pair);
    assert_eq!(before.bytes_in, (OPEN.len() + CONNECT.len()) as u64);
    assert_eq!(before.bytes_out, 2);
    let _said = pair.say("x");
    pair.server(r#"451-["b",{"_placeholder":true,"num":0}]"#);
    let link = pair.link();
    pair.event(link, LinkEvent::Binary(vec![1, 2, 3].into()));
    let after = stats(&pair);
    assert_eq!(after.bytes_out - before.bytes_out, r#"42["x"]"#.len() as u64);
    assert_eq!(
        after.bytes_in - before.bytes_in,
        r#"451-["b",{"_placeholder":true,"num":0}]"#.len() as u64 + 3
    );
}

#[test]
fn the_round_trip_is_that_of_the_last_connect_or_probe() {
    let mut pair = Pair::new();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.sleep(millis(500));
    pair.open();
    assert_eq!(stats(&pair).rtt_ms, None);
    pair.sleep(millis(40));
    pair.server(CONNECT);
    assert_eq!(stats(&pair).rtt_ms, Some(40), "from when CONNECT was sent");
    let link = pair.link();
    pair.sleep(secs(1));
    pair.event(link, LinkEvent::Pong);
    assert_eq!(stats(&pair).rtt_ms, Some(40), "nobody asked");
    pair.core.hint(pair.now, Hint::Foreground);
    pair.drain();
    pair.sleep(millis(70));
    pair.event(link, LinkEvent::Pong);
    assert_eq!(stats(&pair).rtt_ms, Some(70));
    pair.core.hint(pair.now, Hint::Foreground);
    pair.drain();
    reconnect(&mut pair);
    let link = pair.link();
    pair.sleep(secs(1));
    pair.event(link, LinkEvent::Pong);
    assert_eq!(stats(&pair).rtt_ms, Some(0), "the probe went with its link");
}

#[test]
fn the_last_128_answers_make_the_percentiles() {
    let mut pair = Pair::connected();
    assert_eq!(stats(&pair).ack_ms, None);
    let answer = |pair: &mut Pair, took: u64| {
        let receipt = pair.emit("q", "[]", EmitOptions::new().ack());
        pair.drain();
        let id = ack_id(&pair.frames().pop().unwrap());
        pair.sleep(millis(took));
        pair.server(&format!("43{id}[]"));
        assert_eq!(names(&[receipt]), ["delivered"]);
    };
    for took in 1..=4 {
        answer(&mut pair, took);
    }
    assert_eq!(stats(&pair).ack_ms, Some(AckMs { p50: 2, p99: 4 }));
    for _ in 0..126 {
        answer(&mut pair, 7);
    }
    assert_eq!(stats(&pair).ack_ms, Some(AckMs { p50: 7, p99: 7 }));
    answer(&mut pair, 1000);
    assert_eq!(stats(&pair).ack_ms, Some(AckMs { p50: 7, p99: 7 }));
    answer(&mut pair, 900);
    assert_eq!(stats(&pair).ack_ms, Some(AckMs { p50: 7, p99: 900 }));
}

#[test]
fn the_time_of_an_answer_runs_from_the_writing() {
    let mut pair = Pair::connected();
    pair.writes = false;
    let _receipt = pair.emit("q", "[]", EmitOptions::new().ack());
    pair.drain();
    pair.sleep(millis(300));
    pair.written();
    pair.drain();
    pair.sleep(millis(20));
    pair.server("430[]");
    assert_eq!(stats(&pair).ack_ms, Some(AckMs { p50: 20, p99: 20 }));
}

#[test]
fn json_has_the_keys_of_every_platform_and_null_for_what_is_not_known() {
    let mut pair = Pair::new();
    let zero = concat!(
        r#"{"attempts":0,"connects":0,"reconnects":0,"queued":0,"unacked":0,"oldestMs":null,"sent":0,"delivered":0,"#,
        r#""rejected":0,"unconfirmed":0,"expired":0,"dropped":0,"cancelled":0,"retries":0,"bytesIn":0,"bytesOut":0,"#,
        r#""rttMs":null,"ackMs":null}"#
    );
    assert_eq!(stats(&pair).to_json(), zero);
    assert!(pair.core.cx.tallies.is_empty(), "an idle client holds nothing for it");
    let _queued = pair.say("x");
    let full = Stats {
        rtt_ms: Some(12),
        ack_ms: Some(AckMs { p50: 1, p99: 2 }),
        ..stats(&pair)
    };
    let json = full.to_json();
    assert!(json.contains(r#""queued":1,"unacked":0,"oldestMs":0"#), "{json}");
    assert!(json.ends_with(r#""rttMs":12,"ackMs":{"p50":1,"p99":2}}"#), "{json}");
}

#[test]
fn plain_json_is_counted_as_well() {
    let mut config = config();
    config.protocol = crate::Protocol::Json;
    let mut pair = Pair::with(config, NamespaceConfig::new("/"));
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    let greeting = r#"{"type":"connection","clientId":"c1","message":"hello"}"#;
    pair.server(greeting);
    let stats = stats(&pair);
    assert_eq!((stats.attempts, stats.connects, stats.reconnects), (1, 1, 0));
    assert_eq!(stats.bytes_in, greeting.len() as u64);
    assert_eq!(stats.rtt_ms, None, "nothing was asked");
}

//! A server's limit: lanes that wait, in order, and what a server that keeps the order is told.

use std::time::Duration;

use super::pair::*;
use crate::core::EmitOptions;
use crate::error::Error;

/// Time passes on a link that the server keeps alive.
fn wait(pair: &mut Pair, mut time: Duration) {
    while !time.is_zero() {
        let step = time.min(secs(20));
        pair.sleep(step);
        pair.server("2");
        time -= step;
    }
    pair.wire.retain(|(_, frame)| frame != "3");
}

/// Answers each frame as the limit of `most` says; the lane behind the first refusal is refused too.
fn serve(pair: &mut Pair, most: usize) -> (Vec<u32>, usize) {
    let frames = pair.frames();
    let taken = numbers(&frames[..most.min(frames.len())]);
    for (at, frame) in frames.iter().enumerate() {
        match at < most {
            true => ok(pair, frame),
            false => limit(pair, frame, 60_000, ""),
        }
    }
    (taken, frames.len())
}

#[test]
fn a_limit_of_ten_a_minute_loses_none_of_a_hundred_and_keeps_their_order() {
    let mut pair = orderly();
    let receipts = say_numbers(&mut pair, "user:bob", 0..100);
    let (mut taken, mut sent) = serve(&mut pair, 10);
    assert_eq!((taken.len(), sent), (10, 100), "pipelined until the first refusal");
    let mut refused = 90;
    while taken.len() < 100 {
        let before = sent;
        wait(&mut pair, secs(60));
        // What is sent at once, and one at a time behind it, within one minute's ten.
        let mut left = 10;
        loop {
            let (some, asked) = serve(&mut pair, left);
            if asked == 0 {
                break;
            }
            left -= some.len();
            sent += asked;
            refused += asked - some.len();
            taken.extend(some);
        }
        assert!(sent - before <= 11, "{} sent in one minute", sent - before);
    }
    assert_eq!(taken, (0..100).collect::<Vec<_>>());
    assert_eq!(names(&receipts), ["delivered"; 100]);
    assert!(refused <= 90 + 9, "{refused} refused");
    assert_eq!(pair.core.pending(pair.socket), []);
}

#[test]
fn a_lane_that_is_limited_holds_up_neither_others_nor_connected() {
    let mut pair = orderly();
    let _limited = say_numbers(&mut pair, "user:bob", 0..2);
    for frame in pair.frames() {
        limit(&mut pair, &frame, 60_000, "");
    }
    let _more = say_numbers(&mut pair, "user:bob", 2..3);
    let other = say_numbers(&mut pair, "user:carol", 7..8);
    let frames = pair.frames();
    assert_eq!(numbers(&frames), [7]);
    ok(&mut pair, &frames[0]);
    assert_eq!(names(&other), ["delivered"]);
    reconnect(&mut pair);
    assert_eq!(pair.state(), crate::State::Connected);
    assert_eq!(pair.frames(), [""; 0], "the limit outlives the link");
    wait(&mut pair, secs(60));
    assert_eq!(numbers(&pair.frames()), [0]);
}

#[test]
fn without_a_promise_of_order_a_lane_that_was_refused_is_sent_one_at_a_time() {
    let mut pair = greeted();
    let receipts = say_numbers(&mut pair, "user:bob", 0..5);
    let frames = pair.frames();
    ok(&mut pair, &frames[0]);
    for frame in &frames[1..] {
        limit(&mut pair, frame, 1_000, "");
    }
    wait(&mut pair, secs(1));
    for expected in 1..5 {
        let frames = pair.frames();
        assert_eq!(numbers(&frames), [expected]);
        ok(&mut pair, &frames[0]);
    }
    assert_eq!(names(&receipts), ["delivered"; 5]);
}

#[test]
fn messages_that_name_no_lane_share_one() {
    let mut pair = orderly();
    let first = pair.emit("m", r#"[{"n":1}]"#, EmitOptions::new().reliable());
    pair.drain();
    let frame = pair.frames().remove(0);
    limit(&mut pair, &frame, 1_000, "");
    let plain = pair.emit("m", r#"[{"n":2}]"#, EmitOptions::new());
    let volatile = pair.emit("now", "[]", EmitOptions::new().volatile());
    pair.drain();
    assert_eq!(names(&[first, plain, volatile]), ["none", "none", "sent"]);
    pair.frames();
    wait(&mut pair, secs(1));
    let frames = pair.frames();
    assert_eq!(numbers(&frames), [1]);
    ok(&mut pair, &frames[0]);
    assert_eq!(numbers(&pair.frames()), [2]);
}

#[test]
fn what_was_refused_for_a_time_can_be_cancelled_and_expires_and_the_server_is_told() {
    let mut pair = orderly();
    let options = || EmitOptions::new().reliable().lane("a");
    let late = pair.emit("m", r#"[{"n":1}]"#, options().ttl(secs(30)));
    let cancelled = pair.emit("m", r#"[{"n":2}]"#, options());
    let kept = pair.emit("m", r#"[{"n":3}]"#, options());
    pair.drain();
    for frame in pair.frames() {
        limit(&mut pair, &frame, 60_000, "");
    }
    assert!(pair.core.cancel(pair.now, pair.socket, cancelled.id()));
    pair.drain();
    let skips = |pair: &mut Pair| -> Vec<String> {
        let frames = pair.frames();
        let skip = |frame: &&String| frame.contains(r#"["skip",{"messageId":""#);
        frames.iter().filter(skip).cloned().collect()
    };
    let skip = skips(&mut pair);
    assert!(
        skip.len() == 1 && skip[0].contains(cancelled.message_id().unwrap()),
        "{skip:?}"
    );
    ok(&mut pair, &skip[0]);
    wait(&mut pair, secs(30));
    let skip = skips(&mut pair);
    assert!(
        skip.len() == 1 && skip[0].contains(late.message_id().unwrap()),
        "{skip:?}"
    );
    assert_eq!(names(&[late, cancelled, kept]), ["expired", "cancelled", "none"]);
    // A skip whose answer is lost is said again.
    reconnect(&mut pair);
    let skip = skips(&mut pair);
    assert_eq!(skip.len(), 1);
    ok(&mut pair, &skip[0]);
    wait(&mut pair, secs(30));
    assert_eq!(numbers(&pair.frames()), [3]);
}

#[test]
fn a_message_that_nobody_knows_any_more_does_not_block_its_lane() {
    let mut pair = orderly();
    let receipts = say_numbers(&mut pair, "a", 1..2);
    let frame = pair.frames().remove(0);
    limit(&mut pair, &frame, 1_000, r#","behind":"of-a-run-that-crashed""#);
    pair.drain();
    let frames = pair.frames();
    assert!(
        frames.len() == 1 && frames[0].contains(r#"["skip",{"messageId":"of-a-run-that-crashed"}]"#),
        "{frames:?}"
    );
    ok(&mut pair, &frames[0]);
    wait(&mut pair, secs(1));
    let frame = pair.frames().remove(0);
    ok(&mut pair, &frame);
    assert_eq!(names(&receipts), ["delivered"]);
    assert_eq!(pair.core.pending(pair.socket), []);
}

#[test]
fn a_message_that_the_server_expects_before_an_earlier_one_is_skipped_and_comes_in_its_place() {
    let mut pair = orderly();
    let receipts = say_numbers(&mut pair, "a", 1..3);
    let frames = pair.frames();
    let later = receipts[1].message_id().unwrap();
    limit(&mut pair, &frames[0], 1_000, &format!(r#","behind":"{later}""#));
    limit(&mut pair, &frames[1], 1_000, "");
    let skip = pair.frames().remove(0);
    assert!(skip.contains("skip") && skip.contains(later), "{skip}");
    ok(&mut pair, &skip);
    assert_eq!(names(&receipts), ["none"; 2]);
    wait(&mut pair, secs(1));
    for n in 1..3 {
        let frames = pair.frames();
        assert_eq!(numbers(&frames), [n]);
        ok(&mut pair, &frames[0]);
    }
    assert_eq!(names(&receipts), ["delivered"; 2]);
}

#[test]
fn at_most_once_does_not_mean_that_a_server_waits_for_ever() {
    let mut namespace = chat_config();
    namespace.delivery = crate::config::Delivery::AtMostOnce;
    let mut pair = Pair::with(config(), namespace);
    pair.connect();
    pair.server(ORDERLY);
    let receipts = say_numbers(&mut pair, "a", 1..2);
    let frame = pair.frames().remove(0);
    limit(&mut pair, &frame, 1_000, "");
    assert!(pair.core.cancel(pair.now, pair.socket, receipts[0].id()));
    pair.drain();
    assert!(pair.frames()[0].contains("skip"));
    assert_eq!(names(&receipts), ["cancelled"]);
}

#[test]
fn a_message_behind_one_that_is_here_is_not_skipped() {
    let mut pair = orderly();
    let receipts = say_numbers(&mut pair, "a", 1..3);
    let frames = pair.frames();
    let head = receipts[0].message_id().unwrap();
    limit(&mut pair, &frames[0], 1_000, "");
    limit(&mut pair, &frames[1], 1_000, &format!(r#","behind":"{head}""#));
    assert_eq!(pair.frames(), [""; 0]);
}

#[test]
fn a_full_queue_behind_a_limit_is_overloaded_and_writable_again() {
    let mut namespace = chat_config();
    namespace.queue.capacity = 2;
    let mut pair = Pair::with(config(), namespace);
    pair.connect();
    pair.server(ORDERLY);
    let receipts = say_numbers(&mut pair, "a", 1..4);
    assert_eq!(error_of(&receipts[2]), Error::Overloaded);
    for frame in pair.frames() {
        limit(&mut pair, &frame, 1_000, "");
    }
    assert!(!pair.core.is_writable(pair.socket));
    wait(&mut pair, secs(1));
    let frame = pair.frames().remove(0);
    ok(&mut pair, &frame);
    assert!(pair.core.is_writable(pair.socket));
    assert_eq!(names(&receipts[..2]), ["delivered", "none"]);
}

#[test]
fn a_leave_that_is_limited_comes_again_behind_what_was_sent_before_it() {
    let mut pair = in_room("tea");
    pair.server(ORDERLY);
    let message = say_to_room(&mut pair, "tea");
    let left = pair.core.leave_room(pair.now, pair.socket, "tea");
    pair.drain();
    for frame in pair.frames() {
        limit(&mut pair, &frame, 1_000, "");
    }
    assert_eq!(names(&[message, left]), ["none"; 2]);
    wait(&mut pair, secs(1));
    for event in ["group_message", "leave_room"] {
        let frames = pair.frames();
        assert!(frames.len() == 1 && frames[0].contains(event), "{frames:?}");
        ok(&mut pair, &frames[0]);
    }
    reconnect(&mut pair);
    assert_eq!(pair.frames(), [""; 0], "the room is left");
}

#[test]
fn a_room_whose_rejoin_is_limited_is_asked_for_again_then() {
    let mut pair = in_room("tea");
    reconnect(&mut pair);
    let join = pair.frames().remove(0);
    let message = say_to_room(&mut pair, "tea");
    limit(&mut pair, &join, 3_000, "");
    assert_eq!(pair.state(), crate::State::Connected);
    assert_eq!(pair.frames(), [""; 0], "its messages wait");
    wait(&mut pair, secs(3));
    let join = pair.frames().remove(0);
    assert!(join.contains("join_room"), "{join}");
    ok(&mut pair, &join);
    let sent = pair.frames().remove(0);
    ok(&mut pair, &sent);
    assert_eq!(names(&[message]), ["delivered"]);
}

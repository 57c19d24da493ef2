//! Interleavings that a reviewer found: each was a defect once.

use super::pair::*;
use crate::config::Overflow;
use crate::core::{AuthSource, Emission, EmitOptions, NamespaceConfig};
use crate::error::Error;
use crate::receipt::Receipt;
use crate::state::State;

/// What was written, and what follows when the server agrees to the first of it.
fn agreed(pair: &mut Pair) -> Vec<String> {
    let mut frames = pair.frames();
    ok(pair, &frames[0].clone());
    frames.extend(pair.frames());
    frames
}

#[test]
fn a_join_while_rooms_are_joined_again_does_not_block_connected() {
    let mut pair = in_room("a");
    reconnect(&mut pair);
    let join = pair.frames().remove(0);
    let _b = pair.core.join_room(pair.now, pair.socket, "b", None);
    pair.drain();
    ok(&mut pair, &join);
    let join = pair.frames().remove(0);
    assert!(join.contains(r#""roomId":"b""#), "{join}");
    assert_eq!(pair.state(), State::Connecting);
    ok(&mut pair, &join);
    assert_eq!(pair.state(), State::Connected);
}

#[test]
fn a_leave_while_rooms_are_joined_again_is_told_to_the_server() {
    let mut pair = in_room("a");
    reconnect(&mut pair);
    let join = pair.frames().remove(0);
    let _l = pair.core.leave_room(pair.now, pair.socket, "a");
    pair.drain();
    ok(&mut pair, &join);
    for _ in 0..10 {
        pair.server("2");
        pair.sleep(secs(10));
    }
    let frames = pair.frames();
    assert!(
        frames.iter().any(|f| f.contains("leave_room")),
        "{frames:?} {:?}",
        pair.state()
    );
}

#[test]
fn leave_then_join_go_out_in_that_order() {
    let mut pair = in_room("a");
    let _l = pair.core.leave_room(pair.now, pair.socket, "a");
    let _j = pair.core.join_room(pair.now, pair.socket, "a", None);
    pair.drain();
    let frames = agreed(&mut pair);
    let last = frames.iter().rev().find(|frame| frame.contains("_room")).unwrap();
    assert!(last.contains("join_room"), "{frames:#?}");
}

#[test]
fn a_leave_that_is_sent_again_does_not_undo_a_later_join() {
    let mut pair = in_room("a");
    let _l = pair.core.leave_room(pair.now, pair.socket, "a");
    pair.drain();
    pair.frames();
    pair.cut();
    let _j = pair.core.join_room(pair.now, pair.socket, "a", None);
    pair.sleep(secs(5));
    pair.open();
    pair.frames();
    pair.server(CONNECT);
    let frames = agreed(&mut pair);
    let last = frames.iter().rev().find(|frame| frame.contains("_room")).unwrap();
    assert!(last.contains("join_room"), "{frames:#?}");
}

#[test]
fn a_namespace_told_to_wait_does_not_hold_up_the_others_redial() {
    let mut pair = Pair::connected();
    let news = pair.core.add_socket(NamespaceConfig::new("/news"));
    pair.core.connect(pair.now, news);
    pair.drain();
    pair.server(r#"44/news,{"message":"busy","data":{"retryAfterMs":300000}}"#);
    pair.cut();
    assert_eq!(pair.state(), State::Waiting { retry_in: secs(1) });
}

#[test]
fn a_dial_that_hangs_is_given_up_even_if_another_sockets_provider_failed() {
    let mut auth = NamespaceConfig::new("/news");
    auth.auth = AuthSource::Provider;
    let mut pair = Pair::new();
    let news = pair.core.add_socket(auth);
    pair.core.connect(pair.now, pair.socket);
    pair.core.connect(pair.now, news);
    pair.drain();
    let (socket, turn) = pair.auths[0];
    pair.core.handle_auth(pair.now, socket, turn, Err("no".into()));
    pair.drain();
    pair.wake.expect("awake");
    let links = pair.started.len();
    pair.sleep(secs(60));
    assert!(
        pair.started.len() > links,
        "{:?} {:?}",
        pair.state(),
        pair.core.state(news)
    );
}

#[test]
fn writable_is_told_when_answers_make_room() {
    let mut namespace = chat_config();
    namespace.queue.capacity = 1;
    let mut pair = Pair::with(config(), namespace);
    pair.connect();
    pair.server(GREETING);
    let _r = pair.emit("m", "[{}]", EmitOptions::new().reliable());
    pair.drain();
    assert!(!pair.core.is_writable(pair.socket));
    pair.drain();
    pair.server(r#"430[{"ok":true}]"#);
    assert!(pair.log.iter().any(|line| line.starts_with("Writable")));
}

#[test]
fn writable_is_told_when_the_client_is_closed_or_cleared() {
    let mut namespace = NamespaceConfig::new("/");
    namespace.queue.capacity = 1;
    namespace.queue.overflow = Overflow::Reject;
    let mut pair = Pair::with(config(), namespace);
    let _r = pair.emit("m", "[{}]", EmitOptions::new());
    assert!(!pair.core.is_writable(pair.socket));
    pair.core.clear(pair.now, pair.socket);
    pair.core.close(pair.now);
    pair.drain();
    assert!(pair.log.iter().any(|line| line.starts_with("Writable")));
}

#[test]
fn rooms_receipts_after_close_resolve() {
    let mut pair = Pair::chat();
    pair.core.close(pair.now);
    pair.drain();
    let join = pair.core.join_room(pair.now, pair.socket, "a", None);
    let leave = pair.core.leave_room(pair.now, pair.socket, "a");
    pair.drain();
    assert_eq!(names(&[join, leave]), ["rejected", "rejected"]);
}

#[test]
fn a_join_that_nobody_answers_has_an_outcome() {
    let mut pair = Pair::chat();
    pair.connect();
    pair.server(r#"42["connection_status",{"connected":true}]"#);
    let join = pair.core.join_room(pair.now, pair.socket, "a", None);
    pair.drain();
    for _ in 0..30 {
        pair.server("2");
        pair.event(pair.link(), crate::core::LinkEvent::Pong);
        pair.sleep(secs(1));
    }
    assert_eq!(pair.state(), State::Connected);
    assert_ne!(names(&[join]), ["none"]);
}

#[test]
fn a_password_is_never_stored() {
    let mut config = config();
    config.stored = true;
    let mut pair = Pair::with(config, chat_config());
    let emission = Emission::of_object(
        "create_room",
        br#"{"name":"n","password":"hunter2"}"#,
        EmitOptions::new().reliable(),
    );
    let _r = pair
        .core
        .create_room(pair.now, pair.socket, emission, Some("hunter2".into()));
    pair.drain();
    let text = format!("{:?}", pair.transactions);
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn what_the_store_failed_to_keep_is_not_accepted_later() {
    let mut config = config();
    config.stored = true;
    let mut pair = Pair::with(config, chat_config());
    let first = pair.emit("m", "[{}]", EmitOptions::new().reliable());
    pair.drain();
    pair.core
        .handle_store_error(pair.now, pair.turn, &Error::Store("disk full".into()));
    pair.drain();
    let second = pair.emit("m", "[{}]", EmitOptions::new().reliable());
    pair.drain();
    pair.core.handle_stored(pair.now, pair.turn);
    pair.drain();
    let accepted = |r: &Receipt| futures::FutureExt::now_or_never(r.accepted());
    assert_eq!(accepted(&second), Some(Ok(())));
    assert_ne!(accepted(&first), Some(Ok(())));
}

#[test]
fn what_was_written_at_most_once_cannot_be_cancelled() {
    let mut pair = greeted();
    let asked = pair.emit("q", "[]", EmitOptions::new().ack());
    pair.drain();
    assert!(!pair.core.cancel(pair.now, pair.socket, asked.id()));
}

#[test]
fn a_slow_uplink_is_not_taken_for_a_dead_link() {
    let mut pair = greeted();
    pair.writes = false;
    let r = pair.emit("m", r#"[{"big":1}]"#, EmitOptions::new().reliable());
    pair.drain();
    for _ in 0..15 {
        pair.sleep(secs(1));
        pair.server("2");
    }
    assert_eq!(pair.state(), State::Connected, "{:?}", r.outcome());
}

#[test]
fn the_ack_timeout_runs_from_when_it_is_written() {
    let mut pair = Pair::connected();
    pair.writes = false;
    let r = pair.emit("m", "[]", EmitOptions::new().timeout(secs(3)));
    pair.drain();
    pair.sleep(secs(4));
    assert_eq!(r.outcome(), None);
}

#[test]
fn the_longest_times_do_not_panic() {
    for options in [
        EmitOptions::new().timeout(std::time::Duration::MAX),
        EmitOptions::new().ttl(std::time::Duration::MAX),
    ] {
        let caught = std::panic::catch_unwind(|| {
            let mut pair = Pair::connected();
            let _r = pair.emit("m", "[]", options.clone());
            pair.drain();
        });
        assert!(caught.is_ok(), "{options:?}");
    }
}

#[test]
fn a_namespace_that_accepts_and_drops_is_not_hammered() {
    let mut pair = Pair::connected();
    let news = pair.core.add_socket(NamespaceConfig::new("/news"));
    pair.core.connect(pair.now, news);
    pair.drain();
    let mut waits = Vec::new();
    for _ in 0..4 {
        pair.server(r#"40/news,{"sid":"n1"}"#);
        pair.server("41/news,");
        let State::Waiting { retry_in } = pair.core.state(news).0 else {
            panic!()
        };
        waits.push(retry_in.as_secs());
        pair.sleep(retry_in);
    }
    assert_eq!(waits, [1, 2, 4, 5]);
}

#[test]
fn a_message_queued_before_max_payload_was_known_does_not_kill_the_link() {
    let mut pair = Pair::chat();
    let big = pair.emit(
        "m",
        &format!("[{{\"t\":\"{}\"}}]", "x".repeat(1_500_000)),
        EmitOptions::new().reliable(),
    );
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    let mut written = 0;
    for _ in 0..10 {
        pair.open();
        pair.frames();
        pair.server(CONNECT);
        pair.server(GREETING);
        written += usize::from(pair.frames().iter().any(|f| f.len() > 1_000_000));
        pair.cut();
        pair.sleep(secs(5));
    }
    assert!(
        written <= 3 && big.outcome().is_some(),
        "written {written} times, {:?}",
        big.outcome()
    );
}

#[test]
fn pings_that_cannot_be_answered_do_not_pile_up() {
    let mut pair = Pair::connected();
    pair.writes = false;
    let _r = pair.say("m");
    for _ in 0..10_000 {
        pair.server("2");
    }
    pair.frames();
    pair.written();
    pair.drain();
    let n = pair.frames().len();
    assert!(n < 10, "{n} pongs");
}

#[test]
fn max_payload_bounds_the_whole_message() {
    let mut pair = Pair::connected();
    let r = pair.emit("m", &format!("[\"{}\"]", "x".repeat(1_000_000 - 8)), EmitOptions::new());
    pair.drain();
    let longest = pair.frames().iter().map(String::len).max().unwrap_or(0);
    // The `4` of Engine.IO is part of the WebSocket message.
    assert!(longest <= 1_000_000, "{longest} {:?}", r.outcome());
}

#[test]
fn disconnect_before_connect_was_answered_leaves_no_ghost() {
    let mut pair = Pair::connected();
    let news = pair.core.add_socket(NamespaceConfig::new("/news"));
    pair.core.connect(pair.now, news);
    pair.drain();
    pair.core.disconnect(pair.now, news);
    pair.drain();
    pair.frames();
    pair.server(r#"40/news,{"sid":"n1"}"#);
    assert_eq!(pair.frames(), ["41/news,"]);
}

#[test]
fn a_message_sent_to_a_room_before_leaving_it_goes_before_the_leave() {
    let mut pair = in_room("a");
    pair.cut();
    let _m = say_to_room(&mut pair, "a");
    let _l = pair.core.leave_room(pair.now, pair.socket, "a");
    pair.sleep(secs(5));
    pair.open();
    pair.frames();
    pair.server(CONNECT);
    let frames = agreed(&mut pair);
    let at = |what: &str| frames.iter().position(|f| f.contains(what));
    assert!(
        at("group_message") < at("leave_room") && at("group_message").is_some(),
        "{frames:#?}"
    );
}

#[test]
fn an_answer_is_void_after_the_namespace_was_joined_anew_on_the_same_link() {
    let mut pair = Pair::connected();
    let news = pair.core.add_socket(NamespaceConfig::new("/news"));
    pair.core.connect(pair.now, news);
    pair.drain();
    pair.server(r#"40/news,{"sid":"n1"}"#);
    pair.events.clear();
    pair.server(r#"42/news,1["ask"]"#);
    let Some((_, crate::core::Happening::Message { reply_to, .. })) = pair.events.pop_back() else {
        panic!()
    };
    pair.server("41/news,");
    pair.sleep(secs(1));
    pair.server(r#"40/news,{"sid":"n2"}"#);
    let late = pair
        .core
        .reply(pair.now, news, *reply_to.unwrap(), crate::payload::RawArgs::json("[]"));
    assert_eq!(late, Err(Error::LinkLost));
}

#[test]
fn debug_output_has_no_secret() {
    let mut namespace = chat_config();
    namespace.auth = AuthSource::Value(r#"{"token":"hunter2"}"#.into());
    let mut config = config();
    config.query = "key=hunter2".into();
    let mut pair = Pair::with(config, namespace);
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.open();
    assert!(!pair.log.join("\n").contains("hunter2"), "{:#?}", pair.log);
    assert!(!format!("{:?}", pair.core).contains("hunter2"));
}

#[test]
fn closing_says_closed() {
    let mut pair = Pair::connected();
    let asked = pair.emit("q", "[]", EmitOptions::new().ack());
    pair.drain();
    pair.core.close(pair.now);
    pair.drain();
    assert_eq!(error_of(&asked), Error::Closed);
}

#[test]
fn answers_are_bounded() {
    let mut pair = Pair::connected();
    pair.writes = false;
    let _r = pair.say("m");
    for n in 0..10_000 {
        pair.server(&format!(r#"42{n}["ask"]"#));
        let Some((_, crate::core::Happening::Message { reply_to, .. })) = pair.events.pop_back() else {
            panic!()
        };
        let big = format!("[\"{}\"]", "x".repeat(1000));
        if pair
            .core
            .reply(
                pair.now,
                pair.socket,
                *reply_to.unwrap(),
                crate::payload::RawArgs::json(big),
            )
            .is_err()
        {
            return;
        }
    }
    panic!("10 MB of answers wait, though `outgoing` is 1 MiB");
}

#[test]
fn typists_are_bounded() {
    let mut pair = greeted();
    for n in 0..20_000 {
        pair.server(&format!(r#"42["typing_start",{{"userId":"u{n}","username":"B"}}]"#));
    }
    pair.events.clear();
    pair.cut();
    let stops = pair.heard().len();
    assert!(stops <= 2_000, "{stops} typists were kept");
}

#[test]
fn a_retry_after_is_kept_when_the_link_is_lost() {
    let mut pair = Pair::connected();
    let news = pair.core.add_socket(NamespaceConfig::new("/news"));
    pair.core.connect(pair.now, news);
    pair.drain();
    pair.server(r#"44/news,{"message":"busy","data":{"retryAfterMs":60000}}"#);
    pair.frames();
    pair.cut();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.open();
    let frames = pair.frames();
    assert_eq!(frames, ["40"], "the other namespace was told to wait a minute");
}

#[test]
fn answered_acks_leave_nothing_behind_one_that_is_not() {
    let mut pair = Pair::connected();
    let _slow = pair.emit("slow", "[]", EmitOptions::new().timeout(secs(86_400)));
    pair.drain();
    for n in 1..5_000 {
        let _r = pair.emit("q", "[]", EmitOptions::new().ack());
        pair.drain();
        pair.server(&format!("43{n}[]"));
    }
    let kept = format!("{:?}", pair.core).matches(", None)").count();
    assert!(kept < 1_000, "{kept} tombstones");
}

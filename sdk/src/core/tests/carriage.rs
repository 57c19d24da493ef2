//! What random histories over every kind of link found: each was a defect once.

use super::pair::*;
use super::transports::{polled, polling, post, posted};
use crate::core::{AuthSource, EmitOptions, LinkEvent, Response};
use crate::payload::RawArgs;
use crate::state::{Hint, State};

#[test]
fn the_answer_to_a_probe_may_come_before_the_post_that_asked_is_over() {
    let mut pair = polling();
    pair.core.hint(pair.now, Hint::Foreground);
    pair.drain();
    assert_eq!(post(&pair).unwrap().1, "40/rejoin-probe,");
    polled(&mut pair, r#"44/rejoin-probe,{"message":"Invalid namespace"}"#);
    posted(&mut pair);
    pair.sleep(secs(10));
    assert_eq!(pair.state(), State::Connected, "nothing is left to wait for");
}

#[test]
fn a_leave_without_an_answer_waits_for_the_probe_with_the_messages_before_it() {
    let mut pair = in_room("a");
    let message = say_to_room(&mut pair, "a");
    let left = pair.core.leave_room(pair.now, pair.socket, "a");
    pair.drain();
    pair.sleep(secs(10));
    pair.frames();
    reconnect(&mut pair);
    let join = pair.frames().remove(0);
    assert!(join.contains("join_room"), "the room is entered once more: {join}");
    ok(&mut pair, &join);
    let frames = pair.frames();
    assert!(
        frames[0].contains("group_message") && frames[1].contains("leave_room"),
        "{frames:?}"
    );
    for frame in &frames {
        ok(&mut pair, frame);
    }
    assert_eq!(names(&[message, left]), ["delivered", "delivered"]);
}

/// All that there is to write is written, batch after batch.
fn write_on(pair: &mut Pair) {
    for _ in 0..3 {
        pair.write_all();
        pair.drain();
    }
}

#[test]
fn closing_after_a_disconnect_does_not_cut_off_its_last_words() {
    let ends: [fn(&mut Pair); 2] = [|pair| pair.core.close(pair.now), |pair| pair.core.forget(pair.now)];
    for end in ends {
        let mut pair = Pair::connected();
        pair.writes = false;
        let receipt = pair.say("last");
        pair.core.disconnect(pair.now, pair.socket);
        pair.drain();
        end(&mut pair);
        pair.drain();
        assert!(pair.stopped.is_empty(), "it still writes");
        write_on(&mut pair);
        assert_eq!(names(&[receipt]), ["sent"]);
        pair.event(pair.link(), LinkEvent::Pong);
        write_on(&mut pair);
        assert_eq!(pair.frames().last().unwrap(), "41");
        assert_eq!((pair.stopped.len(), pair.wake), (1, None));
    }
}

#[test]
fn a_time_that_the_server_gave_is_over_once_it_takes_the_client() {
    let mut pair = Pair::new();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    let response = Response {
        status: 503,
        retry_after: Some(secs(300)),
        body: bytes::Bytes::new(),
    };
    pair.event(pair.link(), LinkEvent::Response(response));
    pair.connect();
    pair.cut();
    pair.core.hint(pair.now, Hint::Online);
    pair.drain();
    assert_eq!(pair.state(), State::Connecting);
}

#[test]
fn a_deadline_counts_also_for_an_input_that_comes_before_the_next_drain() {
    let mut pair = Pair::connected();
    pair.sleep(secs(10));
    pair.core.hint(pair.now, Hint::Foreground);
    pair.jump(pair.now.mono + secs(3));
    pair.core.handle_link(pair.now, pair.link(), LinkEvent::Pong);
    assert_ne!(pair.state(), State::Connected, "the answer comes too late");
}

#[test]
fn no_secret_shows_in_the_debug_output_of_a_session_on_polling() {
    let mut pair = polling();
    let reply = |pair: &mut Pair, ack: u64| {
        polled(pair, &format!(r#"42{ack}["hunter2"]"#));
        let heard = pair.events.drain(..).find_map(|(_, happening)| match happening {
            crate::core::Happening::Message { reply_to, .. } => reply_to,
            _ => None,
        });
        let args = RawArgs::json(r#"["hunter2"]"#);
        pair.core.reply(pair.now, pair.socket, *heard.unwrap(), args).unwrap();
    };
    for n in 0..8 {
        let _receipt = pair.emit(
            "hunter2",
            &format!(r#"["hunter2 hunter2 hunter2",{n}]"#),
            EmitOptions::new(),
        );
    }
    reply(&mut pair, 1);
    pair.drain();
    posted(&mut pair);
    reply(&mut pair, 2);
    let auth = AuthSource::Value(r#"{"token":"hunter2"}"#.to_owned());
    pair.core.sockets[0].config.auth = auth;
    let text = format!("{:?}", pair.core);
    assert!(
        text.contains("bodies") && !text.contains("hunter2") && !text.contains("\"e1\""),
        "{text}"
    );
    let written = pair.log.join("\n");
    assert!(
        !written
            .lines()
            .any(|line| line.starts_with("St") && line.contains("hunter2"))
    );
}

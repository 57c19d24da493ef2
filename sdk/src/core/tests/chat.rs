//! Rooms and typing.

use super::pair::*;
use crate::core::{Emission, EmitOptions, Target};
use crate::error::Error;
use crate::state::State;

#[test]
fn rooms_are_joined_again_and_confirmed_before_the_queue_is_flushed() {
    let mut pair = greeted();
    let joined = pair.core.join_room(pair.now, pair.socket, "general", Some("pw".into()));
    pair.drain();
    let frame = pair.frames().remove(0);
    assert!(
        frame.contains(r#""join_room""#) && frame.contains(r#""password":"pw""#),
        "{frame}"
    );
    pair.server(&format!(r#"43{}[{{"ok":true}}]"#, ack_id(&frame)));
    assert_eq!(names(&[joined]), ["delivered"]);

    reconnect(&mut pair);
    let queued = say_to_room(&mut pair, "general");
    let frames = pair.frames();
    assert_eq!(frames.len(), 1);
    assert!(frames[0].contains("join_room") && frames[0].contains(r#""password":"pw""#));
    assert_eq!(pair.state(), State::Connecting);
    pair.server(&format!(r#"43{}[{{"ok":true}}]"#, ack_id(&frames[0])));
    let frames = pair.frames();
    assert!(frames[0].contains("group_message"));
    assert_eq!((pair.state(), queued.outcome()), (State::Connected, None));
}

#[test]
fn a_refused_rejoin_rejects_that_rooms_messages_only_and_is_told_once() {
    let mut pair = greeted();
    let _a = pair.core.join_room(pair.now, pair.socket, "a", None);
    let _b = pair.core.join_room(pair.now, pair.socket, "b", None);
    pair.drain();
    reconnect(&mut pair);
    let to_a = say_to_room(&mut pair, "a");
    let to_b = say_to_room(&mut pair, "b");
    pair.events.clear();
    let frames = pair.frames();
    let refusal = r#"{"ok":false,"error":{"code":"not_found","message":"gone"}}"#;
    pair.server(r#"42["join_room_failed",{"roomId":"a","reason":"not_found"}]"#);
    pair.server(&format!("43{}[{refusal}]", ack_id(&frames[0])));
    pair.server(&format!(r#"43{}[{{"ok":true}}]"#, ack_id(&frames[1])));
    assert_eq!(error_of(&to_a).code(), 4006);
    assert_eq!(names(&[to_b]), ["none"]);
    let told: Vec<String> = pair
        .heard()
        .into_iter()
        .filter(|event| event.starts_with("join_room_failed"))
        .collect();
    assert_eq!(told, [r#"join_room_failed [{"roomId":"a","reason":"not_found"}]"#]);
    assert_eq!(pair.state(), State::Connected);
    reconnect(&mut pair);
    assert_eq!(pair.frames().len(), 1, "a refused room is not asked for again");
}

#[test]
fn a_room_that_does_not_answer_holds_up_its_own_lane_only() {
    let mut pair = greeted();
    let _a = pair.core.join_room(pair.now, pair.socket, "a", None);
    pair.drain();
    reconnect(&mut pair);
    let _held = say_to_room(&mut pair, "a");
    let _free = say_to_room(&mut pair, "b");
    let join = pair.frames().remove(0);
    pair.sleep(secs(5));
    assert_eq!(pair.state(), State::Connected);
    let frames = pair.frames();
    assert_eq!(frames.len(), 1);
    assert!(frames[0].contains(r#""roomId":"b""#));
    assert!(
        pair.heard()
            .iter()
            .any(|event| event == r#"join_room_failed [{"roomId":"a","reason":"timeout"}]"#)
    );
    pair.server(&format!(r#"43{}[{{"ok":true}}]"#, ack_id(&join)));
    assert!(
        pair.frames()[0].contains(r#""roomId":"a""#),
        "an answer that comes late still counts"
    );
}

#[test]
fn a_server_that_confirms_nothing_gets_its_messages_all_the_same() {
    let mut pair = Pair::chat();
    pair.connect();
    pair.server(r#"42["connection_status",{"connected":true}]"#);
    let _join = pair.core.join_room(pair.now, pair.socket, "a", None);
    pair.drain();
    let _said = say_to_room(&mut pair, "a");
    assert_eq!(pair.frames().len(), 1);
    pair.sleep(secs(5));
    assert!(pair.frames().iter().any(|frame| frame.contains("group_message")));
}

#[test]
fn a_room_that_was_left_is_not_joined_again_and_one_left_offline_is_left_on_return() {
    let mut pair = greeted();
    let _join = pair.core.join_room(pair.now, pair.socket, "a", None);
    pair.drain();
    pair.cut();
    let left = pair.core.leave_room(pair.now, pair.socket, "a");
    pair.sleep(secs(1));
    pair.open();
    pair.frames();
    pair.server(CONNECT);
    let frames = pair.frames();
    assert_eq!(frames.len(), 1, "{frames:?}");
    assert!(frames[0].contains("leave_room"));
    pair.server(&format!(r#"43{}[{{"ok":true}}]"#, ack_id(&frames[0])));
    assert_eq!(names(&[left]), ["delivered"]);
}

#[test]
fn a_room_wanted_while_offline_is_joined_on_connect() {
    let mut pair = Pair::chat();
    let receipt = pair.core.join_room(pair.now, pair.socket, "a", None);
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.open();
    pair.server(CONNECT);
    assert!(pair.frames()[1].contains("join_room"));
    pair.server(r#"42["room_joined",{"room":"a","members":[]}]"#);
    assert_eq!(names(&[receipt]), ["delivered"]);
}

#[test]
fn whoever_creates_a_room_is_in_it_and_joins_it_again_with_its_password() {
    let mut pair = greeted();
    let emission = Emission::of_object("create_room", br#"{"name":"n"}"#, EmitOptions::new().reliable());
    let _receipt = pair
        .core
        .create_room(pair.now, pair.socket, emission, Some("pw".into()));
    pair.drain();
    let id = ack_id(&pair.frames()[0]);
    pair.server(&format!(r#"43{id}[{{"ok":true,"id":"r7"}}]"#));
    reconnect(&mut pair);
    let frame = pair.frames().remove(0);
    assert!(
        frame.contains(r#""roomId":"r7""#) && frame.contains(r#""password":"pw""#),
        "{frame}"
    );
}

#[test]
fn typing_starts_once_refreshes_every_two_seconds_and_stops_by_itself_after_three() {
    let mut pair = greeted();
    let user = Target::user("u2");
    let start = r#"42["typing_start",{"type":"private","recipientId":"u2"}]"#;
    let stop = r#"42["typing_stop",{"type":"private","recipientId":"u2"}]"#;
    for _ in 0..5 {
        pair.core.start_typing(pair.now, pair.socket, user.clone());
        pair.drain();
        pair.sleep(millis(300));
    }
    assert_eq!(pair.frames(), [start]);
    pair.sleep(millis(600));
    pair.core.start_typing(pair.now, pair.socket, user.clone());
    pair.drain();
    assert_eq!(pair.frames(), [start]);
    pair.sleep(millis(2999));
    assert!(pair.frames().is_empty());
    pair.sleep(millis(1));
    assert_eq!(pair.frames(), [stop]);
    pair.core.stop_typing(pair.now, pair.socket, &user);
    pair.sleep(secs(60));
    assert!(pair.frames().is_empty(), "one stop for one start");
}

#[test]
fn typing_is_never_queued_and_ends_with_the_link() {
    let mut pair = greeted();
    pair.core.start_typing(pair.now, pair.socket, Target::room("r"));
    pair.drain();
    pair.cut();
    pair.core.start_typing(pair.now, pair.socket, Target::room("r"));
    pair.drain();
    pair.sleep(secs(1));
    pair.open();
    pair.frames();
    pair.server(CONNECT);
    pair.sleep(secs(10));
    assert!(pair.frames().is_empty());
}

#[test]
fn somebody_elses_typing_stops_exactly_once_however_it_ends() {
    let start = r#"42["typing_start",{"userId":"u2","username":"B","roomId":"r"}]"#;
    let stop = r#"typing_stop [{"userId":"u2","roomId":"r"}]"#;
    let server_stop = r#"42["typing_stop",{"userId":"u2","roomId":"r"}]"#;
    type Ending = fn(&mut Pair);
    let endings: [Ending; 5] = [
        |pair| pair.server(r#"42["typing_stop",{"userId":"u2","roomId":"r"}]"#),
        |pair| {
            pair.server(
                r#"42["group_message",{"id":"1","room":"r","sender":{"id":"u2"},"content":"c","timestamp":"t"}]"#,
            );
        },
        |pair| pair.server(r#"42["user_left_room",{"roomId":"r","user":{"id":"u2"}}]"#),
        |pair| pair.sleep(secs(6)),
        Pair::cut,
    ];
    for (index, ending) in endings.into_iter().enumerate() {
        let mut pair = greeted();
        pair.server(start);
        pair.sleep(secs(1));
        assert_eq!(pair.heard().len(), 1);
        ending(&mut pair);
        if index != 4 {
            pair.server(server_stop);
        }
        pair.sleep(millis(500));
        let stops: Vec<String> = pair
            .heard()
            .into_iter()
            .filter(|event| event.starts_with("typing_stop"))
            .collect();
        assert_eq!(stops, [stop], "ending {index}");
    }
}

#[test]
fn an_expired_typist_is_cleared_six_seconds_after_the_last_start() {
    let mut pair = greeted();
    let start = r#"42["typing_start",{"userId":"u2","username":"B"}]"#;
    pair.server(start);
    pair.sleep(secs(4));
    pair.server(start);
    pair.sleep(millis(5999));
    assert!(pair.heard().iter().all(|event| event.starts_with("typing_start")));
    pair.sleep(millis(1));
    assert_eq!(pair.heard(), [r#"typing_stop [{"userId":"u2"}]"#]);
}

#[test]
fn closing_ends_joins_that_wait() {
    let mut pair = Pair::chat();
    let join = pair.core.join_room(pair.now, pair.socket, "a", None);
    let leave = pair.core.leave_room(pair.now, pair.socket, "b");
    pair.core.close(pair.now);
    pair.drain();
    assert_eq!(error_of(&join), Error::Closed);
    assert_eq!(error_of(&leave), Error::Closed);
}

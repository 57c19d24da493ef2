//! Joining, rooms, and what a server can do to one socket.

use super::*;

#[test]
fn rooms_are_asked_for_before_what_waits_in_the_queue() {
    let mut pair = greeted();
    pair.writes = false;
    let _flying = pair.say("a");
    let _waiting = pair.say("b");
    let _join = pair.core.join_room(pair.now, pair.socket, "r", None);
    pair.drain();
    pair.written();
    pair.drain();
    let frames = pair.frames();
    assert!(
        frames[1].contains("join_room") && frames[2].contains(r#"["b"]"#),
        "{frames:?}"
    );
}

#[test]
fn a_full_queue_drops_neither_what_was_written_nor_a_leave() {
    let mut namespace = chat_config();
    namespace.queue.capacity = 1;
    let mut pair = greeted_with(config(), namespace);
    let written = reliable(&mut pair, EmitOptions::new());
    pair.cut();
    let newest = pair.say("m");
    assert_eq!(names(&[written, newest]), ["none", "rejected"]);

    let mut namespace = chat_config();
    namespace.queue.capacity = 1;
    let mut pair = Pair::with(config(), namespace);
    let leave = pair.core.leave_room(pair.now, pair.socket, "a");
    let said = ["b", "c"].map(|event| pair.say(event));
    assert_eq!(names(&[leave]), ["none"]);
    assert_eq!(names(&said), ["dropped", "none"]);
}

#[test]
fn what_is_sent_at_most_once_leaves_the_store_when_it_is_written() {
    let mut namespace = chat_config();
    namespace.delivery = Delivery::AtMostOnce;
    let mut pair = Pair::with(stored(), namespace);
    let receipt = reliable(&mut pair, EmitOptions::new());
    pair.connect();
    assert_eq!(pair.transactions.last().unwrap().remove, [receipt.id()]);
}

#[test]
fn leaving_a_room_stops_typing_in_it() {
    let mut pair = greeted();
    pair.core.start_typing(pair.now, pair.socket, Target::room("r"));
    pair.drain();
    pair.frames();
    let _leave = pair.core.leave_room(pair.now, pair.socket, "r");
    pair.drain();
    assert!(pair.frames()[0].contains("typing_stop"));
}

#[test]
fn a_second_join_shares_the_answer_to_the_first() {
    let mut pair = greeted();
    let joins = [0, 1].map(|_| {
        let join = pair.core.join_room(pair.now, pair.socket, "a", None);
        pair.drain();
        join
    });
    assert_eq!(pair.frames().len(), 1);
    pair.server(r#"430[{"ok":true}]"#);
    assert_eq!(names(&joins), ["delivered"; 2]);
}

#[test]
fn a_retry_after_is_capped_and_spread() {
    let waits = [1, 2].map(|seed| {
        let mut config = config();
        config.seed = seed;
        let mut pair = Pair::with(config, NamespaceConfig::new("/"));
        pair.core.connect(pair.now, pair.socket);
        pair.drain();
        pair.open();
        pair.server(r#"44{"message":"busy","data":{"retryAfterMs":86400000}}"#);
        match pair.state() {
            State::Waiting { retry_in } => retry_in,
            other => panic!("{other:?}"),
        }
    });
    assert!(
        waits.iter().all(|wait| (secs(300)..=secs(305)).contains(wait)),
        "{waits:?}"
    );
    assert_ne!(waits[0], waits[1], "not all come back in the same instant");
}

#[test]
fn events_of_a_namespace_that_the_user_left_are_not_heard() {
    let mut pair = Pair::connected();
    let news = with_news(&mut pair);
    pair.core.disconnect(pair.now, news);
    pair.drain();
    pair.server(r#"42/news,["ghost"]"#);
    assert!(pair.heard().is_empty());
}

#[test]
fn a_namespace_that_the_server_ends_accounts_for_what_was_written_to_it() {
    let mut pair = Pair::connected();
    let news = with_news(&mut pair);
    let emission = Emission::new("q", RawArgs::json("[]"), EmitOptions::new().ack()).unwrap();
    let asked = pair.core.emit(pair.now, news, emission);
    pair.drain();
    pair.server("41/news,");
    assert_eq!(error_of(&asked), Error::LinkLost);
    assert_eq!(pair.state(), State::Connected);
}

#[test]
fn an_answer_that_the_server_would_close_the_link_for_is_refused() {
    let mut pair = Pair::connected();
    let to = asked(&mut pair);
    let large = RawArgs::json(format!("[\"{}\"]", "x".repeat(1_000_000)));
    let many = RawArgs {
        json: "[]".into(),
        attachments: vec![Bytes::new(); 11],
    };
    for args in [large, many] {
        let refused = pair.core.reply(pair.now, pair.socket, to, args);
        assert_eq!(refused.map_err(|error| error.code()), Err(1003));
    }
}

#[test]
fn credentials_without_tls_are_warned_of_once_and_not_for_this_machine() {
    for (host, warnings) in [("http://chat.example.com", 1), ("http://127.0.0.1:3000", 0)] {
        let mut config = config();
        config.endpoint = Endpoint::parse(host).unwrap();
        let mut namespace = NamespaceConfig::new("/");
        namespace.auth = AuthSource::Value("{}".into());
        let mut pair = Pair::with(config, namespace);
        for _ in 0..2 {
            pair.core.connect(pair.now, pair.socket);
            pair.core.disconnect(pair.now, pair.socket);
        }
        pair.drain();
        let told = pair.notices();
        assert!(told.iter().all(|notice| matches!(notice, Notice::Warning(_))));
        assert_eq!(told.len(), warnings, "{host}");
    }
}

#[test]
fn a_room_whose_leave_was_written_behind_its_messages_is_not_joined_again() {
    let mut pair = greeted();
    let _join = pair.core.join_room(pair.now, pair.socket, "a", None);
    pair.drain();
    pair.server(r#"430[{"ok":true}]"#);
    pair.writes = false;
    let _flying = pair.say("x");
    let options = EmitOptions::new().lane(room_lane("a"));
    let emission = Emission::of_object("group_message", br#"{"roomId":"a"}"#, options);
    let _said = pair.core.emit(pair.now, pair.socket, emission);
    let _leave = pair.core.leave_room(pair.now, pair.socket, "a");
    pair.drain();
    pair.write_all();
    pair.drain();
    assert!(pair.frames().last().unwrap().contains("leave_room"));
    pair.cut();
    pair.writes = true;
    pair.sleep(secs(1));
    pair.open();
    pair.server(CONNECT);
    assert!(!pair.frames().iter().any(|frame| frame.contains("join_room")));
    assert_eq!(pair.state(), State::Connected);
}

#[test]
fn an_attachment_larger_than_the_server_takes_is_refused() {
    let mut pair = Pair::connected();
    let args = RawArgs {
        json: r#"[{"_placeholder":true,"num":0}]"#.into(),
        attachments: vec![Bytes::from(vec![0; 1_000_001])],
    };
    let emission = Emission::new("up", args, EmitOptions::new()).unwrap();
    let receipt = pair.core.emit(pair.now, pair.socket, emission);
    assert_eq!(error_of(&receipt).code(), 1003);
}

#[test]
fn joins_and_answers_that_a_dead_link_never_got_are_not_written_to_the_next() {
    let mut pair = greeted();
    pair.writes = false;
    let _flying = pair.say("x");
    let to = asked(&mut pair);
    let _join = pair.core.join_room(pair.now, pair.socket, "a", None);
    pair.core.reply(pair.now, pair.socket, to, RawArgs::json("[]")).unwrap();
    pair.cut();
    pair.writes = true;
    pair.sleep(secs(1));
    pair.open();
    pair.frames();
    pair.server(CONNECT);
    pair.server(r#"42["room_joined",{"room":"a","members":[]}]"#);
    let frames = pair.frames();
    assert_eq!(frames.len(), 1, "{frames:?}");
    assert!(frames[0].contains("join_room"), "{frames:?}");
}

#[test]
fn connect_dials_at_once_also_where_the_server_gave_a_time_and_the_link_is_gone() {
    for cut in [false, true] {
        let mut pair = Pair::new();
        pair.core.connect(pair.now, pair.socket);
        pair.drain();
        pair.open();
        pair.server(r#"44{"message":"busy","data":{"retryAfterMs":60000}}"#);
        if cut {
            pair.cut();
        }
        pair.core.connect(pair.now, pair.socket);
        pair.drain();
        assert_eq!(pair.state(), State::Connecting, "link lost: {cut}");
    }
}

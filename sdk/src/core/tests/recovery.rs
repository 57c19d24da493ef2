//! Connection state recovery, against what npm's server does.

use super::pair::*;
use crate::core::{AuthSource, EmitOptions, Happening, LinkEvent, NamespaceConfig, SocketId};
use crate::state::{Notice, Reason, State};

const P1: &str = r#"40{"sid":"s1","pid":"p1"}"#;
const P2: &str = r#"40{"sid":"s2","pid":"p2"}"#;

/// Connected to a server that can recover, and `["m",1,"o1"]` was heard.
fn recoverable(namespace: NamespaceConfig) -> Pair {
    let mut pair = Pair::with(config(), namespace);
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.open();
    pair.server(P1);
    pair.server(r#"42["m",1,"o1"]"#);
    pair.wire.clear();
    pair.events.clear();
    pair
}

fn plain() -> Pair {
    recoverable(NamespaceConfig::new("/"))
}

/// A chat client on such a server, in room `a`.
fn in_a_room() -> Pair {
    let mut pair = recoverable(chat_config());
    pair.server(GREETING);
    let _join = pair.core.join_room(pair.now, pair.socket, "a", None);
    pair.drain();
    let join = pair.frames().remove(0);
    ok(&mut pair, &join);
    pair.events.clear();
    pair
}

/// The link breaks, and the next one has come as far as sending CONNECT, which is given.
fn cut_and_open(pair: &mut Pair) -> String {
    pair.cut();
    open_next(pair)
}

fn open_next(pair: &mut Pair) -> String {
    pair.sleep(secs(5));
    pair.frames();
    pair.open();
    pair.frames().remove(0)
}

/// Everything that the app was told, in order.
fn told(pair: &mut Pair) -> Vec<String> {
    let told = pair.events.drain(..).filter_map(|(_, happening)| match happening {
        Happening::Message { payload, .. } => Some(payload.to_json()),
        Happening::State(change) => Some(format!("{} {}", change.state.name(), change.recovered)),
        // Says the same as the state.
        Happening::Notice(notice) if matches!(*notice, Notice::Reconnected { .. }) => None,
        Happening::Notice(notice) => Some(notice.name().to_owned()),
    });
    told.collect()
}

#[test]
fn connect_names_session_and_offset_beside_the_credentials() {
    let mut namespace = NamespaceConfig::new("/");
    namespace.auth = AuthSource::Value(r#" { "token":"t"}"#.into());
    let mut pair = recoverable(namespace);
    assert_eq!(cut_and_open(&mut pair), r#"40{"pid":"p1","offset":"o1","token":"t"}"#);
    assert_eq!(cut_and_open(&mut plain()), r#"40{"pid":"p1","offset":"o1"}"#);
    let mut empty = NamespaceConfig::new("/");
    empty.auth = AuthSource::Value("{ }".into());
    assert_eq!(cut_and_open(&mut recoverable(empty)), r#"40{"pid":"p1","offset":"o1"}"#);
}

#[test]
fn a_server_that_names_no_session_is_not_asked_for_one() {
    let mut pair = Pair::connected();
    pair.server(r#"42["m","o1"]"#);
    assert_eq!(cut_and_open(&mut pair), "40");
    pair.server(CONNECT);
    assert!(told(&mut pair).ends_with(&["connected false".to_owned()]));
}

#[test]
fn what_was_missed_is_heard_once_and_before_connected() {
    let mut pair = plain();
    cut_and_open(&mut pair);
    told(&mut pair);
    pair.server(r#"42["m",2,"o2"]"#);
    pair.server(r#"42["m",3,"o3"]"#);
    assert!(told(&mut pair).is_empty(), "not before the server has said whose it is");
    pair.server(P1);
    assert_eq!(told(&mut pair), [r#"[2,"o2"]"#, r#"[3,"o3"]"#, "connected true"]);
    assert!(cut_and_open(&mut pair).contains(r#""offset":"o3""#));
}

#[test]
fn an_event_that_comes_again_with_its_session_is_dropped_and_only_there() {
    let mut pair = plain();
    pair.server(r#"42["say","hello"]"#);
    pair.server(r#"42["say","hello"]"#);
    assert_eq!(pair.heard().len(), 2, "a genuine event that looks like one seen before");
    cut_and_open(&mut pair);
    pair.server(r#"42["m",1,"o1"]"#);
    pair.server(r#"42["m",2,"o2"]"#);
    pair.server(r#"421["ask","o1"]"#);
    pair.server(P1);
    assert_eq!(pair.heard(), [r#"m [2,"o2"]"#, r#"ask ["o1"]"#]);
    pair.server(r#"42["m",1,"o1"]"#);
    assert_eq!(pair.heard(), [r#"m [1,"o1"]"#]);

    let mut pair = plain();
    cut_and_open(&mut pair);
    pair.server(r#"42["m",1,"o1"]"#);
    pair.server(P2);
    assert_eq!(pair.heard(), [r#"m [1,"o1"]"#], "the session is another one");
}

#[test]
fn events_before_connect_that_look_alike_are_both_heard() {
    for connect in [P1, P2] {
        let mut pair = plain();
        cut_and_open(&mut pair);
        pair.server(r#"42["say","hello"]"#);
        pair.server(r#"42["say","hello"]"#);
        pair.server(connect);
        assert_eq!(pair.heard().len(), 2);
    }
}

#[test]
fn what_came_with_a_refusal_is_not_the_next_sessions() {
    let mut namespace = NamespaceConfig::new("/");
    namespace.auth = AuthSource::Provider;
    let mut pair = Pair::with(config(), namespace);
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    for refused in [true, false] {
        let (socket, turn) = *pair.auths.last().unwrap();
        pair.core.handle_auth(pair.now, socket, turn, Ok("{}".into()));
        pair.drain();
        if refused {
            pair.open();
            pair.server(r#"42["for the first"]"#);
            pair.server(r#"44{"message":"expired"}"#);
        }
    }
    pair.server(P1);
    assert_eq!(pair.state(), State::Connected);
    assert!(pair.heard().is_empty());
}

#[test]
fn the_offset_is_a_short_last_string_of_an_event_that_asks_for_nothing() {
    for (frame, offset) in [
        (r#"42["m",{"a":"b"},"o2"]"#.to_owned(), "o2"),
        (r#"42["m","\u006f2" ]"#.to_owned(), "o2"),
        (format!(r#"42["m","{}"]"#, "x".repeat(64)), &"x".repeat(64)),
        (format!(r#"42["m","{}"]"#, "x".repeat(65)), "o1"),
        (r#"42["m","two words"]"#.to_owned(), "o1"),
        (r#"42["m",""]"#.to_owned(), "o1"),
        (r#"42["m"]"#.to_owned(), "o1"),
        (r#"42["m","o2",3]"#.to_owned(), "o1"),
        (r#"427["m","o2"]"#.to_owned(), "o1"),
    ] {
        let mut pair = plain();
        pair.server(&frame);
        assert_eq!(pair.heard().len(), 1, "handlers see it: {frame}");
        let connect = cut_and_open(&mut pair);
        assert_eq!(connect, format!(r#"40{{"pid":"p1","offset":"{offset}"}}"#), "{frame}");
    }
}

#[test]
fn a_changed_session_forgets_the_offset() {
    let mut pair = plain();
    cut_and_open(&mut pair);
    pair.server(P2);
    assert_eq!(told(&mut pair).last().unwrap(), "connected false");
    assert_eq!(cut_and_open(&mut pair), r#"40{"pid":"p2"}"#);
}

#[test]
fn what_was_missed_is_asked_for_again_when_the_link_dies_before_connect() {
    let mut pair = plain();
    cut_and_open(&mut pair);
    pair.server(r#"42["m",2,"o2"]"#);
    assert_eq!(cut_and_open(&mut pair), r#"40{"pid":"p1","offset":"o1"}"#);
    pair.server(r#"42["m",2,"o2"]"#);
    pair.server(P1);
    assert_eq!(pair.heard(), [r#"m [2,"o2"]"#]);
}

#[test]
fn only_so_many_offsets_are_remembered() {
    let mut pair = plain();
    for n in 0..256 {
        pair.server(&format!(r#"42["m","n{n}"]"#));
    }
    pair.heard();
    cut_and_open(&mut pair);
    pair.server(r#"42["m","n0"]"#);
    pair.server(r#"42["m","o1"]"#);
    pair.server(P1);
    assert_eq!(pair.heard(), [r#"m ["o1"]"#]);
}

#[test]
fn more_than_the_limit_before_connect_closes_the_link_and_gives_the_session_up() {
    for (count, closed) in [(256, false), (257, true)] {
        let mut pair = plain();
        cut_and_open(&mut pair);
        for n in 0..count {
            pair.server(&format!(r#"42["m",{n},"n{n}"]"#));
        }
        assert_eq!(pair.stopped.len() == 2, closed, "{count}");
        if closed {
            assert!(matches!(pair.notices()[..], [Notice::Error(_)]));
            assert_eq!(pair.states().last().unwrap().1, Some(Reason::ParseError));
            // It would send the same again.
            assert_eq!(open_next(&mut pair), "40");
        } else {
            pair.server(P1);
            assert_eq!(pair.heard().len(), count);
        }
    }
}

#[test]
fn what_comes_before_connect_is_bounded_in_bytes_too() {
    let mut config = config();
    config.limits.dispatch_bytes = 100;
    let mut pair = Pair::with(config, NamespaceConfig::new("/"));
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.open();
    let large = format!(r#"42["m","{}"]"#, "x".repeat(200));
    pair.server(&large);
    assert!(pair.stopped.is_empty(), "one is always taken");
    pair.server(&large);
    assert_eq!(pair.stopped.len(), 1);
}

#[test]
fn an_event_before_connect_can_be_answered_after_it() {
    let mut pair = plain();
    cut_and_open(&mut pair);
    pair.server(r#"425["ask"]"#);
    pair.server(P1);
    let to = pair.events.iter().find_map(|(_, happening)| match happening {
        Happening::Message { reply_to: Some(to), .. } => Some(**to),
        _ => None,
    });
    let answered = pair
        .core
        .reply(pair.now, pair.socket, to.unwrap(), crate::RawArgs::json("[1]"));
    pair.drain();
    assert_eq!((answered, pair.frames()), (Ok(()), vec!["435[1]".to_owned()]));
}

#[test]
fn rooms_are_not_joined_again_after_a_recovered_session() {
    let mut pair = in_a_room();
    // A whole attempt that fails in between changes nothing.
    cut_and_open(&mut pair);
    cut_and_open(&mut pair);
    let said = say_to_room(&mut pair, "a");
    pair.server(P1);
    let frames = pair.frames();
    assert_eq!(frames.len(), 1, "{frames:?}");
    assert!(frames[0].contains("group_message"), "{frames:?}");
    ok(&mut pair, &frames[0]);
    assert_eq!((names(&[said]), pair.state()), (vec!["delivered"], State::Connected));
}

#[test]
fn rooms_are_joined_again_where_the_old_session_still_lives_and_another_is_given() {
    let mut pair = in_a_room();
    cut_and_open(&mut pair);
    pair.server(P2);
    let frames = pair.frames();
    assert!(frames.len() == 1 && frames[0].contains("join_room"), "{frames:?}");
    assert_eq!(pair.state(), State::Connecting, "the room comes first");
    ok(&mut pair, &frames[0]);
    assert_eq!(told(&mut pair).last().unwrap(), "connected false");
}

#[test]
fn rooms_of_a_session_that_was_replaced_before_they_were_joined_again_are_joined_after_the_next() {
    let mut pair = in_a_room();
    cut_and_open(&mut pair);
    pair.server(P2);
    cut_and_open(&mut pair);
    pair.server(P2);
    let frames = pair.frames();
    assert!(frames.len() == 1 && frames[0].contains("join_room"), "{frames:?}");
}

#[test]
fn wishes_and_leaves_made_meanwhile_are_carried_out_in_a_recovered_session() {
    let mut pair = in_a_room();
    pair.cut();
    let join = pair.core.join_room(pair.now, pair.socket, "b", None);
    let again = pair.core.join_room(pair.now, pair.socket, "a", Some("secret".into()));
    open_next(&mut pair);
    pair.server(P1);
    let frames = pair.frames();
    assert_eq!(frames.len(), 2, "{frames:?}");
    for frame in &frames {
        assert!(frame.contains("join_room"), "{frame}");
        ok(&mut pair, frame);
    }
    assert_eq!(names(&[join, again]), ["delivered"; 2]);

    let leave = pair.core.leave_room(pair.now, pair.socket, "a");
    pair.drain();
    let written = pair.frames().remove(0);
    assert!(written.contains("leave_room"), "{written}");
    let offline = pair.core.leave_room(pair.now, pair.socket, "b");
    cut_and_open(&mut pair);
    pair.server(P1);
    let frames = pair.frames();
    assert_eq!(frames.len(), 2, "{frames:?}");
    for frame in &frames {
        assert!(frame.contains("leave_room"), "{frame}");
        ok(&mut pair, frame);
    }
    assert_eq!(names(&[leave, offline]), ["delivered"; 2]);
}

#[test]
fn a_leave_whose_answer_was_lost_is_not_sent_to_another_session() {
    let mut pair = in_a_room();
    let leave = pair.core.leave_room(pair.now, pair.socket, "a");
    pair.drain();
    cut_and_open(&mut pair);
    assert_eq!(leave.outcome(), None, "the session may be taken up again");
    pair.server(P2);
    assert!(pair.frames().is_empty());
    assert_eq!(names(&[leave]), ["unconfirmed"]);
}

#[test]
fn typing_ends_with_the_link_also_where_the_session_is_recovered() {
    let mut pair = in_a_room();
    pair.server(r#"42["typing_start",{"userId":"u2","username":"B"}]"#);
    pair.heard();
    cut_and_open(&mut pair);
    assert_eq!(pair.heard(), [r#"typing_stop [{"userId":"u2"}]"#]);
    pair.server(P1);
    assert!(pair.heard().is_empty());
}

#[test]
fn who_disconnects_gives_the_session_up() {
    let mut pair = plain();
    pair.core.disconnect(pair.now, pair.socket);
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.frames();
    pair.open();
    assert_eq!(pair.frames(), ["40"]);

    let mut pair = plain();
    pair.cut();
    pair.core.disconnect(pair.now, pair.socket);
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.open();
    assert_eq!(pair.frames(), ["40"], "also where there was no link");
}

/// A second namespace on the link of the first, with a session of its own.
fn with_news(pair: &mut Pair) -> SocketId {
    let news = pair.core.add_socket(NamespaceConfig::new("/news"));
    pair.core.connect(pair.now, news);
    pair.drain();
    pair.server(r#"40/news,{"sid":"n1","pid":"q1"}"#);
    pair.server(r#"42/news,["m","q-o1"]"#);
    pair.frames();
    pair.events.clear();
    news
}

#[test]
fn each_namespace_has_a_session_of_its_own() {
    let mut pair = plain();
    with_news(&mut pair);
    pair.cut();
    pair.sleep(secs(5));
    pair.open();
    assert_eq!(
        pair.frames(),
        [
            r#"40{"pid":"p1","offset":"o1"}"#,
            r#"40/news,{"pid":"q1","offset":"q-o1"}"#
        ]
    );
    pair.server(P1);
    pair.server(r#"40/news,{"sid":"n2","pid":"q2"}"#);
    let recovered: Vec<_> = told(&mut pair)
        .into_iter()
        .filter(|told| told.starts_with("connected"))
        .collect();
    assert_eq!(recovered, ["connected true", "connected false"]);
}

#[test]
fn what_a_session_that_was_left_still_sends_is_not_taken_for_the_next_ones() {
    let mut pair = plain();
    let news = with_news(&mut pair);
    pair.core.disconnect(pair.now, news);
    pair.core.connect(pair.now, news);
    pair.drain();
    assert_eq!(pair.frames(), ["41/news,", "ws ping"]);
    pair.server(r#"42/news,["old"]"#);
    pair.event(pair.link(), LinkEvent::Pong);
    pair.server(r#"42/news,["old"]"#);
    assert_eq!(pair.frames(), ["40/news,"]);
    pair.server(r#"40/news,{"sid":"n2","pid":"q2"}"#);
    pair.server(r#"42/news,["new"]"#);
    assert_eq!(pair.heard(), ["new []"]);
}

#[test]
fn a_session_id_that_cannot_be_kept_is_refused() {
    let mut pair = Pair::new();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.open();
    pair.server(&format!(r#"40{{"sid":"s","pid":"{}"}}"#, "p".repeat(257)));
    assert_eq!(pair.states().last().unwrap().1, Some(Reason::ParseError));
}

#[test]
fn at_least_once_messages_go_again_in_a_recovered_session() {
    let mut pair = recoverable(chat_config());
    pair.server(GREETING);
    let receipt = pair.emit("m", "[{}]", EmitOptions::new().reliable());
    pair.drain();
    let first = pair.frames().remove(0);
    cut_and_open(&mut pair);
    pair.server(P1);
    let again = pair.frames().remove(0);
    assert_eq!(first.split_once('[').unwrap().1, again.split_once('[').unwrap().1);
    ok(&mut pair, &again);
    assert_eq!(names(&[receipt]), ["delivered"]);
}

#[test]
fn neither_session_nor_offset_is_printed() {
    let mut pair = Pair::with(config(), NamespaceConfig::new("/"));
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.open();
    pair.event(
        pair.link(),
        LinkEvent::Text(r#"40{"sid":"s1","pid":"very-private"}"#.into()),
    );
    pair.server(r#"42["m","my-offset"]"#);
    let namespace = format!("{:?}", pair.core.sockets[0].recovery);
    assert!(
        !namespace.contains("very-private") && !namespace.contains("my-offset"),
        "{namespace}"
    );
}

#[test]
fn a_leave_whose_answer_is_lost_twice_is_told_again_to_the_session_that_lives_on() {
    let connect = r#"40{"sid":"s1","pid":"p1"}"#;
    let mut pair = Pair::chat();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.open();
    pair.server(connect);
    pair.server(GREETING);
    let _joined = pair.core.join_room(pair.now, pair.socket, "tea", None);
    pair.drain();
    let join = pair.frames().pop().unwrap();
    ok(&mut pair, &join);
    let left = pair.core.leave_room(pair.now, pair.socket, "tea");
    pair.drain();
    for _ in 0..3 {
        let frames = pair.frames();
        assert!(frames.iter().any(|frame| frame.contains("leave_room")), "{frames:?}");
        pair.cut();
        pair.sleep(secs(5));
        pair.open();
        pair.frames();
        pair.server(connect);
    }
    let leave = pair.frames().pop().unwrap();
    ok(&mut pair, &leave);
    assert_eq!(names(&[left]), ["delivered"]);
}

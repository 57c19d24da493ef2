//! Deadlines, delays and probes.

use super::*;

#[test]
fn connect_after_a_refusal_starts_the_delays_anew() {
    let mut pair = Pair::new();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    for delay in [1, 2, 4] {
        pair.cut();
        pair.sleep(secs(delay));
    }
    pair.open();
    pair.server(r#"44{"message":"no"}"#);
    assert_eq!(pair.state(), State::Failed);
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.cut();
    assert_eq!(pair.state(), State::Waiting { retry_in: secs(1) });
}

#[test]
fn a_delay_that_connect_cut_short_does_not_dial_again_when_it_is_over() {
    let mut pair = Pair::connected();
    pair.cut();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    let links = pair.started.len();
    pair.sleep(secs(2));
    assert_eq!((pair.started.len(), pair.state()), (links, State::Connecting));
}

#[test]
fn a_clock_that_goes_back_brings_no_deadline_forward() {
    let mut pair = Pair::connected();
    pair.sleep(secs(10));
    pair.server("2");
    let now = pair.now.mono;
    pair.now.mono -= secs(50);
    pair.server("2");
    assert_eq!(pair.wake, Some(now + secs(45)));
}

#[test]
fn a_time_to_live_is_over_even_before_the_next_drain() {
    let mut pair = Pair::connected();
    pair.sleep(secs(10));
    pair.writes = false;
    let _flying = pair.say("a");
    let short = pair.emit("m", "[]", EmitOptions::new().ttl(secs(2)));
    pair.jump(pair.now.mono + secs(3));
    assert!(!pair.core.cancel(pair.now, pair.socket, short.id()));
    pair.drain();
    assert_eq!(names(&[short]), ["expired"]);
}

#[test]
fn a_rooms_confirmation_is_overdue_even_before_the_next_drain() {
    let mut pair = greeted();
    pair.sleep(secs(10));
    let _join = pair.core.join_room(pair.now, pair.socket, "a", None);
    pair.jump(pair.now.mono + secs(5));
    pair.server("2");
    assert_eq!(
        pair.heard(),
        [r#"join_room_failed [{"roomId":"a","reason":"timeout"}]"#]
    );
}

#[test]
fn typing_stops_even_before_the_next_drain() {
    let mut pair = greeted();
    pair.sleep(secs(10));
    pair.core.start_typing(pair.now, pair.socket, Target::user("u2"));
    pair.jump(pair.now.mono + secs(3));
    pair.server("2");
    assert!(pair.frames().iter().any(|frame| frame.contains("typing_stop")));
}

#[test]
fn no_timer_of_a_dead_link_ends_the_next_one() {
    // The handshake of a link that was lost just before its time was over.
    let mut pair = Pair::new();
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.sleep(millis(19_500));
    pair.cut();
    pair.sleep(millis(1_500));
    assert_eq!((pair.started.len(), pair.state()), (2, State::Connecting), "handshake");

    let mut pair = Pair::connected();
    pair.sleep(millis(43_500));
    pair.cut();
    pair.sleep(secs(2));
    assert_eq!((pair.started.len(), pair.state()), (2, State::Connecting), "heartbeat");

    let mut pair = Pair::connected();
    let _asked = pair.emit("q", "[]", EmitOptions::new().timeout(secs(3)));
    pair.drain();
    pair.sleep(secs(3));
    assert_eq!(probes(&mut pair), 1);
    pair.cut();
    pair.sleep(secs(1));
    pair.open();
    pair.server(CONNECT);
    pair.sleep(secs(3));
    assert_eq!((pair.started.len(), pair.state()), (2, State::Connected), "probe");
}

#[test]
fn no_timer_of_a_link_that_the_user_closed_ends_the_next_one() {
    let mut pair = Pair::connected();
    pair.sleep(secs(44));
    pair.core.disconnect(pair.now, pair.socket);
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.sleep(secs(2));
    assert_eq!((pair.started.len(), pair.state()), (2, State::Connecting));
}

#[test]
fn last_words_that_wait_behind_a_batch_are_written_before_the_link_is_closed() {
    for written in [true, false] {
        let mut pair = Pair::connected();
        pair.writes = false;
        let flying = pair.say("a");
        let bye = pair.emit("bye", "[]", EmitOptions::new());
        pair.core.disconnect(pair.now, pair.socket);
        pair.drain();
        if written {
            for _ in 0..2 {
                assert!(pair.stopped.is_empty());
                pair.written();
                pair.drain();
            }
            assert_eq!(names(&[flying, bye]), ["sent"; 2]);
            pair.event(pair.link(), LinkEvent::Pong);
            pair.write_all();
            pair.drain();
            assert_eq!(pair.frames(), [r#"42["a"]"#, r#"42["bye"]"#, "ws ping", "41"]);
        } else {
            pair.sleep(secs(1));
            assert_eq!(names(&[flying, bye]), ["unconfirmed"; 2]);
        }
        assert_eq!(pair.stopped, [pair.link()]);
    }
}

#[test]
fn one_probe_is_enough_for_any_number_of_overdue_answers() {
    for writes in [true, false] {
        let mut pair = Pair::connected();
        let _asked = [3000, 4000, 4500].map(|ms| pair.emit("q", "[]", EmitOptions::new().timeout(millis(ms))));
        pair.drain();
        pair.writes = writes;
        pair.sleep(millis(4900));
        pair.write_all();
        pair.drain();
        pair.write_all();
        assert_eq!(probes(&mut pair), 1, "written at once: {writes}");
    }
}

#[test]
fn the_time_for_a_probe_runs_from_when_it_is_written() {
    let mut pair = Pair::connected();
    let _asked = pair.emit("q", "[]", EmitOptions::new().timeout(secs(3)));
    pair.drain();
    pair.writes = false;
    pair.sleep(secs(10));
    assert_eq!((probes(&mut pair), pair.state()), (1, State::Connected));
    pair.written();
    pair.drain();
    pair.sleep(millis(1999));
    assert_eq!(pair.state(), State::Connected);
    pair.sleep(millis(1));
    assert!(matches!(pair.state(), State::Waiting { .. }));
}

#[test]
fn an_overdue_answer_to_a_reliable_message_ends_unconfirmed_once_the_link_proves_alive() {
    let mut pair = greeted();
    let receipt = reliable(&mut pair, EmitOptions::new());
    pair.sleep(secs(10));
    assert_eq!(receipt.outcome(), None, "the probe decides");
    pair.event(pair.link(), LinkEvent::Pong);
    assert_eq!(error_of(&receipt), Error::AckTimeout { after: secs(10) });
}

#[test]
fn an_answer_in_time_is_no_reason_for_a_probe() {
    let mut pair = Pair::connected();
    let _slow = pair.emit("slow", "[]", EmitOptions::new().timeout(secs(60)));
    let quick = pair.emit("quick", "[]", EmitOptions::new().timeout(secs(3)));
    pair.drain();
    pair.server("431[]");
    assert_eq!(names(&[quick]), ["delivered"]);
    pair.sleep(secs(10));
    assert_eq!(probes(&mut pair), 0);
}

#[test]
fn a_namespace_that_lasted_starts_its_delays_anew() {
    let mut pair = Pair::connected();
    let news = with_news(&mut pair);
    for _ in 0..2 {
        pair.sleep(secs(5));
        pair.server("41/news,");
        assert_eq!(pair.core.state(news).0, State::Waiting { retry_in: secs(1) });
        pair.sleep(secs(1));
        pair.server(r#"40/news,{"sid":"n2"}"#);
    }
}

#[test]
fn typing_on_within_the_refresh_puts_the_stop_off() {
    let mut pair = greeted();
    for _ in 0..2 {
        pair.core.start_typing(pair.now, pair.socket, Target::user("u2"));
        pair.drain();
        pair.sleep(secs(1));
    }
    assert_eq!(pair.frames().len(), 1);
    pair.sleep(millis(1999));
    assert!(pair.frames().is_empty());
    pair.sleep(millis(1));
    assert_eq!(pair.frames().len(), 1);
}

#[test]
fn a_connect_that_the_server_did_not_answer_in_time_is_taken_back() {
    let mut pair = Pair::connected();
    let news = pair.core.add_socket(NamespaceConfig::new("/news"));
    pair.core.connect(pair.now, news);
    pair.drain();
    pair.sleep(secs(20));
    assert_eq!(pair.frames(), ["40/news,", "41/news,"]);
    assert_eq!(pair.core.state(news).0, State::Waiting { retry_in: secs(1) });
    assert_eq!(pair.state(), State::Connected);
}

#[test]
fn a_second_handshake_on_one_link_changes_nothing() {
    let mut pair = Pair::connected();
    pair.server(r#"0{"sid":"e2","upgrades":[],"pingInterval":1000,"pingTimeout":1000}"#);
    pair.sleep(secs(40));
    assert_eq!((pair.state(), pair.core.patience()), (State::Connected, Some(secs(45))));
}

#[test]
fn a_provider_that_has_answered_is_not_overdue_while_the_link_is_being_opened() {
    let mut namespace = NamespaceConfig::new("/");
    namespace.auth = AuthSource::Provider;
    let mut pair = Pair::with(config(), namespace);
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    let (socket, turn) = pair.auths[0];
    pair.core.handle_auth(pair.now, socket, turn, Ok("{}".into()));
    pair.drain();
    pair.sleep(millis(19_999));
    assert_eq!((pair.auths.len(), pair.started.len()), (1, 1));
    assert_eq!((pair.state(), pair.stopped.len()), (State::Connecting, 0));
}

#[test]
fn a_namespace_that_accepts_and_drops_stays_at_the_longest_delay() {
    let mut pair = Pair::connected();
    let news = with_news(&mut pair);
    let waits = [(); 6].map(|()| {
        pair.server("41/news,");
        let State::Waiting { retry_in } = pair.core.state(news).0 else {
            panic!("not waiting")
        };
        pair.sleep(retry_in);
        pair.server(r#"40/news,{"sid":"n2"}"#);
        retry_in.as_secs()
    });
    assert_eq!(waits, [1, 2, 4, 5, 5, 5]);
}

#[test]
fn a_namespace_that_joins_later_does_not_put_off_when_the_link_counts_as_stable() {
    let mut pair = Pair::connected();
    pair.cut();
    pair.sleep(secs(1));
    pair.open();
    pair.server(CONNECT);
    pair.sleep(secs(4));
    let _news = with_news(&mut pair);
    pair.sleep(secs(1));
    pair.cut();
    assert_eq!(pair.state(), State::Waiting { retry_in: secs(1) });
}

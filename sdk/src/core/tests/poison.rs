//! A message under which links die.

use super::pair::*;
use crate::core::EmitOptions;
use crate::error::Error;
use crate::state::Notice;

/// Goes through a death of the link; what is written on the next one.
fn death(pair: &mut Pair) -> Vec<u32> {
    reconnect(pair);
    numbers(&pair.frames())
}

#[test]
fn a_message_under_which_links_die_goes_alone_at_last_and_its_lane_goes_on() {
    let mut pair = greeted();
    let receipts = say_numbers(&mut pair, "a", 1..4);
    let other = say_numbers(&mut pair, "b", 4..5);
    assert_eq!(numbers(&pair.frames()), [1, 2, 3, 4]);
    assert_eq!(death(&mut pair), [1, 2, 3, 4], "once may be chance");
    assert_eq!(
        death(&mut pair),
        [1],
        "twice is suspicious: nothing else is under way with it"
    );
    let typed = pair.emit("now", "[]", EmitOptions::new().volatile());
    pair.drain();
    assert_eq!(pair.frames(), [""; 0]);
    assert_eq!(death(&mut pair), [2, 3, 4]);
    assert_eq!(error_of(&receipts[0]), Error::Poison);
    assert_eq!(names(&receipts[..1]), ["unconfirmed"]);
    assert_eq!(names(&[typed]), ["dropped"]);
    let told = |notice: &Notice| {
        matches!(
            notice,
            Notice::MessageStatus {
                status: "unconfirmed",
                ..
            }
        )
    };
    assert_eq!(pair.notices().iter().filter(|notice| told(notice)).count(), 1);
    pair.sleep(secs(1));
    assert_eq!(names(&other), ["none"]);
}

#[test]
fn a_suspect_that_is_answered_lets_the_others_go_on() {
    let mut pair = greeted();
    let receipts = say_numbers(&mut pair, "a", 1..4);
    pair.frames();
    death(&mut pair);
    reconnect(&mut pair);
    let frame = pair.frames().remove(0);
    pair.server(&format!(r#"42{}["question"]"#, 7));
    ok(&mut pair, &frame);
    let frames = pair.frames();
    assert_eq!(numbers(&frames), [2, 3]);
    for frame in &frames {
        ok(&mut pair, frame);
    }
    assert_eq!(names(&receipts), ["delivered"; 3]);
}

#[test]
fn a_suspect_that_is_not_answered_in_time_lets_the_others_go_on() {
    let mut pair = greeted();
    let receipts = say_numbers(&mut pair, "a", 1..3);
    pair.frames();
    death(&mut pair);
    assert_eq!(death(&mut pair), [1]);
    pair.sleep(secs(10));
    pair.event(pair.link(), crate::core::LinkEvent::Pong);
    assert_eq!(numbers(&pair.frames()), [2]);
    assert_eq!(names(&receipts), ["unconfirmed", "none"]);
}

#[test]
fn leaving_by_the_users_wish_is_no_death() {
    let mut pair = greeted();
    let _receipts = say_numbers(&mut pair, "a", 1..3);
    for _ in 0..4 {
        pair.core.disconnect(pair.now, pair.socket);
        pair.drain();
        pair.connect();
        pair.drain();
    }
    pair.cut();
    pair.sleep(secs(5));
    pair.open();
    pair.frames();
    pair.server(CONNECT);
    assert_eq!(numbers(&pair.frames()), [1, 2]);
}

#[test]
fn a_server_that_keeps_the_order_does_not_wait_for_what_is_given_up() {
    let mut pair = orderly();
    let receipts = say_numbers(&mut pair, "a", 1..3);
    for _ in 0..3 {
        reconnect(&mut pair);
    }
    let frames = pair.frames();
    assert!(frames[0].contains("skip") && frames[0].contains(receipts[0].message_id().unwrap()));
    assert_eq!(numbers(&frames), [2]);
}

//! What a store means to a socket.

use super::pair::*;
use crate::config::Delivery;
use crate::core::{EmitOptions, NamespaceConfig};
use crate::error::Error;
use crate::receipt::Receipt;
use crate::state::Notice;
use crate::store::Profile;

fn stored(namespace: NamespaceConfig) -> Pair {
    let mut config = config();
    config.stored = true;
    Pair::with(config, namespace)
}

fn at_most_once() -> Pair {
    let mut namespace = NamespaceConfig::new("/");
    namespace.delivery = Delivery::AtMostOnce;
    stored(namespace)
}

fn kept(pair: &mut Pair) {
    pair.core.handle_stored(pair.now, pair.turn);
    pair.drain();
}

fn is_accepted(receipt: &Receipt) -> bool {
    futures::FutureExt::now_or_never(receipt.accepted()) == Some(Ok(()))
}

#[test]
fn what_is_written_at_most_once_has_left_the_store_before() {
    let mut pair = at_most_once();
    let receipts = say_numbers(&mut pair, "a", 1..3);
    kept(&mut pair);
    pair.connect();
    assert_eq!(pair.frames(), [""; 0]);
    let last = pair.transactions.last().unwrap();
    assert_eq!(last.remove, [receipts[0].id(), receipts[1].id()]);
    let third = say_numbers(&mut pair, "a", 3..4);
    assert_eq!(pair.frames(), [""; 0], "behind the others, and in the store itself");
    kept(&mut pair);
    assert_eq!(numbers(&pair.frames()), [1, 2, 3]);
    assert_eq!(names(&receipts), ["sent"; 2]);
    assert!(is_accepted(&third[0]));
}

#[test]
fn a_store_that_cannot_forget_holds_such_messages_back_and_is_asked_again() {
    let mut pair = at_most_once();
    let receipts = say_numbers(&mut pair, "a", 1..2);
    kept(&mut pair);
    pair.connect();
    let error = Error::Store("disk full".into());
    let turns = pair.transactions.len();
    pair.core.handle_store_error(pair.now, pair.turn, &error);
    pair.drain();
    assert_eq!(pair.notices(), [Notice::StoreError(error)]);
    assert_eq!((pair.frames(), names(&receipts)), (vec![], vec!["none"]));
    assert_eq!(pair.transactions.len(), turns, "not at once");
    pair.sleep(secs(1));
    assert_eq!(pair.transactions.last().unwrap().remove, [receipts[0].id()]);
    kept(&mut pair);
    assert_eq!(numbers(&pair.frames()), [1]);
}

#[test]
fn a_link_that_dies_between_leaves_the_message_for_the_next() {
    let mut pair = at_most_once();
    let receipts = say_numbers(&mut pair, "a", 1..2);
    kept(&mut pair);
    pair.connect();
    pair.cut();
    kept(&mut pair);
    pair.sleep(secs(5));
    pair.open();
    pair.frames();
    pair.server(CONNECT);
    assert_eq!(pair.frames(), [""; 0], "it was kept again, and leaves the store again");
    kept(&mut pair);
    assert_eq!(numbers(&pair.frames()), [1]);
    assert_eq!(names(&receipts), ["sent"]);
}

#[test]
fn what_was_written_before_the_server_promised_anything_was_written_once() {
    let mut pair = stored(chat_config());
    let asked = pair.emit("q", r#"[{"n":1}]"#, EmitOptions::new().reliable().ack());
    pair.drain();
    kept(&mut pair);
    pair.connect();
    pair.sleep(secs(2));
    kept(&mut pair);
    pair.server(GREETING);
    assert_eq!(numbers(&pair.frames()), [1]);
    pair.cut();
    // It is in no store any more: were it to be sent again, it would be lost in a crash.
    assert_eq!(error_of(&asked), Error::LinkLost);
}

#[test]
fn what_has_left_the_store_and_was_not_written_is_kept_again() {
    let mut pair = at_most_once();
    pair.connect();
    pair.writes = false;
    // The link has a batch to write, and then none of what the store has let go of meanwhile.
    let _first = pair.emit("x", "[]", EmitOptions::new());
    pair.drain();
    let receipts = say_numbers(&mut pair, "a", 1..2);
    kept(&mut pair);
    pair.cut();
    let last = pair.transactions.last().unwrap();
    assert_eq!(last.put.first().map(|record| record.seq), Some(receipts[0].id()));
    // The same where the store comes to it only when the link is gone.
    pair.core.disconnect(pair.now, pair.socket);
    kept(&mut pair);
    let mut pair = at_most_once();
    pair.connect();
    let receipts = say_numbers(&mut pair, "a", 1..2);
    pair.cut();
    kept(&mut pair);
    let last = pair.transactions.last().unwrap();
    assert_eq!(last.put.first().map(|record| record.seq), Some(receipts[0].id()));
    assert_eq!(names(&receipts), ["none"]);
}

#[test]
fn that_a_message_will_not_be_sent_is_told_when_no_later_run_can_send_it() {
    let mut pair = stored(chat_config());
    let options = || EmitOptions::new().reliable();
    let late = pair.emit("m", "[{}]", options().ttl(secs(2)));
    let cancelled = pair.emit("m", "[{}]", options());
    pair.drain();
    kept(&mut pair);
    assert!(pair.core.cancel(pair.now, pair.socket, cancelled.id()));
    pair.drain();
    assert_eq!(names(&[cancelled]), ["none"], "its record is still there");
    kept(&mut pair);
    pair.sleep(secs(2));
    assert_eq!(late.outcome(), None);
    pair.core.close(pair.now);
    pair.drain();
    assert_eq!(error_of(&late), Error::Closed, "a later run may send it");
}

#[test]
fn a_store_that_failed_is_given_its_turn_again_and_ever_more_rarely() {
    let mut pair = stored(chat_config());
    let receipt = pair.emit("m", "[{}]", EmitOptions::new().reliable());
    pair.drain();
    kept(&mut pair);
    assert!(pair.core.cancel(pair.now, pair.socket, receipt.id()));
    pair.drain();
    let error = Error::Store("disk full".into());
    let mut turns = pair.turn;
    let mut waits = Vec::new();
    for _ in 0..8 {
        pair.core.handle_store_error(pair.now, pair.turn, &error);
        pair.drain();
        let wait = pair.wake.unwrap() - pair.now.mono;
        waits.push(wait.as_secs());
        pair.sleep(wait);
        turns += 1;
        assert_eq!(pair.turn, turns);
        assert!(
            pair.transactions.last().unwrap().is_empty(),
            "whoever runs the store knows what it owes"
        );
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 64]);
    // Its record is still there, so a later run may send it.
    assert_eq!(error_of(&receipt), error);
    let told = |notice: &Notice| matches!(notice, Notice::StoreError(_));
    assert_eq!(
        pair.notices().iter().filter(|notice| told(notice)).count(),
        1,
        "told once"
    );
    kept(&mut pair);
    assert_eq!(pair.wake, None);
}

#[test]
fn what_an_earlier_run_may_have_written_does_not_end_as_never_written() {
    let mut first = stored(chat_config());
    let _receipt = say_numbers(&mut first, "a", 1..2);
    let mut put = first.transactions[0].put.clone();
    assert!(!put[0].written);
    put[0].expires_unix_ms = Some(first.now.unix_ms + 1_000);
    for (written, expected) in [(true, "unconfirmed"), (false, "expired")] {
        put[0].written = written;
        let mut next = stored(chat_config());
        next.core.restore(next.now, contents(put.clone()));
        next.drain();
        next.sleep(secs(1));
        kept(&mut next);
        let told = |notice: &Notice| matches!(notice, Notice::MessageStatus { status, .. } if *status == expected);
        assert!(next.notices().iter().any(told), "{expected}");
    }

    // Connected, it may be written at once, and one that waited is not before the store knows.
    let mut pair = stored(chat_config());
    pair.connect();
    pair.server(GREETING);
    let _receipt = say_numbers(&mut pair, "a", 1..2);
    assert!(pair.transactions.last().unwrap().put[0].written);
    assert_eq!(numbers(&pair.frames()), [1]);
}

#[test]
fn what_was_refused_for_a_time_after_it_had_left_the_store_is_kept_again() {
    let mut namespace = chat_config();
    namespace.delivery = Delivery::AtMostOnce;
    let mut pair = stored(namespace);
    pair.connect();
    pair.server(ORDERLY);
    let receipts = say_numbers(&mut pair, "a", 1..2);
    kept(&mut pair);
    let frame = pair.frames().remove(0);
    limit(&mut pair, &frame, 1_000, "");
    let last = pair.transactions.last().unwrap();
    assert_eq!(last.put.first().map(|record| record.seq), Some(receipts[0].id()));
    assert_eq!(names(&receipts), ["none"]);
    pair.sleep(secs(1));
    assert_eq!(pair.frames(), [""; 0], "it leaves the store first, again");
    kept(&mut pair);
    let frame = pair.frames().remove(0);
    ok(&mut pair, &frame);
    assert_eq!(names(&receipts), ["delivered"]);
}

#[test]
fn the_promises_of_the_server_are_remembered() {
    let mut pair = stored(chat_config());
    pair.connect();
    pair.server(ORDERLY);
    let remembered = Profile {
        namespace: "/".into(),
        account: Some("u1".into()),
        features: Some(r#"["ack","dedupe","order","receipts"]"#.into()),
    };
    assert_eq!(
        pair.transactions.last().unwrap().profiles,
        std::slice::from_ref(&remembered)
    );
    let turns = pair.transactions.len();
    pair.server(ORDERLY);
    assert_eq!(pair.transactions.len(), turns, "what is known is not written again");

    let mut next = stored(chat_config());
    let mut kept = contents(Vec::new());
    kept.profiles.push(remembered);
    next.core.restore(next.now, kept);
    let _receipt = say_numbers(&mut next, "a", 1..2);
    next.connect();
    next.core.handle_stored(next.now, next.turn);
    next.drain();
    next.wire.clear();
    let _receipt = say_numbers(&mut next, "a", 2..3);
    let frames = next.frames();
    assert!(numbers(&frames) == [2] && frames[0].starts_with("421["), "{frames:?}");
}

#[test]
fn a_room_of_an_earlier_run_waits_until_the_app_joins_it() {
    let mut first = stored(chat_config());
    first.connect();
    first.server(GREETING);
    let _receipt = say_to_room(&mut first, "tea");
    let put = first.transactions.last().unwrap().put.clone();

    let mut next = stored(chat_config());
    next.core.restore(next.now, contents(put));
    next.connect();
    next.server(GREETING);
    let own = say_to_room(&mut next, "tea");
    assert_eq!(
        next.frames(),
        [""; 0],
        "it would be refused, and a later one must not overtake it"
    );
    let _joined = next.core.join_room(next.now, next.socket, "tea", None);
    next.drain();
    let join = next.frames().remove(0);
    ok(&mut next, &join);
    let frames = next.frames();
    assert_eq!(frames.len(), 2);
    for frame in &frames {
        ok(&mut next, frame);
    }
    assert_eq!(names(&[own]), ["delivered"]);
}

#[test]
fn damage_of_the_store_is_told() {
    let mut pair = stored(chat_config());
    let error = Error::StoreDamaged("set aside".into());
    let mut kept = contents(Vec::new());
    kept.damage = Some(error.clone());
    pair.core.restore(pair.now, kept);
    pair.drain();
    assert_eq!(pair.notices(), [], "nobody can have a handler yet");
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    assert_eq!(pair.notices(), [Notice::StoreError(error)]);
}

#[test]
fn how_a_message_ended_is_told_to_whoever_does_not_hold_its_receipt() {
    let mut first = stored(chat_config());
    let receipts = say_numbers(&mut first, "a", 1..3);
    let ids: Vec<_> = receipts.iter().map(|r| r.message_id().unwrap().to_owned()).collect();
    let put = first.transactions[0].put.clone();

    let mut next = stored(chat_config());
    next.core.restore(next.now, contents(put));
    let pending: Vec<_> = next
        .core
        .pending(next.socket)
        .into_iter()
        .filter_map(|m| m.message_id)
        .collect();
    assert_eq!(pending, ids);
    next.connect();
    next.server(GREETING);
    assert_eq!(
        next.frames(),
        [""; 0],
        "first the store knows that it may have been written"
    );
    let last = next.transactions.last().unwrap();
    assert!(last.put.last().is_some_and(|record| record.written));
    kept(&mut next);
    next.notices();
    let frames = next.frames();
    ok(&mut next, &frames[0]);
    next.server(&format!(
        r#"43{}[{{"ok":false,"error":{{"code":"no","message":"no"}}}}]"#,
        ack_id(&frames[1])
    ));
    let told: Vec<_> = next.notices().iter().map(Notice::to_json).collect();
    assert_eq!(told[0], format!(r#"{{"messageId":"{}","status":"delivered"}}"#, ids[0]));
    assert!(
        told[1].starts_with(&format!(
            r#"{{"messageId":"{}","status":"rejected","error":{{"code":4004,"kind":"server","#,
            ids[1]
        )),
        "{}",
        told[1]
    );
    assert!(next.transactions.iter().flat_map(|turn| &turn.remove).count() == 2);
}

#[test]
fn the_time_to_live_can_differ_by_the_kind_of_message() {
    let mut namespace = chat_config();
    namespace.queue.ttl = Some(secs(60));
    namespace.queue.ttl_by_event = vec![("game_move".into(), secs(5))];
    let mut pair = Pair::with(config(), namespace);
    let receipts = ["m", "game_move", "m", "game_move"].map(|event| pair.emit(event, "[{}]", EmitOptions::new()));
    let own = pair.emit("game_move", "[{}]", EmitOptions::new().ttl(secs(90)));
    pair.drain();
    pair.sleep(secs(5));
    assert_eq!(names(&receipts), ["none", "expired", "none", "expired"]);
    pair.sleep(secs(55));
    assert_eq!(names(&receipts), ["expired"; 4]);
    assert_eq!(names(&[own]), ["none"]);
}

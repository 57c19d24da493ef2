//! What a third review found, of what is promised about messages. One test for each.

use futures::FutureExt;

use super::pair::*;
use crate::config::Delivery;
use crate::core::{AuthSource, EmitOptions, LinkEvent, NamespaceConfig};
use crate::error::Error;
use crate::store::{MemoryStore, Profile, Store, Transaction};

fn stored(namespace: NamespaceConfig) -> Pair {
    let mut config = config();
    config.stored = true;
    Pair::with(config, namespace)
}

fn at_most_once(mut namespace: NamespaceConfig) -> Pair {
    namespace.delivery = Delivery::AtMostOnce;
    stored(namespace)
}

fn kept(pair: &mut Pair) {
    pair.core.handle_stored(pair.now, pair.turn);
    pair.drain();
}

/// What `driver::keep` does, with a store that works or does not.
#[derive(Default)]
struct Keeper {
    owed: Transaction,
    store: MemoryStore,
    seen: usize,
}

impl Keeper {
    fn turn(&mut self, pair: &mut Pair, works: bool) {
        for transaction in &pair.transactions[self.seen..] {
            self.owed.append(transaction.clone());
        }
        self.seen = pair.transactions.len();
        if works {
            let owed = std::mem::take(&mut self.owed);
            let _ = self.store.apply(owed).now_or_never();
            pair.core.handle_stored(pair.now, pair.turn);
        } else {
            self.owed.fail();
            let error = Error::Store("disk full".into());
            pair.core.handle_store_error(pair.now, pair.turn, &error);
        }
        pair.drain();
    }
}

#[test]
fn accepted_survives_a_release_that_failed() {
    let mut pair = at_most_once(NamespaceConfig::new("/"));
    let mut keeper = Keeper::default();
    let receipts = say_numbers(&mut pair, "a", 1..2);
    keeper.turn(&mut pair, true);
    assert_eq!(keeper.store.len(), 1);
    pair.connect();
    keeper.turn(&mut pair, false); // The release fails: the message is not written.
    assert_eq!(pair.frames(), [""; 0]);
    pair.cut();
    let _other = say_numbers(&mut pair, "b", 2..3);
    keeper.turn(&mut pair, true);
    keeper.turn(&mut pair, true); // all is quiet
    keeper.turn(&mut pair, true);
    assert_eq!(names(&receipts), ["none"]);
    assert_eq!(keeper.store.len(), 2, "both are accepted, neither was written");
}

#[test]
fn cancelled_while_releasing_is_told_when_the_record_is_gone() {
    let mut pair = at_most_once(NamespaceConfig::new("/"));
    let receipts = say_numbers(&mut pair, "a", 1..2);
    kept(&mut pair);
    pair.connect();
    assert!(pair.core.cancel(pair.now, pair.socket, receipts[0].id()));
    pair.drain();
    assert_eq!(names(&receipts), ["none"], "its record is still there");
}

#[test]
fn poison_behind_a_skip_is_given_up() {
    let mut pair = orderly();
    let receipts = say_numbers(&mut pair, "a", 1..3);
    pair.frames();
    assert!(pair.core.cancel(pair.now, pair.socket, receipts[0].id()));
    pair.drain();
    // The link dies each time the message is written, before anything is answered.
    for _ in 0..12 {
        reconnect(&mut pair);
        for _ in 0..2 {
            let frames = pair.frames();
            if numbers(&frames).is_empty() {
                frames.iter().for_each(|frame| ok(&mut pair, frame));
            }
        }
    }
    assert_eq!(names(&receipts[1..]), ["unconfirmed"]);
}

#[test]
fn a_suspect_goes_out_although_a_join_is_not_answered() {
    let mut pair = greeted();
    let receipts = say_numbers(&mut pair, "a", 1..3);
    pair.frames();
    reconnect(&mut pair);
    reconnect(&mut pair);
    assert_eq!(numbers(&pair.frames()), [1]);
    // ... and once more to be in the state "deaths == 2, in the queue" with a room that never answers.
    pair.core.disconnect(pair.now, pair.socket);
    pair.drain();
    let _room = pair.core.join_room(pair.now, pair.socket, "tea", None);
    pair.drain();
    pair.connect();
    pair.server(GREETING);
    pair.frames();
    let mut sent = Vec::new();
    for _ in 0..60 {
        pair.sleep(secs(10));
        pair.server("2");
        pair.event(pair.link(), LinkEvent::Pong);
        assert_eq!(pair.state(), crate::State::Connected);
        sent = numbers(&pair.frames());
        if !sent.is_empty() {
            break;
        }
    }
    assert!(
        !sent.is_empty(),
        "ten minutes connected and nothing sent: {:?}",
        names(&receipts)
    );
}

fn provider_join(pair: &mut Pair) {
    let (socket, turn) = pair.auths.pop().unwrap();
    pair.core.handle_auth(pair.now, socket, turn, Ok("{}".into()));
    pair.drain();
    pair.open();
    pair.server(CONNECT);
}

#[test]
fn a_late_greeting_sends_nothing_as_another_user() {
    let mut namespace = chat_config();
    namespace.auth = AuthSource::Provider;
    let mut pair = Pair::with(config(), namespace);
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    provider_join(&mut pair);
    pair.server(GREETING);
    pair.cut();
    let _of_u1 = say_numbers(&mut pair, "a", 1..3);
    pair.frames();
    pair.sleep(secs(5));
    provider_join(&mut pair); // u2's token
    pair.sleep(secs(3));
    assert_eq!(numbers(&pair.frames()), [0; 0], "nobody has said who the user is");
}

#[test]
fn a_late_greeting_sends_nothing_of_an_earlier_run_as_another_user() {
    let mut first = stored(chat_config());
    let _receipts = say_numbers(&mut first, "a", 1..2);
    let put = first.transactions[0].put.clone();
    let mut next = stored(chat_config());
    let mut kept = contents(put);
    kept.profiles = vec![Profile {
        namespace: "/".into(),
        account: Some("u1".into()),
        features: Some(r#"["ack","dedupe"]"#.into()),
    }];
    next.core.restore(next.now, kept);
    next.drain();
    next.connect();
    next.sleep(secs(3));
    assert_eq!(
        numbers(&next.frames()),
        [0; 0],
        "it is u1's, and nobody has said who the user is"
    );
}

#[test]
fn what_is_remembered_of_messages_is_bounded() {
    let mut seen = crate::core::seen::Seen::default();
    let from = "x".repeat(1 << 20);
    assert!(seen.is_new(&from, "1"));
    assert!(seen.is_new(&from, "1"), "too long to be remembered");
}

#[test]
fn what_stands_behind_a_message_that_waits_stays_in_the_store() {
    let mut first = stored(chat_config());
    first.connect();
    first.server(GREETING);
    let _receipt = say_to_room(&mut first, "tea");
    let put = first.transactions.last().unwrap().put.clone();
    let mut next = at_most_once(chat_config());
    next.core.restore(next.now, contents(put));
    next.connect();
    next.server(GREETING);
    let own = say_to_room(&mut next, "tea");
    let removed = |pair: &Pair| pair.transactions.iter().any(|turn| turn.remove.contains(&own.id()));
    assert!(
        !removed(&next),
        "accepted, and it cannot be written before the app joins the room"
    );
}

#[test]
fn what_may_have_been_delivered_is_not_rejected_for_its_size() {
    let mut pair = greeted();
    let receipt = pair.emit(
        "m",
        &format!(r#"[{{"x":"{}"}}]"#, "x".repeat(1000)),
        EmitOptions::new().reliable(),
    );
    pair.drain();
    pair.cut();
    pair.sleep(secs(5));
    pair.server(&OPEN.replace("1000000", "500"));
    pair.server(CONNECT);
    pair.server(GREETING);
    assert_eq!(names(&[receipt]), ["unconfirmed"]);
}

#[test]
fn a_refusal_shows_that_it_is_no_poison() {
    let mut pair = orderly();
    let receipts = say_numbers(&mut pair, "a", 1..2);
    pair.frames();
    for _ in 0..4 {
        reconnect(&mut pair);
        pair.server(ORDERLY);
        let frames = pair.frames();
        let last = frames.last().cloned();
        if let Some(frame) = last.filter(|frame| frame.contains(r#""n":1"#)) {
            limit(&mut pair, &frame, 1_000, "");
            pair.sleep(secs(2)); // sent again
        }
    }
    assert_eq!(
        names(&receipts),
        ["none"],
        "the server has read it and answered it each time"
    );
}

#[test]
fn the_seq_of_a_record_is_no_overflow() {
    let mut first = stored(chat_config());
    let _receipts = say_numbers(&mut first, "a", 1..2);
    let mut put = first.transactions[0].put.clone();
    put[0].seq = u64::MAX;
    let mut next = stored(chat_config());
    next.core.restore(next.now, contents(put));
    next.drain();
}

fn as_user(user: &str) -> String {
    GREETING.replace("u1", user)
}

#[test]
fn a_crash_after_another_user_signed_in_gives_them_nothing_of_the_first() {
    let mut pair = stored(chat_config());
    let _of_u1 = say_numbers(&mut pair, "a", 1..2); // before any greeting
    kept(&mut pair);
    pair.connect();
    pair.server(&as_user("u1"));
    kept(&mut pair);
    pair.core
        .set_auth(pair.now, pair.socket, AuthSource::Value(r#"{"token":"u2"}"#.into()));
    pair.drain();
    pair.event(pair.link(), LinkEvent::Pong);
    pair.server(CONNECT);
    pair.server(&as_user("u2"));
    kept(&mut pair);
    // kill -9
    let mut store = MemoryStore::new();
    for transaction in &pair.transactions {
        let _ = store.apply(transaction.clone()).now_or_never();
    }
    let contents = store.load().now_or_never().unwrap().unwrap();
    assert_eq!(contents.records.len(), 1);
    let mut next = stored(chat_config());
    next.core.restore(next.now, contents);
    next.drain();
    next.connect();
    next.server(&as_user("u2"));
    assert_eq!(numbers(&next.frames()), [0; 0], "u1's message, sent as u2");
}

#[test]
fn what_is_set_aside_is_bounded() {
    let mut namespace = chat_config();
    namespace.queue.capacity = 10;
    let mut pair = stored(namespace);
    pair.connect();
    pair.server(&as_user("u1"));
    let mut receipts = Vec::new();
    for user in 2..50 {
        receipts.extend(say_numbers(&mut pair, "a", 0..10));
        pair.cut();
        pair.sleep(secs(5));
        pair.open();
        pair.server(CONNECT);
        pair.server(&as_user(&format!("u{user}")));
    }
    let held = pair.notices().into_iter().filter_map(|notice| match notice {
        crate::state::Notice::AccountChanged { held, .. } => Some(held),
        _ => None,
    });
    assert_eq!(held.max(), Some(80));
    assert_eq!(names(&receipts).iter().filter(|name| **name == "none").count(), 80);
}

#[test]
fn a_message_emitted_between_connect_and_greeting_is_whose_token_was_given() {
    let mut namespace = chat_config();
    namespace.auth = AuthSource::Provider;
    let mut pair = Pair::with(config(), namespace);
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    provider_join(&mut pair);
    pair.server(GREETING);
    pair.cut();
    pair.sleep(secs(5));
    provider_join(&mut pair); // u2's token, and nothing is queued
    pair.frames();
    let _own = say_numbers(&mut pair, "a", 1..2);
    let sent = numbers(&pair.frames()).len();
    pair.server(&as_user("u2"));
    reconnect_provider(&mut pair);
    pair.server(&as_user("u2"));
    let again = numbers(&pair.frames()).len();
    assert_eq!((sent, again), (1, 1), "sent as u2 at first, and then set aside as u1's");
}

fn reconnect_provider(pair: &mut Pair) {
    pair.cut();
    pair.sleep(secs(5));
    pair.frames();
    provider_join(pair);
}

#[test]
fn receipts_of_plain_json_are_bounded_in_bytes() {
    let mut pair = super::json::chat(
        r#"{"type":"connection","clientId":"c1","message":"hi","features":["ack","dedupe","receipts"]}"#,
    );
    pair.frames();
    pair.writes = false;
    let long = "x".repeat(1 << 20);
    let link = pair.link();
    for n in 0..64 {
        let text = format!(r#"{{"type":"notification","id":"{n}{long}","title":"a","message":"b"}}"#);
        pair.core.handle_link(pair.now, link, LinkEvent::Text(text.into()));
        pair.drain();
        pair.heard();
    }
    pair.writes = true;
    pair.write_all();
    pair.drain();
    let bytes: usize = pair.frames().iter().map(String::len).sum();
    assert!(bytes < 4 << 20, "{} MiB of receipts waited", bytes >> 20);
}

#[test]
fn an_event_of_an_apps_own_is_no_greeting() {
    let mut pair = Pair::new(); // no chat
    pair.connect();
    let message = |pair: &mut Pair| say_numbers(pair, "a", 1..2);
    pair.server(r#"42["connection_status",{"userId":"me","features":["ack","dedupe"]}]"#);
    let _mine = message(&mut pair);
    assert_eq!(numbers(&pair.frames()), [1]);
    reconnect(&mut pair);
    pair.server(r#"42["connection_status",{"userId":"me","features":["ack","dedupe"]}]"#);
    pair.server(r#"42["connection_status",{"userId":"bob","online":true}]"#);
    reconnect(&mut pair);
    pair.server(r#"42["connection_status",{"userId":"bob","online":true}]"#);
    assert_eq!(pair.core.pending(pair.socket).len(), 1, "it says that bob is online");
}

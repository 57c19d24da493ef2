//! Whose messages these are.

use super::pair::*;
use crate::core::AuthSource;
use crate::receipt::Receipt;
use crate::state::Notice;
use crate::store::Profile;

fn greeting(user: &str) -> String {
    GREETING.replace("u1", user)
}

fn stored(namespace: crate::core::NamespaceConfig) -> Pair {
    let mut config = config();
    config.stored = true;
    Pair::with(config, namespace)
}

fn token(token: &str) -> AuthSource {
    AuthSource::Value(format!(r#"{{"token":"{token}"}}"#))
}

/// The account of an `accountChanged`, if there was one.
fn changed(pair: &mut Pair) -> Vec<(String, usize)> {
    let notices = pair.notices().into_iter();
    let changed = notices.filter_map(|notice| match notice {
        Notice::AccountChanged { account, held } => Some((account, held)),
        _ => None,
    });
    changed.collect()
}

/// Signs in with another token over the same link.
fn sign_in(pair: &mut Pair, user: &str) -> Vec<u32> {
    pair.core.set_auth(pair.now, pair.socket, token(user));
    pair.drain();
    pair.event(pair.link(), crate::core::LinkEvent::Pong);
    pair.frames();
    pair.server(CONNECT);
    assert_eq!(numbers(&pair.frames()), [0; 0], "nobody has said who the user is");
    pair.server(&greeting(user));
    numbers(&pair.frames())
}

#[test]
fn messages_of_one_user_are_never_sent_as_another() {
    let mut pair = greeted();
    let receipts = say_numbers(&mut pair, "a", 1..3);
    pair.frames();
    assert_eq!(sign_in(&mut pair, "u2"), [0; 0]);
    assert_eq!(changed(&mut pair), [("u1".to_owned(), 2)]);
    assert_eq!(pair.core.pending(pair.socket), [], "they are none of the new user's");
    let own = say_numbers(&mut pair, "a", 3..4);
    assert_eq!(numbers(&pair.frames()), [3]);
    assert_eq!(names(&receipts), ["none"; 2]);

    assert_eq!(sign_in(&mut pair, "u1"), [1, 2]);
    assert_eq!(changed(&mut pair), [("u2".to_owned(), 1)], "its answer was lost");
    let _ = own;
}

#[test]
fn a_greeting_by_the_same_user_changes_nothing() {
    let mut pair = greeted();
    let _receipts = say_numbers(&mut pair, "a", 1..3);
    reconnect(&mut pair);
    assert_eq!(
        numbers(&pair.frames()),
        [1, 2],
        "the same credentials are the same user"
    );
    pair.server(&greeting("u1"));
    assert_eq!(changed(&mut pair), []);
}

#[test]
fn a_provider_may_give_another_users_token_so_the_greeting_is_waited_for() {
    let mut namespace = chat_config();
    namespace.auth = AuthSource::Provider;
    let mut pair = Pair::with(config(), namespace);
    let join = |pair: &mut Pair, user: &str| {
        let (socket, turn) = pair.auths.pop().unwrap();
        pair.core.handle_auth(pair.now, socket, turn, Ok("{}".into()));
        pair.drain();
        pair.open();
        pair.server(CONNECT);
        pair.frames();
        pair.server(&greeting(user));
        numbers(&pair.frames())
    };
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    join(&mut pair, "u1");
    let _receipts = say_numbers(&mut pair, "a", 1..3);
    pair.cut();
    pair.sleep(secs(5));
    assert_eq!(join(&mut pair, "u2"), [0; 0]);
    pair.cut();
    pair.sleep(secs(5));
    assert_eq!(join(&mut pair, "u1"), [1, 2]);
}

#[test]
fn what_a_store_kept_is_sent_to_its_own_user_only() {
    let mut first = stored(chat_config());
    first.connect();
    first.server(&greeting("u1"));
    let _receipts = say_numbers(&mut first, "a", 1..3);
    let put: Vec<_> = first.transactions.iter().flat_map(|turn| turn.put.clone()).collect();
    assert_eq!(put[0].account.as_deref(), Some("u1"));
    for (user, sent, held) in [("u1", vec![1, 2], 0), ("u2", vec![], 1)] {
        let mut next = stored(chat_config());
        next.core.restore(next.now, contents(put.clone()));
        next.drain();
        next.connect();
        assert_eq!(next.frames(), [""; 0]);
        next.sleep(secs(3));
        assert_eq!(next.frames(), [""; 0], "however long the greeting takes");
        next.server(&greeting(user));
        assert_eq!(numbers(&next.frames()), sent);
        assert_eq!(changed(&mut next).len(), held);
    }
}

#[test]
fn the_account_can_be_known_before_the_greeting() {
    let mut namespace = chat_config();
    namespace.account = Some("u2".into());
    let mut pair = stored(namespace);
    let mut first = stored(chat_config());
    first.connect();
    first.server(&greeting("u1"));
    let _receipts = say_numbers(&mut first, "a", 1..2);
    let put = first.transactions.last().unwrap().put.clone();
    pair.core.restore(pair.now, contents(put));
    pair.drain();
    assert_eq!(pair.core.pending(pair.socket), []);
    let _own = say_numbers(&mut pair, "a", 2..3);
    assert_eq!(pair.transactions.last().unwrap().put[0].account.as_deref(), Some("u2"));
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    assert_eq!(changed(&mut pair), [("u1".to_owned(), 1)]);
}

#[test]
fn what_was_accepted_before_any_greeting_is_the_users_who_was_remembered_then() {
    let unknown = |pair: &mut Pair| -> Vec<Receipt> { say_numbers(pair, "a", 1..2) };
    let mut first = stored(chat_config());
    unknown(&mut first);
    let put = first.transactions[0].put.clone();
    assert_eq!(put[0].account, None);
    let profile = |account: &str| Profile {
        namespace: "/".into(),
        account: Some(account.into()),
        features: None,
    };
    for (profiles, sent) in [(vec![], 1), (vec![profile("u1")], 1), (vec![profile("u0")], 0)] {
        let mut next = stored(chat_config());
        let mut kept = contents(put.clone());
        kept.profiles = profiles;
        next.core.restore(next.now, kept);
        next.drain();
        next.connect();
        next.server(&greeting("u1"));
        next.core.handle_stored(next.now, next.turn);
        next.drain();
        assert_eq!(numbers(&next.frames()).len(), sent);
    }
}

#[test]
fn a_session_that_the_server_names_is_no_user() {
    let mut pair = Pair::chat();
    pair.connect();
    pair.server(&greeting("s1"));
    let _receipts = say_numbers(&mut pair, "a", 1..2);
    pair.cut();
    pair.sleep(secs(5));
    pair.open();
    pair.frames();
    pair.server(r#"40{"sid":"s2"}"#);
    pair.server(&greeting("s2"));
    assert_eq!(numbers(&pair.frames()), [1]);
}

#[test]
fn what_is_set_aside_can_be_cancelled_expires_and_is_forgotten() {
    let mut pair = greeted();
    let receipts = say_numbers(&mut pair, "a", 1..3);
    let options = crate::core::EmitOptions::new().reliable().ttl(secs(20));
    let late = pair.emit("m", "[{}]", options);
    pair.drain();
    pair.cut();
    pair.sleep(secs(5));
    pair.open();
    pair.server(CONNECT);
    sign_in(&mut pair, "u2");
    assert!(pair.core.cancel(pair.now, pair.socket, receipts[0].id()));
    pair.sleep(secs(20));
    pair.core.forget(pair.now);
    pair.drain();
    // They had been written, to a server that may have them.
    assert_eq!(names(&receipts), ["unconfirmed"; 2]);
    assert_eq!(names(&[late]), ["unconfirmed"]);
}

#[test]
fn a_server_that_numbers_its_connections_has_no_other_user_for_the_same_credentials() {
    let mut pair = greeted();
    let _receipts = say_numbers(&mut pair, "a", 1..3);
    reconnect(&mut pair);
    pair.server(&greeting("u7"));
    assert_eq!(numbers(&pair.frames()), [1, 2]);
    assert_eq!(changed(&mut pair), []);

    // A store outlives the credentials, and goes by the name.
    let mut pair = stored(chat_config());
    pair.connect();
    pair.server(&greeting("u1"));
    let _receipts = say_numbers(&mut pair, "a", 1..3);
    pair.cut();
    pair.sleep(secs(5));
    pair.open();
    pair.server(CONNECT);
    pair.server(&greeting("u7"));
    assert_eq!(changed(&mut pair), [("u1".to_owned(), 2)]);
}

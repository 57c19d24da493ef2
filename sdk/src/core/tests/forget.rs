//! `forget`: nothing of the user who was signed in is left.

use super::pair::*;
use crate::core::{EmitOptions, LinkEvent};
use crate::error::Error;
use crate::receipt::Outcome;
use crate::state::{Reason, State};

fn forget(pair: &mut Pair) {
    pair.core.forget(pair.now);
    pair.drain();
}

#[test]
fn what_waits_is_taken_back_and_not_written_and_what_was_written_is_unconfirmed() {
    let mut pair = greeted();
    let written = pair.emit("a", "[{}]", EmitOptions::new().reliable());
    pair.drain();
    pair.frames();
    pair.cut();
    let waiting = pair.emit("b", "[{}]", EmitOptions::new().reliable());
    let plain = pair.say("c");
    pair.events.clear();
    forget(&mut pair);
    assert_eq!(error_of(&written), Error::Closed);
    assert_eq!(
        names(&[written, waiting, plain]),
        ["unconfirmed", "cancelled", "cancelled"]
    );
    assert_eq!(pair.states(), [(State::Closed, Some(Reason::ClientDisconnect))]);
    assert_eq!(pair.frames(), [""; 0]);
    assert!(pair.core.pending(pair.socket).is_empty());
}

#[test]
fn a_connected_client_leaves_first_and_is_usable_again() {
    let mut pair = in_room("general");
    let held = pair.emit("a", "[{}]", EmitOptions::new().reliable());
    pair.drain();
    pair.frames();
    forget(&mut pair);
    pair.event(pair.link(), LinkEvent::Pong);
    assert_eq!(pair.frames(), ["ws ping", "41"]);
    assert_eq!(names(&[held]), ["unconfirmed"]);
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair.open();
    pair.frames();
    pair.server(CONNECT);
    assert_eq!(pair.state(), State::Connected, "nothing of before is waited for");
    assert_eq!(pair.frames(), [""; 0], "no room of the last user is joined");
}

#[test]
fn a_join_that_waits_is_cancelled() {
    let mut pair = Pair::chat();
    let join = pair.core.join_room(pair.now, pair.socket, "general", None);
    pair.drain();
    forget(&mut pair);
    assert_eq!(join.outcome(), Some(Outcome::Cancelled));
    assert_eq!(pair.states(), [], "it was never connected");
}

#[test]
fn the_store_is_emptied() {
    let mut config = config();
    config.stored = true;
    let mut pair = Pair::with(config, chat_config());
    let receipts = [1, 2].map(|_| pair.emit("a", "[{}]", EmitOptions::new().reliable()));
    pair.drain();
    forget(&mut pair);
    pair.core.handle_stored(pair.now, pair.turn);
    pair.drain();
    assert_eq!(names(&receipts), ["cancelled"; 2]);
    let last = pair.transactions.last().unwrap();
    assert!(
        last.erase && last.put.is_empty() && last.profiles.is_empty(),
        "{last:?}"
    );
}

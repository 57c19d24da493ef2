//! What must not be sent.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rejoin::{Outcome, State};

use crate::book::{Book, Call, Run};
use crate::expected;

/// Not before, unless the server said that it did not take it, and not after.
pub(super) fn what_was_taken_back_is_not_written(book: &Book) -> Vec<String> {
    let mut failures = Vec::new();
    let refused: BTreeSet<usize> = book.limited.iter().copied().collect();
    for written in &book.written {
        let sent = &book.sent[written.n];
        if let Some((ended, Outcome::Cancelled | Outcome::Expired | Outcome::Dropped)) = sent.outcomes.first()
            && (written.run == sent.run || expected::STORES_FORGET)
            && (written.at > *ended || !refused.contains(&written.n))
        {
            failures.push(format!(
                "message {} ended {:?} at {ended:?}, and yet a link was given it, at {:?}",
                written.n, sent.outcomes[0].1, written.at
            ));
        }
    }
    failures
}

/// Nor does a later life say so of what an earlier one wrote.
pub(super) fn no_later_life_belies_a_write(book: &Book) -> Vec<String> {
    let mut failures = Vec::new();
    let refused: BTreeSet<usize> = book.limited.iter().copied().collect();
    let ends = |status: &str| matches!(status, "cancelled" | "expired" | "dropped");
    for (run, id, status) in book.statuses.iter().filter(|(.., status)| ends(status)) {
        let of = |n: usize| book.sent[n].message_id.as_ref() == Some(id) && book.sent[n].run != *run;
        let mut written = book.written.iter();
        if let Some(written) = written.find(|written| of(written.n) && !refused.contains(&written.n)) {
            failures.push(format!(
                "{run:?} was told that message {} is {status}, and {:?} had written it",
                written.n, written.run
            ));
        }
    }
    failures
}

pub(super) fn nothing_offends_the_server(book: &Book) -> Vec<String> {
    let offences = book.offences.iter();
    offences
        .map(|what| format!("the client sent what servers close the link for: {what}"))
        .collect()
}

/// From when to when each run was in a state that fits.
fn spans(book: &Book, fits: impl Fn(State) -> bool) -> Vec<(Run, Duration, Duration)> {
    let mut spans = Vec::new();
    for (index, (run, from, change)) in book.states.iter().enumerate() {
        if fits(change.state) {
            let next = book.states[index + 1..].iter().find(|(other, ..)| other == run);
            spans.push((*run, *from, next.map_or(Duration::MAX, |(_, at, _)| *at)));
        }
    }
    spans
}

/// Nobody dials while the platform holds attempts back, nor after the end, but by the user's wish or the platform's word.
pub(super) fn nobody_dials_while_held(book: &Book) -> Vec<String> {
    let held = |state| {
        matches!(
            state,
            State::Paused | State::Offline | State::Closed | State::Failed | State::Idle
        )
    };
    let mut failures = Vec::new();
    for (run, from, to) in spans(book, held) {
        let dial = book
            .dials
            .iter()
            .find(|(who, at, _)| *who == run && *at > from && *at < to);
        if let Some((_, at, link)) = dial {
            failures.push(format!(
                "{run:?} was at rest from {from:?} to {to:?}, and yet dialled link {link} at {at:?}"
            ));
        }
    }
    let mut since: BTreeMap<Run, Duration> = BTreeMap::new();
    for (run, at, change) in &book.states {
        let from = since.insert(*run, *at).unwrap_or_default();
        let ends: &[Call] = match change.previous {
            State::Paused => &[Call::Connect, Call::Foreground],
            State::Offline => &[Call::Connect, Call::Online],
            State::Failed => &[Call::Connect, Call::Token],
            State::Closed | State::Idle => &[Call::Connect],
            _ => continue,
        };
        let mut calls = book.calls.iter();
        let told = calls.any(|(who, when, call)| *who == run.who && ends.contains(call) && *when >= from && when <= at);
        if change.state == State::Connecting && !told {
            failures.push(format!(
                "{run:?} was {:?} from {from:?} on, and began to connect at {at:?} without one of {ends:?}",
                change.previous
            ));
        }
    }
    failures
}

/// A link that is let go of has a second for its last words. After that nothing is written; and nothing at all of what was
/// sent while paused.
pub(super) fn nothing_is_written_while_paused(book: &Book) -> Vec<String> {
    let mut failures = Vec::new();
    let rests = |state| matches!(state, State::Paused | State::Closed | State::Failed);
    for (run, from, to) in spans(book, rests) {
        let last_words = from + Duration::from_millis(1_300);
        let slept = |at: Duration| {
            let mut calls = book.calls.iter();
            calls.any(|(who, then, call)| *who == run.who && *call == Call::Clock && *then >= from && *then <= at)
        };
        let batch = book.batches.iter();
        let mut batch = batch.filter(|(who, at, _)| *who == run && *at > last_words && *at < to && !slept(*at));
        if let Some((_, at, link)) = batch.next() {
            failures.push(format!(
                "{run:?} was at rest from {from:?} to {to:?}, and yet wrote on link {link} at {at:?}"
            ));
        }
        let early = book.written.iter().find(|written| {
            let sent = &book.sent[written.n];
            written.run == run && sent.run == run && sent.at > from && written.at > sent.at && written.at < to
        });
        if let Some(written) = early {
            failures.push(format!(
                "{run:?} was at rest from {from:?} to {to:?}, and yet wrote message {} at {:?}, which was sent meanwhile",
                written.n, written.at
            ));
        }
    }
    failures
}

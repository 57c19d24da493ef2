//! An outcome says what is known, and what it says is so.

use std::collections::BTreeMap;
use std::time::Duration;

use rejoin::{Delivery, Error, ErrorKind, Outcome, State};

use crate::book::{Book, Call, Run, Sent};
use crate::expected;
use crate::plan::Habits;
use crate::server::Manner;

fn times(book: &Book) -> (Vec<u32>, Vec<u32>) {
    let mut acted = vec![0; book.sent.len()];
    for processed in &book.processed {
        acted[processed.n] += 1;
    }
    let mut written = vec![0; book.sent.len()];
    for batch in &book.written {
        written[batch.n] += 1;
    }
    (acted, written)
}

fn outcome(sent: &Sent) -> Option<&Outcome> {
    sent.outcomes.first().map(|(_, outcome)| outcome)
}

fn marked(book: &Book) -> impl Iterator<Item = (usize, &Sent)> {
    let all = book.sent.iter().enumerate();
    all.filter(|(_, sent)| sent.kind.is_marked())
}

pub(super) fn nothing_is_acted_on_twice(book: &Book) -> Vec<String> {
    let (acted, _) = times(book);
    let twice = acted.iter().enumerate().filter(|(_, times)| **times > 1);
    twice
        .map(|(n, times)| format!("message {n} was acted on {times} times by the server; once is the most"))
        .collect()
}

pub(super) fn nobody_has_two_outcomes(book: &Book) -> Vec<String> {
    let all = book.sent.iter().enumerate();
    all.filter(|(_, sent)| sent.outcomes.len() > 1)
        .map(|(n, sent)| format!("message {n} has {} outcomes; one is expected", sent.outcomes.len()))
        .collect()
}

/// `messageStatus` says what the receipt says, once.
pub(super) fn what_is_told_is_the_outcome(book: &Book) -> Vec<String> {
    let mut told: BTreeMap<(Run, &str), &str> = BTreeMap::new();
    let mut failures = Vec::new();
    for (run, id, status) in &book.statuses {
        if let Some(before) = told.insert((*run, id), status) {
            failures.push(format!("{run:?} was told that {id} is {before}, and then {status}"));
        }
    }
    for (n, sent) in book.sent.iter().enumerate() {
        let Some(id) = sent.message_id.as_deref() else { continue };
        let told = told.get(&(sent.run, id)).copied();
        let outcome = outcome(sent).map(Outcome::name);
        if told != outcome {
            failures.push(format!("message {n} ended {outcome:?}, and its app was told {told:?}"));
        }
    }
    failures
}

pub(super) fn what_was_taken_back_was_not_acted_on(book: &Book) -> Vec<String> {
    let (acted, _) = times(book);
    let back = |n: usize, sent: &Sent| {
        if !expected::COPIES_COUNT && book.limited.contains(&n) {
            return false;
        }
        // A store that could not forget a message in time has the next process send it.
        if !expected::STORES_FORGET
            && book
                .written
                .iter()
                .any(|written| written.n == n && written.run != sent.run)
        {
            return false;
        }
        matches!(
            outcome(sent),
            Some(Outcome::Cancelled | Outcome::Expired | Outcome::Dropped)
        )
    };
    marked(book)
        .filter(|(n, sent)| back(*n, sent) && acted[*n] > 0)
        .map(|(n, sent)| format!("message {n} ended {:?}, and yet the server acted on it", outcome(sent)))
        .collect()
}

pub(super) fn what_is_delivered_was_acted_on(book: &Book) -> Vec<String> {
    let (acted, _) = times(book);
    marked(book)
        .filter(|(n, sent)| matches!(outcome(sent), Some(Outcome::Delivered(_))) && acted[*n] != 1)
        .map(|(n, _)| {
            format!(
                "message {n} is Delivered, and the server acted on it {} times, not once",
                acted[n]
            )
        })
        .collect()
}

pub(super) fn what_is_sent_was_written(book: &Book) -> Vec<String> {
    let (_, written) = times(book);
    marked(book)
        .filter(|(n, sent)| matches!(outcome(sent), Some(Outcome::Sent)) && written[*n] == 0)
        .map(|(n, _)| format!("message {n} is Sent, and no link was ever given it"))
        .collect()
}

pub(super) fn what_the_server_refused_was_not_acted_on(book: &Book) -> Vec<String> {
    let (acted, written) = times(book);
    let refused = |sent: &Sent| match outcome(sent) {
        Some(Outcome::Rejected(error)) => matches!(error.kind(), ErrorKind::Server | ErrorKind::RateLimited),
        _ => false,
    };
    let refused = marked(book).filter(|(_, sent)| refused(sent) && sent.kind != crate::book::Kind::Create);
    refused
        .filter(|(n, _)| acted[*n] > 0 || written[*n] == 0)
        .map(|(n, _)| {
            format!(
                "message {n} is Rejected by the server, which acted on it {} times, and was written {} times",
                acted[n], written[n]
            )
        })
        .collect()
}

pub(super) fn what_was_refused_here_was_not_written(book: &Book) -> Vec<String> {
    let (acted, written) = times(book);
    let here = |sent: &Sent| match outcome(sent) {
        Some(Outcome::Rejected(error)) => !matches!(error.kind(), ErrorKind::Server | ErrorKind::RateLimited),
        _ => false,
    };
    marked(book)
        .filter(|(n, sent)| here(sent) && (acted[*n] > 0 || written[*n] > 0 && !book.limited.contains(n)))
        .map(|(n, sent)| format!("message {n} ended {:?}, and yet a link was given it", outcome(sent)))
        .collect()
}

/// But for the last words of a link that is let go of, of which the system may not have had the last.
pub(super) fn what_is_unconfirmed_was_written(book: &Book) -> Vec<String> {
    let (_, written) = times(book);
    let excused = |sent: &Sent| {
        let Some((ended, outcome)) = sent.outcomes.first() else {
            return true;
        };
        // It was to end as never written, and its record could not be removed: a later run may write it.
        if matches!(outcome, Outcome::Unconfirmed(Error::Store(_))) {
            return true;
        }
        // A device that slept heard its link's end together with what came before.
        let mut states = book.states.iter();
        let at_once =
            states.any(|(run, at, change)| *run == sent.run && change.state == State::Connected && at <= ended);
        let mut calls = book.calls.iter();
        let slept = calls.any(|(who, at, call)| *who == sent.run.who && *call == Call::Clock && at <= ended);
        if !expected::ENDS_ARE_KNOWN && at_once && slept {
            return true;
        }
        book.calls.iter().any(|(who, at, call)| {
            let leaves = matches!(call, Call::Disconnect | Call::Background | Call::Forget | Call::Token);
            *who == sent.run.who && leaves && *at >= sent.at && at <= ended
        })
    };
    marked(book)
        .filter(|(n, sent)| {
            matches!(outcome(sent), Some(Outcome::Unconfirmed(_))) && written[*n] == 0 && !excused(sent)
        })
        .map(|(n, sent)| format!("message {n} ended {:?}, and no link was ever given it", outcome(sent)))
        .collect()
}

/// What a store had accepted when the process was killed is sent by the next one.
pub(super) fn what_was_accepted_survives(
    book: &Book,
    lives: &[Run],
    habits: &[Habits],
    server: &Manner,
) -> Vec<String> {
    let (acted, written) = times(book);
    let mut failures = Vec::new();
    for (n, sent) in marked(book) {
        let lost = sent.reliable
            && sent.accepted.is_some()
            && sent.outcomes.is_empty()
            && habits[sent.run.who].stores
            && !lives.contains(&sent.run)
            && acted[n] == 0;
        // It had its time, or the app took it back in a later life; or it was refused then, or was not to be sent again.
        let ended = |call: Call| {
            let mut calls = book.calls.iter();
            calls.any(|(who, at, known)| *who == sent.run.who && *known == call && *at >= sent.at)
        };
        let refusable = sent.lane.as_deref().is_some_and(|lane| lane.starts_with("room:")) || server.limit.is_some();
        let dropped = sent.message_id.as_ref().is_some_and(|id| book.dropped.contains(id));
        let mut statuses = book.statuses.iter();
        let told = statuses.any(|(_, id, status)| Some(id) == sent.message_id.as_ref() && *status != "delivered");
        // What is to be written at most once leaves the store just before that, and its process may be killed in between,
        // for example while its device sleeps.
        let between = book.calls.iter().any(|(who, at, call)| {
            let mut states = book.states.iter();
            let last = states.rfind(|(run, then, _)| run.who == *who && then <= at);
            let connected = last.is_some_and(|(.., change)| change.state == State::Connected);
            *who == sent.run.who && *call == Call::Crash && connected && *at >= sent.at
        });
        let excused = told
            || book.taken_back.contains(&n)
            || dropped
            || sent.ttl.is_some()
            || ended(Call::Clear)
            || ended(Call::Forget)
            || refusable
            || sent.poison;
        // A server that has not greeted yet is taken for one that promises nothing.
        let connected = book
            .states
            .iter()
            .find(|(run, _, change)| *run == sent.run && change.state == State::Connected);
        let greeted = connected.is_none()
            || book.heard.iter().any(|heard| {
                let in_time = heard.at < sent.at || connected.is_none_or(|(_, at, _)| heard.at < *at);
                heard.run == sent.run && heard.name == "connection_status" && in_time
            });
        let again = server.ack && server.dedupe && greeted && habits[sent.run.who].delivery != Delivery::AtMostOnce;
        let once = !again && (written[n] > 0 || between || !expected::KEPT_AGAIN);
        let secret = sent.kind == crate::book::Kind::Create;
        if lost && !excused && !once && !secret {
            failures.push(format!(
                "message {n} was accepted by the store before the process was killed, and never came to the server"
            ));
        }
    }
    failures
}

/// Whether a message ended for want of an answer.
pub(super) fn unanswered(sent: &Sent) -> Option<(Duration, Duration)> {
    match sent.outcomes.first() {
        Some((at, Outcome::Unconfirmed(Error::AckTimeout { after }))) => Some((*at, *after)),
        _ => None,
    }
}

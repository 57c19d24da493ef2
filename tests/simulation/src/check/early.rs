//! Timers are late at times, and never early.

use std::time::Duration;

use rejoin::{Outcome, State};

use super::outcomes::unanswered;
use crate::book::{Book, Call};

pub(super) fn nothing_is_given_up_too_early(book: &Book) -> Vec<String> {
    let mut failures = Vec::new();
    for (n, sent) in book.sent.iter().enumerate() {
        if let Some((at, Outcome::Expired)) = sent.outcomes.first()
            && sent.ttl.is_none_or(|ttl| *at < sent.at + ttl)
        {
            failures.push(format!(
                "message {n} is Expired at {at:?}; it was sent at {:?} with a time to live of {:?}",
                sent.at, sent.ttl
            ));
        }
        if !sent.kind.is_marked() {
            continue;
        }
        if let Some((at, after)) = unanswered(sent) {
            let written = book.written.iter().rfind(|written| written.n == n && written.at <= at);
            if after != sent.ack_timeout || written.is_none_or(|written| at < written.at + after) {
                failures.push(format!(
                    "message {n} is given up at {at:?} after {after:?}; its limit is {:?}, and it was last written at {:?}",
                    sent.ack_timeout,
                    written.map(|written| written.at)
                ));
            }
        }
    }
    failures
}

/// A delay that was told is waited out, but for the user's wish, the platform's word, and a clock that stepped.
pub(super) fn nobody_dials_too_early(book: &Book) -> Vec<String> {
    let mut failures = Vec::new();
    for (run, from, change) in &book.states {
        let State::Waiting { retry_in } = change.state else {
            continue;
        };
        let Some((_, at, link)) = book.dials.iter().find(|(who, at, _)| who == run && at > from) else {
            continue;
        };
        let hurried = book.calls.iter().any(|(who, when, call)| {
            let hurries = matches!(call, Call::Connect | Call::Online | Call::Foreground | Call::Token);
            // A clock that stepped is noticed when the client has something to do.
            let stepped = *call == Call::Clock && *when + Duration::from_secs(60) > *from;
            *who == run.who && when <= at && (stepped || hurries && when >= from)
        });
        if *at + Duration::from_micros(1) < *from + retry_in && !hurried {
            failures.push(format!(
                "{run:?} said at {from:?} that it would try again in {retry_in:?}, and dialled link {link} at {at:?}"
            ));
        }
    }
    failures
}

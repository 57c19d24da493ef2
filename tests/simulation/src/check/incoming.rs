//! What the server sent is handled once.

use std::collections::{BTreeMap, BTreeSet};

use crate::book::{Book, Call, Run};

pub(super) fn nothing_is_handled_twice(book: &Book) -> Vec<String> {
    let mut seen: BTreeSet<(Run, &str)> = BTreeSet::new();
    let mut offsets: BTreeSet<(Run, u64)> = BTreeSet::new();
    let mut failures = Vec::new();
    // Who forgets everything knows nothing of what was handled either.
    let mut forgets = book
        .calls
        .iter()
        .filter(|(_, _, call)| *call == Call::Forget)
        .peekable();
    for heard in &book.heard {
        while let Some((who, ..)) = forgets.next_if(|(_, at, _)| *at <= heard.at) {
            seen.retain(|(run, _)| run.who != *who);
        }
        let is_message = matches!(
            heard.name.as_str(),
            "private_message" | "group_message" | "notification"
        );
        if let Some(id) = heard.id.as_deref().filter(|_| is_message)
            && !seen.insert((heard.run, id))
        {
            failures.push(format!("{:?} handled {} {id} twice", heard.run, heard.name));
        }
        if let Some((offset, _)) = heard.offset
            && !offsets.insert((heard.run, offset))
        {
            failures.push(format!("{:?} handled the event o{offset} twice", heard.run));
        }
    }
    failures
}

pub(super) fn what_has_a_receipt_was_handled(book: &Book) -> Vec<String> {
    let mut handled: BTreeMap<(Run, &str), u32> = BTreeMap::new();
    for heard in &book.heard {
        if let Some(id) = &heard.id {
            *handled.entry((heard.run, id)).or_default() += 1;
        }
    }
    let mut failures = Vec::new();
    for (run, id, at) in &book.receipts {
        let times = handled.get(&(*run, id.as_str())).copied().unwrap_or(0);
        // Killed between the queue and the handler.
        let killed = book
            .calls
            .iter()
            .any(|(who, when, call)| *who == run.who && *call == Call::Crash && when <= at);
        let forgot = book
            .calls
            .iter()
            .any(|(who, when, call)| *who == run.who && *call == Call::Forget && when <= at);
        if times != 1 && !(times > 1 && forgot) && !(times == 0 && killed) {
            failures.push(format!(
                "the server has a receipt for {id} from {run:?}, which handled it {times} times; once is expected"
            ));
        }
    }
    failures
}

/// A session that is taken up again has missed nothing, and heard nothing twice or out of order. How much of its end a
/// client heard that never came back is open.
pub(super) fn recovered_sessions_miss_nothing(book: &Book) -> Vec<String> {
    let mut failures = Vec::new();
    for (pid, chain) in &book.chains {
        // Only one process had this session: a new one knows nothing of the old one's.
        let mut heard: BTreeMap<Run, Vec<u64>> = BTreeMap::new();
        for event in &book.heard {
            if let Some((offset, session)) = &event.offset
                && session == pid
                && event.name != "join_room_failed"
            {
                heard.entry(event.run).or_default().push(*offset);
            }
        }
        for (run, offsets) in heard {
            let expected = &chain.offsets[..offsets.len().min(chain.offsets.len())];
            if offsets != expected {
                failures.push(format!(
                    "{run:?} in session {pid} handled the events {offsets:?}; meant for it were {:?}",
                    chain.offsets
                ));
            }
        }
    }
    failures
}

/// Whoever stops typing was typing.
pub(super) fn typists_stop_once(book: &Book) -> Vec<String> {
    let mut typing: BTreeSet<(Run, &(String, Option<String>))> = BTreeSet::new();
    let mut failures = Vec::new();
    for heard in &book.heard {
        let Some(typist) = &heard.typist else { continue };
        if heard.name == "typing_start" {
            typing.insert((heard.run, typist));
        } else if !typing.remove(&(heard.run, typist)) {
            failures.push(format!(
                "{:?} was told at {:?} that {typist:?} stopped, who was not typing",
                heard.run, heard.at
            ));
        }
    }
    failures
}

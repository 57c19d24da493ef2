//! Order holds within a lane.

use std::collections::BTreeMap;

use crate::book::{Book, Processed, Who};

/// What the server acted on, in the order in which it was sent. Two messages that went over two links, of which the first is
/// not sent again, may overtake each other on the way: nobody can keep these apart.
pub(super) fn lanes_keep_their_order(book: &Book, dedupes: bool) -> Vec<String> {
    let mut lanes: BTreeMap<(Who, Option<&str>), Vec<Processed>> = BTreeMap::new();
    for processed in &book.processed {
        let sent = &book.sent[processed.n];
        let lane = (sent.run.who, sent.lane.as_deref());
        lanes.entry(lane).or_default().push(*processed);
    }
    let mut failures = Vec::new();
    for ((_, lane), acted) in lanes {
        for (at, later) in acted.iter().enumerate() {
            let overtaken = |earlier: &&Processed| {
                let again = book.sent[later.n].reliable && dedupes;
                earlier.n > later.n && (earlier.link == later.link || again)
            };
            if let Some(earlier) = acted[..at].iter().find(overtaken) {
                failures.push(format!(
                    "in lane {lane:?} the server acted on message {} before message {}, which was sent earlier",
                    earlier.n, later.n
                ));
                break;
            }
        }
    }
    failures
}

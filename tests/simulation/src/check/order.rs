//! Order holds within a lane.

use std::collections::BTreeMap;

use rejoin::{Delivery, Outcome};

use crate::book::{Book, Kind, Processed, Run, Who};
use crate::plan::Habits;
use crate::server::Manner;

/// What the server acted on, in the order in which it was sent. Two messages that went over two links, of which the first is
/// not sent again, may overtake each other on the way: nobody can keep these apart.
pub(super) fn lanes_keep_their_order(book: &Book, server: &Manner, habits: &[Habits]) -> Vec<String> {
    if server.limit.is_some() && (!server.order || book.impatient) {
        // It may refuse the first of two and take the second, or has lost its patience.
        return Vec::new();
    }
    let mut lanes: BTreeMap<(Who, Option<&str>), Vec<Processed>> = BTreeMap::new();
    for processed in &book.processed {
        let sent = &book.sent[processed.n];
        if sent.volatile {
            // It goes out at once or never, whatever its lane waits for.
            continue;
        }
        if server.limit.is_some() && !sent.reliable {
            // What carries no message id is not limited.
            continue;
        }
        let lane = (sent.run.who, sent.lane.as_deref());
        lanes.entry(lane).or_default().push(*processed);
    }
    let mut failures = Vec::new();
    for ((_, lane), acted) in lanes {
        for (at, later) in acted.iter().enumerate() {
            let overtaken = |earlier: &&Processed| {
                let sent = &book.sent[later.n];
                let once = habits[sent.run.who].delivery == Delivery::AtMostOnce;
                let again = sent.reliable && server.dedupe && server.ack && !once;
                let told = |(_, id, status): &(Run, String, &str)| {
                    Some(id) == sent.message_id.as_ref() && *status != "delivered"
                };
                let plain = matches!(sent.outcomes.first(), None | Some((_, Outcome::Delivered(_))));
                // What no store kept ended with its process; nor is a room's password stored.
                let kept = habits[sent.run.who].stores && sent.accepted.is_some() && sent.kind != Kind::Create;
                let lost = !kept && sent.outcomes.is_empty();
                let given_up = !plain || lost || book.statuses.iter().any(told);
                // A refused message that is given up is skipped, and a copy of it may still be on its way.
                let skipped = given_up && server.limit.is_some();
                earlier.n > later.n && (earlier.link == later.link && !skipped || again && !given_up)
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

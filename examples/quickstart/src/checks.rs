//! Whether every message was accounted for.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::RangeInclusive;

/// How many messages Alice sends while she is cut off.
pub const SENT: usize = 120;

/// How many of them her queue holds: the default of `QueueConfig::capacity`.
pub const KEPT: usize = 100;

/// How many messages wait in the program that is killed. They are numbered from 1.
pub const WRITTEN: usize = 10;

/// The messages that have to go, the oldest first, and those that have to arrive. They are numbered from 1.
const DROPPED: RangeInclusive<usize> = 1..=SENT - KEPT;
const ARRIVED: RangeInclusive<usize> = SENT - KEPT + 1..=SENT;

/// What became of the messages, as each side saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evidence {
    /// The outcome of each message's receipt, in the order of sending.
    pub outcomes: Vec<&'static str>,
    /// The messages that Alice's client reported as dropped, in the order of the reports.
    pub reported: Vec<usize>,
    /// The messages that Bob heard, in the order of their arrival.
    pub heard: Vec<usize>,
    /// The messages of the program that was killed, as Bob heard them.
    pub survived: Vec<usize>,
}

impl Evidence {
    /// What the witnesses say.
    pub const fn new(
        outcomes: Vec<&'static str>,
        reported: Vec<usize>,
        heard: Vec<usize>,
        survived: Vec<usize>,
    ) -> Self {
        Self {
            outcomes,
            reported,
            heard,
            survived,
        }
    }

    /// One sentence for each thing that must not happen; none if all is well.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for number in ARRIVED {
            match self.heard.iter().filter(|heard| **heard == number).count() {
                0 => faults.push(format!("message {number} was lost")),
                1 => {}
                times => faults.push(format!("message {number} arrived {times} times")),
            }
        }
        for pair in self.heard.windows(2) {
            if pair[0] > pair[1] {
                faults.push(format!("message {} arrived behind message {}", pair[1], pair[0]));
            }
        }
        for number in self.heard.iter().filter(|number| !ARRIVED.contains(number)) {
            faults.push(format!("message {number} arrived, and should have been dropped"));
        }
        if !self.survived.iter().copied().eq(1..=WRITTEN) {
            faults.push(format!(
                "of the {WRITTEN} messages of the program that was killed Bob heard {:?}",
                self.survived
            ));
        }
        if !self.reported.iter().copied().eq(DROPPED) {
            faults.push(format!(
                "reported as dropped were {:?}, not the oldest in their order",
                self.reported
            ));
        }
        for (number, outcome) in (1..).zip(&self.outcomes) {
            let wanted = if DROPPED.contains(&number) {
                "dropped"
            } else {
                "delivered"
            };
            if *outcome != wanted {
                faults.push(format!("message {number} ended as {outcome}, not as {wanted}"));
            }
        }
        if self.outcomes.len() != SENT {
            faults.push(format!("{} messages have an outcome, not {SENT}", self.outcomes.len()));
        }
        faults
    }

    /// The outcomes, counted.
    pub fn table(&self) -> String {
        let mut counts = BTreeMap::new();
        for outcome in &self.outcomes {
            *counts.entry(*outcome).or_insert(0) += 1;
        }
        let mut table = format!("{:<12} {:>8}\n", "outcome", "messages");
        for (outcome, count) in counts {
            // Writing to a string cannot fail.
            let _ = writeln!(table, "{outcome:<12} {count:>8}");
        }
        let _ = writeln!(table, "{:<12} {:>8}", "in all", self.outcomes.len());
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Evidence {
        let outcomes = (1..=SENT).map(|number| {
            if DROPPED.contains(&number) {
                "dropped"
            } else {
                "delivered"
            }
        });
        Evidence::new(
            outcomes.collect(),
            DROPPED.collect(),
            ARRIVED.collect(),
            (1..=WRITTEN).collect(),
        )
    }

    fn faults(change: impl FnOnce(&mut Evidence)) -> Vec<String> {
        let mut evidence = good();
        change(&mut evidence);
        evidence.faults()
    }

    #[test]
    fn a_hundred_in_order_and_the_oldest_twenty_dropped_is_no_fault() {
        assert_eq!(good().faults(), [""; 0]);
    }

    #[test]
    fn a_lost_message_is_a_fault_wherever_it_stood() {
        assert_eq!(
            faults(|evidence| {
                _ = evidence.heard.remove(0);
            }),
            ["message 21 was lost"]
        );
        assert_eq!(
            faults(|evidence| {
                _ = evidence.heard.remove(40);
            }),
            ["message 61 was lost"]
        );
        assert_eq!(
            faults(|evidence| {
                _ = evidence.heard.pop();
            }),
            ["message 120 was lost"]
        );
    }

    #[test]
    fn a_repeated_message_is_a_fault() {
        assert_eq!(
            faults(|evidence| evidence.heard.insert(5, 25)),
            ["message 25 arrived 2 times"]
        );
    }

    #[test]
    fn messages_out_of_order_are_a_fault() {
        assert_eq!(
            faults(|evidence| evidence.heard.swap(7, 8)),
            ["message 28 arrived behind message 29"]
        );
    }

    #[test]
    fn a_message_that_arrives_though_it_was_dropped_is_a_fault() {
        assert_eq!(
            faults(|evidence| evidence.heard.insert(0, 20)),
            ["message 20 arrived, and should have been dropped"]
        );
    }

    #[test]
    fn a_message_of_the_killed_program_that_is_lost_repeated_or_out_of_order_is_a_fault() {
        assert_eq!(faults(|evidence| _ = evidence.survived.pop()).len(), 1);
        assert_eq!(faults(|evidence| evidence.survived.push(WRITTEN)).len(), 1);
        assert_eq!(faults(|evidence| evidence.survived.swap(0, 1)).len(), 1);
    }

    #[test]
    fn another_outcome_or_one_too_few_is_a_fault() {
        assert_eq!(
            faults(|evidence| evidence.outcomes[50] = "unconfirmed"),
            ["message 51 ended as unconfirmed, not as delivered"]
        );
        assert_eq!(
            faults(|evidence| {
                _ = evidence.outcomes.pop();
            }),
            ["119 messages have an outcome, not 120"]
        );
    }

    #[test]
    fn drops_that_are_not_reported_oldest_first_are_a_fault() {
        assert_eq!(faults(|evidence| evidence.reported.swap(0, 1)).len(), 1);
        assert_eq!(
            faults(|evidence| {
                _ = evidence.reported.pop();
            })
            .len(),
            1
        );
    }
}

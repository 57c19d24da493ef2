//! What the app has heard already, of that which a server keeps until it has a receipt: it sends it again where the
//! receipt was lost.

use std::collections::VecDeque;

/// So many are remembered.
const MOST: usize = 1000;

/// No id is longer, in bytes. One that is, is not remembered.
const LONGEST: usize = 256;

/// The ids of the last events, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Looked through first, which is quick; equal marks mean nothing yet.
    marks: VecDeque<u32>,
    ids: VecDeque<Box<str>>,
}

impl Seen {
    /// Notes that an event came. Says whether it is new. Ids of different origins, kinds of events and senders, have
    /// nothing to do with each other.
    pub(crate) fn is_new(&mut self, from: &str, id: &str) -> bool {
        let key = [from, "\n", id].concat();
        let mark = mark(&key);
        let known = |(at, known): (usize, &u32)| *known == mark && *self.ids[at] == *key;
        if self.marks.iter().enumerate().any(known) {
            return false;
        }
        if id.len() > LONGEST || key.len() > 2 * LONGEST {
            return true;
        }
        if self.ids.len() == MOST {
            self.ids.pop_front();
            self.marks.pop_front();
        }
        self.ids.push_back(key.into());
        self.marks.push_back(mark);
        true
    }
}

/// FNV-1a.
fn mark(text: &str) -> u32 {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    text.bytes().fold(0x811c_9dc5, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once_per_kind_of_event_as_long_as_it_is_remembered() {
        let mut seen = Seen::default();
        assert!(seen.is_new("a", "1"));
        assert!(!seen.is_new("a", "1"));
        assert!(seen.is_new("b", "1"));
        for id in 0..MOST {
            assert!(seen.is_new("c", &id.to_string()));
        }
        assert!(!seen.is_new("c", "0"));
        assert!(seen.is_new("a", "1"), "so many others came since");
        let long = "x".repeat(LONGEST + 1);
        assert!(seen.is_new("a", &long));
        assert!(seen.is_new("a", &long), "too long to be remembered");
    }

    #[test]
    fn equal_marks_are_not_equal_ids() {
        // Two words with the same FNV-1a hash of 32 bits.
        assert_eq!(mark("costarring"), mark("liquid"));
        let mut seen = Seen::default();
        let (event, one) = ("", "x");
        assert!(seen.is_new(event, one));
        seen.marks[0] = mark("\ny");
        assert!(seen.is_new("", "y"), "another id behind the same mark");
    }
}

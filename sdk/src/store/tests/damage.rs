//! Two thousand damaged copies of a log, twice.

use super::disk::Mem;
use super::{Random, after, profile, put, remove};
use crate::store::Transaction;
use crate::store::kept::Kept;
use crate::store::log::{encode, frame, snapshot};
use crate::store::log_store::Writer;

const COPIES: usize = 2_000;

/// A log, and after how many of its bytes which state is reached.
struct Written {
    log: Vec<u8>,
    states: Vec<(usize, Kept)>,
}

/// Goes on with a log, one transaction after another.
fn write(log: Option<&[u8]>, mut states: Vec<(usize, Kept)>, transactions: &[Transaction]) -> Written {
    let disk = log.map_or_else(Mem::default, Mem::with);
    let (mut writer, damage) = Writer::open(disk.clone()).unwrap();
    assert_eq!(damage, None);
    if states.is_empty() {
        states.push((disk.log().len(), Kept::default()));
    }
    let mut kept = states.last().unwrap().1.clone();
    for transaction in transactions {
        kept.apply(transaction.clone());
        writer.apply(transaction.clone()).unwrap();
        states.push((disk.log().len(), kept.clone()));
    }
    Written {
        log: disk.log(),
        states,
    }
}

/// A hundred messages, each put by a transaction of its own, with removals and profiles in between.
fn transactions() -> Vec<Transaction> {
    let mut transactions = Vec::new();
    for seq in 0..100 {
        transactions.push(put(seq));
        if seq.is_multiple_of(3) {
            transactions.push(remove(seq / 2));
        }
        if seq.is_multiple_of(17) {
            transactions.push(Transaction {
                profiles: vec![profile(seq)],
                ..Transaction::default()
            });
        }
    }
    transactions
}

/// The same, from a log that was compacted before.
fn compacted() -> Written {
    let kept = after((200..260).map(put).chain([Transaction {
        profiles: vec![profile(1), profile(2)],
        ..Transaction::default()
    }]));
    let log = snapshot(&kept, 7).unwrap();
    // A snapshot begins with the profiles, and goes on with one message after another.
    let mut part = Kept::default();
    let mut states = vec![(36, part.clone())];
    let mut len = 36;
    let profiles = Transaction {
        profiles: kept.profiles.clone(),
        ..Transaction::default()
    };
    for transaction in std::iter::once(profiles).chain((200..260).map(put)) {
        len += frame(7, 0, &encode(&transaction).unwrap()).len();
        part.apply(transaction);
        states.push((len, part.clone()));
    }
    assert_eq!(len, log.len());
    write(Some(&log), states, &transactions())
}

/// Does some damage to a copy. Half of the time it is whole frames that are cut out, repeated or moved.
fn damage(Written { log, states }: &Written, random: &mut Random) -> Vec<u8> {
    let mut copy = log.clone();
    for _ in 0..=random.below(3) {
        let frames = random.below(2) == 0;
        let place = |random: &mut Random, bound: usize| {
            let end = states[random.below(states.len())].0;
            if frames && end < bound {
                end
            } else {
                random.below(bound)
            }
        };
        let at = place(random, copy.len());
        let to = if frames {
            states
                .iter()
                .find(|(end, _)| *end > at + random.below(300))
                .map(|(end, _)| *end)
        } else {
            None
        };
        let to = to.unwrap_or(at + 1 + random.below(300)).min(copy.len());
        match random.below(8) {
            0 => (0..=random.below(8)).for_each(|_| {
                let at = random.below(copy.len());
                if let Some(byte) = copy.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }),
            1 => copy.truncate(at),
            // Some frames twice.
            2 => {
                let part = copy[at..to].to_vec();
                let target = place(random, copy.len());
                copy.splice(target..target, part);
            }
            3 => copy[at..to].fill(0),
            4 => drop(copy.drain(at..to)),
            // A part in the place of another.
            5 => {
                let part = copy[at..to].to_vec();
                let target = place(random, copy.len() - part.len() + 1);
                copy[target..target + part.len()].copy_from_slice(&part);
            }
            6 => copy
                .iter_mut()
                .skip(at)
                .take(to - at)
                .for_each(|byte| *byte = random.next() as u8),
            _ => copy.extend((0..random.below(60)).map(|n| if n % 2 == 0 { 0 } else { random.next() as u8 })),
        }
        if copy.is_empty() {
            break;
        }
    }
    copy
}

fn damaged_copies(written: &Written, seed: u64) {
    let states = &written.states;
    let mut random = Random(seed);
    let (mut quiet, mut told, mut fewer) = (0, 0, 0);
    for n in 0..COPIES {
        let copy = damage(written, &mut random);
        let disk = Mem::with(&copy);
        let (writer, damage) = Writer::open(disk.clone()).unwrap();
        let kept = after_open(&writer);

        let state = states.iter().position(|(_, state)| *state == kept);
        let state = state.unwrap_or_else(|| panic!("copy {n}: a state that never was: {kept:?}"));
        fewer += usize::from(state + 1 < states.len());

        if damage.is_some() {
            told += 1;
            // Nothing is destroyed: what is not in the log any more was set aside.
            let platter = disk.lock();
            let rest = platter.aside.values().next().map_or(&[][..], Vec::as_slice);
            assert!(
                copy.ends_with(rest),
                "copy {n}: what was set aside is not what was there"
            );
            let good = copy.len() - rest.len();
            assert!(
                good == 0 || good >= states[state].0,
                "copy {n}: {good} bytes were thought good"
            );
        } else {
            quiet += 1;
            // Nothing that may once have been acknowledged is missing in silence: every frame for which the copy is long
            // enough is there.
            let whole = states.iter().rfind(|(end, _)| *end <= copy.len()).unwrap();
            assert!(whole.1 == kept, "copy {n}: accepted as complete, with frames missing");
        }

        // What was opened once is good from then on.
        let (again, damage) = Writer::open(disk.clone()).unwrap();
        assert_eq!(damage, None, "copy {n}");
        assert!(
            after_open(&again) == kept,
            "copy {n}: another state at the second start"
        );
    }
    println!("{COPIES} copies: {told} told of damage, {quiet} did not, {fewer} kept less than all");
    assert!(told > COPIES / 2 && quiet > COPIES / 50 && fewer > COPIES / 2);
}

fn after_open(writer: &Writer<Mem>) -> Kept {
    let contents = writer.contents(None);
    after([Transaction {
        put: contents.records,
        profiles: contents.profiles,
        ..Transaction::default()
    }])
}

#[test]
fn two_thousand_damaged_copies_give_what_was_once_kept_and_say_so() {
    damaged_copies(&write(None, Vec::new(), &transactions()), 1);
}

#[test]
fn two_thousand_damaged_copies_of_a_compacted_log_give_what_was_once_kept_and_say_so() {
    damaged_copies(&compacted(), 2);
}

#[test]
fn a_log_cut_at_any_byte_keeps_the_transactions_that_are_whole() {
    let Written { log, states } = write(None, Vec::new(), &transactions()[..20]);
    for length in states[0].0..log.len() {
        let (writer, damage) = Writer::open(Mem::with(&log[..length])).unwrap();
        let whole = states.iter().rfind(|(end, _)| *end <= length).unwrap();
        assert!(after_open(&writer) == whole.1, "cut after {length} bytes");
        assert_eq!(
            damage, None,
            "an append that was interrupted is no damage, after {length} bytes"
        );
    }
}

#[test]
fn a_bit_that_flips_anywhere_before_the_end_is_told() {
    let Written { log, .. } = write(None, Vec::new(), &transactions()[..5]);
    for bit in 0..log.len() * 8 {
        let mut copy = log.clone();
        copy[bit / 8] ^= 1 << (bit % 8);
        let (_, damage) = Writer::open(Mem::with(&copy)).unwrap();
        assert!(damage.is_some(), "bit {bit} flipped in silence");
    }
}

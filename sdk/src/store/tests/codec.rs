//! Transactions as bytes.

use proptest::prelude::*;

use super::{Random, erase, profile, put, record, remove};
use crate::store::log::{decode, encode};
use crate::store::{Profile, Record, Transaction};

#[test]
fn every_field_comes_back_bit_for_bit() {
    let transaction = Transaction {
        erase: true,
        put: (0..30).map(record).chain([Record::default()]).collect(),
        remove: vec![0, 7, u64::MAX],
        profiles: (0..12).map(profile).chain([Profile::default()]).collect(),
        ..Transaction::default()
    };
    assert_eq!(decode(&encode(&transaction).unwrap()), Some(transaction));
    for transaction in [put(1), remove(1), erase(), Transaction::default()] {
        assert_eq!(decode(&encode(&transaction).unwrap()), Some(transaction));
    }
}

#[test]
fn a_payload_that_is_cut_or_longer_is_none() {
    let whole = encode(&put(7)).unwrap();
    for length in 1..whole.len() {
        assert_eq!(decode(&whole[..length]), None, "the first {length} bytes");
    }
    let longer: Vec<u8> = whole.iter().copied().chain([0]).collect();
    assert_eq!(decode(&longer), None);
}

#[test]
fn a_length_or_a_count_that_is_only_claimed_makes_no_room() {
    // A put whose body claims four gibibytes, and one whose attachments are four billion.
    let whole = encode(&put(3)).unwrap();
    let mut random = Random(3);
    for _ in 0..20_000 {
        let mut payload = whole.clone();
        let at = random.below(payload.len() - 4);
        payload[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        // The machine of a test has no room for what is claimed here, twenty thousand times.
        let _ = decode(&payload);
    }
}

proptest! {
    #[test]
    fn bytes_of_any_kind_are_an_answer_and_never_a_panic(payload in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Some(transaction) = decode(&payload) {
            // What was understood says so much, no less: it can be written and read again.
            prop_assert_eq!(decode(&encode(&transaction).unwrap()), Some(transaction));
        }
    }
}

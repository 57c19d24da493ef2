//! The log store over a disk that is made up. The one over a folder is tested in `tests/store.rs`.
//!
//! - here: messages, and a seeded generator.
//! - `disk`: a disk that fails, or waits, as it is told.
//! - `codec`, `recovery`, `damage`, `failures`, `blocking`.

#![allow(clippy::unwrap_used, reason = "tests fail by panics")]

mod blocking;
mod codec;
mod damage;
mod disk;
mod failures;
mod recovery;

use super::kept::Kept;
use super::{Profile, Record, Transaction};

/// A message of which every field depends on its number.
fn record(seq: u64) -> Record {
    Record {
        seq,
        namespace: format!("/{}", seq % 3),
        message_id: format!("id-{seq}"),
        body: format!(
            r#"["private_message",{{"content":"{}"}}]"#,
            "x".repeat(seq as usize % 97)
        )
        .into(),
        attachments: (0..seq % 4).map(|n| vec![n as u8; seq as usize % 31].into()).collect(),
        lane: seq.is_multiple_of(2).then(|| format!("user:{seq}")),
        expires_unix_ms: seq.is_multiple_of(5).then_some(seq << 40),
        ack_timeout_ms: 10_000 + seq,
        written: seq.is_multiple_of(2),
        account: seq.is_multiple_of(3).then(|| "u1".to_owned()),
    }
}

fn profile(n: u64) -> Profile {
    Profile {
        namespace: format!("/{}", n % 2),
        account: (!n.is_multiple_of(3)).then(|| format!("u{n}")),
        features: (!n.is_multiple_of(4)).then(|| r#"["ack","dedupe"]"#.to_owned()),
    }
}

fn put(seq: u64) -> Transaction {
    Transaction {
        put: vec![record(seq)],
        ..Transaction::default()
    }
}

fn remove(seq: u64) -> Transaction {
    Transaction {
        remove: vec![seq],
        ..Transaction::default()
    }
}

fn erase() -> Transaction {
    Transaction {
        erase: true,
        ..Transaction::default()
    }
}

/// What is kept after these.
fn after(transactions: impl IntoIterator<Item = Transaction>) -> Kept {
    let mut kept = Kept::default();
    transactions.into_iter().for_each(|transaction| kept.apply(transaction));
    kept
}

/// A generator of numbers that are the same in every run (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

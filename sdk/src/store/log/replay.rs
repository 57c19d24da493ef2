//! From a log to what it keeps, and from that to a new log.

use super::codec::{decode, encode};
use super::frame::{Beginning, HEADER, Header, Next, beginning, frame, next};
use crate::store::Transaction;
use crate::store::kept::Kept;

/// What a log says.
#[derive(Debug)]
pub(crate) struct Replay {
    /// What it keeps: the state after the frames up to `good`, each applied whole.
    pub(crate) kept: Kept,
    /// How often it was written anew.
    pub(crate) generation: u64,
    /// So many bytes of it are good.
    pub(crate) good: usize,
    /// What comes after those.
    pub(crate) tail: Tail,
}

/// What stands after the last good frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    /// Nothing.
    Clean,
    /// A frame whose head is whole, or less than a head, and whose end is missing: an append that a crash interrupted.
    /// It was never acknowledged, because that comes after the last byte.
    Torn,
    /// Anything else: what was whole once has changed, or is missing.
    Damaged,
}

/// A log of a version that this one cannot read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Newer(pub(crate) u32);

/// Reads a log up to the first frame that is not good. Bytes of any kind are an answer, never a panic.
pub(crate) fn replay(log: &[u8]) -> Result<Replay, Newer> {
    let mut replay = Replay {
        kept: Kept::default(),
        generation: 0,
        good: 0,
        tail: Tail::Damaged,
    };
    let header = match beginning(log) {
        Beginning::Known(header) => header,
        Beginning::Newer(version) => return Err(Newer(version)),
        Beginning::Bad => return Ok(replay),
    };
    replay.generation = header.generation;
    replay.good = HEADER;
    replay.tail = loop {
        match next(log, replay.good, header.generation) {
            Next::Payload(payload, end) => match decode(payload) {
                Some(transaction) => {
                    replay.kept.apply(transaction);
                    replay.good = end;
                }
                None => break Tail::Damaged,
            },
            // A snapshot is there as a whole before it is the log at all: nothing tears it.
            Next::End | Next::Short if (replay.good as u64) < header.snapshot => break Tail::Damaged,
            Next::End => break Tail::Clean,
            Next::Short => break Tail::Torn,
            Next::Bad => break Tail::Damaged,
        }
    };
    Ok(replay)
}

/// A log that says nothing but what is kept; `None` if one record is longer than a log can hold.
pub(crate) fn snapshot(kept: &Kept, generation: u64) -> Option<Vec<u8>> {
    let mut log = vec![0; HEADER];
    let profiles = Transaction {
        profiles: kept.profiles.clone(),
        ..Transaction::default()
    };
    let records = kept.records.values().map(|record| Transaction {
        put: vec![record.clone()],
        ..Transaction::default()
    });
    let transactions = std::iter::once(profiles).chain(records);
    for transaction in transactions.filter(|transaction| !transaction.is_empty()) {
        let frame = frame(generation, log.len() as u64, &encode(&transaction)?);
        log.extend_from_slice(&frame);
    }
    let header = Header {
        generation,
        snapshot: log.len() as u64,
    };
    log[..HEADER].copy_from_slice(&header.to_bytes());
    Some(log)
}

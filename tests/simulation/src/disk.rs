//! The file store's log on a simulated disk: it takes its time, it fails now and then, and a process may be killed while
//! it writes.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use rejoin::Error;
use rejoin::sim::Process;
use rejoin::store::{Contents, Disk, LogStore, Store, StoreFuture, Transaction};

use crate::book::Facts;
use crate::rng::Rng;

/// A disk, which survives processes. Clones are handles.
#[derive(Debug, Clone)]
pub(crate) struct Platter {
    state: Arc<Mutex<State>>,
    facts: Facts,
}

#[derive(Debug)]
struct State {
    rng: Rng,
    log: Option<Vec<u8>>,
    aside: usize,
    /// From where on what was appended may be lost: nobody was told yet that it is there.
    unsure: Option<usize>,
    /// How long a transaction takes, in microseconds at most.
    latency: u64,
    /// In so many of a hundred cases it fails.
    failures: u64,
}

impl Platter {
    pub(crate) fn new(seed: u64, facts: Facts) -> Self {
        let mut rng = Rng::new(seed);
        let latency = *rng.pick(&[0, 300, 5_000, 80_000]);
        let failures = *rng.pick(&[0, 0, 0, 3]);
        Self {
            state: Arc::new(Mutex::new(State {
                rng,
                log: None,
                aside: 0,
                unsure: None,
                latency,
                failures,
            })),
            facts,
        }
    }

    /// A store of a process on this disk.
    pub(crate) fn store(&self, process: &Process) -> SlowStore {
        SlowStore {
            log: LogStore::open(self.clone()).expect("reading does not fail"),
            platter: self.clone(),
            process: process.clone(),
        }
    }

    /// The process was killed: of what was being written, so much is there.
    pub(crate) fn crash(&self) {
        let mut state = self.lock();
        let State { rng, log, unsure, .. } = &mut *state;
        if let (Some(from), Some(log)) = (unsure.take(), log) {
            let there = from + rng.index(log.len().saturating_sub(from) + 1);
            let all = log.len();
            let there = if rng.chance(30) { all } else { there };
            log.truncate(there);
            self.facts.count(match there {
                there if there == all => "fault: killed while the store wrote, behind the end",
                there if there == from => "fault: killed while the store wrote, before the beginning",
                _ => "fault: killed while the store wrote, in the middle",
            });
        }
    }

    /// From now on nothing fails.
    pub(crate) fn calm(&self) {
        self.lock().failures = 0;
    }

    /// The ids of the messages that are kept.
    pub(crate) fn message_ids(&self) -> Vec<String> {
        let mut log = LogStore::open(self.clone()).expect("reading does not fail");
        let contents = log.load().now_or_never().and_then(Result::ok).unwrap_or_default();
        contents.records.into_iter().map(|record| record.message_id).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for Platter {
    fn name(&self) -> String {
        "simulated".to_owned()
    }

    fn blocks(&self) -> bool {
        false
    }

    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.lock().log.clone())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.lock();
        let State {
            rng,
            log,
            unsure,
            failures,
            ..
        } = &mut *state;
        let log = log.get_or_insert_default();
        *unsure = Some(log.len());
        if rng.chance(*failures) {
            self.facts.count("fault: the store failed");
            log.extend_from_slice(&bytes[..rng.index(bytes.len() + 1)]);
            return Err(io::Error::other("the disk is full"));
        }
        log.extend_from_slice(bytes);
        Ok(())
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        if let Some(log) = &mut self.lock().log {
            log.truncate(usize::try_from(len).unwrap_or(usize::MAX));
        }
        Ok(())
    }

    fn replace(&mut self, log: &[u8]) -> io::Result<()> {
        let mut state = self.lock();
        state.log = Some(log.to_vec());
        state.unsure = None;
        Ok(())
    }

    fn set_aside(&mut self, _: &[u8]) -> io::Result<String> {
        let mut state = self.lock();
        state.aside += 1;
        self.facts.count("the store set something aside");
        Ok(format!("aside-{}", state.aside))
    }

    fn erase_aside(&mut self) -> io::Result<()> {
        self.lock().aside = 0;
        Ok(())
    }
}

/// The store of one process: what it writes is there for good only after a time.
pub(crate) struct SlowStore {
    log: LogStore<Platter>,
    platter: Platter,
    process: Process,
}

impl Store for SlowStore {
    fn load(&mut self) -> StoreFuture<'_, Contents> {
        self.log.load()
    }

    fn apply(&mut self, transaction: Transaction) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let time = {
                let mut state = self.platter.lock();
                let State { rng, latency, .. } = &mut *state;
                Duration::from_micros(rng.below(*latency + 1))
            };
            let result: Result<(), Error> = self.log.apply(transaction).await;
            if !time.is_zero() {
                self.process.sleep(time).await;
            }
            self.platter.lock().unsure = None;
            result
        })
    }
}

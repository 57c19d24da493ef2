//! A store on a simulated disk: it takes its time, it fails now and then, and a process may be killed while it writes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rejoin::Error;
use rejoin::sim::Process;
use rejoin::store::{Contents, Profile, Record, Store, StoreFuture, Transaction};

use crate::book::Facts;
use crate::rng::Rng;

/// What survives a process. Clones are handles.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    kept: Arc<Mutex<Kept>>,
    facts: Facts,
}

#[derive(Debug)]
struct Kept {
    rng: Rng,
    records: BTreeMap<u64, Record>,
    profiles: Vec<Profile>,
    /// What is being written.
    pending: Option<Transaction>,
    /// How long a transaction takes, in microseconds at most.
    latency: u64,
    /// In so many of a hundred cases it fails.
    failures: u64,
}

impl Disk {
    pub(crate) fn new(seed: u64, facts: Facts) -> Self {
        let mut rng = Rng::new(seed);
        let latency = *rng.pick(&[0, 300, 5_000, 80_000]);
        Self {
            kept: Arc::new(Mutex::new(Kept {
                failures: *rng.pick(&[0, 0, 0, 3]),
                rng,
                records: BTreeMap::new(),
                profiles: Vec::new(),
                pending: None,
                latency,
            })),
            facts,
        }
    }

    /// A store of a process on this disk.
    pub(crate) fn store(&self, process: &Process) -> DiskStore {
        DiskStore {
            disk: self.clone(),
            process: process.clone(),
        }
    }

    /// The process was killed: what was being written is there, or it is not.
    pub(crate) fn crash(&self) {
        let mut kept = self.lock();
        if let Some(pending) = kept.pending.take() {
            let done = kept.rng.chance(50);
            self.facts.count(match done {
                true => "fault: killed while the store wrote, behind its end",
                false => "fault: killed while the store wrote, before its end",
            });
            if done {
                kept.apply(pending);
            }
        }
    }

    /// From now on nothing fails.
    pub(crate) fn calm(&self) {
        self.lock().failures = 0;
    }

    /// The ids of the messages that are kept.
    pub(crate) fn message_ids(&self) -> Vec<String> {
        let kept = self.lock();
        kept.records.values().map(|record| record.message_id.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn apply(&mut self, transaction: Transaction) {
        if transaction.erase {
            self.records.clear();
            self.profiles.clear();
        }
        let put = transaction.put.into_iter();
        self.records.extend(put.map(|record| (record.seq, record)));
        for seq in transaction.remove {
            self.records.remove(&seq);
        }
        for profile in transaction.profiles {
            self.profiles.retain(|known| known.namespace != profile.namespace);
            self.profiles.push(profile);
        }
    }
}

/// The store of one process.
pub(crate) struct DiskStore {
    disk: Disk,
    process: Process,
}

impl Store for DiskStore {
    fn load(&mut self) -> StoreFuture<'_, Contents> {
        let kept = self.disk.lock();
        let mut contents = Contents::default();
        contents.records = kept.records.values().cloned().collect();
        contents.profiles.clone_from(&kept.profiles);
        Box::pin(std::future::ready(Ok(contents)))
    }

    fn apply(&mut self, transaction: Transaction) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let (time, fails) = {
                let mut kept = self.disk.lock();
                let Kept {
                    rng, latency, failures, ..
                } = &mut *kept;
                let time = Duration::from_micros(rng.below(*latency + 1));
                let fails = rng.chance(*failures);
                kept.pending = Some(transaction.clone());
                (time, fails)
            };
            if !time.is_zero() {
                self.process.sleep(time).await;
            }
            let mut kept = self.disk.lock();
            kept.pending = None;
            if fails {
                self.disk.facts.count("fault: the store failed");
                return Err(Error::Store("the disk is full".into()));
            }
            kept.apply(transaction);
            Ok(())
        })
    }
}

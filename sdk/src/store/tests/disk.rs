//! A disk that fails, or waits, as it is told.

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::store::disk::Disk;

/// What an append does instead of succeeding.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    /// Writes nothing.
    Write,
    /// Writes the first so many bytes.
    Short(usize),
    /// Writes everything, but cannot say that it is on the disk.
    Sync,
}

/// What is on a disk, and what is wrong with it.
#[derive(Default)]
pub(super) struct Platter {
    pub(super) log: Option<Vec<u8>>,
    pub(super) aside: BTreeMap<String, Vec<u8>>,
    pub(super) append: Option<Fault>,
    pub(super) truncate_fails: bool,
    pub(super) replace_fails: bool,
    pub(super) aside_fails: bool,
    /// Every append waits for one of these, on whatever thread it is.
    pub(super) gate: Option<Receiver<()>>,
    pub(super) replaced: usize,
}

/// Clones are of the same disk.
#[derive(Clone, Default)]
pub(super) struct Mem {
    platter: Arc<Mutex<Platter>>,
    pub(super) blocks: bool,
}

impl Mem {
    pub(super) fn with(log: &[u8]) -> Self {
        let disk = Self::default();
        disk.lock().log = Some(log.to_vec());
        disk
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Platter> {
        self.platter.lock().unwrap()
    }

    pub(super) fn log(&self) -> Vec<u8> {
        self.lock().log.clone().unwrap()
    }

    /// How many have the disk, this one included.
    pub(super) fn holders(&self) -> usize {
        Arc::strong_count(&self.platter)
    }
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::StorageFull, "the disk is full")
}

impl Disk for Mem {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    fn blocks(&self) -> bool {
        self.blocks
    }

    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.lock().log.clone())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let gate = self.lock().gate.take();
        if let Some(gate) = gate {
            gate.recv_timeout(Duration::from_secs(20)).map_err(io::Error::other)?;
            self.lock().gate = Some(gate);
        }
        let mut platter = self.lock();
        let fault = platter.append;
        let written = match fault {
            None | Some(Fault::Sync) => bytes,
            Some(Fault::Write) => &[],
            Some(Fault::Short(length)) => &bytes[..length.min(bytes.len())],
        };
        platter.log.as_mut().unwrap().extend_from_slice(written);
        fault.map_or(Ok(()), |_| Err(broken()))
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let mut platter = self.lock();
        if platter.truncate_fails {
            return Err(broken());
        }
        let log = platter.log.as_mut().unwrap();
        assert!(log.len() as u64 >= len, "a log is never made longer");
        log.truncate(len as usize);
        Ok(())
    }

    fn replace(&mut self, log: &[u8]) -> io::Result<()> {
        let mut platter = self.lock();
        if platter.replace_fails {
            return Err(broken());
        }
        platter.log = Some(log.to_vec());
        platter.replaced += 1;
        Ok(())
    }

    fn set_aside(&mut self, bytes: &[u8]) -> io::Result<String> {
        let mut platter = self.lock();
        if platter.aside_fails {
            return Err(broken());
        }
        let name = format!("aside-{}", platter.aside.len());
        platter.aside.insert(name.clone(), bytes.to_vec());
        Ok(name)
    }

    fn erase_aside(&mut self) -> io::Result<()> {
        let mut platter = self.lock();
        if platter.aside_fails {
            return Err(broken());
        }
        platter.aside.clear();
        Ok(())
    }
}

//! One store per folder: between processes by a lock of the system, within this one by a list.

use std::collections::BTreeMap;
use std::fs::File;
use std::future::poll_fn;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use crate::sys::files;

/// The file whose lock says that the folder is in use. It is never deleted: whoever did so could lock one that another
/// process has not looked at.
const FILE: &str = "rejoin.lock";

/// The folders that this process has, and who waits for each.
static HELD: Mutex<BTreeMap<PathBuf, Vec<Waker>>> = Mutex::new(BTreeMap::new());

/// The right to use a folder; freed when it is dropped, or the process dies.
#[derive(Debug)]
pub(crate) struct Lock {
    file: Option<File>,
    folder: PathBuf,
}

/// Why there is no lock.
#[derive(Debug)]
pub(crate) enum Refused {
    /// A store of this process has it.
    Here,
    /// Another process has it.
    Elsewhere,
    /// The system has no such lock there.
    Io(io::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Lock {
    /// Takes the lock of a folder, given by its canonical path, or says at once why not.
    pub(crate) fn take(folder: &Path) -> Result<Self, Refused> {
        let mut held = held();
        if held.contains_key(folder) {
            return Err(Refused::Here);
        }
        let file = files::lock(&folder.join(FILE))?.ok_or(Refused::Elsewhere)?;
        held.insert(folder.to_owned(), Vec::new());
        Ok(Self {
            file: Some(file),
            folder: folder.to_owned(),
        })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let mut held = held();
        if let Some(file) = self.file.take() {
            files::unlock(file);
        }
        let waiting = held.remove(&self.folder);
        // Whoever is woken may want the list.
        drop(held);
        waiting.into_iter().flatten().for_each(Waker::wake);
    }
}

/// Waits until no store of this process has the folder.
pub(crate) async fn free(folder: &Path) {
    // One that is not there is nobody's.
    let Ok(folder) = folder.canonicalize() else { return };
    poll_fn(|cx| match held().get_mut(&folder) {
        None => Poll::Ready(()),
        Some(waiting) => {
            if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                waiting.push(cx.waker().clone());
            }
            Poll::Pending
        }
    })
    .await;
}

fn held() -> MutexGuard<'static, BTreeMap<PathBuf, Vec<Waker>>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

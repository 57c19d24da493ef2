//! A log over any disk as a [`Store`].
//!
//! - here: where the work runs. Natively on a thread that may wait for a disk, so that the runtime's threads do not.
//! - `writer`: what the work is.

mod writer;

use std::fmt;

pub(crate) use writer::Writer;

use super::disk::Disk;
use super::{Contents, Store, StoreFuture, Transaction};
use crate::error::Error;
use crate::sys::{self, Task};

/// Keeps a log on a [`Disk`]. `FileStore` is one over a folder.
pub struct LogStore<D> {
    place: Place<D>,
    damage: Option<Error>,
}

/// Where the writer is. It goes to the thread that writes and comes back, so that whatever becomes of the one who waits,
/// it writes one transaction to its end, and then the next.
enum Place<D> {
    Here(Box<Writer<D>>),
    Away(Task<Option<Returned<D>>>),
    /// The runtime ended before it got to work, or it panicked. The disk was let go of.
    Lost,
}

/// The writer, and what came of its work.
type Returned<D> = (Box<Writer<D>>, Result<(), Error>);

impl<D: Disk> LogStore<D> {
    /// Reads the log that is on the disk. It works on the thread of the caller.
    ///
    /// # Errors
    /// [`Error::Store`]: the disk fails, or the log is of a newer version.
    pub fn open(disk: D) -> Result<Self, Error> {
        let (writer, damage) = Writer::open(disk)?;
        Ok(Self {
            place: Place::Here(Box::new(writer)),
            damage,
        })
    }

    /// Waits for the writer where it is away, and gives what came of that.
    async fn returned(&mut self) -> Result<(), Error> {
        let Place::Away(work) = &mut self.place else {
            return Ok(());
        };
        let (place, result) = match work.await {
            Some((writer, result)) => (Place::Here(writer), result),
            None => (Place::Lost, Err(lost())),
        };
        self.place = place;
        result
    }

    /// The writer, when it is there. Only a future that was dropped leaves it away, and nobody hears what came of that.
    async fn writer(&mut self) -> Result<Box<Writer<D>>, Error> {
        let _ = self.returned().await;
        match std::mem::replace(&mut self.place, Place::Lost) {
            Place::Here(writer) => Ok(writer),
            Place::Away(_) | Place::Lost => Err(lost()),
        }
    }
}

impl<D: Disk> Store for LogStore<D> {
    fn load(&mut self) -> StoreFuture<'_, Contents> {
        Box::pin(async {
            let writer = self.writer().await?;
            let contents = writer.contents(self.damage.clone());
            self.place = Place::Here(writer);
            Ok(contents)
        })
    }

    fn apply(&mut self, transaction: Transaction) -> StoreFuture<'_, ()> {
        Box::pin(async {
            let mut writer = self.writer().await?;
            if !writer.disk().blocks() {
                let result = writer.apply(transaction);
                self.place = Place::Here(writer);
                return result;
            }
            self.place = Place::Away(sys::blocking(move || {
                let result = writer.apply(transaction);
                (writer, result)
            }));
            self.returned().await
        })
    }
}

fn lost() -> Error {
    Error::Store("the runtime ended, or writing panicked; open the store anew".into())
}

impl<D> fmt::Debug for LogStore<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nothing of what it keeps: that is not for logs.
        f.debug_struct("LogStore").finish_non_exhaustive()
    }
}

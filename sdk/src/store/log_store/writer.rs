//! Recovery, transactions and compaction, over any disk, one call after another.

use std::io;

use crate::error::Error;
use crate::store::disk::Disk;
use crate::store::kept::Kept;
use crate::store::log::{Newer, Tail, encode, frame, replay, snapshot};
use crate::store::{Contents, Transaction};

/// A log up to this length is not compacted, in bytes.
const SMALL: u64 = 128 * 1024;

/// A log is compacted when it is so many times as long as what lives.
const FACTOR: u64 = 4;

/// Owns a log: what it says is what `kept` is.
pub(crate) struct Writer<D> {
    disk: D,
    kept: Kept,
    generation: u64,
    /// How long the log is: everything up to here is good and on the disk.
    len: u64,
    /// The length at which to look whether it should be compacted.
    compact_at: u64,
    /// Why nothing can be written any more: what the log says is not known.
    in_doubt: Option<Error>,
}

impl<D: Disk> Writer<D> {
    /// Reads the log, and makes it good where it is not. Gives what was damaged, if anything was.
    pub(crate) fn open(mut disk: D) -> Result<(Self, Option<Error>), Error> {
        let Some(log) = disk.read().map_err(|error| failed(&disk, "read", &error))? else {
            let mut writer = Self::new(disk, Kept::default(), 0, 0);
            writer.rewrite(Kept::default())?;
            return Ok((writer, None));
        };
        let replay = replay(&log).map_err(|Newer(version)| {
            Error::Store(
                format!(
                    "the log in `{}` has format {version}, which a newer version of this library writes; update the \
                     app, or open another folder. Nothing was changed",
                    disk.name()
                )
                .into(),
            )
        })?;
        let good = replay.good as u64;
        let mut writer = Self::new(disk, replay.kept, replay.generation, good);
        let rest = log.get(replay.good..).unwrap_or_default();
        let damage = match replay.tail {
            Tail::Clean => None,
            Tail::Torn => {
                let bytes = rest.len();
                tracing::debug!(
                    bytes,
                    "an append to the store was interrupted; nobody was told that it was kept"
                );
                let truncated = writer.disk.truncate(good);
                truncated.map_err(|error| failed(&writer.disk, "write", &error))?;
                None
            }
            Tail::Damaged => Some(writer.repair(rest)?),
        };
        Ok((writer, damage))
    }

    fn new(disk: D, kept: Kept, generation: u64, len: u64) -> Self {
        Self {
            disk,
            kept,
            generation,
            len,
            compact_at: SMALL,
            in_doubt: None,
        }
    }

    pub(crate) fn disk(&self) -> &D {
        &self.disk
    }

    /// Everything that is kept.
    pub(crate) fn contents(&self, damage: Option<Error>) -> Contents {
        self.kept.contents(damage)
    }

    /// Does what a transaction asks: when it returns, that is on the disk. An error has changed nothing.
    pub(crate) fn apply(&mut self, transaction: Transaction) -> Result<(), Error> {
        if let Some(error) = &self.in_doubt {
            return Err(error.clone());
        }
        if transaction.is_empty() {
            return Ok(());
        }
        if transaction.erase {
            // No byte of what was may stay, so it is not enough to write that it is forgotten. What was set aside goes
            // first: if the log cannot be replaced then, all that is kept is still there.
            let erased = self.disk.erase_aside();
            erased.map_err(|error| failed(&self.disk, "write", &error))?;
            let mut kept = Kept::default();
            kept.apply(transaction);
            return self.rewrite(kept);
        }
        let payload = encode(&transaction).ok_or_else(too_long)?;
        let frame = frame(self.generation, self.len, &payload);
        if let Err(error) = self.disk.append(&frame) {
            let error = failed(&self.disk, "write", &error);
            self.take_back(&error);
            return Err(error);
        }
        self.len += frame.len() as u64;
        self.kept.apply(transaction);
        self.compact();
        Ok(())
    }

    /// Takes back what a failed append may have left. A log of which that cannot be said is not written to any more:
    /// what came behind would be lost at the next start.
    fn take_back(&mut self, why: &Error) {
        if let Err(error) = self.disk.truncate(self.len) {
            self.in_doubt = Some(Error::Store(
                format!(
                    "a transaction that failed could not be taken back in `{}` ({error}), after: {why}; close the client \
                     and open the store anew",
                    self.disk.name()
                )
                .into(),
            ));
        }
    }

    /// Writes the log anew where most of it is of no use any more. What is kept does not change, so failing is no error;
    /// it is tried again when the log has grown.
    fn compact(&mut self) {
        if self.len < self.compact_at {
            return;
        }
        let Some(log) = snapshot(&self.kept, self.generation + 1) else {
            return;
        };
        let live = log.len() as u64;
        if live.saturating_mul(FACTOR) > self.len {
            // The next look is a share of the log away, so that looking costs a share of what writing it did.
            self.compact_at = (live * FACTOR).max(self.len + self.len / 4);
        } else if let Err(error) = self.disk.replace(&log) {
            tracing::warn!(%error, "the store could not be compacted");
            self.compact_at = self.len.saturating_mul(2);
        } else {
            self.replaced(live);
        }
    }

    /// Sets aside what cannot be read, and writes the log anew without it. Gives what to tell the app.
    fn repair(&mut self, rest: &[u8]) -> Result<Error, Error> {
        let kept = self.kept.records.len();
        let name = self.disk.name();
        let damage = if rest.is_empty() {
            format!("the end of the log in `{name}` is missing; {kept} messages before it were kept")
        } else {
            let aside = self.disk.set_aside(rest);
            let aside = aside.map_err(|error| failed(&self.disk, "write", &error))?;
            format!(
                "{} bytes of the log in `{name}` were set aside as `{aside}`; {kept} messages before them were kept",
                rest.len()
            )
        };
        self.rewrite(self.kept.clone())?;
        let damage = Error::StoreDamaged(damage.into());
        tracing::warn!(%damage, "the store was damaged");
        Ok(damage)
    }

    /// Puts a log in the place of this one that says nothing but `kept`.
    fn rewrite(&mut self, kept: Kept) -> Result<(), Error> {
        let log = snapshot(&kept, self.generation + 1).ok_or_else(too_long)?;
        let replaced = self.disk.replace(&log);
        replaced.map_err(|error| failed(&self.disk, "write", &error))?;
        self.kept = kept;
        self.replaced(log.len() as u64);
        Ok(())
    }

    fn replaced(&mut self, len: u64) {
        self.generation += 1;
        self.len = len;
        self.compact_at = len.saturating_mul(FACTOR).max(SMALL);
    }
}

fn failed(disk: &impl Disk, what: &str, error: &io::Error) -> Error {
    Error::Store(
        format!(
            "cannot {what} the log in `{}`: {error}; check space and permissions there",
            disk.name()
        )
        .into(),
    )
}

fn too_long() -> Error {
    Error::Store("more than a gibibyte at once; send less".into())
}

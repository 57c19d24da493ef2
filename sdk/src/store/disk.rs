//! What a log is written to.

use std::io;

/// Holds one log, and copies of what could not be read of it. A real folder, or one that is made up for a test.
///
/// Every change is on the disk for good when the call returns. Calls come one at a time.
pub trait Disk: Send + 'static {
    /// What it is called in errors: the folder's path.
    fn name(&self) -> String;

    /// Whether calls may take long, so that they have to run apart from the async runtime's threads. Without, they run
    /// inline: for a disk that is made up.
    fn blocks(&self) -> bool {
        true
    }

    /// The whole log; `None` if there is none yet.
    ///
    /// # Errors
    /// It cannot be read.
    fn read(&mut self) -> io::Result<Option<Vec<u8>>>;

    /// Writes behind the end of the log.
    ///
    /// # Errors
    /// Anything between nothing and all of it was written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes the log this long; it is never shorter.
    ///
    /// # Errors
    /// It may be as long as before.
    fn truncate(&mut self, len: u64) -> io::Result<()>;

    /// Puts another log in the place of this one: a crash leaves either.
    ///
    /// # Errors
    /// The old log is in its place. Where that is in doubt, every later call is an error as well.
    fn replace(&mut self, log: &[u8]) -> io::Result<()>;

    /// Keeps a copy of what cannot be read, under a name that no other has, and gives the name.
    ///
    /// # Errors
    /// There is no such copy.
    fn set_aside(&mut self, bytes: &[u8]) -> io::Result<String>;

    /// Deletes everything that was set aside, and what an interrupted `replace` left.
    ///
    /// # Errors
    /// Some of it may still be there.
    fn erase_aside(&mut self) -> io::Result<()>;
}

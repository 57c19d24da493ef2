//! What of files differs between systems: permissions, locks, and making a folder's entries durable.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

/// Makes a folder that nobody else may enter, and those above it. One that is there stays as it is.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// How to open a file to read and write that nobody else may; on Windows the folder's permissions say who may.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes durable which files a folder has. Some file systems cannot, a folder may be writable and not readable, and
/// Windows has no such call: there it is the file system's own journal that keeps the order.
#[cfg(unix)]
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    match File::open(path).and_then(|folder| folder.sync_all()) {
        Err(error) if matches!(error.kind(), InvalidInput | PermissionDenied | Unsupported) => Ok(()),
        synced => synced,
    }
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "as it is on Unix")]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Opens a file that one holder in the whole system can have, and makes it if it is missing; `None` if another has it.
/// It is free when the file is closed, also by the death of the process.
#[cfg(unix)]
pub(crate) fn lock(path: &Path) -> io::Result<Option<File>> {
    use rustix::fs::{FlockOperation, flock};
    let file = private().create(true).truncate(false).open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(windows)]
pub(crate) fn lock(path: &Path) -> io::Result<Option<File>> {
    const ERROR_SHARING_VIOLATION: i32 = 32;
    let mut options = private();
    std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, 0);
    match options.create(true).truncate(false).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.raw_os_error() == Some(ERROR_SHARING_VIOLATION) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Frees a lock, also where a process that was just forked has a copy of the file until it runs its program.
pub(crate) fn unlock(file: File) {
    #[cfg(unix)]
    let _ = rustix::fs::flock(&file, rustix::fs::FlockOperation::Unlock);
    drop(file);
}

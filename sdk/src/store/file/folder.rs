//! A folder as a [`Disk`].
//!
//! | file | what |
//! |---|---|
//! | `rejoin.log` | the log |
//! | `rejoin.log.new` | a log that is to replace it, while it is written |
//! | `rejoin.lock` | who has the lock on it has the store |
//! | `rejoin.damaged-1`, … | what could not be read |

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::lock::{Lock, Refused};
use crate::store::disk::Disk;
use crate::sys::files;

const LOG: &str = "rejoin.log";
const NEW: &str = "rejoin.log.new";
const ASIDE: &str = "rejoin.damaged-";

/// A folder that nobody else has.
#[derive(Debug)]
pub(crate) struct Folder {
    /// As the app named it.
    name: String,
    /// Where it is, whatever becomes the working folder.
    path: PathBuf,
    log: Log,
    /// Last: it is freed when the files are closed.
    _lock: Lock,
}

#[derive(Debug)]
enum Log {
    /// There is none yet.
    Missing,
    Open(File),
    /// Which log is in place after a crash is not known, or it could not be opened.
    InDoubt,
}

impl Folder {
    /// Takes a folder, and makes it if it is missing. What an interrupted `replace` left is deleted.
    pub(crate) fn open(folder: &Path) -> Result<Self, Refused> {
        make_durable(folder)?;
        let path = folder.canonicalize()?;
        let lock = Lock::take(&path)?;
        remove(&path.join(NEW))?;
        let log = match files::private().open(path.join(LOG)) {
            Ok(file) => Log::Open(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Log::Missing,
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            name: folder.display().to_string(),
            path,
            log,
            _lock: lock,
        })
    }

    fn log(&mut self) -> io::Result<&mut File> {
        match &mut self.log {
            Log::Open(file) => Ok(file),
            Log::Missing => Err(io::ErrorKind::NotFound.into()),
            Log::InDoubt => Err(io::Error::other(
                "an earlier failure left in doubt which log is in place",
            )),
        }
    }

    /// Writes a new file, wholly or not at all.
    fn write_new(&self, name: &str, bytes: &[u8]) -> io::Result<File> {
        let path = self.path.join(name);
        let mut file = files::private().create_new(true).open(&path)?;
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        if let Err(error) = written {
            drop(file);
            // The next start deletes it, or `erase_aside`, where this does not.
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        Ok(file)
    }

    /// The numbers of what was set aside.
    fn aside(&self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(ASIDE));
            numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
        }
        Ok(numbers)
    }
}

impl Disk for Folder {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        if matches!(self.log, Log::Missing) {
            return Ok(None);
        }
        self.log()?;
        // It makes room for as much as there is, and says so where there is no such room.
        fs::read(self.path.join(LOG)).map(Some)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let log = self.log()?;
        log.seek(SeekFrom::End(0))?;
        log.write_all(bytes)?;
        log.sync_data()
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let log = self.log()?;
        log.set_len(len)?;
        log.sync_all()
    }

    fn replace(&mut self, log: &[u8]) -> io::Result<()> {
        if matches!(self.log, Log::InDoubt) {
            self.log()?;
        }
        let (new, path) = (self.path.join(NEW), self.path.join(LOG));
        remove(&new)?;
        let file = self.write_new(NEW, log)?;
        // Windows replaces no file that is open.
        let had = !matches!(std::mem::replace(&mut self.log, Log::InDoubt), Log::Missing);
        if let Err(error) = fs::rename(&new, &path) {
            drop(file);
            let _ = fs::remove_file(&new);
            match files::private().open(&path) {
                Ok(old) => self.log = Log::Open(old),
                Err(_) if !had => self.log = Log::Missing,
                Err(_) => {}
            }
            return Err(error);
        }
        // If this fails, a crash may bring the old log back, and nothing that is appended now would be found.
        files::sync_folder(&self.path)?;
        self.log = Log::Open(file);
        Ok(())
    }

    fn set_aside(&mut self, bytes: &[u8]) -> io::Result<String> {
        let last = self.aside()?.into_iter().max().unwrap_or_default();
        let name = format!("{ASIDE}{}", last.saturating_add(1));
        self.write_new(&name, bytes)?;
        files::sync_folder(&self.path)?;
        Ok(name)
    }

    fn erase_aside(&mut self) -> io::Result<()> {
        for number in self.aside()? {
            remove(&self.path.join(format!("{ASIDE}{number}")))?;
        }
        remove(&self.path.join(NEW))?;
        files::sync_folder(&self.path)
    }
}

/// Deletes a file that may not be there.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes a folder and those above it where they are missing, so that a crash does not lose them again.
fn make_durable(path: &Path) -> io::Result<()> {
    // A relative path ends in an empty one, which is the working folder.
    let named = |path: &Path| {
        if path.as_os_str().is_empty() {
            PathBuf::from(".")
        } else {
            path.to_owned()
        }
    };
    let missing: Vec<PathBuf> = path.ancestors().map(named).take_while(|path| !path.exists()).collect();
    files::make_folder(path)?;
    for made in missing {
        if let Some(parent) = made.parent() {
            files::sync_folder(&named(parent))?;
        }
    }
    Ok(())
}

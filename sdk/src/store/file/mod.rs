//! The store in a folder.
//!
//! - here: [`FileStore`].
//! - `folder`: its files.
//! - `lock`: one store per folder.

mod folder;
mod lock;

use std::fmt;
use std::path::{Path, PathBuf};

use folder::Folder;
use lock::Refused;

use super::log_store::LogStore;
use super::{Contents, Store, StoreFuture, Transaction};
use crate::error::Error;
use crate::sys;

/// Keeps reliable messages in a folder, so that they survive the end of the process, `kill -9` included.
///
/// Messages that could not be delivered are there at the next start, and are sent when the client is connected. It works
/// without a network: nothing here needs one.
///
/// ```
/// use rejoin::Client;
/// use rejoin::store::FileStore;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
/// # let _inside = runtime.enter();
/// # let folder = std::env::temp_dir().join(format!("rejoin-doc-{}", std::process::id()));
/// let store = FileStore::open(&folder)?;
/// let client = Client::builder("https://chat.example.com").store(store).build()?;
/// # drop((client, _inside));
/// # drop(runtime);
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What is guaranteed
///
/// - What a transaction asked is on the disk before its receipts are `accepted`: one `fdatasync` each (on Apple's systems
///   `F_FULLFSYNC`). What came while the disk worked is one transaction, and a slow disk delays nothing but `accepted`.
/// - A transaction is there wholly or not at all. Whatever is done to the log, what is read is the state after the first
///   so many of its transactions; a log that was compacted begins with one for each message that lived, in their order.
/// - A transaction that failed, for example on a full disk, changed nothing. If the disk does not even let it be taken
///   back, every later one is refused until the store is opened anew. That one may then be there after all.
/// - An append that was interrupted was never `accepted`. It is dropped without an alarm: a record at the very end of
///   the log whose beginning is good and whose rest is missing, which is what the death of a process leaves. A log that
///   somebody cut off there looks the same, and one that was cut between two records looks whole.
/// - Anything else that cannot be read is damage: the log is read up to there, the rest is copied into a file of its own
///   in the folder (`rejoin.damaged-1`), and [`Error::StoreDamaged`] names it, as a
///   [`StoreError`](crate::Notice::StoreError). Messages in that rest are not sent. One that was answered after the point
///   of damage may be there again, and is sent again under the id it had. After a power failure, what was not yet
///   `accepted` may look like damage on some file systems.
/// - `forget` leaves no byte of what was kept, in the log nor in what was set aside. (What a disk does with blocks that
///   were freed is another matter: encrypt the disk, or as below.)
/// - The log is written anew when it has 128 KiB and four times as much as is still needed. Until then, messages that were
///   delivered are still in it.
///
/// # One at a time
///
/// A folder has one store. Another process, or another client of this one, is told [`Error::StoreBusy`] at once. The lock
/// is freed when the store is dropped, which a client does once it is closed and its last transaction is written, and
/// when the process dies. [`open_when_free`](Self::open_when_free) waits for a client of this process. An iOS app keeps
/// it in its own container: one that holds a lock in a container of several apps is killed when it is suspended.
///
/// # Who can read it
///
/// On Unix the folder is made with mode 0700 and its files with 0600; on Windows they inherit the permissions of the folder
/// above. The contents are *not encrypted*. Where that is needed, put a store of your own around it. Here `seal` and
/// `unseal` stand for a cipher of your choice; the one in this example is a toy that protects nothing.
///
/// ```
/// use rejoin::Error;
/// use rejoin::store::{Contents, FileStore, Record, Store, StoreFuture, Transaction};
///
/// /// Keeps what is said sealed. Ids, lanes and times stay readable.
/// struct Sealed<S> {
///     store: S,
///     seal: fn(&[u8]) -> Vec<u8>,
///     /// `None` if it was sealed with another key, or has changed.
///     unseal: fn(&[u8]) -> Option<Vec<u8>>,
/// }
///
/// impl<S: Store> Store for Sealed<S> {
///     fn load(&mut self) -> StoreFuture<'_, Contents> {
///         Box::pin(async {
///             let mut contents = self.store.load().await?;
///             for Record { body, attachments, .. } in &mut contents.records {
///                 for bytes in std::iter::once(body).chain(attachments) {
///                     let open = (self.unseal)(bytes);
///                     *bytes = open.ok_or(Error::Store("the store has another key".into()))?.into();
///                 }
///             }
///             Ok(contents)
///         })
///     }
///
///     fn apply(&mut self, mut transaction: Transaction) -> StoreFuture<'_, ()> {
///         for Record { body, attachments, .. } in &mut transaction.put {
///             for bytes in std::iter::once(body).chain(attachments) {
///                 *bytes = (self.seal)(bytes).into();
///             }
///         }
///         self.store.apply(transaction)
///     }
/// }
///
/// # let folder = std::env::temp_dir().join(format!("rejoin-doc-sealed-{}", std::process::id()));
/// let mut store = Sealed {
///     store: FileStore::open(&folder)?,
///     seal: |bytes| bytes.iter().map(|byte| byte ^ 0x55).collect(),
///     unseal: |bytes| Some(bytes.iter().map(|byte| byte ^ 0x55).collect()),
/// };
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// # let mut transaction = Transaction::default();
/// # let mut record = Record::default();
/// # record.body = r#"["private_message","a secret"]"#.into();
/// # transaction.put.push(record.clone());
/// # store.apply(transaction).await?;
/// # let log = std::fs::read(folder.join("rejoin.log")).unwrap();
/// # assert!(!log.windows(6).any(|bytes| bytes == b"secret"));
/// # assert_eq!(store.load().await?.records, [record]);
/// # Ok::<(), Error>(())
/// # })?;
/// # drop(store);
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FileStore {
    store: LogStore<Folder>,
    folder: PathBuf,
}

impl FileStore {
    /// Opens the store in a folder, which is made if it is missing, and reads what it keeps.
    ///
    /// It reads and writes before it returns, some milliseconds where there are a hundred messages.
    /// [`open_when_free`](Self::open_when_free) does so apart from the async runtime.
    ///
    /// # Errors
    /// [`Error::StoreBusy`]: another process has it, or a client of this one. [`Error::Store`]: the folder cannot be read
    /// or written, or its log is of a newer version of this library, which is then left as it is. A log that is damaged is
    /// no error: what could be read is there, and the client tells of the rest.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, Error> {
        let path = folder.as_ref();
        let folder = Folder::open(path).map_err(|refused| error(path, &refused))?;
        Ok(Self {
            store: LogStore::open(folder)?,
            folder: path.to_owned(),
        })
    }

    /// Opens the store in a folder as soon as no other store of this process has it.
    ///
    /// For an app that closes a client and makes another: the closed one lets go of its store when the last of it is
    /// written. It waits as long as that takes, for ever if no one closes the other client; dropping the future gives up.
    /// The disk's work is done apart from the async runtime's threads.
    ///
    /// # Errors
    /// As of [`open`](Self::open); another process that has the folder is not waited for.
    pub async fn open_when_free(folder: impl AsRef<Path>) -> Result<Self, Error> {
        let path = folder.as_ref();
        loop {
            lock::free(path).await;
            let owned = path.to_owned();
            let opened = match sys::blocking(move || Folder::open(&owned)).await {
                // Someone was quicker.
                Some(Err(Refused::Here)) => continue,
                Some(opened) => opened.map_err(|refused| error(path, &refused))?,
                None => return Err(ended()),
            };
            let store = sys::blocking(move || LogStore::open(opened)).await;
            return Ok(Self {
                store: store.ok_or_else(ended)??,
                folder: path.to_owned(),
            });
        }
    }

    /// The folder, as it was given.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Store for FileStore {
    fn load(&mut self) -> StoreFuture<'_, Contents> {
        self.store.load()
    }

    fn apply(&mut self, transaction: Transaction) -> StoreFuture<'_, ()> {
        self.store.apply(transaction)
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

fn error(path: &Path, refused: &Refused) -> Error {
    let path = path.display();
    match refused {
        Refused::Here => Error::StoreBusy(
            format!(
                "here it is this one, which has `{path}` open already; close that client, and await \
                 `FileStore::open_when_free`"
            )
            .into(),
        ),
        Refused::Elsewhere => {
            Error::StoreBusy(format!("it has `{path}` open; end it, or give each process a folder of its own").into())
        }
        Refused::Io(error) => {
            Error::Store(format!("cannot open `{path}`: {error}; give a folder that this process may write to").into())
        }
    }
}

fn ended() -> Error {
    Error::Store("the runtime ended while the store was being opened".into())
}

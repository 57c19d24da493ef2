//! The store in a folder: its files, its lock, and what becomes of it when its client is closed. What a client makes of
//! messages of an earlier run.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests fail by panics")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::FutureExt;
use rejoin::store::{Contents, FileStore, MemoryStore, Profile, Record, Store, Transaction};
use rejoin::{Client, EmitOptions, Error, Overflow, QueueConfig, RawArgs, RealtimeClient, SocketOptions};

/// A folder that is deleted with what is in it.
struct Temporary(PathBuf);

impl Temporary {
    /// The name of the test makes it its own.
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rejoin-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn log(&self) -> PathBuf {
        self.0.join("rejoin.log")
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn put(seq: u64) -> Transaction {
    let mut record = Record::default();
    record.seq = seq;
    record.body = format!(r#"["private_message",{{"content":"{}"}}]"#, "x".repeat(300)).into();
    let mut transaction = Transaction::default();
    transaction.put.push(record);
    transaction
}

fn remove(seq: u64) -> Transaction {
    let mut transaction = Transaction::default();
    transaction.remove.push(seq);
    transaction
}

/// Outside of a runtime, where it works in place.
fn apply(store: &mut FileStore, transaction: Transaction) {
    store.apply(transaction).now_or_never().unwrap().unwrap();
}

fn load(store: &mut FileStore) -> Contents {
    store.load().now_or_never().unwrap().unwrap()
}

/// Fails where it would wait for ever.
async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work).await.unwrap()
}

fn seqs(folder: &Path) -> Vec<u64> {
    let contents = load(&mut FileStore::open(folder).unwrap());
    contents.records.iter().map(|record| record.seq).collect()
}

#[test]
fn what_was_applied_is_there_when_the_folder_is_opened_again() {
    let folder = Temporary::new("again");
    let mut store = FileStore::open(&folder.0).unwrap();
    assert_eq!(load(&mut store), Contents::default());
    let mut transaction = put(1);
    let mut profile = Profile::default();
    profile.namespace = "/".to_owned();
    profile.account = Some("u1".to_owned());
    transaction.profiles.push(profile.clone());
    apply(&mut store, transaction.clone());
    drop(store);
    let contents = load(&mut FileStore::open(&folder.0).unwrap());
    assert_eq!(contents.records, transaction.put);
    assert_eq!(contents.profiles, [profile]);
    assert_eq!(contents.damage, None);
}

#[test]
fn a_folder_that_is_missing_is_made_with_those_above_it() {
    let folder = Temporary::new("deep");
    let deep = folder.0.join("a").join("b");
    let store = FileStore::open(&deep).unwrap();
    assert_eq!(store.folder(), deep);
    assert!(deep.join("rejoin.log").is_file());
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_the_folder_or_a_file_in_it() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = Temporary::new("modes");
    apply(&mut FileStore::open(&folder.0).unwrap(), put(1));
    let mut bytes = fs::read(folder.log()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(folder.log(), bytes).unwrap();
    drop(FileStore::open(&folder.0).unwrap());
    assert_eq!(mode(&folder.0), 0o700);
    assert_eq!(folder.files(), ["rejoin.damaged-1", "rejoin.lock", "rejoin.log"]);
    for file in folder.files() {
        assert_eq!(mode(&folder.0.join(&file)), 0o600, "{file}");
    }
}

#[test]
fn a_second_store_of_a_folder_is_busy_until_the_first_is_dropped() {
    let folder = Temporary::new("busy");
    let store = FileStore::open(&folder.0).unwrap();
    let error = FileStore::open(folder.0.join(".")).unwrap_err();
    assert!(matches!(error, Error::StoreBusy(_)), "{error}");
    let text = error.to_string();
    assert!(
        text.contains(folder.0.to_str().unwrap()) && text.contains("open_when_free"),
        "{text}"
    );
    drop(store);
    FileStore::open(&folder.0).unwrap();
}

#[tokio::test]
async fn open_when_free_has_the_folder_as_soon_as_a_closed_client_lets_go_of_it() {
    let folder = Temporary::new("handover");
    let store = FileStore::open(&folder.0).unwrap();
    let chat = RealtimeClient::builder("http://127.0.0.1:9")
        .store(store)
        .build()
        .unwrap();
    chat.send_private_message("u2", "hello").accepted().await.unwrap();
    let mut next = Box::pin(FileStore::open_when_free(&folder.0));
    assert!(next.as_mut().now_or_never().is_none(), "its client is still there");
    chat.close();
    let mut next = soon(next).await.unwrap();
    assert_eq!(next.load().await.unwrap().records.len(), 1, "closing is not forgetting");
}

#[tokio::test]
async fn of_many_who_wait_for_a_folder_each_has_it_once() {
    let folder = Temporary::new("many");
    let first = FileStore::open(&folder.0).unwrap();
    let waiting: Vec<_> = (0..8_u64)
        .map(|seq| {
            let path = folder.0.clone();
            tokio::spawn(async move {
                let mut store = FileStore::open_when_free(path).await?;
                store.apply(put(seq)).await
            })
        })
        .collect();
    drop(first);
    for task in waiting {
        soon(task).await.unwrap().unwrap();
    }
    assert_eq!(seqs(&folder.0), [0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn a_rest_that_cannot_be_read_is_set_aside_in_the_folder_under_a_name_of_its_own() {
    let folder = Temporary::new("aside");
    for time in 1..=3_u64 {
        let mut store = FileStore::open(&folder.0).unwrap();
        apply(&mut store, put(time));
        let good = fs::metadata(folder.log()).unwrap().len();
        apply(&mut store, put(100 + time));
        drop(store);
        let mut bytes = fs::read(folder.log()).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(folder.log(), &bytes).unwrap();
        let contents = load(&mut FileStore::open(&folder.0).unwrap());
        let name = format!("rejoin.damaged-{time}");
        let Some(Error::StoreDamaged(damage)) = contents.damage else {
            panic!("{:?}", contents.damage);
        };
        assert!(damage.contains(&name), "{damage}");
        assert_eq!(fs::read(folder.0.join(name)).unwrap(), bytes[good as usize..]);
        assert_eq!(contents.records.len() as u64, time);
    }
    assert_eq!(seqs(&folder.0), [1, 2, 3]);
}

#[test]
fn the_log_stays_small_while_messages_come_and_go() {
    let folder = Temporary::new("small");
    let mut store = FileStore::open(&folder.0).unwrap();
    apply(&mut store, put(u64::MAX));
    let mut longest = 0;
    for seq in 0..1_000 {
        apply(&mut store, put(seq));
        apply(&mut store, remove(seq));
        longest = longest.max(fs::metadata(folder.log()).unwrap().len());
    }
    assert!((100_000..140_000).contains(&longest), "{longest} bytes");
    assert_eq!(folder.files(), ["rejoin.lock", "rejoin.log"]);
    drop(store);
    assert_eq!(seqs(&folder.0), [u64::MAX]);
}

#[test]
fn a_crash_while_the_log_is_written_anew_leaves_the_old_one() {
    let folder = Temporary::new("new");
    let mut store = FileStore::open(&folder.0).unwrap();
    apply(&mut store, put(1));
    drop(store);
    let whole = fs::read(folder.log()).unwrap();
    for length in [0, 10, whole.len()] {
        fs::write(folder.0.join("rejoin.log.new"), &whole[..length]).unwrap();
        assert_eq!(seqs(&folder.0), [1]);
        assert_eq!(
            folder.files(),
            ["rejoin.lock", "rejoin.log"],
            "what was left is deleted"
        );
    }
    // The very first one was not there yet.
    fs::rename(folder.log(), folder.0.join("rejoin.log.new")).unwrap();
    assert_eq!(seqs(&folder.0), [0; 0]);
}

#[test]
fn erasing_leaves_no_byte_of_a_message_in_the_folder() {
    let folder = Temporary::new("erase");
    let mut store = FileStore::open(&folder.0).unwrap();
    apply(&mut store, put(1));
    drop(store);
    let mut bytes = fs::read(folder.log()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(folder.log(), bytes).unwrap();
    let mut store = FileStore::open(&folder.0).unwrap();
    apply(&mut store, put(2));
    fs::write(folder.0.join("rejoin.log.new"), "private_message").unwrap();

    let mut erase = Transaction::default();
    erase.erase = true;
    apply(&mut store, erase);
    assert_eq!(folder.files(), ["rejoin.lock", "rejoin.log"]);
    for file in folder.files() {
        let bytes = fs::read(folder.0.join(&file)).unwrap();
        assert!(!bytes.windows(15).any(|part| part == b"private_message"), "{file}");
    }
    apply(&mut store, put(3));
    drop(store);
    assert_eq!(seqs(&folder.0), [3]);
}

#[test]
fn other_files_in_the_folder_are_left_alone() {
    let folder = Temporary::new("others");
    fs::create_dir(&folder.0).unwrap();
    let others = ["notes", "rejoin.damaged-x", "rejoin.json"];
    for name in others {
        fs::write(folder.0.join(name), name).unwrap();
    }
    let mut erase = put(1);
    erase.erase = true;
    apply(&mut FileStore::open(&folder.0).unwrap(), erase);
    for name in others {
        assert_eq!(fs::read_to_string(folder.0.join(name)).unwrap(), name);
    }
}

#[test]
fn a_folder_that_cannot_be_used_is_an_error_that_names_it() {
    let folder = Temporary::new("file");
    fs::write(&folder.0, "no folder").unwrap();
    let error = FileStore::open(&folder.0).unwrap_err();
    assert!(matches!(error, Error::Store(_)), "{error}");
    assert!(error.to_string().contains(folder.0.to_str().unwrap()), "{error}");
    fs::remove_file(&folder.0).unwrap();
}

#[test]
fn what_is_kept_is_not_in_its_debug_output() {
    let folder = Temporary::new("debug");
    let mut store = FileStore::open(&folder.0).unwrap();
    apply(&mut store, put(1));
    let text = format!("{store:?}");
    assert!(
        text.contains("FileStore") && !text.contains("private_message"),
        "{text}"
    );
}

#[tokio::test]
async fn options_of_a_socket_are_its_own_after_a_restart_too() {
    let store = MemoryStore::new();
    let mut record = Record::default();
    record.seq = 1;
    record.namespace = "/news".into();
    record.body = r#"["m",{}]"#.into();
    let mut transaction = Transaction::default();
    transaction.put.push(record);
    store.clone().apply(transaction).await.unwrap();
    let next = Client::builder("http://127.0.0.1:1")
        .token("shared")
        .store(store)
        .build()
        .unwrap();
    let mut queue = QueueConfig::default();
    queue.capacity = 1;
    queue.overflow = Overflow::Reject;
    let socket = next.socket_with("/news", SocketOptions::new().queue(queue)).unwrap();
    assert_eq!(socket.pending().len(), 1);
    let more = socket.emit_raw("m", RawArgs::json("[{}]"), EmitOptions::new());
    let outcome = more.await;
    assert_eq!(outcome.error(), Some(&Error::Overloaded), "its own queue is full");
}

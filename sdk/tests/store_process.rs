//! The store between processes, and `kill -9`. The other process is this program again: see `helper`.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "tests fail by panics")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use futures::FutureExt;
use rejoin::Error;
use rejoin::store::{FileStore, Record, Store, Transaction};

/// Tells the helper which folder to open.
const FOLDER: &str = "REJOIN_TEST_STORE";

/// And with which transaction to begin.
const BEGIN: &str = "REJOIN_TEST_BEGIN";

/// So many processes are killed.
const KILLS: usize = 100;

/// Transaction `n` of one history, which the test and the helper know. Its messages are of all lengths, up to such as need
/// several pages of the disk, and most are removed later, so that the log is compacted now and then.
fn transaction(n: u64) -> Transaction {
    let mut transaction = Transaction::default();
    for seq in [2 * n, 2 * n + 1] {
        let mut record = Record::default();
        record.seq = seq;
        record.message_id = format!("id-{seq}");
        record.body = vec![seq as u8; (seq * 7919 % 9000) as usize].into();
        transaction.put.push(record);
    }
    // Two of eight messages stay for some time, the others go when the third transaction after them comes.
    let gone = |back: u64, odd: u64| {
        (2 * n + odd)
            .checked_sub(2 * back)
            .filter(|seq| (seq % 8 < 2) == (back > 3))
    };
    transaction.remove = [gone(3, 0), gone(3, 1), gone(40, 0), gone(40, 1)]
        .into_iter()
        .flatten()
        .collect();
    transaction
}

/// What is kept after transaction `n`, where this was kept before.
fn applied(mut records: Vec<Record>, n: u64) -> Vec<Record> {
    let transaction = transaction(n);
    records.extend(transaction.put);
    records.retain(|record| !transaction.remove.contains(&record.seq));
    records
}

/// Not a test: the process that is killed. It applies transactions one after another, and says so after each.
#[test]
fn helper() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let begin: u64 = std::env::var(BEGIN).unwrap().parse().unwrap();
    let mut store = FileStore::open(PathBuf::from(folder)).unwrap();
    let mut out = std::io::stdout();
    writeln!(out, "open").unwrap();
    for n in begin.. {
        store.apply(transaction(n)).now_or_never().unwrap().unwrap();
        writeln!(out, "applied {n}").unwrap();
    }
}

/// A helper that has the folder open.
fn spawn(folder: &Path, begin: u64) -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "helper", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(BEGIN, begin.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("open") {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0, "the helper ended");
    }
    (child, out)
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9), "it ended by itself");
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("rejoin-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    folder
}

#[test]
fn what_was_acknowledged_survives_kill_9_at_any_point() {
    let folder = folder("kill");
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let (mut begin, mut more, mut longest) = (0, 0, 0);
    let mut kept = Vec::new();
    for round in 0..KILLS {
        let (child, mut out) = spawn(&folder, begin);
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let mut acknowledged = begin;
        let mut line = String::new();
        let mut read = |acknowledged: &mut u64| {
            line.clear();
            let length = out.read_line(&mut line).unwrap();
            if let Some(n) = line.trim_end().strip_prefix("applied ") {
                // The last line may be cut.
                if line.ends_with('\n') {
                    *acknowledged = n.parse::<u64>().unwrap() + 1;
                }
            }
            length > 0
        };
        for _ in 0..random >> 60 {
            assert!(read(&mut acknowledged));
        }
        // Somewhere within the next transaction: this is no waiting for something to happen, any point will do.
        for _ in 0..(random >> 20) % 2_000_000 {
            std::hint::spin_loop();
        }
        kill(child);
        while read(&mut acknowledged) {}

        let mut store = FileStore::open(&folder).unwrap();
        let contents = store.load().now_or_never().unwrap().unwrap();
        assert_eq!(contents.damage, None, "round {round}: dying is no damage");
        for n in begin..acknowledged {
            kept = applied(kept, n);
        }
        begin = acknowledged;
        // It dies between writing and saying so, or not.
        if contents.records != kept {
            kept = applied(kept, begin);
            begin += 1;
            more += 1;
        }
        assert!(
            contents.records == kept,
            "round {round}: {acknowledged} transactions were acknowledged, and this is kept: {:?}",
            contents.records.iter().map(|record| record.seq).collect::<Vec<_>>()
        );
        longest = longest.max(fs::metadata(folder.join("rejoin.log")).unwrap().len());
    }
    println!(
        "{begin} transactions; {more} of {KILLS} deaths came between writing and saying so; {longest} bytes at most"
    );
    assert!(begin > KILLS as u64);
    assert!(longest < begin * 9_000, "it was compacted in between");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_folder_of_another_process_is_busy_until_that_dies() {
    let folder = folder("lock");
    let (child, _out) = spawn(&folder, 0);
    let error = FileStore::open(&folder).unwrap_err();
    assert!(matches!(error, Error::StoreBusy(_)), "{error}");
    assert!(error.to_string().contains(folder.to_str().unwrap()), "{error}");
    // Nor is it waited for.
    let waited = FileStore::open_when_free(&folder).now_or_never();
    assert!(matches!(waited, Some(Err(Error::StoreBusy(_)))), "{waited:?}");
    kill(child);
    let store = FileStore::open(&folder).unwrap();
    drop(store);
    fs::remove_dir_all(folder).unwrap();
}

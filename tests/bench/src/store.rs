//! `--store`: what the store in a folder takes to open, and to keep one message, beside a bare write of the same bytes
//! and `fdatasync`.
//!
//! Both write into the same folder, in turns, so that what the disk does meanwhile falls on both alike. The file is in the
//! system's cache when it is opened: what a cold disk adds is its own.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rejoin::store::{FileStore, Record, Store, Transaction};

use crate::machine::Machine;
use crate::measure::Spread;
use crate::rounds::Cores;
use crate::workload::BoxError;

/// How often a store is opened, and a message kept.
const OPENED: u32 = 50;
const KEPT: u64 = 300;

/// Measures and prints, in a folder of its own inside of this one.
pub(crate) async fn run(parent: &Path) -> Result<(), BoxError> {
    let folder = Temporary(parent.join(format!("rejoin-bench-{}", std::process::id())));
    println!("store in {}, files in the system's cache", folder.0.display());
    // What it says of rounds is not for this.
    let machine = Machine::here(OPENED, Cores::Shared).to_string();
    machine.lines().take(2).for_each(|line| println!("{line}"));
    println!();
    for count in [100, 10_000] {
        open(&folder.0.join(count.to_string()), count).await?;
    }
    keep(&folder.0.join("keep")).await
}

/// The time to open a store and read what it keeps.
async fn open(folder: &Path, count: u64) -> Result<(), BoxError> {
    let mut store = FileStore::open(folder)?;
    for first in (0..count).step_by(20) {
        let mut transaction = Transaction::default();
        transaction.put.extend((first..count.min(first + 20)).map(record));
        store.apply(transaction).await?;
    }
    drop(store);
    let bytes = fs::metadata(folder.join("rejoin.log"))?.len();
    let mut times = Vec::new();
    for _ in 0..OPENED {
        let start = Instant::now();
        let mut store = FileStore::open(folder)?;
        let contents = store.load().await?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        if contents.records.len() as u64 != count || contents.damage.is_some() {
            return Err("not everything is there".into());
        }
    }
    let name = format!("open with {count} messages, {bytes} bytes");
    print(&name, "ms", Spread::of(times));
    Ok(())
}

/// The time until one message is on the disk, and what the disk alone takes for as many bytes.
async fn keep(folder: &Path) -> Result<(), BoxError> {
    let mut store = FileStore::open(folder)?;
    let log = folder.join("rejoin.log");
    let (mut kept, mut bare, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let mut other = OpenOptions::new().append(true).create(true).open(folder.join("bare"))?;
    for seq in 0..KEPT {
        let mut transaction = Transaction::default();
        transaction.put.push(record(seq));
        let before = fs::metadata(&log)?.len();
        let start = Instant::now();
        store.apply(transaction).await?;
        let ours = start.elapsed().as_secs_f64() * 1e6;
        let bytes = fs::metadata(&log)?.len().saturating_sub(before);
        let theirs = write(&mut other, usize::try_from(bytes)?)?;
        kept.push(ours);
        bare.push(theirs);
        ratios.push(ours / theirs);
    }
    print("keep one message", "µs", Spread::of(kept));
    print("write and fdatasync of as many bytes", "µs", Spread::of(bare));
    print("ratio of each two", "", Spread::of(ratios));
    Ok(())
}

fn write(file: &mut File, length: usize) -> Result<f64, BoxError> {
    let bytes = vec![b'x'; length];
    let start = Instant::now();
    file.write_all(&bytes)?;
    file.sync_data()?;
    Ok(start.elapsed().as_secs_f64() * 1e6)
}

fn print(name: &str, unit: &str, spread: Option<Spread>) {
    if let Some(spread) = spread {
        println!(
            "{name:<46} {:>9.2} {unit:<2}  (quartiles {:.2} to {:.2}, at most {:.2})",
            spread.median, spread.lower_quartile, spread.upper_quartile, spread.max
        );
    }
}

/// A chat message as it is usual: about 350 bytes in the log.
fn record(seq: u64) -> Record {
    let mut record = Record::default();
    record.seq = seq;
    record.namespace = "/".to_owned();
    record.message_id = format!("01920f3e-7c1a-7b5d-9c3e-{seq:012}");
    record.body = format!(
        r#"["private_message",{{"messageId":"{}","recipientId":"u2","content":"{}","timestamp":"2025-01-01T00:00:00.000Z"}}]"#,
        record.message_id,
        "a message of usual length ".repeat(4)
    )
    .into();
    record.lane = Some("u2".to_owned());
    record.ack_timeout_ms = 10_000;
    record.account = Some("u1".to_owned());
    record
}

/// A folder that is deleted with what is in it.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

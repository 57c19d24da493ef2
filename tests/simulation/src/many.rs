//! Many seeds, on several threads, and what they covered.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::stage::{self, Report};

/// More failures than this are no news.
const MOST_FAILURES: usize = 20;

/// Runs seeds from `from` on. Says whether all held.
pub(crate) fn run(from: u64, seeds: u64, threads: u64) -> bool {
    let total = sum(from, seeds, threads);
    println!(
        "{seeds} seeds, {:.0} virtual hours",
        total.lasted.as_secs_f64() / 3600.0
    );
    for (what, count) in &total.counts {
        println!("{count:>10}  {what}");
    }
    for failure in &total.failures {
        println!("FAILED: {failure}");
    }
    println!(
        "{}",
        if total.failures.is_empty() {
            "all of them held"
        } else {
            "some failed"
        }
    );
    total.failures.is_empty()
}

/// Runs seeds from `from` on, and adds up what they brought.
pub(crate) fn sum(from: u64, seeds: u64, threads: u64) -> Report {
    let next = AtomicU64::new(from);
    let total = Mutex::new(Report::default());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| work(&next, from + seeds, &total));
        }
    });
    total.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn work(next: &AtomicU64, end: u64, total: &Mutex<Report>) {
    let mut mine = Report::default();
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            break;
        }
        let report = one(seed, false);
        add(&mut mine.counts, report.counts);
        mine.lasted += report.lasted;
        for failure in report.failures.into_iter().take(2) {
            mine.failures.push(format!("--seed {seed}: {failure}"));
        }
        if mine.failures.len() > MOST_FAILURES {
            next.store(end, Ordering::Relaxed);
        }
    }
    let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
    add(&mut total.counts, mine.counts);
    total.failures.extend(mine.failures);
    total.lasted += mine.lasted;
}

fn add(total: &mut BTreeMap<String, u64>, counts: BTreeMap<String, u64>) {
    for (what, count) in counts {
        *total.entry(what).or_default() += count;
    }
}

/// Runs one seed; a panic is a failure.
pub(crate) fn one(seed: u64, trace: bool) -> Report {
    catch_unwind(AssertUnwindSafe(|| stage::run(seed, trace))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Report {
            failures: vec![format!("it panicked: {}", text.unwrap_or("without a word"))],
            lasted: Duration::ZERO,
            ..Report::default()
        }
    })
}

/// Runs one seed and prints what happens.
pub(crate) fn replay(seed: u64) -> bool {
    let report = one(seed, true);
    for failure in &report.failures {
        println!("FAILED: {failure}");
    }
    println!("digest {:016x}", report.digest);
    report.failures.is_empty()
}

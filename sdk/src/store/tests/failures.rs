//! A disk that fails.

use super::disk::{Fault, Mem};
use super::put;
use crate::error::Error;
use crate::store::log_store::Writer;

fn seqs(writer: &Writer<Mem>) -> Vec<u64> {
    let records = writer.contents(None).records;
    records.iter().map(|record| record.seq).collect()
}

const FAULTS: [Fault; 5] = [
    Fault::Write,
    Fault::Short(1),
    Fault::Short(12),
    Fault::Short(60),
    Fault::Sync,
];

#[test]
fn a_transaction_that_failed_changes_nothing_and_the_next_one_is_kept() {
    for fault in FAULTS {
        let disk = Mem::default();
        let (mut writer, _) = Writer::open(disk.clone()).unwrap();
        writer.apply(put(1)).unwrap();
        let before = disk.log();
        disk.lock().append = Some(fault);
        let Err(Error::Store(error)) = writer.apply(put(2)) else {
            panic!("{fault:?} was not told");
        };
        assert!(
            error.contains("memory") && error.contains("the disk is full"),
            "{error}"
        );
        assert_eq!(disk.log(), before, "{fault:?}");
        assert_eq!(seqs(&writer), [1]);

        disk.lock().append = None;
        writer.apply(put(3)).unwrap();
        assert_eq!(seqs(&writer), [1, 3]);
        let (again, damage) = Writer::open(disk).unwrap();
        assert_eq!((seqs(&again), damage), (vec![1, 3], None), "{fault:?}");
    }
}

#[test]
fn a_log_that_cannot_be_made_good_is_not_written_to_until_it_is_opened_anew() {
    for fault in FAULTS {
        let disk = Mem::default();
        let (mut writer, _) = Writer::open(disk.clone()).unwrap();
        writer.apply(put(1)).unwrap();
        disk.lock().append = Some(fault);
        disk.lock().truncate_fails = true;
        assert!(writer.apply(put(2)).is_err());

        disk.lock().append = None;
        disk.lock().truncate_fails = false;
        let before = disk.log();
        for seq in 3..6 {
            let Err(Error::Store(error)) = writer.apply(put(seq)) else {
                panic!("after {fault:?} it went on, in a log whose end is not known");
            };
            assert!(error.contains("open the store anew"), "{error}");
        }
        assert_eq!(disk.log(), before, "{fault:?}");

        // Then what failed is there or not. What was acknowledged is.
        let (mut writer, damage) = Writer::open(disk.clone()).unwrap();
        let kept = seqs(&writer);
        assert_eq!(damage, None, "{fault:?}");
        assert_eq!(
            kept,
            if matches!(fault, Fault::Sync) {
                vec![1, 2]
            } else {
                vec![1]
            }
        );
        writer.apply(put(9)).unwrap();
    }
}

#[test]
fn a_log_that_cannot_be_made_is_an_error_that_says_where() {
    let disk = Mem::default();
    disk.lock().replace_fails = true;
    let Err(Error::Store(error)) = Writer::open(disk).map(|_| ()) else {
        panic!("it was opened");
    };
    assert!(error.contains("memory"), "{error}");
}

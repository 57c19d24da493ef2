//! What is found at a start, compaction, and erasing.

use super::disk::Mem;
use super::{after, erase, profile, put, record, remove};
use crate::error::Error;
use crate::store::log::{encode, frame};
use crate::store::log_store::Writer;
use crate::store::{Contents, Transaction};

fn open(disk: &Mem) -> (Writer<Mem>, Option<Error>) {
    Writer::open(disk.clone()).unwrap()
}

fn seqs(contents: &Contents) -> Vec<u64> {
    contents.records.iter().map(|record| record.seq).collect()
}

fn holds(bytes: &[u8], part: &str) -> bool {
    bytes.windows(part.len()).any(|window| window == part.as_bytes())
}

#[test]
fn what_was_applied_is_there_at_the_next_start() {
    let disk = Mem::default();
    let (mut writer, _) = open(&disk);
    let transaction = Transaction {
        put: vec![record(2), record(1), record(9)],
        remove: vec![9, 77],
        profiles: vec![profile(1)],
        ..Transaction::default()
    };
    writer.apply(transaction).unwrap();
    let contents = open(&disk).0.contents(None);
    assert_eq!(contents.records, [record(1), record(2)], "in the order of seq");
    assert_eq!(contents.profiles, [profile(1)]);
}

#[test]
fn a_record_with_a_seq_that_is_there_replaces_it() {
    let disk = Mem::default();
    let (mut writer, _) = open(&disk);
    writer.apply(put(1)).unwrap();
    let mut other = put(1);
    other.put[0].message_id = "another".to_owned();
    writer.apply(other.clone()).unwrap();
    assert_eq!(open(&disk).0.contents(None).records, other.put);
}

#[test]
fn the_rest_after_a_bad_record_is_set_aside_and_named() {
    let disk = Mem::default();
    let (mut writer, _) = open(&disk);
    (0..5).for_each(|seq| writer.apply(put(seq)).unwrap());
    let good = disk.log().len();
    (5..9).for_each(|seq| writer.apply(put(seq)).unwrap());
    disk.lock().log.as_mut().unwrap()[good + 20] ^= 1;
    let before = disk.log();

    let (writer, damage) = open(&disk);
    assert_eq!(seqs(&writer.contents(None)), [0, 1, 2, 3, 4]);
    let Some(Error::StoreDamaged(damage)) = damage else {
        panic!("{damage:?}");
    };
    let platter = disk.lock();
    let (name, aside) = platter.aside.first_key_value().unwrap();
    assert!(damage.contains(name.as_str()) && damage.contains("memory"), "{damage}");
    assert_eq!(aside[..], before[good..]);
}

#[test]
fn a_rest_that_cannot_be_set_aside_stays_where_it_is() {
    let disk = Mem::default();
    let (mut writer, _) = open(&disk);
    (0..5).for_each(|seq| writer.apply(put(seq)).unwrap());
    let at = disk.log().len() / 2;
    disk.lock().log.as_mut().unwrap()[at] ^= 1;
    let before = disk.log();
    disk.lock().aside_fails = true;
    assert!(matches!(Writer::open(disk.clone()), Err(Error::Store(_))));
    assert_eq!(disk.log(), before);
}

#[test]
fn a_length_that_reaches_beyond_the_end_is_damage_and_no_torn_append() {
    let disk = Mem::default();
    let (mut writer, _) = open(&disk);
    let first = disk.log().len();
    (0..5).for_each(|seq| writer.apply(put(seq)).unwrap());
    disk.lock().log.as_mut().unwrap()[first + 3] ^= 0x40;
    assert!(open(&disk).1.is_some());
}

#[test]
fn a_frame_in_another_place_or_of_an_older_log_is_a_bad_one() {
    let disk = Mem::default();
    drop(open(&disk));
    let log = disk.log();
    let (at, payload) = (log.len() as u64, encode(&put(1)).unwrap());
    for (generation, place, good) in [(1, at, true), (1, at + 1, false), (2, at, false), (0, at, false)] {
        let mut log = log.clone();
        log.extend(frame(generation, place, &payload));
        assert_eq!(
            open(&Mem::with(&log)).1.is_none(),
            good,
            "generation {generation}, place {place}"
        );
    }
}

#[test]
fn a_frame_that_is_whole_and_says_nothing_known_is_damage() {
    let disk = Mem::default();
    drop(open(&disk));
    let mut log = disk.log();
    log.extend(frame(1, log.len() as u64, &[99, 0, 0, 0, 0]));
    assert!(open(&Mem::with(&log)).1.is_some());
}

#[test]
fn a_log_of_a_newer_version_is_refused_and_left_as_it_is() {
    let disk = Mem::default();
    let (mut writer, _) = open(&disk);
    writer.apply(put(1)).unwrap();
    let mut log = disk.log();
    log[8..12].copy_from_slice(&2_u32.to_le_bytes());
    let crc = crate::store::log::crc32c(&log[..12]);
    log[12..16].copy_from_slice(&crc.to_le_bytes());
    // Whatever a later version does behind that.
    log.truncate(20);
    let disk = Mem::with(&log);
    let Err(Error::Store(error)) = Writer::open(disk.clone()).map(|_| ()) else {
        panic!("it was opened");
    };
    assert!(
        error.contains("format 2") && error.contains("update the app"),
        "{error}"
    );
    assert_eq!(disk.log(), log);
    assert!(disk.lock().aside.is_empty());
}

#[test]
fn a_log_is_compacted_when_most_of_it_is_of_no_use() {
    let disk = Mem::default();
    let (mut writer, _) = open(&disk);
    writer.apply(put(1_000_000)).unwrap();
    let made = disk.lock().replaced;
    let mut longest = 0;
    for seq in 0..5_000 {
        writer.apply(put(seq)).unwrap();
        writer.apply(remove(seq)).unwrap();
        longest = longest.max(disk.log().len());
    }
    assert!(longest < 140_000, "it grew to {longest} bytes");
    let compacted = disk.lock().replaced - made;
    // Some 1.2 MB were written, and 128 KiB each time.
    assert!((5..15).contains(&compacted), "{compacted} times");
    assert_eq!(open(&disk).0.contents(None).records, [record(1_000_000)]);
}

#[test]
fn a_log_of_which_most_lives_is_not_compacted() {
    let disk = Mem::default();
    let (mut writer, _) = open(&disk);
    for seq in 0..5_000 {
        writer.apply(put(seq)).unwrap();
    }
    assert_eq!(disk.lock().replaced, 1, "once, when it was made");
    assert!(disk.log().len() > 500_000);
    assert_eq!(open(&disk).0.contents(None).records.len(), 5_000);
}

#[test]
fn a_compaction_that_fails_loses_nothing_and_is_tried_again() {
    let disk = Mem::default();
    let (mut writer, _) = open(&disk);
    let made = disk.lock().replaced;
    disk.lock().replace_fails = true;
    for seq in 0..1_000 {
        writer.apply(put(seq)).unwrap();
        writer.apply(remove(seq)).unwrap();
    }
    assert!(disk.log().len() > 128 * 1024);
    writer.apply(put(7)).unwrap();
    assert_eq!(open(&disk).0.contents(None).records, [record(7)]);
    disk.lock().replace_fails = false;
    for seq in 2_000..4_000 {
        writer.apply(put(seq)).unwrap();
        writer.apply(remove(seq)).unwrap();
    }
    assert!(disk.lock().replaced > made);
    assert_eq!(open(&disk).0.contents(None).records, [record(7)]);
}

#[test]
fn a_compacted_log_that_is_cut_short_is_damage() {
    let kept = after((0..20).map(put));
    let log = crate::store::log::snapshot(&kept, 3).unwrap();
    assert!(open(&Mem::with(&log)).1.is_none());
    for length in 0..log.len() {
        let disk = Mem::with(&log[..length]);
        assert!(open(&disk).1.is_some(), "cut to {length} bytes");
        assert!(open(&disk).1.is_none(), "it is told once");
    }
}

#[test]
fn erasing_leaves_no_byte_in_the_log_nor_in_what_was_set_aside() {
    let disk = Mem::default();
    let (mut writer, _) = open(&disk);
    (0..20).for_each(|seq| writer.apply(put(seq)).unwrap());
    let at = disk.log().len() * 2 / 3;
    disk.lock().log.as_mut().unwrap()[at] ^= 1;
    let (mut writer, damage) = open(&disk);
    assert!(damage.is_some() && holds(disk.lock().aside.first_key_value().unwrap().1, "private_message"));

    let after = Transaction {
        profiles: vec![profile(1)],
        ..erase()
    };
    writer.apply(after).unwrap();
    assert!(disk.lock().aside.is_empty());
    assert!(!holds(&disk.log(), "private_message") && !holds(&disk.log(), "id-"));
    writer.apply(put(30)).unwrap();
    let contents = open(&disk).0.contents(None);
    assert_eq!((seqs(&contents), contents.profiles), (vec![30], vec![profile(1)]));
}

#[test]
fn erasing_that_fails_changes_nothing_that_is_kept() {
    let disk = Mem::default();
    let (mut writer, _) = open(&disk);
    (0..3).for_each(|seq| writer.apply(put(seq)).unwrap());
    for (aside_fails, replace_fails) in [(true, false), (false, true)] {
        disk.lock().aside_fails = aside_fails;
        disk.lock().replace_fails = replace_fails;
        assert!(matches!(writer.apply(erase()), Err(Error::Store(_))));
        assert_eq!(seqs(&writer.contents(None)), [0, 1, 2]);
        assert_eq!(seqs(&open(&disk).0.contents(None)), [0, 1, 2]);
    }
    disk.lock().replace_fails = false;
    writer.apply(erase()).unwrap();
    assert_eq!(seqs(&open(&disk).0.contents(None)), [0; 0]);
}

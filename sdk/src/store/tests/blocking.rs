//! Where the work runs, and what becomes of it when nobody waits any more.

use std::future::poll_fn;
use std::sync::mpsc::{Sender, channel};
use std::task::Poll;

use futures::FutureExt;
use tokio::runtime::{Builder, Runtime};

use super::disk::Mem;
use super::{put, remove};
use crate::error::Error;
use crate::store::{LogStore, Store};

fn runtime() -> Runtime {
    // One thread for what blocks, so that a second piece of work waits for the first.
    Builder::new_current_thread().max_blocking_threads(1).build().unwrap()
}

/// A store on a disk that waits before every append until it is let.
fn gated() -> (LogStore<Mem>, Mem, Sender<()>) {
    let mut disk = Mem::default();
    disk.blocks = true;
    let (open, gate) = channel();
    disk.lock().gate = Some(gate);
    (LogStore::open(disk.clone()).unwrap(), disk, open)
}

async fn seqs(store: &mut LogStore<Mem>) -> Vec<u64> {
    let records = store.load().await.unwrap().records;
    records.iter().map(|record| record.seq).collect()
}

#[test]
fn a_slow_disk_does_not_stop_the_runtime() {
    let (mut store, _, open) = gated();
    runtime().block_on(async {
        let mut apply = store.apply(put(1));
        // The only thread of the runtime is free to go on.
        assert!(poll_fn(|cx| Poll::Ready(apply.poll_unpin(cx).is_pending())).await);
        open.send(()).unwrap();
        apply.await.unwrap();
        assert_eq!(seqs(&mut store).await, [1]);
    });
}

#[test]
fn load_answers_at_once() {
    let (mut store, ..) = gated();
    assert!(store.load().now_or_never().is_some());
}

#[test]
fn a_disk_that_does_not_block_works_inline_without_a_runtime() {
    let mut store = LogStore::open(Mem::default()).unwrap();
    assert_eq!(store.apply(put(1)).now_or_never(), Some(Ok(())));
    let (mut store, disk, open) = gated();
    open.send(()).unwrap();
    // Nor does one that does, where there is no runtime to put it on.
    assert_eq!(store.apply(put(1)).now_or_never(), Some(Ok(())));
    drop(store);
    assert_eq!(disk.holders(), 1);
}

#[test]
fn a_transaction_that_nobody_waits_for_any_more_comes_before_the_next() {
    let (mut store, disk, open) = gated();
    runtime().block_on(async {
        for seq in 1..=2 {
            let mut apply = store.apply(put(seq));
            assert!(poll_fn(|cx| Poll::Ready(apply.poll_unpin(cx).is_pending())).await);
            drop(apply);
            open.send(()).unwrap();
        }
        open.send(()).unwrap();
        store.apply(remove(1)).await.unwrap();
        // The second was given up before it was begun: nobody was told that it is kept.
        let kept = seqs(&mut store).await;
        assert!(kept.is_empty() || kept == [2], "{kept:?}");
    });
    let mut again = LogStore::open(disk).unwrap();
    assert!(
        !again
            .load()
            .now_or_never()
            .unwrap()
            .unwrap()
            .records
            .contains(&super::record(1))
    );
}

#[test]
fn what_is_being_written_when_the_runtime_ends_is_written_to_its_end() {
    let (mut store, disk, open) = gated();
    let first = runtime();
    first.block_on(async {
        let mut apply = store.apply(put(1));
        assert!(poll_fn(|cx| Poll::Ready(apply.poll_unpin(cx).is_pending())).await);
    });
    first.shutdown_background();
    open.send(()).unwrap();
    open.send(()).unwrap();
    // The store is as good as before, on another runtime.
    runtime().block_on(async {
        store.apply(put(2)).await.unwrap();
        assert_eq!(seqs(&mut store).await, [1, 2]);
    });
    drop(store);
    assert_eq!(disk.holders(), 1, "the disk is let go of");
}

#[test]
fn on_a_runtime_that_has_ended_it_is_an_error_and_the_disk_is_free() {
    let (mut store, disk, _open) = gated();
    let ended = runtime();
    let handle = ended.handle().clone();
    ended.shutdown_background();
    let inside = handle.enter();
    for seq in 1..=2 {
        let Some(Err(Error::Store(error))) = store.apply(put(seq)).now_or_never() else {
            panic!("nobody can have done it");
        };
        assert!(error.contains("open the store anew"), "{error}");
    }
    assert!(matches!(store.load().now_or_never(), Some(Err(_))));
    drop(inside);
    assert_eq!(disk.holders(), 1);
    let mut again = LogStore::open(disk).unwrap();
    assert!(again.load().now_or_never().unwrap().unwrap().records.is_empty());
}

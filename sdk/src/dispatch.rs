//! The task on which handlers run, apart from the driver: a slow handler delays later events, never the heartbeat.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use futures::channel::oneshot;

use crate::config::Limits;
use crate::core::{Happening, SocketId};
use crate::registry::Listeners;
use crate::shared::Shared;

/// What waits for handlers.
pub(crate) struct Queue {
    most_events: usize,
    most_bytes: usize,
    /// Whether the bounds are reached; read without the lock, which matters at every turn of the driver.
    full: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(SocketId, Happening)>,
    /// Events and bytes that wait or are being handled.
    events: usize,
    bytes: usize,
    closed: bool,
    /// Wakes the task.
    task: Option<Waker>,
    /// Wakes the driver, which stopped reading because the queue was full.
    driver: Option<Waker>,
}

impl Queue {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            most_events: limits.dispatch_events,
            most_bytes: limits.dispatch_bytes,
            full: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    /// Adds what a turn of the driver brought.
    pub(crate) fn push_all(&self, happenings: &mut Vec<(SocketId, Happening)>) {
        if happenings.is_empty() {
            return;
        }
        let mut state = self.lock();
        state.events += happenings.len();
        state.bytes += happenings.iter().map(|(_, happening)| size(happening)).sum::<usize>();
        state.waiting.extend(happenings.drain(..));
        self.measure(&state);
        let waker = state.task.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Whether no more should be read from the link. If so, `waker` is woken when there is room again.
    pub(crate) fn is_full(&self, waker: &Waker) -> bool {
        if !self.full.load(Ordering::Acquire) {
            return false;
        }
        let mut state = self.lock();
        let full = self.measure(&state);
        if full {
            state.driver = Some(waker.clone());
        }
        full
    }

    /// Once full it stays so until half of it is handled: were reading to go on for every event that is, handlers that
    /// are slow but not stuck would hide a dead link behind what came before its end.
    fn measure(&self, state: &State) -> bool {
        let share = 1 + usize::from(self.full.load(Ordering::Acquire));
        let full = state.events >= self.most_events.div_ceil(share) || state.bytes >= self.most_bytes.div_ceil(share);
        self.full.store(full, Ordering::Release);
        full
    }

    /// The task ends once everything before this is handled.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let waker = state.task.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Everything that waits, or `None` at the end.
    async fn take(&self, batch: &mut VecDeque<(SocketId, Happening)>) -> Option<()> {
        poll_fn(|cx| {
            let mut state = self.lock();
            if !state.waiting.is_empty() {
                std::mem::swap(&mut state.waiting, batch);
                return Poll::Ready(Some(()));
            }
            if state.closed {
                return Poll::Ready(None);
            }
            // Nothing waits: an idle client does not keep the room for what little there was.
            rest(&mut state.waiting);
            rest(batch);
            if !state.task.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                state.task = Some(cx.waker().clone());
            }
            Poll::Pending
        })
        .await
    }

    /// So much is handled.
    fn done(&self, events: usize, bytes: usize) {
        let mut state = self.lock();
        state.events -= events;
        state.bytes -= bytes;
        self.measure(&state);
        let waker = state.driver.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

fn size(happening: &Happening) -> usize {
    match happening {
        Happening::Message { payload, .. } => payload.size(),
        Happening::State(_) | Happening::Notice(_) => 0,
    }
}

/// Gives up the memory of a queue that was never long.
fn rest(queue: &mut VecDeque<(SocketId, Happening)>) {
    if (1..=SHORT).contains(&queue.capacity()) {
        *queue = VecDeque::new();
    }
}

/// A queue with room for more than this has been busy, and may be again.
pub(crate) const SHORT: usize = 16;

/// So many events are handled before others on the same thread get their turn.
const TURN: usize = 64;

/// Runs handlers until the client is closed. `rests` ends when its store has nothing more to do: streams end behind that,
/// so that whoever waits for their end can end the process.
pub(crate) async fn run(shared: Arc<Shared>, rests: Option<oneshot::Receiver<()>>) {
    let mut batch = VecDeque::new();
    let mut listeners = Listeners::default();
    while shared.dispatch.take(&mut batch).await.is_some() {
        // A handler may block. On tokio's threads a task that was woken by another runs right behind it, and nobody else is
        // told: were it to block there, no thread would look at the network. Yielding once tells another thread.
        yield_now().await;
        while !batch.is_empty() {
            let (mut events, mut bytes) = (0, 0);
            let front = batch.as_slices().0;
            let len = front.len().min(TURN);
            if let Some(observer) = &shared.observer {
                observer.happened(&front[..len]);
            }
            while events < len
                && let Some((socket, happening)) = batch.pop_front()
            {
                events += 1;
                bytes += size(&happening);
                if shared.observer.is_none() {
                    listeners.hear(&shared, socket, happening);
                }
            }
            listeners.rest();
            shared.dispatch.done(events, bytes);
            if !batch.is_empty() {
                yield_now().await;
            }
        }
    }
    if let Some(rests) = rests {
        // Nothing is ever sent: it is dropped.
        let _ = rests.await;
    }
    for registry in shared.registries() {
        registry.finish();
    }
}

/// Lets other tasks of the same thread run.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Notice;

    #[test]
    fn a_full_queue_stays_full_until_half_of_it_is_handled() {
        let limits = Limits {
            dispatch_events: 4,
            ..Limits::default()
        };
        let queue = Queue::new(&limits);
        let event = || (SocketId(0), Happening::Notice(Box::new(Notice::Warning(String::new()))));
        queue.push_all(&mut (0..3).map(|_| event()).collect());
        assert!(!queue.is_full(Waker::noop()));
        queue.push_all(&mut vec![event()]);
        assert!(queue.is_full(Waker::noop()));
        queue.done(2, 0);
        assert!(queue.is_full(Waker::noop()));
        queue.done(1, 0);
        assert!(!queue.is_full(Waker::noop()));
    }
}

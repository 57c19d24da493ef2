//! Events as a stream, with a bound of its own: whoever reads slowly is told how much they missed.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures::Stream;

use crate::event::Event;
use crate::registry::Subscription;

/// How many events wait for a reader by default.
pub(crate) const CAPACITY: usize = 256;

/// A stream was read too slowly, and so many events are not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{0} events were missed, because the stream was not read in time; read faster, or give it more room")]
#[expect(clippy::exhaustive_structs, reason = "there is nothing more to say")]
pub struct Lagged(
    /// How many.
    pub u64,
);

/// Events in order, until the client is closed or the stream is dropped.
///
/// It holds a bounded number of events. When it is full the oldest makes room, and in its place stands `Err(Lagged(n))`. A
/// slow reader holds up nobody: neither handlers nor the link.
///
/// It does not keep the client alive. Events that wait hold the memory that they came in.
#[must_use = "a stream that is dropped hears nothing"]
pub struct Events<T> {
    queue: Arc<Queue<T>>,
    _subscription: Subscription,
}

/// Events of one name as they came from the server; made by [`Socket::stream`](crate::Socket::stream).
pub type EventStream = Events<Event>;

/// What waits for the reader.
struct Queue<T>(Mutex<State<T>>);

struct State<T> {
    waiting: VecDeque<T>,
    capacity: usize,
    missed: u64,
    reader: Option<Waker>,
    /// Nothing more comes.
    ended: bool,
}

/// The end that a handler holds; the stream ends with it.
pub(crate) struct Feeder<T>(Arc<Queue<T>>);

/// A stream of at most `capacity` waiting events, fed by a handler that `subscribe` registers.
pub(crate) fn events<T>(capacity: usize, subscribe: impl FnOnce(Feeder<T>) -> Subscription) -> Events<T> {
    let queue = Arc::new(Queue(Mutex::new(State {
        waiting: VecDeque::new(),
        capacity: capacity.max(1),
        missed: 0,
        reader: None,
        ended: false,
    })));
    Events {
        queue: Arc::clone(&queue),
        _subscription: subscribe(Feeder(queue)),
    }
}

impl<T> Queue<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, then wakes the reader with the lock released. What falls out is dropped there, too.
    fn change<R>(&self, change: impl FnOnce(&mut State<T>) -> R) {
        let mut state = self.lock();
        let fallen = change(&mut state);
        let reader = state.reader.take();
        drop(state);
        drop(fallen);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl<T> Feeder<T> {
    /// Adds an event; the oldest makes room for it.
    pub(crate) fn feed(&self, event: T) {
        self.0.change(|state| {
            let full = state.waiting.len() >= state.capacity;
            state.missed += u64::from(full);
            let oldest = if full { state.waiting.pop_front() } else { None };
            state.waiting.push_back(event);
            oldest
        });
    }
}

impl<T> Drop for Feeder<T> {
    fn drop(&mut self) {
        self.0.change(|state| state.ended = true);
    }
}

impl<T> Stream for Events<T> {
    type Item = Result<T, Lagged>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut state = self.queue.lock();
        let missed = std::mem::take(&mut state.missed);
        if missed > 0 {
            return Poll::Ready(Some(Err(Lagged(missed))));
        }
        if let Some(event) = state.waiting.pop_front() {
            return Poll::Ready(Some(Ok(event)));
        }
        if state.ended {
            return Poll::Ready(None);
        }
        let old = state.reader.replace(cx.waker().clone());
        drop(state);
        drop(old);
        Poll::Pending
    }
}

impl<T> fmt::Debug for Events<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not what waits: payloads are not for logs.
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::FutureExt;
    use futures::task::{ArcWake, waker};

    use super::*;
    use crate::registry::Registry;

    /// A stream, and the end that feeds it.
    pub(crate) fn pair(capacity: usize) -> (Events<u32>, Feeder<u32>) {
        let mut end = None;
        let registry = Arc::new(Registry::default());
        let stream = events(capacity, |feeder| {
            end = Some(feeder);
            registry.on_state(|_: &crate::state::StateChange| {})
        });
        (stream, end.expect("it was given"))
    }

    fn next(stream: &mut Events<u32>) -> Option<Option<Result<u32, Lagged>>> {
        futures::StreamExt::next(stream).now_or_never()
    }

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl ArcWake for Wakes {
        fn wake_by_ref(wakes: &Arc<Self>) {
            wakes.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn what_a_slow_reader_missed_is_told_in_its_place() {
        let (mut stream, end) = pair(3);
        (0..5).for_each(|n| end.feed(n));
        assert_eq!(next(&mut stream), Some(Some(Err(Lagged(2)))));
        for n in 2..5 {
            assert_eq!(next(&mut stream), Some(Some(Ok(n))));
        }
        assert_eq!(next(&mut stream), None);
        end.feed(5);
        assert_eq!(next(&mut stream), Some(Some(Ok(5))));
    }

    #[test]
    fn what_came_before_the_end_is_still_read() {
        let (mut stream, end) = pair(3);
        end.feed(1);
        drop(end);
        assert_eq!(next(&mut stream), Some(Some(Ok(1))));
        assert_eq!(next(&mut stream), Some(None));
    }

    #[test]
    fn a_reader_that_waits_is_woken_by_an_event_and_by_the_end() {
        let (mut stream, end) = pair(3);
        let wakes = Arc::new(Wakes::default());
        let waker = waker(Arc::clone(&wakes));
        let mut cx = Context::from_waker(&waker);
        assert!(Pin::new(&mut stream).poll_next(&mut cx).is_pending());
        end.feed(1);
        assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
        assert!(Pin::new(&mut stream).poll_next(&mut cx).is_ready());
        assert!(Pin::new(&mut stream).poll_next(&mut cx).is_pending());
        drop(end);
        assert_eq!(wakes.0.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn room_for_nothing_is_room_for_one() {
        let (mut stream, end) = pair(0);
        end.feed(1);
        assert_eq!(next(&mut stream), Some(Some(Ok(1))));
    }
}

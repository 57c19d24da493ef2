//! Events as a `Stream`, with a bound of its own: who reads slowly misses the oldest, and is told how many.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures::Stream;

use crate::event::Event;
use crate::registry::Subscription;

/// So many events wait for the reader where nothing else is said.
pub(crate) const CAPACITY: usize = 256;

/// The reader of a stream did not keep up: so many events were dropped in this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{0} events were missed; read faster, or give the stream a larger capacity")]
pub struct Lagged(pub u64);

/// Events of one kind, in order, as a [`Stream`].
///
/// They wait for the reader, up to the stream's capacity: 256 events where nothing else was said. When it is full the
/// oldest is dropped, and the reader's next item is `Err(`[`Lagged`]`(n))`, in the place of the `n` events that it missed. A
/// slow reader thus holds up neither handlers nor the connection. Across a reconnect the stream goes on.
///
/// The stream ends when the client does, or with `off`, once what waits is read. It does not keep the client alive.
/// Dropping it unsubscribes.
#[must_use = "a stream that is dropped hears nothing"]
pub struct Events<T> {
    queue: Arc<Queue<T>>,
    _subscription: Subscription,
}

/// Events of one name as they came from the server; made by [`Socket::stream`](crate::Socket::stream).
pub type EventStream = Events<Event>;

/// Hands events to a stream, which ends when this is dropped.
pub(crate) struct Feeder<T> {
    queue: Arc<Queue<T>>,
}

struct Queue<T> {
    capacity: usize,
    state: Mutex<State<T>>,
}

struct State<T> {
    waiting: VecDeque<T>,
    /// How many were dropped, all of them before those that wait.
    missed: u64,
    ended: bool,
    reader: Option<Waker>,
}

impl<T> Events<T> {
    /// A stream of what `subscribe` has its feeder called with. A capacity of 0 counts as 1.
    pub(crate) fn new(capacity: usize, subscribe: impl FnOnce(Feeder<T>) -> Subscription) -> Self {
        let queue = Arc::new(Queue {
            capacity: capacity.max(1),
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                missed: 0,
                ended: false,
                reader: None,
            }),
        });
        let feeder = Feeder {
            queue: Arc::clone(&queue),
        };
        Self {
            queue,
            _subscription: subscribe(feeder),
        }
    }
}

impl<T> Stream for Events<T> {
    type Item = Result<T, Lagged>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut state = self.queue.lock();
        if state.missed > 0 {
            return Poll::Ready(Some(Err(Lagged(std::mem::take(&mut state.missed)))));
        }
        if let Some(event) = state.waiting.pop_front() {
            return Poll::Ready(Some(Ok(event)));
        }
        if state.ended {
            return Poll::Ready(None);
        }
        // Under the lock, so that what comes from now on finds it. The old one is dropped without: it may be anybody's.
        let known = state.reader.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        let old = match known {
            true => None,
            false => state.reader.replace(cx.waker().clone()),
        };
        drop(state);
        drop(old);
        Poll::Pending
    }
}

impl<T> Feeder<T> {
    /// Never waits: when the stream is full, its oldest event goes.
    pub(crate) fn push(&self, event: T) {
        let mut state = self.queue.lock();
        let mut oldest = None;
        if state.waiting.len() == self.queue.capacity {
            oldest = state.waiting.pop_front();
            state.missed = state.missed.saturating_add(1);
        }
        state.waiting.push_back(event);
        let reader = state.reader.take();
        drop(state);
        drop(oldest);
        wake(reader);
    }
}

impl<T> Drop for Feeder<T> {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.ended = true;
        let reader = state.reader.take();
        drop(state);
        wake(reader);
    }
}

impl<T> Queue<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wake(reader: Option<Waker>) {
    if let Some(reader) = reader {
        reader.wake();
    }
}

impl<T> fmt::Debug for Events<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use futures::{FutureExt, StreamExt};

    use super::*;
    use crate::registry::Registry;

    /// A stream and what feeds it.
    fn stream(capacity: usize) -> (Feeder<u32>, Events<u32>) {
        let registry = Arc::new(Registry::default());
        let mut kept = None;
        let events = Events::new(capacity, |feeder| {
            kept = Some(feeder);
            registry.on_notice(|_: &crate::Notice| {})
        });
        (kept.unwrap(), events)
    }

    fn next(events: &mut Events<u32>) -> Option<Option<Result<u32, Lagged>>> {
        events.next().now_or_never()
    }

    #[test]
    fn a_full_stream_drops_the_oldest_and_says_how_many_in_their_place() {
        let (feeder, mut events) = stream(2);
        (1..=2).for_each(|event| feeder.push(event));
        assert_eq!(next(&mut events), Some(Some(Ok(1))));
        (3..=5).for_each(|event| feeder.push(event));
        assert_eq!(next(&mut events), Some(Some(Err(Lagged(2)))));
        assert_eq!(next(&mut events), Some(Some(Ok(4))));
        assert_eq!(next(&mut events), Some(Some(Ok(5))));
        assert_eq!(next(&mut events), None);
    }

    #[test]
    fn a_capacity_of_nothing_holds_the_newest() {
        let (feeder, mut events) = stream(0);
        (1..=3).for_each(|event| feeder.push(event));
        assert_eq!(next(&mut events), Some(Some(Err(Lagged(2)))));
        assert_eq!(next(&mut events), Some(Some(Ok(3))));
    }

    #[test]
    fn a_stream_ends_behind_what_waits_and_stays_ended() {
        let (feeder, mut events) = stream(8);
        feeder.push(1);
        drop(feeder);
        assert_eq!(next(&mut events), Some(Some(Ok(1))));
        assert_eq!(next(&mut events), Some(None));
        assert_eq!(next(&mut events), Some(None));
    }

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn whoever_polled_last_is_woken_by_the_next_event_and_by_the_end() {
        let (feeder, mut events) = stream(8);
        let counts = [(); 2].map(|()| Arc::new(Count::default()));
        let woken = || counts.each_ref().map(|count| count.0.load(Ordering::Relaxed));
        let poll = |events: &mut Events<u32>, reader: usize| {
            let waker = Waker::from(Arc::clone(&counts[reader]));
            events.poll_next_unpin(&mut Context::from_waker(&waker))
        };
        assert!(poll(&mut events, 0).is_pending());
        assert!(poll(&mut events, 1).is_pending());
        feeder.push(1);
        assert_eq!(woken(), [0, 1]);
        assert_eq!(poll(&mut events, 0), Poll::Ready(Some(Ok(1))));
        assert!(poll(&mut events, 0).is_pending());
        drop(feeder);
        assert_eq!(woken(), [1, 1]);
        assert_eq!(poll(&mut events, 0), Poll::Ready(None));
    }

    #[tokio::test]
    async fn nothing_is_lost_between_two_threads() {
        const EVENTS: u32 = 20_000;
        let (feeder, mut events) = stream(16);
        let writer = std::thread::spawn(move || (0..EVENTS).for_each(|event| feeder.push(event)));
        let mut expected = 0;
        while let Some(item) = events.next().await {
            match item {
                Ok(event) => {
                    assert_eq!(event, expected);
                    expected += 1;
                }
                Err(Lagged(missed)) => expected += u32::try_from(missed).unwrap(),
            }
        }
        assert_eq!(expected, EVENTS);
        writer.join().unwrap();
    }
}

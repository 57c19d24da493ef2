//! The world: virtual time, and the tasks in it.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::fmt;
use std::sync::atomic::{self, AtomicBool};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::super::Task;
use super::device::{Device, Devices, ProcessId};
use crate::core::rng::Rng;

/// More polls than this in one instant are a task that never comes to rest.
const RESTLESS: u32 = 200_000;

/// Virtual time, and a single-threaded executor whose seed draws which of the ready tasks runs next. Clones are handles.
#[derive(Clone)]
pub struct World {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    ready: Arc<Mutex<Vec<usize>>>,
}

struct State {
    now: Duration,
    rng: Rng,
    /// What happens later; the number keeps what happens at one time in order.
    timed: BinaryHeap<Reverse<Timed>>,
    next: u64,
    tasks: Vec<Option<Slot>>,
    devices: Devices,
    /// How many wires were opened.
    wires: u64,
}

struct Slot {
    process: ProcessId,
    /// Taken out while it is polled.
    task: Option<Task<()>>,
    flag: Arc<Flag>,
    waker: Waker,
}

/// Whom a waker wakes.
struct Flag {
    id: usize,
    queued: AtomicBool,
    ready: Arc<Mutex<Vec<usize>>>,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, atomic::Ordering::Relaxed) {
            lock(&self.ready).push(self.id);
        }
    }
}

struct Timed {
    at: Duration,
    number: u64,
    deed: Deed,
}

enum Deed {
    Wake(Waker),
    Call(Box<dyn FnOnce() + Send>),
}

impl PartialEq for Timed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Timed {}

impl PartialOrd for Timed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timed {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl World {
    /// A world at time zero.
    pub fn new(seed: u64) -> Self {
        Self {
            inner: Arc::new(Inner {
                state: Mutex::new(State {
                    now: Duration::ZERO,
                    rng: Rng::new(seed),
                    timed: BinaryHeap::new(),
                    next: 0,
                    tasks: Vec::new(),
                    devices: Devices::default(),
                    wires: 0,
                }),
                ready: Arc::default(),
            }),
        }
    }

    /// The time.
    pub fn now(&self) -> Duration {
        self.state().now
    }

    /// The next 64 bits of the world's own randomness.
    pub fn bits(&self) -> u64 {
        self.state().rng.bits()
    }

    /// A device whose wall clock shows `unix_ms` at time zero.
    pub fn device(&self, unix_ms: u64) -> Device {
        let number = self.devices(|devices| devices.add(unix_ms));
        Device::new(self.clone(), number)
    }

    /// Has something done at a time, apart from all tasks; at once, if the time is over.
    pub fn at(&self, at: Duration, call: impl FnOnce() + Send + 'static) {
        self.later(at, Deed::Call(Box::new(call)));
    }

    pub(super) fn wake_at(&self, at: Duration, waker: Waker) {
        self.later(at, Deed::Wake(waker));
    }

    fn later(&self, at: Duration, deed: Deed) {
        let mut state = self.state();
        state.next += 1;
        let number = state.next;
        let at = at.max(state.now);
        state.timed.push(Reverse(Timed { at, number, deed }));
    }

    /// Lets time pass, and everything happen that happens until then.
    ///
    /// # Panics
    /// Where a task never comes to rest.
    pub fn run_until(&self, until: Duration) {
        let mut polls = 0;
        loop {
            while let Some(id) = self.pick() {
                polls += 1;
                assert!(polls < RESTLESS, "a task never comes to rest, at {:?}", self.now());
                self.poll(id);
            }
            let mut state = self.state();
            match state.timed.peek() {
                Some(Reverse(next)) if next.at <= until => {}
                _ => {
                    state.now = state.now.max(until);
                    return;
                }
            }
            let Some(Reverse(Timed { at, deed, .. })) = state.timed.pop() else {
                return;
            };
            if at > state.now {
                polls = 0;
            }
            state.now = at;
            drop(state);
            match deed {
                Deed::Wake(waker) => waker.wake(),
                Deed::Call(call) => call(),
            }
        }
    }

    /// Draws the next task to run.
    fn pick(&self) -> Option<usize> {
        let mut ready = lock(&self.inner.ready);
        match ready.len() {
            0 => None,
            1 => ready.pop(),
            count => {
                let drawn = self.state().rng.bits() % count as u64;
                Some(ready.swap_remove(usize::try_from(drawn).unwrap_or(0)))
            }
        }
    }

    fn poll(&self, id: usize) {
        let mut state = self.state();
        let State { tasks, devices, .. } = &mut *state;
        let Some(Some(slot)) = tasks.get_mut(id) else { return };
        if !devices.is_awake(slot.process) {
            // Still marked as queued: it runs when the device wakes up.
            devices.park(slot.process, id);
            return;
        }
        let Some(mut task) = slot.task.take() else { return };
        slot.flag.queued.store(false, atomic::Ordering::Relaxed);
        let waker = slot.waker.clone();
        drop(state);
        let polled = task.as_mut().poll(&mut Context::from_waker(&waker));
        let mut state = self.state();
        // A process that killed itself has no tasks any more.
        match (polled, &mut state.tasks[id]) {
            (Poll::Pending, Some(slot)) => slot.task = Some(task),
            (_, slot) => {
                let gone = slot.take();
                drop(state);
                drop((gone, task));
            }
        }
    }

    /// Runs a task in a process. One that was killed runs none.
    pub(super) fn spawn(&self, process: ProcessId, task: Task<()>) {
        let mut state = self.state();
        if !state.devices.is_alive(process) {
            drop(state);
            drop(task);
            return;
        }
        let id = state.tasks.len();
        let flag = Arc::new(Flag {
            id,
            queued: AtomicBool::new(true),
            ready: Arc::clone(&self.inner.ready),
        });
        state.tasks.push(Some(Slot {
            process,
            task: Some(task),
            waker: Waker::from(Arc::clone(&flag)),
            flag,
        }));
        drop(state);
        lock(&self.inner.ready).push(id);
    }

    /// Drops every task of a process that is dead.
    pub(super) fn drop_tasks(&self, process: ProcessId) {
        let mut state = self.state();
        let dead = state.tasks.iter_mut();
        let dead = dead.filter(|slot| slot.as_ref().is_some_and(|slot| slot.process == process));
        let gone: Vec<_> = dead.map(Option::take).collect();
        drop(state);
        drop(gone);
    }

    /// Has these tasks run that a sleeping device held back.
    pub(super) fn resume(&self, tasks: Vec<usize>) {
        lock(&self.inner.ready).extend(tasks);
    }

    /// Ends the world: every task is dropped, and nothing happens any more. Tasks own handles of the world that they run in,
    /// so that it does not end by itself.
    pub fn end(&self) {
        let mut state = self.state();
        state.devices.kill_all();
        let tasks = std::mem::take(&mut state.tasks);
        let timed = std::mem::take(&mut state.timed);
        drop(state);
        drop((tasks, timed));
        lock(&self.inner.ready).clear();
        let mut state = self.state();
        let late = (std::mem::take(&mut state.tasks), std::mem::take(&mut state.timed));
        drop(state);
        drop(late);
    }

    /// A number for a new wire.
    pub(super) fn new_wire(&self) -> u64 {
        let mut state = self.state();
        state.wires += 1;
        state.wires
    }

    pub(super) fn devices<R>(&self, change: impl FnOnce(&mut Devices) -> R) -> R {
        change(&mut self.state().devices)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.inner.state)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}

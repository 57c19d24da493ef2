//! The tasks of all clients of a page or a worker.
//!
//! The browser calls a client many times a second, once a message, and the client's two tasks wake each other. Were each a
//! turn of the browser's own queue, as with `spawn_local`, the turns would take longer than the work. So whoever is called by
//! the browser runs what is ready before returning, and only what is woken by the app's calls waits for a microtask.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use gloo_timers::callback::Timeout;
use js_sys::Promise;
use wasm_bindgen::prelude::*;

use super::super::Task;

/// So often tasks run before the browser has its turn: handlers that have themselves called again must not stop the page.
const MOST: usize = 1024;

thread_local! {
    static TASKS: Tasks = Tasks::new();
}

struct Tasks {
    /// By their numbers; `None` while one runs, and where there is none any more.
    tasks: RefCell<Vec<Option<Spawned>>>,
    free: RefCell<Vec<usize>>,
    ready: RefCell<VecDeque<usize>>,
    running: Cell<bool>,
    /// Whether a microtask is on its way.
    scheduled: Cell<bool>,
    done: Promise,
    run: Closure<dyn FnMut(JsValue)>,
}

struct Spawned {
    task: Task<()>,
    waker: Waker,
}

/// Puts its task among those that are ready, once.
struct Number(usize);

impl Wake for Number {
    fn wake(self: Arc<Self>) {
        TASKS.with(|tasks| tasks.make_ready(self.0));
    }
}

/// Runs a task to its end, beginning soon.
pub(super) fn spawn(task: Task<()>) {
    TASKS.with(|tasks| {
        let number = tasks.free.borrow_mut().pop().unwrap_or_else(|| {
            tasks.tasks.borrow_mut().push(None);
            tasks.tasks.borrow().len() - 1
        });
        let waker = Waker::from(Arc::new(Number(number)));
        tasks.tasks.borrow_mut()[number] = Some(Spawned { task, waker });
        tasks.make_ready(number);
    });
}

/// Wakes a task and runs what is ready. Nobody may hold what tasks need: it is for what the browser calls.
pub(super) fn run_with(waker: Waker) {
    TASKS.with(|tasks| {
        tasks.run(|| waker.wake());
    });
}

impl Tasks {
    fn new() -> Self {
        Self {
            tasks: RefCell::default(),
            free: RefCell::default(),
            ready: RefCell::default(),
            running: Cell::new(false),
            scheduled: Cell::new(false),
            done: Promise::resolve(&JsValue::UNDEFINED),
            run: Closure::new(|_| Self::again()),
        }
    }

    fn make_ready(&self, number: usize) {
        let mut ready = self.ready.borrow_mut();
        if !ready.contains(&number) {
            ready.push_back(number);
        }
        if !self.running.get() && !self.scheduled.replace(true) {
            // Not `queueMicrotask`, which is the page's and not the engine's, and three times as slow.
            let _ = self.done.then(&self.run);
        }
    }

    fn run(&self, wake: impl FnOnce()) {
        let nested = self.running.replace(true);
        wake();
        if nested {
            return;
        }
        for _ in 0..MOST {
            let Some(number) = self.next() else { break };
            let Some(mut spawned) = self.tasks.borrow_mut()[number].take() else {
                continue;
            };
            let mut cx = Context::from_waker(&spawned.waker);
            if spawned.task.as_mut().poll(&mut cx).is_pending() {
                self.tasks.borrow_mut()[number] = Some(spawned);
            } else {
                self.free.borrow_mut().push(number);
            }
        }
        self.running.set(false);
        if !self.ready.borrow().is_empty() && !self.scheduled.replace(true) {
            Timeout::new(0, Self::again).forget();
        }
    }

    /// What was scheduled has come.
    fn again() {
        TASKS.with(|tasks| {
            tasks.scheduled.set(false);
            tasks.run(|| {});
        });
    }

    fn next(&self) -> Option<usize> {
        self.ready.borrow_mut().pop_front()
    }
}

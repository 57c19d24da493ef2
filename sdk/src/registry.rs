//! The event-handler registry of one socket.
//!
//! Handlers run in the order of their registration, over the list as it was when the event's turn came; `on_any` before
//! the event's own. Registering and removing is possible at any time, from within a handler too.
//!
//! - `list`: handlers of one kind.
//! - `listeners`: who runs them.
//! - `subscription`: what keeps one registered.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::channel::mpsc;

use crate::error::Error;
use crate::event::Event;
use crate::own::{self, Own};
use crate::state::{Notice, StateChange};

mod list;
mod listeners;
mod subscription;

pub(crate) use list::Handle;
use list::{Entry, List};
pub(crate) use listeners::Listeners;
pub use subscription::Subscription;

/// Which list a registration is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Topic {
    Any,
    Event(Box<str>),
    State,
    Notice,
    /// One of the client's own events, by its name.
    Own(&'static str),
}

#[derive(Default)]
pub(crate) struct Registry {
    lists: Mutex<Lists>,
    /// Grows with every change of the handlers of events, under the lock.
    version: AtomicU64,
    /// Whether it was told that the event in hand cannot be decoded.
    told: AtomicBool,
}

/// The handlers of an event as they were looked up last. It keeps them alive, so it must not be kept for long.
#[derive(Default)]
struct Snapshot {
    version: u64,
    name: String,
    any: List<Event>,
    own: Option<List<Event>>,
}

#[derive(Default)]
struct Lists {
    next_id: u64,
    any: List<Event>,
    /// Sorted by name.
    events: Vec<(Box<str>, List<Event>)>,
    states: List<StateChange>,
    notices: List<Notice>,
    own: Vec<(&'static str, List<Own>)>,
    streams: Vec<mpsc::UnboundedSender<StateChange>>,
    closed: bool,
}

impl Registry {
    pub(crate) fn on_event(self: &Arc<Self>, topic: Topic, once: bool, handler: impl Handle<Event>) -> Subscription {
        self.register(topic, once, handler, |lists, topic| match topic {
            Topic::Event(name) => lists.named(name),
            _ => &mut lists.any,
        })
    }

    pub(crate) fn on_state(self: &Arc<Self>, handler: impl Handle<StateChange>) -> Subscription {
        self.register(Topic::State, false, handler, |lists, _| &mut lists.states)
    }

    pub(crate) fn on_notice(self: &Arc<Self>, handler: impl Handle<Notice>) -> Subscription {
        self.register(Topic::Notice, false, handler, |lists, _| &mut lists.notices)
    }

    /// Registers a handler of one of the client's own events.
    pub(crate) fn on_own(self: &Arc<Self>, name: &'static str, once: bool, handler: impl Handle<Own>) -> Subscription {
        self.register(Topic::Own(name), once, handler, |lists, _| lists.own_named(name))
    }

    fn register<E: 'static>(
        self: &Arc<Self>,
        topic: Topic,
        once: bool,
        handler: impl Handle<E>,
        list: impl for<'a> FnOnce(&'a mut Lists, &Topic) -> &'a mut List<E>,
    ) -> Subscription {
        let mut lists = self.change();
        if lists.closed {
            // Nobody will call it, and it must not keep alive what it holds.
            drop(lists);
            drop(handler);
            return Subscription::new(self, topic, 0);
        }
        lists.next_id += 1;
        let id = lists.next_id;
        let old = list(&mut lists, &topic).push(Entry::new(id, once, handler));
        drop(lists);
        drop(old);
        Subscription::new(self, topic, id)
    }

    /// Every change of state from now on, in order.
    pub(crate) fn states(&self) -> mpsc::UnboundedReceiver<StateChange> {
        let (sender, receiver) = mpsc::unbounded();
        let mut lists = self.lock();
        if !lists.closed {
            lists.streams.push(sender);
        }
        receiver
    }

    /// Removes all handlers of one event.
    pub(crate) fn off(&self, name: &str) {
        let mut lists = self.change();
        let old = lists.find(name).ok().map(|at| lists.events.remove(at));
        drop(lists);
        drop(old);
    }

    /// Removes all handlers of one of the client's own events.
    pub(crate) fn off_own(&self, name: &str) {
        let mut lists = self.change();
        let at = lists.own.iter().position(|(known, _)| *known == name);
        let old = at.map(|at| lists.own.swap_remove(at));
        drop(lists);
        drop(old);
    }

    /// Removes all handlers of every event.
    pub(crate) fn off_any(&self) {
        let old = std::mem::take(&mut self.change().any);
        drop(old);
    }

    /// Removes everything: the client is closed, and its handlers may hold what they keep alive.
    pub(crate) fn close(&self) {
        let mut lists = self.change();
        lists.closed = true;
        // The last change is still on its way through the streams and the handlers of states.
        let old = (
            std::mem::take(&mut lists.any),
            std::mem::take(&mut lists.events),
            std::mem::take(&mut lists.notices),
            lists
                .own
                .extract_if(.., |(name, _)| *name != own::STATE_CHANGE)
                .collect::<Vec<_>>(),
        );
        drop(lists);
        drop(old);
    }

    /// Ends what `close` left, after the last change was told.
    pub(crate) fn finish(&self) {
        let mut lists = self.change();
        lists.closed = true;
        let old = (
            std::mem::take(&mut lists.states),
            std::mem::take(&mut lists.streams),
            std::mem::take(&mut lists.own),
        );
        drop(lists);
        drop(old);
    }

    /// Tells streams of a change, at once and in order. The lock is released before: who is woken may register handlers.
    pub(crate) fn stream_state(&self, change: &StateChange) {
        let streams = self.lock().streams.clone();
        let mut gone = false;
        for stream in &streams {
            gone |= stream.unbounded_send(change.clone()).is_err();
        }
        drop(streams);
        if gone {
            self.lock().streams.retain(|stream| !stream.is_closed());
        }
    }

    /// Runs the handlers of an event. `snapshot` saves looking them up again for the next event of the same name.
    fn dispatch(&self, event: &Event, snapshot: &mut Snapshot) {
        let version = self.version.load(Ordering::Acquire);
        if snapshot.version != version || snapshot.name != event.name() {
            let lists = self.lock();
            snapshot.version = self.version.load(Ordering::Acquire);
            snapshot.own = lists.find(event.name()).ok().map(|at| lists.events[at].1.clone());
            snapshot.any = lists.any.clone();
            drop(lists);
            event.name().clone_into(&mut snapshot.name);
        }
        self.told.store(false, Ordering::Relaxed);
        self.run(event.name(), &snapshot.any, event, || Topic::Any);
        if let Some(own) = &snapshot.own {
            self.run(event.name(), own, event, || Topic::Event(event.name().into()));
        }
    }

    fn dispatch_state(&self, change: &StateChange) {
        let handlers = self.lock().states.clone();
        self.run("state", &handlers, change, || Topic::State);
        self.dispatch_own(own::STATE_CHANGE, || Own::State(change.clone()));
    }

    fn dispatch_notice(&self, notice: &Notice) {
        let handlers = self.lock().notices.clone();
        for entry in handlers.iter() {
            // A handler of notices that panics is not told to the handlers of notices.
            if caught(|| entry.call(notice, |id| self.remove(&Topic::Notice, id))).is_err() {
                tracing::error!("a handler of notices panicked");
            }
        }
        self.dispatch_own(notice.name(), || Own::Notice(notice.clone()));
    }

    /// Runs the handlers of one of the client's own events; `event` makes it if there are any.
    fn dispatch_own(&self, name: &'static str, event: impl FnOnce() -> Own) {
        let Some(handlers) = self.lock().own_known(name).cloned() else {
            return;
        };
        let event = event();
        let remove = |id| self.remove(&Topic::Own(name), id);
        for entry in handlers.iter() {
            self.guard(name, || entry.call(&event, remove));
        }
    }

    /// The event in hand does not fit the type that a handler is registered for; told once per event.
    #[cfg(feature = "typed")]
    pub(crate) fn tell_misfit(&self, event: &str, error: Error) {
        if self.told.swap(true, Ordering::Relaxed) {
            return;
        }
        let message = match error {
            Error::InvalidPayload(reason) => reason.into_owned(),
            other => other.to_string(),
        };
        self.dispatch_notice(&Notice::HandlerError(Error::Handler {
            event: event.to_owned(),
            message,
        }));
    }

    fn run<E: 'static>(&self, name: &str, list: &List<E>, event: &E, topic: impl Fn() -> Topic) {
        for entry in list.iter() {
            self.guard(name, || entry.call(event, |id| self.remove(&topic(), id)));
        }
    }

    /// Calls a handler; a panic becomes a notice and the next handler runs.
    fn guard(&self, event: &str, call: impl FnOnce()) {
        if let Err(message) = caught(call) {
            tracing::warn!(event, "a handler panicked");
            self.dispatch_notice(&Notice::HandlerError(Error::Handler {
                event: event.to_owned(),
                message,
            }));
        }
    }

    /// Removes one registration. Says whether it was there.
    fn remove(&self, topic: &Topic, id: u64) -> bool {
        let mut lists = self.change();
        match topic {
            Topic::Any => {
                let old = lists.any.remove(id);
                dropped_after(lists, old)
            }
            Topic::State => {
                let old = lists.states.remove(id);
                dropped_after(lists, old)
            }
            Topic::Notice => {
                let old = lists.notices.remove(id);
                dropped_after(lists, old)
            }
            Topic::Event(name) => {
                let Ok(at) = lists.find(name) else { return false };
                let old = lists.events[at].1.remove(id);
                if lists.events[at].1.is_empty() {
                    lists.events.remove(at);
                }
                dropped_after(lists, old)
            }
            Topic::Own(name) => {
                let old = lists.own_known(name).and_then(|list| list.remove(id));
                dropped_after(lists, old)
            }
        }
    }

    /// For a change of the handlers.
    fn change(&self) -> MutexGuard<'_, Lists> {
        let lists = self.lock();
        self.version.fetch_add(1, Ordering::Release);
        lists
    }

    fn lock(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops what was removed when the lock is released: a handler may own a handle, or another subscription, whose end takes
/// the same lock. Says whether there was something.
fn dropped_after<E>(lists: MutexGuard<'_, Lists>, old: Option<List<E>>) -> bool {
    drop(lists);
    old.is_some()
}

/// Runs `call`; gives a panic's text.
fn caught(call: impl FnOnce()) -> Result<(), String> {
    std::panic::catch_unwind(AssertUnwindSafe(call)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "it panicked".to_owned())
    })
}

impl Lists {
    fn find(&self, name: &str) -> Result<usize, usize> {
        self.events.binary_search_by(|(known, _)| (**known).cmp(name))
    }

    fn named(&mut self, name: &str) -> &mut List<Event> {
        let at = self.find(name).unwrap_or_else(|at| {
            self.events.insert(at, (name.into(), List::default()));
            at
        });
        &mut self.events[at].1
    }

    fn own_known(&mut self, name: &str) -> Option<&mut List<Own>> {
        let known = self.own.iter_mut().find(|(known, _)| *known == name);
        known.map(|(_, list)| list)
    }

    fn own_named(&mut self, name: &'static str) -> &mut List<Own> {
        let at = self.own.iter().position(|(known, _)| *known == name);
        let at = at.unwrap_or_else(|| {
            self.own.push((name, List::default()));
            self.own.len() - 1
        });
        &mut self.own[at].1
    }
}

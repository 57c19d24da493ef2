//! The event-handler registry of one socket.
//!
//! Handlers run in the order of their registration, over the list as it was when the event's turn came; `on_any` before
//! the event's own. Registering and removing is possible at any time, from within a handler too.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures::channel::mpsc;

use crate::error::Error;
use crate::event::Event;
use crate::state::{Notice, StateChange};
use crate::sys::Spawned;

/// Something that can be called with an event of type `E`.
pub(crate) trait Handle<E>: Spawned {
    fn call(&mut self, event: &E);
}

impl<E, F: FnMut(&E) + Spawned> Handle<E> for F {
    fn call(&mut self, event: &E) {
        self(event);
    }
}

/// One registration.
struct Entry<E> {
    id: u64,
    once: bool,
    /// Its own lock, held while it runs: nobody else takes it, because one task runs all handlers.
    handler: Mutex<Box<dyn Handle<E>>>,
}

/// Handlers of one kind, copied when changed, so that a snapshot is one reference.
struct List<E>(Arc<[Arc<Entry<E>>]>);

/// Which list a registration is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Topic {
    Any,
    Event(Box<str>),
    State,
    Notice,
}

#[derive(Default)]
pub(crate) struct Registry {
    lists: Mutex<Lists>,
    /// Grows with every change of the handlers of events, under the lock.
    version: AtomicU64,
}

/// The handlers of an event as they were looked up last. It keeps them alive, so it must not be kept for long.
#[derive(Default)]
pub(crate) struct Snapshot {
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
            return self.subscription(topic, 0);
        }
        lists.next_id += 1;
        let id = lists.next_id;
        let entry = Entry {
            id,
            once,
            handler: Mutex::new(Box::new(handler)),
        };
        let old = list(&mut lists, &topic).push(Arc::new(entry));
        drop(lists);
        drop(old);
        self.subscription(topic, id)
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
        );
        drop(lists);
        drop(old);
    }

    /// Ends what `close` left, after the last change was told.
    pub(crate) fn finish(&self) {
        let mut lists = self.change();
        lists.closed = true;
        let old = (std::mem::take(&mut lists.states), std::mem::take(&mut lists.streams));
        drop(lists);
        drop(old);
    }

    /// Tells streams of a change, at once and in order.
    pub(crate) fn stream_state(&self, change: &StateChange) {
        self.lock()
            .streams
            .retain(|stream| stream.unbounded_send(change.clone()).is_ok());
    }

    /// Runs the handlers of an event. `snapshot` saves looking them up again for the next event of the same name.
    pub(crate) fn dispatch(&self, event: &Event, snapshot: &mut Snapshot) {
        let version = self.version.load(Ordering::Acquire);
        if snapshot.version != version || snapshot.name != event.name() {
            let lists = self.lock();
            snapshot.version = self.version.load(Ordering::Acquire);
            snapshot.own = lists.find(event.name()).ok().map(|at| lists.events[at].1.clone());
            snapshot.any = lists.any.clone();
            drop(lists);
            event.name().clone_into(&mut snapshot.name);
        }
        self.run(None, &snapshot.any, event);
        if let Some(own) = &snapshot.own {
            self.run(Some(event.name()), own, event);
        }
    }

    pub(crate) fn dispatch_state(&self, change: &StateChange) {
        let handlers = self.lock().states.clone();
        for entry in handlers.0.iter() {
            self.guard("state", || entry.call(change));
        }
    }

    pub(crate) fn dispatch_notice(&self, notice: &Notice) {
        let handlers = self.lock().notices.clone();
        for entry in handlers.0.iter() {
            // A handler of notices that panics is not told to the handlers of notices.
            if caught(|| entry.call(notice)).is_err() {
                tracing::error!("a handler of notices panicked");
            }
        }
    }

    fn run(&self, name: Option<&str>, list: &List<Event>, event: &Event) {
        for entry in list.0.iter() {
            // Before it is called, so that it may emit what raises the same event.
            if entry.once {
                let topic = name.map_or(Topic::Any, |name| Topic::Event(name.into()));
                if !self.remove(&topic, entry.id) {
                    continue;
                }
            }
            self.guard(event.name(), || entry.call(event));
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
                if lists.events[at].1.0.is_empty() {
                    lists.events.remove(at);
                }
                dropped_after(lists, old)
            }
        }
    }

    fn subscription(self: &Arc<Self>, topic: Topic, id: u64) -> Subscription {
        Subscription {
            registry: Arc::downgrade(self),
            topic,
            id,
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
}

impl<E: 'static> Entry<E> {
    fn call(&self, event: &E) {
        self.handler.lock().unwrap_or_else(PoisonError::into_inner).call(event);
    }
}

impl<E> List<E> {
    /// Gives the list as it was.
    fn push(&mut self, entry: Arc<Entry<E>>) -> Self {
        let more = self.0.iter().cloned().chain([entry]).collect();
        Self(std::mem::replace(&mut self.0, more))
    }

    /// Gives the list as it was, if it changed.
    fn remove(&mut self, id: u64) -> Option<Self> {
        let fewer: Arc<[_]> = self.0.iter().filter(|entry| entry.id != id).cloned().collect();
        let changed = fewer.len() < self.0.len();
        changed.then(|| Self(std::mem::replace(&mut self.0, fewer)))
    }
}

impl<E> Default for List<E> {
    fn default() -> Self {
        Self(Arc::new([]))
    }
}

impl<E> Clone for List<E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Keeps a handler registered: it is removed when this is dropped.
#[must_use = "the handler is removed when this is dropped; keep it, or call `detach`"]
pub struct Subscription {
    registry: Weak<Registry>,
    topic: Topic,
    id: u64,
}

impl Subscription {
    /// Leaves the handler registered for as long as the client lives.
    pub fn detach(mut self) {
        self.registry = Weak::new();
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(registry) = self.registry.upgrade() {
            registry.remove(&self.topic, self.id);
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

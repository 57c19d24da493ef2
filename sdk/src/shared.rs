//! What handles, driver and dispatch share: the core under one mutex, and how to wake each other.
//!
//! The lock is held for one input and never across an await, while a handler runs, or while a store works.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use tracing::Span;

use crate::core::{Core, Now, ReplyTo, SocketId, scan};
use crate::credentials::{AuthProvider, Credentials};
use crate::dispatch::Queue;
use crate::error::Error;
use crate::observer::Observer;
use crate::payload::RawArgs;
use crate::registry::Registry;
use crate::sys::{Dialer, Sys};

pub(crate) struct Shared {
    pub(crate) sys: Arc<dyn Sys>,
    pub(crate) dialer: Box<dyn Dialer>,
    pub(crate) dispatch: Queue,
    /// Hears everything, in the place of handlers.
    pub(crate) observer: Option<Box<dyn Observer>>,
    /// What the client does is told within it.
    pub(crate) span: Span,
    inner: Mutex<Inner>,
    /// Who waits for a socket to take messages again.
    writers: Mutex<Vec<(SocketId, Arc<()>, Waker)>>,
}

pub(crate) struct Inner {
    pub(crate) core: Core,
    pub(crate) sockets: Vec<SocketParts>,
    /// Wakes the driver; taken when used, so that a burst of emits wakes it once.
    pub(crate) driver: Option<Waker>,
    /// The last handle is gone, or `close` was called: the driver ends when the core is quiet.
    pub(crate) closing: bool,
}

/// What belongs to one socket beside the core.
#[derive(Clone)]
pub(crate) struct SocketParts {
    pub(crate) namespace: Arc<str>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) provider: Option<Arc<dyn AuthProvider>>,
    /// Whether its credentials are its own, and not the client's.
    pub(crate) own_credentials: bool,
}

impl Inner {
    /// The providers of a client that is closed, to be dropped without the lock: like handlers they may hold what they
    /// keep alive.
    pub(crate) fn take_providers(&mut self) -> Vec<Arc<dyn AuthProvider>> {
        let providers = self.sockets.iter_mut().filter_map(|parts| parts.provider.take());
        providers.collect()
    }
}

impl Shared {
    pub(crate) fn new(sys: Arc<dyn Sys>, dialer: Box<dyn Dialer>, dispatch: Queue, span: Span, core: Core) -> Self {
        Self {
            sys,
            dialer,
            dispatch,
            observer: None,
            span,
            inner: Mutex::new(Inner {
                core,
                sockets: Vec::with_capacity(1),
                driver: None,
                closing: false,
            }),
            writers: Mutex::default(),
        }
    }

    pub(crate) fn observed(mut self, observer: Option<Box<dyn Observer>>) -> Self {
        self.observer = observer;
        self
    }

    /// Someone who is going to wait for a socket to take messages again.
    pub(crate) fn writer(self: &Arc<Self>, socket: SocketId) -> Writer {
        Writer {
            shared: Arc::clone(self),
            socket,
            waits: Arc::new(()),
        }
    }

    pub(crate) fn wake_writers(&self, socket: SocketId) {
        let mut writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        let (woken, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut *writers)
            .into_iter()
            .partition(|(other, ..)| *other == socket);
        *writers = rest;
        drop(writers);
        for (.., waker) in woken {
            waker.wake();
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One input to the core; the driver is woken to act on what came of it.
    pub(crate) fn input<R>(&self, input: impl FnOnce(&mut Core, Now) -> R) -> R {
        self.input_with(|inner, now| input(&mut inner.core, now))
    }

    /// The same, where it is about more than the core.
    fn input_with<R>(&self, input: impl FnOnce(&mut Inner, Now) -> R) -> R {
        let _entered = self.span.enter();
        let now = self.sys.now();
        let mut inner = self.lock();
        let result = input(&mut inner, now);
        release(inner);
        result
    }

    /// A socket has other credentials from now on. With `own` it no longer takes its client's.
    pub(crate) fn set_credentials(&self, socket: SocketId, credentials: Credentials, own: bool) {
        let Credentials { source, provider } = credentials;
        let mut replaced = provider;
        self.input_with(|inner, now| {
            let parts = &mut inner.sockets[socket.index()];
            parts.own_credentials |= own;
            std::mem::swap(&mut parts.provider, &mut replaced);
            inner.core.set_auth(now, socket, source);
        });
        // The app's code, which may call the client when it is dropped.
        drop(replaced);
    }

    /// Every socket's handlers, by the sockets' numbers.
    pub(crate) fn registries(&self) -> Vec<Arc<Registry>> {
        let inner = self.lock();
        inner.sockets.iter().map(|parts| Arc::clone(&parts.registry)).collect()
    }

    /// Ends the client for good.
    pub(crate) fn close(&self) {
        let (sockets, providers) = self.input_with(|inner, now| {
            inner.core.close(now);
            inner.closing = true;
            (inner.sockets.clone(), inner.take_providers())
        });
        drop(providers);
        for parts in sockets {
            parts.registry.close();
        }
    }
}

/// Lets go of the core, and then wakes the driver. Not inlined: it is the same for every input.
#[inline(never)]
fn release(mut inner: MutexGuard<'_, Inner>) {
    let waker = inner.driver.take();
    drop(inner);
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// One who waits; forgotten when dropped. Two of one task have the same waker, and are told apart by `waits`.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    socket: SocketId,
    waits: Arc<()>,
}

impl Writer {
    /// Ready once a message would not be refused as overloaded.
    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        self.forget();
        // Registered before looking: what becomes writable in between must not be missed.
        let entry = (self.socket, Arc::clone(&self.waits), cx.waker().clone());
        self.writers().push(entry);
        match self.shared.lock().core.is_writable(self.socket) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    fn forget(&self) {
        self.writers().retain(|(_, waits, _)| !Arc::ptr_eq(waits, &self.waits));
    }

    fn writers(&self) -> MutexGuard<'_, Vec<(SocketId, Arc<()>, Waker)>> {
        self.shared.writers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.forget();
    }
}

/// A socket without a claim on its client's life: held by receipts and events.
#[derive(Clone)]
pub(crate) struct SocketRef {
    pub(crate) shared: Weak<Shared>,
    pub(crate) socket: SocketId,
}

impl SocketRef {
    pub(crate) fn cancel(&self, seq: u64) -> bool {
        let Some(shared) = self.shared.upgrade() else {
            return false;
        };
        shared.input(|core, now| core.cancel(now, self.socket, seq))
    }

    /// Answers an event.
    pub(crate) fn reply(&self, to: ReplyTo, args: RawArgs) -> Result<(), Error> {
        if !args.json.trim_start().starts_with('[') || scan::validate(&args.json, scan::MAX_DEPTH).is_err() {
            return Err(Error::payload("its arguments are not a JSON array"));
        }
        let shared = self.shared.upgrade().ok_or(Error::Closed)?;
        shared.input(|core, now| core.reply(now, self.socket, to, args))
    }
}

impl fmt::Debug for SocketRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketRef")
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}

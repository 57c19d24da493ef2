//! The only async loop: it hands the core what happens, and does what the core wants done. The same on every platform.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::channel::mpsc;
use futures::{FutureExt, StreamExt};

use crate::core::{Core, Happening, LinkEvent, LinkId, Now, Output, SocketId};
use crate::credentials::AuthProvider;
use crate::dispatch::SHORT;
use crate::error::Error;
use crate::receipt::{Acceptor, Completer, Outcome};
use crate::registry::Registry;
use crate::shared::{Inner, Shared};
use crate::state::StateChange;
use crate::store::{Store, Transaction};
use crate::sys::{Alarm, Task, Wire};

/// So many frames are read before what came of them is acted on.
const READS: usize = 64;

/// And so many bytes, so that the bounds of the dispatch queue are looked at in time.
const READ_BYTES: usize = 1 << 20;

/// Drives one client. A future that ends when the client is closed and everything has its outcome.
pub(crate) struct Driver {
    shared: Arc<Shared>,
    alarm: Box<dyn Alarm>,
    wires: Vec<Link>,
    questions: Vec<Question>,
    store: Option<StoreTurns>,
    /// Since when reading stands still because handlers do not keep up.
    stalled: Option<Duration>,
    turn: Turn,
}

/// What an auth provider was asked. Sockets that share one, and ask at the same time, share its answer.
struct Question {
    provider: Arc<dyn AuthProvider>,
    askers: Vec<(SocketId, u64)>,
    answer: Task<Result<String, String>>,
    /// Someone has given it up: who asks now asks anew.
    stale: bool,
}

/// A link and how far it has been listened to.
struct Link {
    id: LinkId,
    wire: Box<dyn Wire>,
    /// It had nothing more to read in this poll, and will wake the driver when it has.
    dry: bool,
}

/// What one turn brought; kept from turn to turn for its memory.
#[derive(Default)]
struct Turn {
    heard: Vec<(LinkId, LinkEvent)>,
    happenings: Vec<(SocketId, Happening)>,
    ended: Vec<(Completer, Outcome)>,
    accepted: Vec<Acceptor>,
    writable: Vec<SocketId>,
    answers: Vec<(SocketId, u64, Result<String, String>)>,
    states: Vec<(Arc<Registry>, Box<StateChange>)>,
    /// Questions to auth providers that nobody waits for any more. The app's code: dropped without the lock.
    replaced: Vec<Question>,
    /// The alarm has a new time and has to be polled for it.
    armed: bool,
    /// The alarm went off while it was being set.
    rung: bool,
    /// How much was read.
    bytes: usize,
    again: bool,
}

impl Driver {
    pub(crate) fn new(shared: Arc<Shared>, store: Option<StoreTurns>) -> Self {
        Self {
            alarm: shared.sys.alarm(),
            shared,
            wires: Vec::new(),
            questions: Vec::new(),
            store,
            stalled: None,
            turn: Turn::default(),
        }
    }

    /// What the links and the auth providers have to say. Providers are the app's code: no lock is held.
    fn listen(&mut self, cx: &mut Context<'_>) {
        let answers = &mut self.turn.answers;
        self.questions.retain_mut(|question| {
            let polled = catch_unwind(AssertUnwindSafe(|| question.answer.poll_unpin(cx)));
            match polled.unwrap_or_else(|_| Poll::Ready(Err("it panicked".to_owned()))) {
                Poll::Ready(answer) => {
                    let askers = question.askers.iter();
                    answers.extend(askers.map(|(socket, turn)| (*socket, *turn, answer.clone())));
                    false
                }
                Poll::Pending => true,
            }
        });
        let read = !self.shared.dispatch.is_full(cx.waker());
        for link in &mut self.wires {
            for count in 0.. {
                let read = read && !link.dry;
                match link.wire.poll_event(cx, read) {
                    Poll::Ready(event) => {
                        let closed = matches!(event, LinkEvent::Closed(_) | LinkEvent::Response(_));
                        self.turn.bytes += match &event {
                            LinkEvent::Text(text) => text.len(),
                            LinkEvent::Binary(bytes) => bytes.len(),
                            LinkEvent::Response(response) => response.body.len(),
                            _ => 0,
                        };
                        self.turn.heard.push((link.id, event));
                        if closed {
                            break;
                        }
                    }
                    Poll::Pending => {
                        link.dry |= read;
                        break;
                    }
                }
                if count == READS || self.turn.bytes > READ_BYTES {
                    self.turn.again = true;
                    break;
                }
            }
        }
        if read {
            self.stalled = None;
        }
    }

    /// Tells the core, and takes what it wants done.
    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let shared = Arc::clone(&self.shared);
        let now = shared.sys.now();
        let mut inner = shared.lock();
        for (link, event) in &self.turn.heard {
            if matches!(event, LinkEvent::Closed(_)) {
                inner.core.expect_end(*link);
            }
        }
        if std::mem::take(&mut self.turn.rung) || self.alarm.poll(cx).is_ready() {
            inner.core.handle_timeout(now);
        }
        for (link, event) in self.turn.heard.drain(..) {
            if matches!(event, LinkEvent::Closed(_) | LinkEvent::Response(_)) {
                self.wires.retain(|known| known.id != link);
            }
            inner.core.handle_link(now, link, event);
        }
        for (socket, turn, answer) in self.turn.answers.drain(..) {
            inner.core.handle_auth(now, socket, turn, answer);
        }
        self.watch_stall(&mut inner.core, now, cx);
        self.drain(&mut inner);
        if std::mem::take(&mut self.turn.armed) && self.alarm.poll(cx).is_ready() {
            self.turn.rung = true;
            self.turn.again = true;
        }
        let done = inner.closing && self.wires.is_empty();
        if !inner.driver.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            inner.driver = Some(cx.waker().clone());
        }
        drop(inner);
        self.tell();
        if done { Poll::Ready(()) } else { Poll::Pending }
    }

    fn drain(&mut self, inner: &mut Inner) {
        loop {
            match inner.core.poll_output() {
                Output::Start(link, request) => {
                    let wire = self.shared.dialer.open(*request);
                    self.wires.push(Link {
                        id: link,
                        wire,
                        dry: false,
                    });
                    self.turn.again = true;
                }
                Output::Send(link, frames) => {
                    if let Some(known) = self.wires.iter_mut().find(|known| known.id == link) {
                        known.wire.send(frames);
                        self.turn.again = true;
                    }
                }
                Output::Stop(link) => {
                    if let Some(at) = self.wires.iter().position(|known| known.id == link) {
                        let gone = self.wires.swap_remove(at);
                        self.shared.sys.spawn(gone.wire.close());
                    }
                }
                Output::Authenticate(socket, turn) => {
                    if let Some(provider) = &inner.sockets[socket.index()].provider {
                        self.ask(socket, turn, provider);
                    }
                }
                Output::Store(turn, transaction) => {
                    if let Some(store) = &self.store {
                        // An error means that the store's task has ended: the runtime is ending.
                        let _ = store.unbounded_send((turn, transaction));
                    }
                }
                Output::Accept(acceptor) => self.turn.accepted.push(acceptor),
                Output::Settle(completer, outcome) => self.turn.ended.push((completer, outcome)),
                Output::Writable(socket) => self.turn.writable.push(socket),
                Output::Event(socket, happening) => {
                    if let Happening::State(change) = &happening {
                        let registry = Arc::clone(&inner.sockets[socket.index()].registry);
                        self.turn.states.push((registry, change.clone()));
                    }
                    self.turn.happenings.push((socket, happening));
                }
                Output::Timeout(at) => {
                    let stall = self.stall_deadline(&inner.core);
                    let at = match (at, stall) {
                        (Some(at), Some(stall)) => Some(at.min(stall)),
                        (at, stall) => at.or(stall),
                    };
                    self.turn.armed = self.alarm.set(at);
                    return;
                }
            }
        }
    }

    /// Has a provider asked for a socket's credentials. It is the app's code: it is called in a task, without the lock.
    fn ask(&mut self, socket: SocketId, turn: u64, provider: &Arc<dyn AuthProvider>) {
        for question in &mut self.questions {
            let askers = question.askers.len();
            question.askers.retain(|(other, _)| *other != socket);
            question.stale |= question.askers.len() < askers;
        }
        let replaced = self.questions.extract_if(.., |question| question.askers.is_empty());
        self.turn.replaced.extend(replaced);
        let asked = |question: &&mut Question| !question.stale && Arc::ptr_eq(&question.provider, provider);
        if let Some(question) = self.questions.iter_mut().find(asked) {
            question.askers.push((socket, turn));
            return;
        }
        let asking = Arc::clone(provider);
        self.questions.push(Question {
            provider: Arc::clone(provider),
            askers: vec![(socket, turn)],
            answer: Box::pin(async move { asking.ask().await }),
            stale: false,
        });
        self.turn.again = true;
    }

    /// What is told with the lock released: it wakes others, or runs their code.
    fn tell(&mut self) {
        if let Some(observer) = &self.shared.observer
            && !(self.turn.accepted.is_empty() && self.turn.ended.is_empty())
        {
            observer.settled(&self.turn.accepted, &self.turn.ended);
        }
        for acceptor in self.turn.accepted.drain(..) {
            acceptor.accept();
        }
        for (completer, outcome) in self.turn.ended.drain(..) {
            completer.complete(outcome);
        }
        self.turn.replaced.clear();
        for (registry, change) in self.turn.states.drain(..) {
            registry.stream_state(&change);
        }
        for socket in self.turn.writable.drain(..) {
            self.shared.wake_writers(socket);
        }
        self.shared.dispatch.push_all(&mut self.turn.happenings);
        if (1..=SHORT).contains(&self.turn.happenings.capacity()) {
            // Kept where many come at once; an idle client needs none.
            self.turn.happenings = Vec::new();
        }
    }

    /// Reading stands still for at most the heartbeat's time: after that the server would give the link up anyway.
    fn watch_stall(&mut self, core: &mut Core, now: Now, cx: &Context<'_>) {
        if !self.shared.dispatch.is_full(cx.waker()) {
            self.stalled = None;
            return;
        }
        if self.stalled.is_none() {
            self.stalled = Some(now.mono);
            core.handle_stalled(now);
        }
        if self.stall_deadline(core).is_some_and(|at| at <= now.mono) {
            self.stalled = None;
            for link in &self.wires {
                core.handle_link(now, link.id, LinkEvent::Closed(Some(Error::SlowConsumer)));
            }
        }
    }

    fn stall_deadline(&self, core: &Core) -> Option<Duration> {
        Some(self.stalled? + core.patience()?)
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let shared = Arc::clone(&this.shared);
        let _entered = shared.span.enter();
        for link in &mut this.wires {
            link.dry = false;
        }
        // A few turns in one go, so that what was just handed over is written at once; then others get their chance.
        for _ in 0..4 {
            this.turn.again = false;
            this.turn.bytes = 0;
            this.listen(cx);
            if this.turn(cx).is_ready() {
                this.shared.dispatch.close();
                return Poll::Ready(());
            }
            if !this.turn.again {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for Driver {
    /// The runtime may end before the client does. Then nothing can be sent any more, and every message still gets its
    /// outcome.
    fn drop(&mut self) {
        let shared = Arc::clone(&self.shared);
        let now = shared.sys.now();
        let mut inner = shared.lock();
        let early = !std::mem::replace(&mut inner.closing, true);
        inner.core.close(now);
        for link in self.wires.drain(..) {
            inner.core.handle_link(now, link.id, LinkEvent::Closed(None));
        }
        loop {
            match inner.core.poll_output() {
                Output::Settle(completer, outcome) => self.turn.ended.push((completer, outcome)),
                Output::Accept(acceptor) => self.turn.accepted.push(acceptor),
                Output::Writable(socket) => self.turn.writable.push(socket),
                Output::Event(socket, Happening::State(change)) => {
                    let registry = Arc::clone(&inner.sockets[socket.index()].registry);
                    self.turn.states.push((registry, change));
                }
                Output::Timeout(_) => break,
                _ => {}
            }
        }
        let sockets = inner.sockets.clone();
        let providers = inner.take_providers();
        drop(inner);
        drop(providers);
        self.turn.happenings.clear();
        self.tell();
        shared.dispatch.close();
        if early {
            // Nobody is left to run handlers; streams end behind the last change.
            for parts in sockets {
                parts.registry.close();
                parts.registry.finish();
            }
        }
    }
}

/// What the store is given, each with its turn.
type StoreTurns = mpsc::UnboundedSender<(u64, Transaction)>;

/// Keeps the store up with the core, without the lock. What came while it worked is one transaction.
pub(crate) async fn keep(
    shared: Arc<Shared>,
    mut store: Box<dyn Store>,
    mut turns: mpsc::UnboundedReceiver<(u64, Transaction)>,
) {
    // What a failed transaction was to forget, the next one does.
    let mut owed = Transaction::default();
    while let Some((mut turn, transaction)) = turns.next().await {
        owed.append(transaction);
        while let Ok((next, transaction)) = turns.try_recv() {
            turn = next;
            owed.append(transaction);
        }
        if owed.is_empty() {
            shared.input(|core, now| core.handle_stored(now, turn));
            continue;
        }
        // The app's code: it may panic.
        let applied = AssertUnwindSafe(async { store.apply(owed.clone()).await })
            .catch_unwind()
            .await;
        match applied.unwrap_or_else(|_| Err(Error::Store("it panicked".into()))) {
            Ok(()) => {
                owed = Transaction::default();
                shared.input(|core, now| core.handle_stored(now, turn));
            }
            Err(error) => {
                owed.fail();
                shared.input(|core, now| core.handle_store_error(now, turn, &error));
            }
        }
    }
}

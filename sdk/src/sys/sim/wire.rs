//! Wires: the client's half is here, the other half is the test's.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::super::{Dialer, Task, Wire};
use super::device::Process;
use super::world::{World, lock};
use crate::core::{Frame, LinkEvent, Method, Request};
use crate::error::Error;

/// How long a close may take.
const CLOSE: Duration = Duration::from_secs(1);

/// Names a wire within its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WireId(pub u64);

/// What lies between clients and servers. Its methods are called while a client's driver runs: it answers later, with
/// [`World::at`].
pub trait Network: Send + Sync {
    /// A process opens a link; `far` is its other end.
    fn open(&self, process: &Process, request: Request, far: Far);

    /// It writes a batch. Gives how long the system takes until it has it all.
    fn written(&self, wire: WireId, frames: Vec<Frame>) -> Duration;

    /// It lets go of the link.
    fn closed(&self, wire: WireId);

    /// Whether WebSocket pings can be sent.
    fn can_ping(&self) -> bool {
        true
    }
}

/// The other end of a client's wire.
#[derive(Clone)]
pub struct Far {
    id: WireId,
    near: Arc<Mutex<Near>>,
}

#[derive(Default)]
struct Near {
    inbox: VecDeque<LinkEvent>,
    /// A batch is with the system only then.
    sent_at: Option<Duration>,
    reader: Option<Waker>,
}

impl Far {
    /// The wire's name.
    pub fn id(&self) -> WireId {
        self.id
    }

    /// Has the client hear something, now.
    pub fn push(&self, event: LinkEvent) {
        let mut near = lock(&self.near);
        near.inbox.push_back(event);
        let reader = near.reader.take();
        drop(near);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Has the client hear that the link broke, or cannot be made.
    pub fn break_off(&self, why: &'static str) {
        self.push(LinkEvent::Closed(Some(Error::Unreachable(why.into()))));
    }
}

impl fmt::Debug for Far {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Far").field(&self.id.0).finish()
    }
}

/// Opens the wires of one client.
pub(super) struct Lines {
    process: Process,
    network: Arc<dyn Network>,
}

impl Lines {
    pub(super) fn new(process: Process, network: Arc<dyn Network>) -> Self {
        Self { process, network }
    }
}

impl Dialer for Lines {
    fn open(&self, request: Request) -> Box<dyn Wire> {
        let near = Arc::new(Mutex::new(Near::default()));
        let id = WireId(self.process.world().new_wire());
        let far = Far {
            id,
            near: Arc::clone(&near),
        };
        let is_post = matches!(request.method, Method::Post(_));
        self.network.open(&self.process, request, far);
        Box::new(Line {
            id,
            near,
            world: self.process.world().clone(),
            network: Arc::clone(&self.network),
            waited_for: is_post,
            over: false,
        })
    }
}

struct Line {
    id: WireId,
    near: Arc<Mutex<Near>>,
    world: World,
    network: Arc<dyn Network>,
    /// A POST is driven on even where nothing is read.
    waited_for: bool,
    over: bool,
}

impl Line {
    /// Whether what was to be written is with the system.
    fn poll_sent(&self, cx: &Context<'_>) -> Poll<()> {
        let mut near = lock(&self.near);
        match near.sent_at {
            Some(at) if at <= self.world.now() => {
                near.sent_at = None;
                Poll::Ready(())
            }
            Some(_) => {
                near.reader = Some(cx.waker().clone());
                Poll::Pending
            }
            None => Poll::Pending,
        }
    }
}

impl Wire for Line {
    fn poll_event(&mut self, cx: &mut Context<'_>, read: bool) -> Poll<LinkEvent> {
        if self.poll_sent(cx).is_ready() {
            return Poll::Ready(LinkEvent::Sent);
        }
        let mut near = lock(&self.near);
        let next = match read || self.waited_for {
            true => near.inbox.pop_front(),
            false => None,
        };
        match next {
            Some(event) => {
                self.over |= matches!(event, LinkEvent::Closed(_) | LinkEvent::Response(_));
                Poll::Ready(event)
            }
            None => {
                near.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn send(&mut self, frames: Vec<Frame>) {
        let at = self.world.now() + self.network.written(self.id, frames);
        lock(&self.near).sent_at = Some(at);
        let near = Arc::clone(&self.near);
        self.world.at(at, move || {
            let reader = lock(&near).reader.take();
            if let Some(reader) = reader {
                reader.wake();
            }
        });
    }

    fn close(self: Box<Self>) -> Task<()> {
        Box::pin(async move {
            let by = self.world.now() + CLOSE;
            let mut set = false;
            let mut answered = !self.waited_for;
            poll_fn(|cx| {
                let sending = lock(&self.near).sent_at.is_some() && self.poll_sent(cx).is_pending();
                answered |= !lock(&self.near).inbox.is_empty();
                if (!sending && answered) || self.world.now() >= by {
                    return Poll::Ready(());
                }
                lock(&self.near).reader = Some(cx.waker().clone());
                if !std::mem::replace(&mut set, true) {
                    self.world.wake_at(by, cx.waker().clone());
                }
                Poll::Pending
            })
            .await;
        })
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.over {
            self.network.closed(self.id);
        }
    }
}

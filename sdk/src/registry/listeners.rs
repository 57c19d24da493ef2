//! Who runs handlers: one for each socket, on the dispatch task.

use std::sync::Arc;

use bytestring::ByteString;

use super::{Registry, Snapshot};
use crate::core::{Happening, SocketId};
use crate::event::Event;
use crate::payload::Payload;
use crate::shared::{Shared, SocketRef};

/// All sockets' handlers, by the sockets' numbers.
#[derive(Default)]
pub(crate) struct Listeners(Vec<Listener>);

/// One socket's handlers, and what is used again from event to event.
struct Listener {
    registry: Arc<Registry>,
    event: Event,
    snapshot: Snapshot,
}

impl Listeners {
    /// Runs the handlers of what happened to a socket.
    pub(crate) fn hear(&mut self, shared: &Arc<Shared>, socket: SocketId, happening: Happening) {
        if socket.index() >= self.0.len() {
            self.add_sockets(shared);
        }
        if let Some(listener) = self.0.get_mut(socket.index()) {
            listener.hear(happening);
        }
    }

    /// The next event may be long in coming: lets go of what the last one held, which may be large, and of handlers that
    /// may have been removed.
    pub(crate) fn rest(&mut self) {
        for listener in &mut self.0 {
            listener.event.fill(ByteString::new(), Payload::default(), None);
            listener.snapshot = Snapshot::default();
        }
    }

    /// Takes up sockets that were made meanwhile.
    fn add_sockets(&mut self, shared: &Arc<Shared>) {
        for (socket, registry) in (0..).map(SocketId).zip(shared.registries()).skip(self.0.len()) {
            let event = Event::blank(SocketRef {
                shared: Arc::downgrade(shared),
                socket,
            });
            // Most clients have one socket; the memory of an idle one counts.
            self.0.reserve_exact(1);
            self.0.push(Listener {
                registry,
                event,
                snapshot: Snapshot::default(),
            });
        }
    }
}

impl Listener {
    fn hear(&mut self, happening: Happening) {
        match happening {
            Happening::Message {
                name,
                payload,
                reply_to,
            } => {
                self.event.fill(name, payload, reply_to.map(|to| *to));
                self.registry.dispatch(&self.event, &mut self.snapshot);
            }
            Happening::State(change) => self.registry.dispatch_state(&change),
            Happening::Notice(notice) => self.registry.dispatch_notice(&notice),
        }
    }
}

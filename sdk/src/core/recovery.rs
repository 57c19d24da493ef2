//! Connection state recovery: a session that outlives its link, and the events that were missed meanwhile.
//!
//! A server that can do so names the session by a private id (pid) in its CONNECT, and puts an offset behind the arguments
//! of its events. The next CONNECT says both. A server that still has the session sends what was missed, and only then its
//! CONNECT, with the same pid.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;

use bytestring::ByteString;

use super::context::Context;
use super::io::{LinkId, ReplyTo};
use super::namespace::{Namespace, Phase};
use super::outbox::{Entry, Purpose};
use super::scan::{self, ObjectWriter};
use crate::broken::broken;
use crate::config::Limits;
use crate::error::Error;
use crate::payload::Payload;
use crate::receipt::Outcome;

/// So many offsets are remembered, to tell an event that comes twice.
const SEEN: usize = 256;

/// No offset is longer, in bytes.
const LONGEST_OFFSET: usize = 64;

/// A session that the server may take up again.
pub(crate) struct Recovery {
    pid: Box<str>,
    /// The offsets of the last events, the newest at the end.
    seen: VecDeque<Box<str>>,
}

impl fmt::Debug for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whoever knows the pid can take the session.
        f.debug_struct("Recovery")
            .field("seen", &self.seen.len())
            .finish_non_exhaustive()
    }
}

impl Recovery {
    fn new(pid: &str) -> Self {
        Self {
            pid: pid.into(),
            seen: VecDeque::new(),
        }
    }

    fn note(&mut self, offset: &str) {
        if self.seen.len() == SEEN {
            self.seen.pop_front();
        }
        self.seen.push_back(offset.into());
    }

    fn has_seen(&self, offset: &str) -> bool {
        self.seen.iter().any(|seen| **seen == *offset)
    }

    /// The data of CONNECT: pid and offset, then the credentials, whose fields win as with npm's client.
    pub(super) fn connect_data(&self, auth: &str) -> String {
        let mut json = Vec::with_capacity(auth.len() + self.pid.len() + LONGEST_OFFSET + 24);
        let mut object = ObjectWriter::new(&mut json);
        object.string("pid", &self.pid);
        if let Some(offset) = self.seen.back() {
            object.string("offset", offset);
        }
        let fields = auth.trim().strip_prefix('{').map_or("", str::trim_start);
        match fields {
            "" | "}" => object.end(),
            fields => {
                json.push(b',');
                json.extend_from_slice(fields.as_bytes());
            }
        }
        String::from_utf8(json).unwrap_or_default()
    }
}

/// Events that came before the CONNECT that they belong to.
#[derive(Default)]
pub(crate) struct Early {
    events: Vec<EarlyEvent>,
    bytes: usize,
}

impl fmt::Debug for Early {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not what they say.
        write!(f, "Early({} events, {} bytes)", self.events.len(), self.bytes)
    }
}

/// One of them; `ack` is the id under which the server waits for an answer.
pub(crate) struct EarlyEvent {
    pub(crate) name: ByteString,
    pub(crate) payload: Payload,
    pub(crate) ack: Option<u64>,
}

impl Namespace {
    /// Whether an event that comes before CONNECT belongs to the session that is being joined. Where another one was left
    /// on this link, it may be that one's.
    pub(super) fn keeps_early(&self, link: LinkId) -> bool {
        self.phase == Phase::Joining && self.parted != Some(link)
    }

    /// Keeps an event until CONNECT comes. Says whether it is within the limits.
    pub(super) fn keep_early(&mut self, event: EarlyEvent, limits: &Limits) -> bool {
        let early = self.early.get_or_insert_default();
        let bytes = early.bytes + event.name.len() + event.payload.size();
        let fits = early.events.is_empty() || bytes <= limits.dispatch_bytes;
        if early.events.len() >= limits.early_events || !fits {
            // The server would send the same again.
            self.recovery = None;
            return false;
        }
        early.bytes = bytes;
        early.events.push(event);
        true
    }

    /// The server's CONNECT named this session. Says whether it is the one that was lost; if not, that one's offsets mean
    /// nothing any more.
    pub(super) fn take_pid(&mut self, pid: Option<&str>) -> bool {
        if let (Some(known), Some(pid)) = (&self.recovery, pid)
            && *known.pid == *pid
        {
            return true;
        }
        self.recovery = pid.map(|pid| Box::new(Recovery::new(pid)));
        false
    }

    /// The session began: rooms are as it left them, or have to be joined again.
    pub(super) fn resume(&mut self, cx: &mut Context, recovered: bool) {
        self.recovered = recovered;
        self.rooms.resumed(recovered);
        if recovered {
            return;
        }
        // A leave whose answer was lost was kept for a session that is gone, and the room with it.
        let rooms = &self.rooms;
        let moot = |entry: &Entry| match &entry.purpose {
            Purpose::Leave(room) => entry.writes > 0 && !rooms.knows(room),
            _ => false,
        };
        while let Some(entry) = self.outbox.take_where(moot) {
            if let Some(completer) = entry.completer {
                cx.settle(self.id, completer, Outcome::Unconfirmed(Error::LinkLost));
            }
        }
    }

    /// Hands on what came before CONNECT. Of a recovered session the client may have had some already; of another one it
    /// has seen no offset yet.
    pub(super) fn deliver_early(&mut self, cx: &mut Context, link: LinkId) {
        let Some(mut early) = self.early.take() else { return };
        if broken!(LosesWhatWasMissed) {
            return;
        }
        early
            .events
            .retain(|event| event.ack.is_some() || !self.has_seen(&event.payload));
        for EarlyEvent { name, payload, ack } in early.events {
            let join = self.joins;
            let reply_to = ack.map(|id| ReplyTo { link, join, id });
            self.received(cx, name, payload, reply_to);
        }
        // Said to the session as it was before: it has come back since.
        self.closing = None;
    }

    fn has_seen(&self, payload: &Payload) -> bool {
        let recovery = self.recovery.as_deref().zip(offset_of(payload));
        recovery.is_some_and(|(recovery, offset)| recovery.has_seen(&offset))
    }

    /// An event that asks for no acknowledgement reached the app: from here on nothing before it is missed.
    pub(super) fn note_offset(&mut self, payload: &Payload) {
        if let Some(recovery) = &mut self.recovery
            && let Some(offset) = offset_of(payload)
        {
            recovery.note(&offset);
        }
    }

    /// The session is over for good.
    pub(super) fn forget_session(&mut self) {
        self.recovery = None;
        self.early = None;
        self.closing = None;
    }
}

/// What stands where a server puts the offset. It may as well be an argument that looks like one.
fn offset_of(payload: &Payload) -> Option<Cow<'_, str>> {
    let offset = scan::string(payload.last_string()?)?;
    let fits = !offset.is_empty() && offset.len() <= LONGEST_OFFSET && !offset.contains(char::is_whitespace);
    fits.then_some(offset)
}

//! One socket: a namespace's life from `connect` to `disconnect`.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::acks::Acks;
use super::closing::Closing;
use super::context::Context;
use super::dialing::STABLE;
use super::features::Features;
use super::io::{Happening, LinkId, SocketId};
use super::lanes::Lanes;
use super::outbox::{Entry, Outbox};
use super::recovery::{Early, Recovery};
use super::rooms::Rooms;
use super::seen::Seen;
use super::sending::Bounds;
use super::socketio;
use super::stats::Stamp;
use super::typing::Typing;
use crate::config::{Delivery, Protocol, QueueConfig, TypingConfig};
use crate::error::Error;
use crate::state::{Notice, Reason, State, StateChange};
use crate::store::Profile;

/// How long a greeting is waited for before what is queued goes out without knowing what the server promises.
const GREETING: Duration = Duration::from_secs(2);

/// Where the credentials of CONNECT come from.
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum AuthSource {
    /// There are none.
    #[default]
    None,
    /// This JSON object.
    Value(String),
    /// They are asked for at each attempt.
    Provider,
}

impl fmt::Debug for AuthSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Value(_) => "Value(..)",
            Self::Provider => "Provider",
        })
    }
}

/// What a socket is made with.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NamespaceConfig {
    /// `/` or `/name`.
    pub name: String,
    /// Where its credentials come from.
    pub auth: AuthSource,
    /// The bounds of its queue.
    pub queue: QueueConfig,
    /// Whether reliable messages are sent again.
    pub delivery: Delivery,
    /// How long an acknowledgement is waited for.
    pub ack_timeout: Duration,
    /// The chat layer's timing, if this socket speaks its protocol.
    pub chat: Option<TypingConfig>,
    /// The user who is signed in, where that is known before the server says so.
    pub account: Option<String>,
}

impl NamespaceConfig {
    /// The defaults for a namespace.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            auth: AuthSource::None,
            queue: QueueConfig::default(),
            delivery: Delivery::Auto,
            ack_timeout: Duration::from_secs(10),
            chat: None,
            account: None,
        }
    }

    /// Whether the protocol knows such a namespace.
    pub(crate) fn check(&self, protocol: Protocol) -> Result<(), Error> {
        match protocol {
            _ if !socketio::is_namespace(&self.name) => Err(Error::option(
                "namespace",
                "it has to begin with `/` and must not hold a comma",
            )),
            Protocol::Json if self.name != "/" => {
                Err(Error::Unsupported("namespaces other than `/` in plain JSON".into()))
            }
            Protocol::Json | Protocol::SocketIo => Ok(()),
        }
    }
}

/// How far a socket has come on the way to being connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing is under way.
    Absent,
    /// The provider was asked for credentials, in this turn.
    Authenticating(u64),
    /// Credentials are in hand; the link is not there yet.
    Armed(AuthSource),
    /// CONNECT was sent.
    Joining,
    /// The server took the namespace; its greeting says how what is queued is to be sent.
    Greeting,
    /// Rooms are being joined again.
    Rejoining,
    /// Connected.
    Ready,
    /// The server wants to be asked again then, over the same link.
    Later(Duration),
}

/// One socket.
#[derive(Debug)]
pub(crate) struct Namespace {
    pub(crate) id: SocketId,
    pub(crate) config: NamespaceConfig,
    /// Whether a store keeps its messages.
    pub(crate) stored: bool,
    /// Whether the user wants it connected.
    pub(crate) wanted: bool,
    pub(crate) phase: Phase,
    pub(crate) state: State,
    /// The Socket.IO session, while the server has taken the namespace.
    pub(crate) sid: Option<String>,
    /// By when the provider has to answer, or the server CONNECT.
    pub(crate) deadline: Option<Duration>,
    /// By when the whole handshake has to be done.
    pub(crate) join_by: Option<Duration>,
    /// Whether a refused token was already asked for anew.
    pub(crate) asked_anew: bool,
    /// When CONNECT was sent.
    pub(crate) asked: Stamp,
    /// The link on which CONNECT was sent and has no answer yet.
    pub(crate) unanswered: Option<LinkId>,
    /// Whether CONNECT was sent with credentials that are replaced.
    pub(crate) outdated: bool,
    /// Attempts to join over a living link since it was last joined for long enough.
    pub(crate) rejoins: u32,
    /// When it has been joined for long enough.
    pub(crate) stable_at: Option<Duration>,
    /// How often the auth provider was asked.
    pub(crate) turn: u64,
    /// How often the server took the namespace.
    pub(crate) joins: u64,
    /// The session that the server may take up again.
    pub(crate) recovery: Option<Box<Recovery>>,
    /// Whether the server took up an earlier session when it took the namespace last.
    pub(crate) recovered: bool,
    /// What the server said before it disconnects.
    pub(crate) closing: Option<Box<Closing>>,
    /// What came before CONNECT.
    pub(crate) early: Option<Box<Early>>,
    /// The link on which the client last said that it leaves.
    pub(crate) parted: Option<LinkId>,
    /// How many answers to probes are missing to prove that the server knows of it.
    pub(crate) unproven: u8,
    pub(crate) last_change: Option<Box<StateChange>>,
    /// Whether it was connected since the user last wanted it closed.
    pub(crate) was_connected: bool,
    /// What the server promised when it was last heard.
    pub(crate) features: Option<Features>,
    /// Until when the greeting is waited for.
    pub(crate) greeting_due: Option<Duration>,
    /// The user whom the server has greeted, as far as that is still so.
    pub(crate) account: Option<Arc<str>>,
    /// The last one it greeted.
    pub(crate) remembered: Option<Arc<str>>,
    /// What a store knows of that.
    pub(crate) profile: Option<Box<Profile>>,
    pub(crate) outbox: Outbox,
    /// Messages of other users.
    pub(crate) aside: Vec<Entry>,
    /// What is to be told once the app connects: until then it has no handlers.
    pub(crate) untold: Vec<Notice>,
    pub(crate) lanes: Lanes,
    /// What the app has heard of that which the server keeps until it has a receipt.
    pub(crate) seen: Option<Box<Seen>>,
    /// The id of a message that nothing else may be under way with.
    pub(crate) alone: Option<u64>,
    /// When the store is asked again to forget what is to be written at most once.
    pub(crate) release_at: Option<Duration>,
    /// What goes before the queue: rooms to join.
    pub(crate) urgent: VecDeque<Entry>,
    pub(crate) acks: Acks,
    pub(crate) rooms: Rooms,
    pub(crate) typing: Typing,
    /// Overdue acknowledgements that a probe of the link decides about.
    pub(crate) suspects: Vec<u64>,
    /// Whether someone waits for room in the queue.
    pub(crate) choked: bool,
}

/// A deadline of a namespace that the connection has to act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// The provider did not answer.
    Auth,
    /// The server did not answer CONNECT.
    Join,
    /// It is time to ask the server again.
    Retry,
    /// An acknowledgement is overdue: the link may be dead.
    Ack(u64),
}

impl Namespace {
    pub(crate) fn new(id: SocketId, config: NamespaceConfig, stored: bool) -> Self {
        Self {
            id,
            stored,
            wanted: false,
            phase: Phase::Absent,
            state: State::Idle,
            sid: None,
            deadline: None,
            join_by: None,
            asked_anew: false,
            asked: Stamp::default(),
            unanswered: None,
            outdated: false,
            rejoins: 0,
            stable_at: None,
            turn: 0,
            joins: 0,
            recovery: None,
            recovered: false,
            closing: None,
            early: None,
            parted: None,
            unproven: 0,
            last_change: None,
            was_connected: false,
            features: None,
            greeting_due: None,
            account: config.account.as_deref().map(Into::into),
            remembered: None,
            profile: None,
            outbox: Outbox::default(),
            aside: Vec::new(),
            untold: Vec::new(),
            lanes: Lanes::default(),
            seen: None,
            alone: None,
            release_at: None,
            urgent: VecDeque::new(),
            acks: Acks::default(),
            rooms: Rooms::default(),
            typing: Typing::new(config.chat.clone().unwrap_or_default()),
            suspects: Vec::new(),
            choked: false,
            config,
        }
    }

    pub(crate) fn is_chat(&self) -> bool {
        self.config.chat.is_some()
    }

    /// Whether the server has taken the namespace.
    pub(crate) fn is_joined(&self) -> bool {
        matches!(self.phase, Phase::Greeting | Phase::Rejoining | Phase::Ready)
    }

    /// Whether it is connected, or on its way.
    pub(crate) fn is_under_way(&self) -> bool {
        self.wanted && !matches!(self.phase, Phase::Absent | Phase::Later(_))
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.phase == Phase::Ready
    }

    /// Whether what was written to a dead link is sent again.
    pub(crate) fn sends_again(&self) -> bool {
        match self.config.delivery {
            Delivery::AtLeastOnce => true,
            Delivery::AtMostOnce => false,
            Delivery::Auto => self.features.is_some_and(|features| features.ack && features.dedupe),
        }
    }

    /// Whether the server answers reliable messages.
    pub(crate) fn server_acks(&self) -> bool {
        self.config.delivery == Delivery::AtLeastOnce || self.features.is_some_and(|features| features.ack)
    }

    pub(crate) fn set_state(&mut self, cx: &mut Context, state: State, why: Why) {
        if self.state == state && !matches!(state, State::Waiting { .. }) {
            return;
        }
        let previous = std::mem::replace(&mut self.state, state);
        // Errors by their codes: their texts may quote what the server said.
        tracing::debug!(
            namespace = self.config.name,
            state = state.name(),
            reason = why.reason.map(Reason::as_str),
            error = why.error.as_ref().map(Error::code),
            "state"
        );
        let change = StateChange {
            state,
            previous,
            reason: why.reason,
            error: why.error,
            recovered: self.recovered && state == State::Connected,
            transport: cx.transport.filter(|_| state == State::Connected),
        };
        let change = Box::new(change);
        self.last_change = Some(change.clone());
        cx.event(self.id, Happening::State(change));
        match state {
            State::Connected if std::mem::replace(&mut self.was_connected, true) => {
                let recovered = self.recovered;
                cx.notice(self.id, Notice::Reconnected { recovered });
            }
            // The next connection is by the user's wish: a first one again.
            State::Closed | State::Failed => self.was_connected = false,
            _ => {}
        }
    }

    /// The server took the namespace, and perhaps the session that was lost.
    pub(crate) fn joined(&mut self, cx: &mut Context, link: LinkId, sid: String, recovered: bool) {
        self.sid = Some(sid);
        self.deadline = None;
        self.join_by = None;
        self.asked_anew = false;
        self.joins += 1;
        self.stable_at = Some(cx.after(STABLE));
        if !recovered && self.config.auth == AuthSource::Provider && self.remembered.is_some() {
            // It may have given another user's credentials: nobody is anybody until the server says so.
            self.signed_out();
        }
        let asks_who = !recovered && self.waits_for_account();
        self.greeting_due = (self.features.is_none() || asks_who).then(|| cx.after(GREETING));
        self.phase = Phase::Greeting;
        self.resume(cx, recovered);
        self.deliver_early(cx, link);
        self.proceed(cx);
    }

    /// Goes as far towards connected as it can. The caller flushes what became writable before it raises `connected`.
    pub(crate) fn proceed(&mut self, cx: &mut Context) {
        if self.phase == Phase::Greeting && !self.waits_for_greeting() {
            self.phase = Phase::Rejoining;
            self.ask_for_rooms(cx);
        }
        if self.phase == Phase::Rejoining && !self.rooms.unsettled() {
            self.phase = Phase::Ready;
        }
    }

    /// Whether what waits depends on promises that the server may still make.
    pub(crate) fn waits_for_greeting(&self) -> bool {
        let asks_how =
            || self.config.delivery == Delivery::Auto && self.features.is_none() && self.outbox.reliable() > 0;
        self.greeting_due.is_some() && (asks_how() || self.waits_for_account())
    }

    /// The server takes part no longer: the link is gone, or it said DISCONNECT.
    ///
    /// What can be sent again goes back to the head of the queue; everything else that was written ends `Unconfirmed`.
    pub(crate) fn lost(&mut self, cx: &mut Context, error: &Error) {
        if !matches!(self.phase, Phase::Later(_)) {
            self.phase = Phase::Absent;
        }
        self.sid = None;
        self.early = None;
        self.deadline = None;
        self.greeting_due = None;
        self.stable_at = None;
        self.suspects.clear();
        self.urgent.clear();
        self.outbox.drop_replies();
        self.take_back(cx, error);
        self.rooms.disconnected();
        self.stop_typing_events(cx);
        if self.is_kicked() {
            self.kicked(cx);
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        let later = match self.phase {
            Phase::Later(at) => Some(at),
            _ => None,
        };
        [
            later,
            self.deadline,
            self.greeting_due,
            self.stable_at,
            self.outbox.next_deadline(),
            self.next_expiry_aside(),
            self.lanes.next_deadline(),
            self.release_at,
            self.acks.next_deadline(),
            self.rooms.next_deadline(),
            self.typing.next_deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Acts on what is due, and gives what the connection has to act on.
    pub(crate) fn expire(&mut self, cx: &mut Context, bounds: Bounds) -> Option<Due> {
        let now = cx.now.mono;
        self.expire_messages(cx);
        self.lanes.expire(now);
        self.release_at = self.release_at.filter(|at| *at > now);
        if self.rooms.come_due(now) && matches!(self.phase, Phase::Rejoining | Phase::Ready) {
            self.ask_for_rooms(cx);
        }
        self.expire_typing(cx, bounds);
        while let Some(room) = self.rooms.overdue(now) {
            self.room_overdue(cx, &room);
        }
        if self.greeting_due.is_some_and(|due| due <= now) {
            self.greeting_due = None;
        }
        if self.stable_at.is_some_and(|at| at <= now) {
            self.stable_at = None;
            self.rejoins = 0;
        }
        self.proceed(cx);
        if let Phase::Later(at) = self.phase
            && at <= now
        {
            return Some(Due::Retry);
        }
        if self.deadline.is_some_and(|due| due <= now) {
            self.deadline = None;
            return Some(match self.phase {
                Phase::Authenticating(_) => Due::Auth,
                _ => Due::Join,
            });
        }
        self.acks.overdue(now).map(Due::Ack)
    }
}

/// Why a state changed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Why {
    pub(crate) reason: Option<Reason>,
    pub(crate) error: Option<Error>,
}

impl From<Reason> for Why {
    fn from(reason: Reason) -> Self {
        Self {
            reason: Some(reason),
            error: None,
        }
    }
}

impl Why {
    pub(crate) const NONE: Self = Self {
        reason: None,
        error: None,
    };

    pub(crate) fn new(reason: Reason, error: Option<Error>) -> Self {
        Self {
            reason: Some(reason),
            error,
        }
    }
}

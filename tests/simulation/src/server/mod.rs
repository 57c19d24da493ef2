//! The server, written from the protocol's description and not from the client's code, so that it is an honest judge.
//!
//! It is a state machine as the client's core is: inputs are what links bring and jobs whose time has come, outputs are
//! [`Effect`]s. What it takes on it says in its greeting, and each promise can be switched off.
//!
//! - `session`: a link from its opening to its end. `joining`: CONNECT and recovery. `inbox`: events, one after the other.
//! - `chat`: what events do. `rooms`: who is where. `limits`: who may say how much. `post`: what is kept until it has a
//!   receipt.

pub(crate) mod chat;
mod inbox;
mod joining;
mod limits;
mod post;
mod rooms;
mod session;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use self::limits::Limiter;
use self::session::Session;
use crate::book::Facts;
use crate::rng::Rng;

/// What a server is like.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    pub(crate) ack: bool,
    pub(crate) dedupe: bool,
    pub(crate) order: bool,
    pub(crate) receipts: bool,
    /// Whether it takes up lost sessions.
    pub(crate) recovers: bool,
    pub(crate) ping_interval: Duration,
    pub(crate) ping_timeout: Duration,
    /// How many messages a user may send in a window.
    pub(crate) limit: Option<(u32, Duration)>,
    /// How long an event takes it, in milliseconds.
    pub(crate) effort: (u64, u64),
    /// In so many of a hundred cases an event takes seconds.
    pub(crate) stuck_percent: u64,
    /// How long the greeting takes.
    pub(crate) greeting: Duration,
    /// Whether what a lost link has brought is still acted on.
    pub(crate) diligent: bool,
}

/// What the server wants done.
#[derive(Debug)]
pub(crate) enum Effect {
    Send(u64, String),
    Pong(u64),
    Close(u64),
    Later(Duration, Job),
}

/// What it does later.
#[derive(Debug, Clone)]
pub(crate) enum Job {
    /// Act on the next event of a link.
    Serve(u64),
    /// Ask whether a link lives.
    Ping(u64),
    /// It did not say so.
    Overdue(u64, u64),
    /// Greet who has joined, in this joining.
    Greet(u64, String),
    /// Close a link, whose last words are written.
    Hangup(u64),
}

/// The one server of a world.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) manner: Manner,
    rng: Rng,
    facts: Facts,
    out: Vec<Effect>,
    now: Duration,
    /// Links, by their number; what a link does that is not here any more concerns nobody.
    sessions: BTreeMap<u64, Session>,
    names: u64,
    // What follows is lost when it restarts.
    saved: BTreeMap<String, joining::Saved>,
    log: Vec<joining::Packet>,
    limiter: Limiter,
    // And this is not.
    /// The answer to each message id, by user.
    answers: BTreeMap<(String, String), Value>,
    rooms: BTreeMap<String, rooms::Room>,
    post: BTreeMap<String, Vec<post::Kept>>,
    /// The oldest token that still counts, by user.
    tokens: BTreeMap<String, u64>,
    /// Ends of what was lost with the network; counted for the numbers of messages.
    messages: u64,
}

impl Server {
    pub(crate) fn new(manner: Manner, seed: u64, facts: Facts) -> Self {
        let mut rooms = BTreeMap::new();
        for (id, password) in [("tea", None), ("den", Some("right")), ("pub", None)] {
            rooms.insert(id.to_owned(), rooms::Room::new(password));
        }
        Self {
            limiter: Limiter::new(manner.limit, manner.order),
            manner,
            rng: Rng::new(seed),
            facts,
            out: Vec::new(),
            now: Duration::ZERO,
            sessions: BTreeMap::new(),
            names: 0,
            saved: BTreeMap::new(),
            log: Vec::new(),
            answers: BTreeMap::new(),
            rooms,
            post: BTreeMap::new(),
            tokens: BTreeMap::new(),
            messages: 0,
        }
    }

    /// A job's time has come.
    pub(crate) fn work(&mut self, now: Duration, job: Job) -> Vec<Effect> {
        self.now = now;
        match job {
            Job::Serve(link) => self.serve(link),
            Job::Ping(link) => self.ping(link),
            Job::Overdue(link, count) => self.overdue(link, count),
            Job::Greet(link, sid) => self.greet(link, &sid),
            Job::Hangup(link) => {
                self.out.push(Effect::Close(link));
                self.end(link, true);
            }
        }
        std::mem::take(&mut self.out)
    }

    /// It goes down and comes up again at once: every link breaks, and what it had in memory is lost. Gives the links.
    pub(crate) fn restart(&mut self) -> Vec<u64> {
        let links = self.sessions.keys().copied().collect();
        self.sessions.clear();
        self.saved.clear();
        self.log.clear();
        self.limiter = Limiter::new(self.manner.limit, self.manner.order);
        for room in self.rooms.values_mut() {
            room.links.clear();
        }
        links
    }

    /// From now on it is fast, and has no limits.
    pub(crate) fn calm(&mut self) {
        self.manner.effort = (0, 3);
        self.manner.stuck_percent = 0;
        self.limiter.widen();
    }

    /// Tokens that were given out so far do not count any more.
    pub(crate) fn expire_tokens(&mut self, user: &str, version: u64) {
        self.tokens.insert(user.to_owned(), version);
    }

    /// A number for a session, or whatever else needs one.
    fn name(&mut self) -> u64 {
        self.names += 1;
        self.names
    }

    fn send(&mut self, link: u64, text: String) {
        self.out.push(Effect::Send(link, text));
    }

    /// The links of a user who has joined.
    fn links_of(&self, user: &str) -> Vec<u64> {
        let joined = |(link, session): (&u64, &Session)| {
            let name = session.joined.as_ref().map(|joined| joined.user.as_str());
            (name == Some(user) && !session.is_over()).then_some(*link)
        };
        self.sessions.iter().filter_map(joined).collect()
    }

    /// For the checks: in which rooms a user is, and who else is there.
    pub(crate) fn rooms_of(&self, user: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mine = |(id, _): &(&String, &rooms::Room)| self.members(id).contains(user);
        let rooms = self.rooms.iter().filter(mine);
        rooms.map(|(id, _)| (id.clone(), self.members(id))).collect()
    }

    /// For the checks: how many links there are, as far as the server knows.
    pub(crate) fn links(&self) -> usize {
        self.sessions.len()
    }

    /// For the checks: what is kept for somebody.
    pub(crate) fn kept(&self) -> usize {
        self.post.values().map(Vec::len).sum()
    }
}

//! A link as the server sees it, from its opening to its end.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::json;

use super::{Effect, Job, Server};

/// One link.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// Frames that were not acted on yet.
    pub(super) inbox: VecDeque<String>,
    pub(super) serving: bool,
    /// Nothing more comes, and nothing can be said.
    pub(super) gone: bool,
    /// Whether who was here may come back to the same session.
    pub(super) lost: bool,
    pings: u64,
    answered: bool,
    pub(super) joined: Option<Joined>,
}

/// A namespace that was joined over a link.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) user: String,
    pub(super) sid: String,
    /// Names the session from its beginning, over all links.
    pub(super) pid: String,
    pub(super) greeted: bool,
    next_ack: u64,
    /// What waits for a receipt, by acknowledgement id.
    pub(super) awaited: BTreeMap<u64, String>,
}

impl Joined {
    pub(super) fn new(user: String, sid: String, pid: String) -> Self {
        Self {
            user,
            sid,
            pid,
            greeted: false,
            next_ack: 0,
            awaited: BTreeMap::new(),
        }
    }

    pub(super) fn next_ack(&mut self) -> u64 {
        self.next_ack += 1;
        self.next_ack - 1
    }
}

impl Session {
    pub(super) fn is_over(&self) -> bool {
        self.gone
    }
}

impl Server {
    /// A WebSocket was opened.
    pub(crate) fn opened(&mut self, now: Duration, link: u64) -> Vec<Effect> {
        self.now = now;
        self.sessions.insert(link, Session::default());
        let open = json!({
            "sid": format!("e{link}"),
            "upgrades": [],
            "pingInterval": millis(self.manner.ping_interval),
            "pingTimeout": millis(self.manner.ping_timeout),
            "maxPayload": 1_000_000,
        });
        self.send(link, format!("0{open}"));
        self.out.push(Effect::Later(self.manner.ping_interval, Job::Ping(link)));
        std::mem::take(&mut self.out)
    }

    /// A frame came.
    pub(crate) fn received(&mut self, now: Duration, link: u64, frame: String) -> Vec<Effect> {
        self.now = now;
        let Some(session) = self.sessions.get_mut(&link).filter(|session| !session.gone) else {
            return Vec::new();
        };
        match frame.as_str() {
            "3" => session.answered = true,
            "1" => self.end(link, false),
            "40/rejoin-probe," => {
                let refusal = r#"44/rejoin-probe,{"message":"Invalid namespace"}"#;
                self.send(link, refusal.to_owned());
            }
            text if text.starts_with('4') => {
                session.inbox.push_back(frame);
                self.go_on(link);
            }
            other => {
                let kind = other.chars().next();
                self.facts.book().offences.push(format!("a packet of type {kind:?}"));
                self.drop_link(link);
            }
        }
        std::mem::take(&mut self.out)
    }

    /// A WebSocket ping: the answer proves that everything before it has arrived.
    pub(crate) fn pinged(&mut self, link: u64) -> Vec<Effect> {
        match self.sessions.get(&link) {
            Some(session) if !session.gone => vec![Effect::Pong(link)],
            _ => Vec::new(),
        }
    }

    /// A link is gone.
    pub(crate) fn lost(&mut self, now: Duration, link: u64) -> Vec<Effect> {
        self.now = now;
        self.end(link, true);
        std::mem::take(&mut self.out)
    }

    pub(super) fn ping(&mut self, link: u64) {
        let Some(session) = self.sessions.get_mut(&link).filter(|session| !session.gone) else {
            return;
        };
        session.pings += 1;
        session.answered = false;
        let count = session.pings;
        self.send(link, "2".to_owned());
        self.out
            .push(Effect::Later(self.manner.ping_timeout, Job::Overdue(link, count)));
        self.out.push(Effect::Later(self.manner.ping_interval, Job::Ping(link)));
    }

    pub(super) fn overdue(&mut self, link: u64, count: u64) {
        let silent = |session: &Session| !session.gone && !session.answered && session.pings == count;
        if self.sessions.get(&link).is_some_and(silent) {
            self.facts.count("server: gave up a silent link");
            self.drop_link(link);
        }
    }

    /// Closes a link without a word.
    pub(super) fn drop_link(&mut self, link: u64) {
        self.out.push(Effect::Close(link));
        self.end(link, true);
    }

    /// A link has ended. With `lost` its session may be taken up again.
    pub(super) fn end(&mut self, link: u64, lost: bool) {
        let diligent = self.manner.diligent;
        let Some(session) = self.sessions.get_mut(&link).filter(|session| !session.gone) else {
            return;
        };
        session.gone = true;
        session.lost = lost;
        if !diligent {
            session.inbox.clear();
        }
        if session.inbox.is_empty() {
            self.bury(link);
        }
    }

    /// A link that has ended and whose events are all acted on.
    pub(super) fn bury(&mut self, link: u64) {
        if let Some(session) = self.sessions.remove(&link)
            && let Some(joined) = session.joined
        {
            self.part(link, joined, session.lost);
        }
    }
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

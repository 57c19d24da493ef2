//! Typing indicators: when to say that the user types, and when to stop believing that someone else does.

use std::time::Duration;

use crate::broken::broken;
use crate::config::TypingConfig;

/// A server cannot make the client keep more typists than this.
const MOST_TYPISTS: usize = 256;

/// Whom a typing indicator or a message is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Target {
    /// A user, by id.
    User(String),
    /// A room, by id.
    Room(String),
}

impl Target {
    /// A user, by id.
    pub fn user(id: impl Into<String>) -> Self {
        Self::User(id.into())
    }

    /// A room, by id.
    pub fn room(id: impl Into<String>) -> Self {
        Self::Room(id.into())
    }
}

/// Someone else who types, privately or in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Typist {
    pub(crate) user: String,
    pub(crate) room: Option<String>,
}

/// Both sides of typing for one socket.
#[derive(Debug)]
pub(crate) struct Typing {
    config: TypingConfig,
    /// What the user types in, when that was last said, and when it ends by itself.
    own: Vec<Own>,
    /// Who else types, and until when that is believed.
    others: Vec<(Typist, Duration)>,
}

#[derive(Debug)]
struct Own {
    target: Target,
    said: Duration,
    stop_at: Duration,
}

impl Typing {
    pub(crate) fn new(config: TypingConfig) -> Self {
        Self {
            config,
            own: Vec::new(),
            others: Vec::new(),
        }
    }

    /// The user typed. Says whether `typing_start` is due; if it then is taken, tell [`said`](Self::said).
    pub(crate) fn keystroke(&mut self, now: Duration, target: &Target) -> bool {
        match self.own.iter_mut().find(|own| own.target == *target) {
            Some(own) => {
                own.stop_at = now.saturating_add(self.config.auto_stop);
                now >= own.said.saturating_add(self.config.refresh)
            }
            None => true,
        }
    }

    /// `typing_start` was taken.
    pub(crate) fn said(&mut self, now: Duration, target: Target) {
        let stop_at = now.saturating_add(self.config.auto_stop);
        match self.own.iter_mut().find(|own| own.target == target) {
            Some(own) => (own.said, own.stop_at) = (now, stop_at),
            None => self.own.push(Own {
                target,
                said: now,
                stop_at,
            }),
        }
    }

    /// The user stopped typing to `target`. Says whether the others have to be told.
    pub(crate) fn stop(&mut self, target: &Target) -> bool {
        let before = self.own.len();
        self.own.retain(|own| own.target != *target);
        self.own.len() < before
    }

    /// The user stopped typing to anybody. Gives to whom.
    pub(crate) fn stop_all(&mut self) -> Vec<Target> {
        std::mem::take(&mut self.own)
            .into_iter()
            .map(|own| own.target)
            .collect()
    }

    /// A target that the user stopped typing to by doing nothing; each is given once.
    pub(crate) fn stopped(&mut self, now: Duration) -> Option<Target> {
        let due = self.own.iter().position(|own| own.stop_at <= now)?;
        Some(self.own.swap_remove(due).target)
    }

    /// Someone started to type, or goes on.
    pub(crate) fn started(&mut self, now: Duration, typist: Typist) {
        let until = now.saturating_add(self.config.expiry);
        let full = self.others.len() >= MOST_TYPISTS;
        match self.others.iter_mut().find(|(known, _)| *known == typist) {
            Some((_, known)) => *known = until,
            None if full => {}
            None => self.others.push((typist, until)),
        }
    }

    /// Someone stopped. Says whether they were known to type, so that each stop is told once.
    pub(crate) fn gone(&mut self, typist: &Typist) -> bool {
        if broken!(StopsTypistsTwice) {
            return self.others.iter().any(|(known, _)| known == typist);
        }
        let before = self.others.len();
        self.others.retain(|(known, _)| known != typist);
        self.others.len() < before
    }

    /// Someone whose last start is too long ago; each is given once.
    pub(crate) fn expired(&mut self, now: Duration) -> Option<Typist> {
        let due = self.others.iter().position(|(_, until)| *until <= now)?;
        Some(self.others.swap_remove(due).0)
    }

    /// The link is gone: nobody is known to type any more. Gives who was.
    pub(crate) fn disconnected(&mut self) -> Vec<Typist> {
        self.own.clear();
        std::mem::take(&mut self.others)
            .into_iter()
            .map(|(typist, _)| typist)
            .collect()
    }

    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        let own = self.own.iter().map(|own| own.stop_at);
        own.chain(self.others.iter().map(|(_, until)| *until)).min()
    }
}

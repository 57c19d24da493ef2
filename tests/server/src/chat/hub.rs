//! What all connections share.

use std::collections::HashSet;
use std::sync::atomic::AtomicBool;
use std::sync::{PoisonError, RwLock};

use tokio::sync::Mutex;

use super::closing::Closing;
use super::presence::Presence;
use super::receipts::absence;
use crate::auth::{AuthError, Tokens, User};
use crate::config::ServerConfig;
use crate::limits::Limiter;
use crate::stats::{Counters, Stats};
use crate::store::Store;

/// The state of one server.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) config: ServerConfig,
    pub(crate) tokens: Tokens,
    pub(crate) presence: Presence,
    pub(crate) limiter: Limiter,
    pub(crate) counters: Counters,
    banned: RwLock<HashSet<String>>,
    /// The server is shutting down: nobody new is let in.
    pub(crate) ending: AtomicBool,
    /// Held over storing and delivering together, and over each change of who is where: what one
    /// user is told comes in the order in which it happened.
    pub(crate) store: Mutex<Store>,
}

impl Hub {
    pub(crate) async fn open(config: ServerConfig) -> Result<Self, sqlx::Error> {
        let mut store = Store::open(&config.database).await?;
        if config.features.receipts {
            let (now, long_ago) = absence(config.max_absence);
            store.all_away(now, long_ago).await?;
        }
        let counters = Counters::default();
        counters.rooms.add(store.count_rooms().await?);
        counters.kept.add(store.count_kept(None).await?);
        Ok(Self {
            tokens: Tokens::new(&config.secret),
            presence: Presence::default(),
            limiter: Limiter::new(config.limits),
            ending: AtomicBool::new(false),
            counters,
            banned: RwLock::new(config.banned.iter().cloned().collect()),
            store: Mutex::new(store),
            config,
        })
    }

    /// Who a token lets in.
    pub(crate) fn admit(&self, token: &str) -> Result<User, AuthError> {
        let admitted = self.tokens.check(token);
        admitted.and_then(|user| match self.is_banned(&user.id) {
            true => Err(AuthError::Banned),
            false => Ok(user),
        })
    }

    pub(crate) fn is_banned(&self, user: &str) -> bool {
        let banned = self.banned.read().unwrap_or_else(PoisonError::into_inner);
        banned.contains(user)
    }

    /// Lets a user in no more, and ends every connection of theirs.
    pub(crate) async fn ban(&self, user: &str) {
        let banned = self.banned.write();
        let _ = banned.unwrap_or_else(PoisonError::into_inner).insert(user.to_owned());
        self.close_user(user, Closing::Banned).await;
    }

    /// Ends every connection of a user that was greeted.
    pub(crate) async fn close_user(&self, user: &str, why: Closing) {
        let _turn = self.store.lock().await;
        for session in self.presence.of(user) {
            session.close(self, why);
        }
    }

    /// How many packets may wait for one connection. All that was kept for a user goes out at once,
    /// that of the user's rooms as they are joined, and what is new must fit in beside it.
    pub(crate) fn max_waiting(&self) -> usize {
        let of_rooms = match self.config.features.receipts {
            true => self.config.max_kept as usize,
            false => 0,
        };
        self.config.max_kept as usize + of_rooms + self.config.max_notifications as usize + 4096
    }

    pub(crate) fn stats(&self) -> Stats {
        let (users, connections) = self.presence.count();
        let counters = &self.counters;
        Stats {
            connections: connections as u64,
            connections_total: counters.connections_total.value(),
            users: users as u64,
            rooms: counters.rooms.value(),
            messages: counters.messages.value(),
            duplicates: counters.duplicates.value(),
            kept: counters.kept.value(),
            rate_limited: counters.rate_limited.value(),
            refused: counters.refused.value(),
        }
    }
}

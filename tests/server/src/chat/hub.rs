//! What all connections share.

use tokio::sync::Mutex;

use super::presence::Presence;
use crate::auth::Tokens;
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
    /// Held over storing and delivering together, and over each change of who is where: what one
    /// user is told comes in the order in which it happened.
    pub(crate) store: Mutex<Store>,
}

impl Hub {
    pub(crate) async fn open(config: ServerConfig) -> Result<Self, sqlx::Error> {
        let mut store = Store::open(&config.database).await?;
        let counters = Counters::default();
        counters.rooms.add(store.count_rooms().await?);
        counters.kept.add(store.count_kept(None).await?);
        Ok(Self {
            tokens: Tokens::new(&config.secret),
            presence: Presence::default(),
            limiter: Limiter::new(config.limits),
            counters,
            store: Mutex::new(store),
            config,
        })
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

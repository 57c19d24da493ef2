//! Connections that wait for the next request.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::super::{clock, sleep};
use super::connection::Connection;

/// Long-polling has a GET and a POST under way at most.
const CONNECTIONS: usize = 2;

/// The connections of one client; they are closed with it.
pub(in super::super) struct Pool {
    idle: Arc<Mutex<Idle>>,
}

struct Idle {
    /// How long a connection is kept without being used.
    time: Duration,
    /// The one that has been idle longest first.
    connections: VecDeque<(Duration, Connection)>,
    /// A task waits for the first one's time.
    swept: bool,
}

impl Pool {
    /// Nothing yet. A connection that is not used for so long is closed.
    pub(in super::super) fn new(time: Duration) -> Self {
        Self {
            idle: Arc::new(Mutex::new(Idle {
                time,
                connections: VecDeque::new(),
                swept: false,
            })),
        }
    }

    /// The connection that was used last: the server is least likely to have closed it.
    pub(super) fn take(&self) -> Option<Connection> {
        let mut idle = lock(&self.idle);
        let over = idle.expire();
        let taken = idle.connections.pop_back().map(|(_, connection)| connection);
        drop(idle);
        drop(over);
        taken
    }

    /// Keeps a connection that can take another request.
    pub(super) fn keep(&self, connection: Connection) {
        let mut idle = lock(&self.idle);
        idle.connections.push_back((clock::mono(), connection));
        let over = (idle.connections.len() > CONNECTIONS).then(|| idle.connections.pop_front());
        let time = idle.time;
        let sweep = !std::mem::replace(&mut idle.swept, true);
        drop(idle);
        drop(over);
        if sweep {
            spawn(sweep_up(Arc::downgrade(&self.idle), time));
        }
    }

    /// Closes what is kept.
    pub(in super::super) fn clear(&self) {
        let over = std::mem::take(&mut lock(&self.idle).connections);
        drop(over);
    }
}

impl Idle {
    /// Those whose time is over, to be dropped without the lock.
    fn expire(&mut self) -> Vec<(Duration, Connection)> {
        let now = clock::mono();
        let over = self
            .connections
            .iter()
            .take_while(|(since, _)| now.saturating_sub(*since) >= self.time);
        let over = over.count();
        self.connections.drain(..over).collect()
    }
}

/// Closes what nobody took in time. Ends when there is nothing left, or with the client.
async fn sweep_up(pool: Weak<Mutex<Idle>>, mut wait: Duration) {
    loop {
        sleep(wait).await;
        let Some(idle) = pool.upgrade() else { return };
        let mut idle = lock(&idle);
        let over = idle.expire();
        match idle.connections.front() {
            Some((since, _)) => wait = (*since + idle.time).saturating_sub(clock::mono()),
            None => idle.swept = false,
        }
        let done = !idle.swept;
        drop(idle);
        drop(over);
        if done {
            return;
        }
    }
}

fn lock(idle: &Mutex<Idle>) -> MutexGuard<'_, Idle> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

#[allow(clippy::disallowed_methods, reason = "sys/ is where tasks are spawned")]
fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}

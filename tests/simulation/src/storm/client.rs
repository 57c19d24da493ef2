//! What the world needs to know of a client: that of the real core and that of socket.io's formula look the same to it.

use std::time::Duration;

/// One connection that a client asked for. Each gets a new number.
pub(super) type Wire = u32;

/// What happens to a client.
#[derive(Debug, Clone, Copy)]
pub(super) enum Input {
    /// Its user wants it connected.
    Begin,
    /// The time that it named has come.
    Due,
    /// Its Engine.IO session is open.
    Opened(Wire),
    /// The server took its namespace: it is back.
    Accepted(Wire),
    /// The server's heartbeat.
    Ping(Wire),
    /// The connection is gone, or never came to be.
    Ended(Wire, Ending),
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ending {
    /// By a reset: nobody listens there, the queue is full, or the server died.
    Reset,
    /// By HTTP status 503 with `Retry-After`.
    Busy {
        /// What that says, in seconds.
        retry_after_s: u16,
    },
}

/// What a client wants done.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act {
    /// Open a connection.
    Dial(Wire),
    /// Send CONNECT.
    Join(Wire),
    /// Give a connection up.
    Hangup(Wire),
    /// Call it at this time at the latest. The last one counts.
    Wake(Option<Duration>),
}

/// One client.
pub(super) trait Client {
    /// Something happened; what it wants done is added to `acts`.
    fn handle(&mut self, now: Duration, input: Input, acts: &mut Vec<Act>);

    /// Whether its user would be told that it is connected.
    fn is_connected(&self) -> bool;
}

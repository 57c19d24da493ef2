//! The server: when it is there, how many it takes, and what becomes of the rest.

use std::time::Duration;

/// How a server takes clients after its return.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setup {
    /// How it takes handshakes; `None` is all at once.
    pub(super) rate: Option<Rate>,
    /// What a client meets that dials during the outage.
    pub(super) down: Refusal,
}

/// A server that takes so many and no more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    /// Handshakes a second.
    pub(super) per_second: u32,
    /// How many connections can wait for it.
    pub(super) queue: u32,
    /// What the next one meets.
    pub(super) full: Refusal,
}

/// What becomes of a connection that cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is reset at once.
    Reset,
    /// Nothing answers; the client's system knocks again after 1, 3, 7, 15 s and so on.
    Silence,
    /// Something before the server answers 503 with this `Retry-After`, in seconds.
    Busy { retry_after_s: u16 },
}

/// What the server does with a connection that has reached it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Its handshake is done at this time.
    Taken(Duration),
    Refused(Refusal),
}

/// The server of one storm.
#[derive(Debug)]
pub(super) struct Server {
    setup: Setup,
    /// When it dies and when it returns.
    outage: (Duration, Duration),
    /// When the last handshake in its queue will be done.
    busy_until: Duration,
    /// Connections that have reached it since its return.
    pub(super) asked: u64,
}

impl Server {
    pub(super) fn new(setup: Setup, outage: (Duration, Duration)) -> Self {
        Self {
            setup,
            outage,
            busy_until: Duration::ZERO,
            asked: 0,
        }
    }

    /// A connection has reached it, whose request will be there when it is `ready`.
    pub(super) fn ask(&mut self, now: Duration, ready: Duration) -> Answer {
        let (dies, returns) = self.outage;
        if now < dies {
            return Answer::Taken(ready);
        }
        if now < returns {
            return Answer::Refused(self.setup.down);
        }
        self.asked += 1;
        let Some(rate) = self.setup.rate else {
            return Answer::Taken(ready);
        };
        let each = Duration::from_secs(1) / rate.per_second;
        if self.busy_until.saturating_sub(ready) > each * rate.queue {
            return Answer::Refused(rate.full);
        }
        self.busy_until = self.busy_until.max(ready) + each;
        Answer::Taken(self.busy_until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_takes_its_rate_queues_as_many_as_it_can_and_refuses_the_rest() {
        let millis = Duration::from_millis;
        let rate = Rate {
            per_second: 100,
            queue: 3,
            full: Refusal::Reset,
        };
        let setup = Setup {
            rate: Some(rate),
            down: Refusal::Silence,
        };
        let mut server = Server::new(setup, (millis(10), millis(20)));
        let mut ask = |at| server.ask(millis(at), millis(at + 1));
        assert_eq!(ask(9), Answer::Taken(millis(10)), "before the outage");
        assert_eq!(ask(10), Answer::Refused(Refusal::Silence));
        let expected = [31, 41, 51, 61].map(|at| Answer::Taken(millis(at)));
        assert_eq!([20; 4].map(&mut ask), expected);
        assert_eq!(ask(20), Answer::Refused(Refusal::Reset));
        assert_eq!(ask(30), Answer::Taken(millis(71)), "one place is free again");
        assert_eq!(server.asked, 6);
    }
}

//! Which storms there are: the two with aims, and others that show what else can be at the server's door.

use rejoin::core::ConnectionConfig;
use rejoin::core::rng::Rng;
use rejoin::{Endpoint, Transport};

use super::figures::Arrivals;
use super::npm::Npm;
use super::rejoin::Rejoin;
use super::server::{Rate, Refusal, Setup};
use super::world;

/// How long a limited server needs for all clients, in seconds.
pub(super) const IDEAL: u32 = 20;

/// Who is in it, and where their draws come from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Storm {
    /// How many of each kind.
    pub(super) clients: u32,
    pub(super) seed: u64,
    /// Whether our delays are jittered, as they are by default.
    pub(super) jitter: bool,
}

/// One server, and what our clients may use to reach it.
#[derive(Debug, Clone)]
pub(super) struct Scenario {
    pub(super) name: &'static str,
    setup: Setup,
    /// Whether ours dial by WebSocket alone.
    websocket_only: bool,
}

/// What came of one scenario.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Both {
    pub(super) rejoin: Arrivals,
    pub(super) npm: Arrivals,
}

impl Storm {
    /// What the limited server takes.
    pub(super) fn per_second(&self) -> u32 {
        (self.clients / IDEAL).max(1)
    }

    /// Runs both kinds of clients, one after the other, against the same server.
    pub(super) fn run(&self, scenario: &Scenario) -> Both {
        Both {
            rejoin: self.run_rejoin(scenario),
            npm: world::run(self.seeds().into_iter().map(Npm::new), scenario.setup),
        }
    }

    pub(super) fn run_rejoin(&self, scenario: &Scenario) -> Arrivals {
        let endpoint = Endpoint {
            secure: false,
            host: "chat.example.com".to_owned(),
            port: 80,
            query: String::new(),
        };
        let clients = self.seeds().into_iter().map(|seed| {
            let mut config = ConnectionConfig::new(endpoint.clone(), seed);
            config.backoff.jitter = self.jitter;
            if scenario.websocket_only {
                config.transports = vec![Transport::WebSocket];
            }
            Rejoin::new(config)
        });
        world::run(clients, scenario.setup)
    }

    /// A seed for each client. Drawn, not counted: neighbours have nothing in common.
    fn seeds(&self) -> Vec<u64> {
        let mut rng = Rng::new(self.seed);
        (0..self.clients).map(|_| rng.bits()).collect()
    }
}

impl Scenario {
    fn new(name: &'static str, setup: Setup) -> Self {
        Self {
            name,
            setup,
            websocket_only: false,
        }
    }

    /// Whether its server has a limit.
    pub(super) const fn is_limited(&self) -> bool {
        self.setup.rate.is_some()
    }

    /// A server that takes all at once.
    pub(super) fn all_at_once() -> Self {
        let setup = Setup {
            rate: None,
            down: Refusal::Reset,
        };
        Self::new("a server that takes all at once", setup)
    }

    /// A server that takes a twentieth of the clients in a second, with a queue of one second.
    pub(super) fn limited(storm: &Storm) -> Self {
        Self::with_queue("a server with a limit", storm, storm.per_second(), Refusal::Reset)
    }

    fn with_queue(name: &'static str, storm: &Storm, queue: u32, full: Refusal) -> Self {
        let rate = Rate {
            per_second: storm.per_second(),
            queue,
            full,
        };
        let setup = Setup {
            rate: Some(rate),
            down: Refusal::Reset,
        };
        Self::new(name, setup)
    }

    /// The same, where ours ask by WebSocket alone: once an attempt.
    pub(super) fn by_websocket(self, name: &'static str) -> Self {
        Self {
            name,
            websocket_only: true,
            ..self
        }
    }

    /// The others.
    pub(super) fn variants(storm: &Storm) -> Vec<Self> {
        let second = storm.per_second();
        let limited = |name, queue, full| Self::with_queue(name, storm, queue, full);
        let endless = "limited, a queue without end: it takes all and answers in its own time";
        let silent = Setup {
            rate: None,
            down: Refusal::Silence,
        };
        vec![
            Self::all_at_once().by_websocket("all at once, ours by WebSocket alone"),
            Self::new("all at once, and silent during the outage", silent),
            Self::limited(storm).by_websocket("limited, ours by WebSocket alone"),
            limited(
                "limited, a queue of 0.1 s (Node's default is 511)",
                second / 10,
                Refusal::Reset,
            ),
            limited(
                "limited, silent while its queue is full (Linux's default)",
                second,
                Refusal::Silence,
            ),
            limited(
                "limited, 503 with Retry-After: 5 while its queue is full",
                second,
                Refusal::Busy { retry_after_s: 5 },
            ),
            limited(endless, u32::MAX, Refusal::Reset),
            limited(endless, u32::MAX, Refusal::Reset).by_websocket("the same, ours by WebSocket alone"),
        ]
    }
}

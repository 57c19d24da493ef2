//! What a seed decides beforehand: what server, network and people are like, and what happens when.

use std::time::Duration;

use rejoin::{Delivery, Hint, Overflow};

use crate::book::{PEOPLE, Who};
use crate::expected;
use crate::network::{Dials, Weather};
use crate::rng::Rng;
use crate::server::Manner;

/// What a world is like.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) manner: Manner,
    pub(crate) can_ping: bool,
    pub(crate) people: Vec<Habits>,
    pub(crate) script: Vec<Step>,
    /// When the network and everything else comes to rest.
    pub(crate) calm_at: Duration,
}

/// What a person's client is like.
#[derive(Debug, Clone)]
pub(crate) struct Habits {
    pub(crate) delivery: Delivery,
    pub(crate) capacity: usize,
    pub(crate) overflow: Overflow,
    pub(crate) ttl: Option<Duration>,
    pub(crate) ack_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) max_attempts: Option<u32>,
    pub(crate) stores: bool,
    /// Whether it is asked for a token at each attempt, or has one.
    pub(crate) provides: bool,
    pub(crate) polling_too: bool,
    pub(crate) slack: Duration,
    pub(crate) weather: Weather,
}

/// One thing that happens.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) at: Duration,
    pub(crate) who: Who,
    pub(crate) deed: Deed,
}

/// What happens.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    Connect,
    Disconnect,
    Private {
        poison: bool,
    },
    Group(&'static str),
    Note(Note),
    Burst(u64),
    Create {
        password: bool,
    },
    Join {
        room: &'static str,
        right: bool,
    },
    Leave(&'static str),
    Type {
        room: Option<&'static str>,
    },
    StopTyping {
        room: Option<&'static str>,
    },
    Cancel(u64),
    Clear,
    Hint(Hint),
    Token,
    Forget,
    /// The process is killed, and started again after a time.
    Crash(Duration),
    Sleep(Duration),
    StepClock(i64),
    /// The links break, or nothing passes them any more in some direction.
    Cut,
    Silence {
        up: bool,
        down: bool,
    },
    Weather(Weather),
    RestartServer(Duration),
    Kick {
        code: &'static str,
        retry_after: Option<u64>,
        politely: bool,
    },
    ExpireTokens,
    Notify,
}

/// An event that the chat does not know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Note {
    pub(crate) ack: bool,
    pub(crate) reliable: bool,
    pub(crate) volatile: bool,
    pub(crate) lane: Option<&'static str>,
    pub(crate) ttl: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
}

/// Rooms that everybody knows; `den` has a password.
pub(crate) const ROOMS: [&str; 3] = ["tea", "den", "pub"];

impl Plan {
    pub(crate) fn draw(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let manner = manner(&mut rng);
        let can_ping = rng.chance(75);
        let calm_at = rng.millis(15_000, 120_000);
        let people: Vec<Habits> = PEOPLE.iter().map(|_| habits(&mut rng, &manner)).collect();
        let mut script = Vec::new();
        for (who, habits) in people.iter().enumerate() {
            let start = rng.millis(0, 2_000);
            let deed = Deed::Connect;
            script.push(Step { at: start, who, deed });
            let busy = *rng.pick(&[5, 20, 50, 120]);
            let taste = Taste::draw(&mut rng);
            for _ in 0..rng.between(2, busy) {
                let at = rng.millis(0, u64::try_from(calm_at.as_millis()).unwrap_or(0));
                let deed = taste.deed(&mut rng, habits);
                script.push(Step { at, who, deed });
            }
        }
        script.sort_by_key(|step| (step.at, step.who));
        Self {
            manner,
            can_ping,
            people,
            script,
            calm_at,
        }
    }
}

fn manner(rng: &mut Rng) -> Manner {
    // Most servers keep all of the protocol's promises, some none, and the rest any of them.
    let (ack, dedupe) = *rng.weighted(&[(7, (true, true)), (1, (true, false)), (2, (false, false))]);
    let keeps = |rng: &mut Rng| rng.chance(70);
    let (order, receipts) = (keeps(rng), keeps(rng));
    let ping_interval = *rng.pick(&[3_000, 10_000, 25_000]);
    let limited = rng.chance(30) && ack;
    Manner {
        ack,
        dedupe,
        order: order && ack && dedupe && expected::LANES_PAUSE,
        receipts: receipts && ack && expected::RECEIPTS,
        recovers: rng.chance(50),
        ping_interval: Duration::from_millis(ping_interval),
        ping_timeout: Duration::from_millis(ping_interval * 4 / 5),
        limit: limited.then(|| {
            let count = u32::try_from(rng.between(1, 10)).unwrap_or(1);
            (count, rng.millis(500, 5_000))
        }),
        effort: *rng.weighted(&[(6, (0, 3)), (2, (10, 120)), (1, (100, 900))]),
        stuck_percent: *rng.weighted(&[(8, 0), (2, 5)]),
        greeting: *rng.weighted(&[
            (9, Duration::ZERO),
            (1, Duration::from_millis(700)),
            (1, Duration::from_millis(2_600)),
        ]),
        diligent: rng.chance(50),
    }
}

fn habits(rng: &mut Rng, manner: &Manner) -> Habits {
    let delivery = match rng.below(10) {
        0 if !(manner.order && manner.limit.is_some()) || expected::SKIPS_AT_MOST_ONCE => Delivery::AtMostOnce,
        // Only where the server removes duplicates.
        1 if manner.dedupe => Delivery::AtLeastOnce,
        _ => Delivery::Auto,
    };
    let attempts = u32::try_from(rng.between(1, 6)).ok();
    Habits {
        delivery,
        capacity: *rng.weighted(&[(6, 100), (2, 8), (2, 3)]),
        overflow: *rng.pick(&[Overflow::DropOldest, Overflow::DropOldest, Overflow::Reject]),
        ttl: rng.chance(10).then(|| rng.millis(500, 10_000)),
        ack_timeout: *rng.weighted(&[(6, Duration::from_secs(10)), (2, Duration::from_secs(3))]),
        connect_timeout: *rng.weighted(&[(6, Duration::from_secs(20)), (1, Duration::from_secs(5))]),
        max_attempts: attempts.filter(|_| rng.chance(10)),
        stores: rng.chance(60)
            && (expected::RELEASES || manner.dedupe && manner.ack && delivery != Delivery::AtMostOnce),
        provides: rng.chance(50),
        polling_too: rng.chance(30),
        slack: *rng.weighted(&[
            (5, Duration::ZERO),
            (2, Duration::from_millis(4)),
            (1, Duration::from_millis(250)),
        ]),
        weather: weather(rng),
    }
}

fn weather(rng: &mut Rng) -> Weather {
    Weather {
        dials: *rng.weighted(&[(8, Dials::Open), (1, Dials::Refused), (1, Dials::Swallowed)]),
        latency: *rng.weighted(&[(4, (500, 2_000)), (4, (20_000, 60_000)), (1, (200_000, 900_000))]),
        writing: *rng.weighted(&[(6, 100), (2, 20_000), (1, 400_000)]),
        cuts: *rng.pick(&[0, 20, 60, 90]),
        mutes: *rng.pick(&[0, 0, 15, 40]),
        misses: *rng.pick(&[0, 10, 30, 60]),
    }
}

/// Draws one thing to do.
type Draw = fn(&mut Rng, &Habits) -> Deed;

/// What a person mostly does, so that worlds differ more than their average would.
struct Taste {
    speaks: u64,
    rooms: u64,
    types: u64,
    steers: u64,
    hints: u64,
    dies: u64,
    network: u64,
    server: u64,
}

impl Taste {
    fn draw(rng: &mut Rng) -> Self {
        let mut weight = |usual: u64| match rng.below(4) {
            0 => 0,
            1 => usual * 3,
            _ => usual,
        };
        Self {
            speaks: 10 + weight(15),
            rooms: weight(6),
            types: weight(4),
            steers: weight(4),
            hints: weight(4),
            dies: weight(3),
            network: weight(8),
            server: weight(3),
        }
    }

    fn deed(&self, rng: &mut Rng, habits: &Habits) -> Deed {
        let kinds: [(u64, Draw); 8] = [
            (self.speaks, speak),
            (self.rooms, rooms),
            (self.types, types),
            (self.steers, steers),
            (self.hints, hints),
            (self.dies, dies),
            (self.network, network),
            (self.server, server),
        ];
        let draw = *rng.weighted(&kinds);
        draw(rng, habits)
    }
}

fn speak(rng: &mut Rng, habits: &Habits) -> Deed {
    match rng.below(20) {
        0..8 => Deed::Private {
            poison: expected::POISON && rng.chance(2),
        },
        8..12 => Deed::Group(rng.pick::<&str>(&ROOMS)),
        12 => Deed::Burst(rng.between(2, 30)),
        13 => Deed::Create {
            password: rng.chance(30),
        },
        _ => {
            let reliable = rng.chance(50);
            let volatile = !reliable && rng.chance(40);
            Deed::Note(Note {
                ack: !volatile && rng.chance(50),
                reliable,
                volatile,
                lane: *rng.pick(&[None, None, Some("left"), Some("right")]),
                ttl: (rng.chance(20) && !volatile).then(|| rng.millis(200, 8_000)),
                timeout: (rng.chance(10) && !volatile)
                    .then(|| rng.millis(500, 3_000))
                    .filter(|_| habits.capacity > 3),
            })
        }
    }
}

fn rooms(rng: &mut Rng, _: &Habits) -> Deed {
    let room = *rng.pick(&ROOMS);
    match rng.below(3) {
        0 => Deed::Leave(room),
        _ => Deed::Join {
            room,
            right: room != "den" || rng.chance(70),
        },
    }
}

fn types(rng: &mut Rng, _: &Habits) -> Deed {
    let room = *rng.pick(&[None, None, Some("tea"), Some("pub")]);
    match rng.chance(70) {
        true => Deed::Type { room },
        false => Deed::StopTyping { room },
    }
}

fn steers(rng: &mut Rng, _: &Habits) -> Deed {
    match rng.below(16) {
        0..6 => Deed::Cancel(rng.bits()),
        6 => Deed::Clear,
        7..10 => Deed::Disconnect,
        10 if rng.chance(20) => Deed::Forget,
        11..13 => Deed::Token,
        _ => Deed::Connect,
    }
}

fn hints(rng: &mut Rng, _: &Habits) -> Deed {
    Deed::Hint(*rng.pick(&[
        Hint::Online,
        Hint::Offline,
        Hint::Foreground,
        Hint::Background,
        Hint::Online,
        Hint::Foreground,
    ]))
}

fn dies(rng: &mut Rng, _: &Habits) -> Deed {
    match rng.below(6) {
        0..2 => Deed::Crash(rng.millis(0, 10_000)),
        2..4 => Deed::Sleep(rng.millis(200, 60_000)),
        _ => {
            let hour = 3_600_000;
            let steps = [2_000, 20_000, hour, -hour, -3_000];
            Deed::StepClock(*rng.pick(&steps))
        }
    }
}

fn network(rng: &mut Rng, _: &Habits) -> Deed {
    match rng.below(8) {
        0..3 => Deed::Cut,
        3..5 => {
            let (up, down) = *rng.pick(&[(true, true), (true, false), (false, true)]);
            Deed::Silence { up, down }
        }
        _ => Deed::Weather(weather(rng)),
    }
}

fn server(rng: &mut Rng, _: &Habits) -> Deed {
    match rng.below(8) {
        0 => Deed::RestartServer(rng.millis(0, 6_000)),
        1..3 => Deed::Kick {
            code: rng.pick::<&str>(&["replaced", "banned", "shutdown", "idle"]),
            retry_after: rng.chance(50).then(|| rng.between(100, 6_000)),
            politely: rng.chance(50),
        },
        3 => Deed::ExpireTokens,
        _ => Deed::Notify,
    }
}

//! The world of one storm: every client, one server, and one heap of what happens when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::client::{Act, Client, Ending, Input, Wire};
use super::figures::Arrivals;
use super::server::{Answer, Refusal, Server, Setup};

/// Clients connect in the first second, and all of them have been stable for long when the server dies.
const DIES: Duration = Duration::from_secs(10);
const RETURNS: Duration = DIES.saturating_add(Duration::from_secs(60));

/// Whoever is not back by then counts as never.
const END: Duration = RETURNS.saturating_add(Duration::from_secs(240));

/// From the client to the server or back. A connection takes three round trips until CONNECT is accepted: one for TCP,
/// one for HTTP, one for CONNECT.
const ONE_WAY: Duration = Duration::from_millis(10);
const ROUND_TRIP: Duration = Duration::from_millis(20);

/// How often the server pings.
const PING: Duration = Duration::from_secs(25);

/// How often a system knocks at a silent address before it gives up: at 0, 1, 3, 7, 15, 31 and 63 s.
const KNOCKS: u8 = 7;

/// One client and what the world knows about it.
struct Seat<C> {
    client: C,
    /// Its connection, from the dial on.
    wire: Option<Wire>,
    /// When it wants to be called.
    wake: Option<Duration>,
    /// When it was back.
    back: Option<Duration>,
}

/// Ordered by time, then by the order in which they were thought of. Small: there are a million of them at a time.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    /// In nanoseconds.
    at: u64,
    order: u32,
    seat: u32,
    what: What,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Begin,
    Due,
    /// The client's system asks for the connection, and has done so as often before.
    Knock(Wire, u8),
    Opened(Wire),
    Accepted(Wire),
    Ping(Wire),
    Ended(Wire, Ending),
}

struct World<C> {
    seats: Vec<Seat<C>>,
    heap: BinaryHeap<Reverse<Event>>,
    planned: u32,
    server: Server,
    acts: Vec<Act>,
    /// How many are back.
    back: usize,
}

/// Runs one storm to its end, and says when who was back.
pub(super) fn run<C: Client>(clients: impl ExactSizeIterator<Item = C>, setup: Setup) -> Arrivals {
    let count = clients.len();
    let mut world = World {
        seats: clients.map(Seat::new).collect(),
        heap: BinaryHeap::with_capacity(4 * count),
        planned: 0,
        server: Server::new(setup, (DIES, RETURNS)),
        acts: Vec::new(),
        back: 0,
    };
    for seat in 0..count {
        let at = Duration::from_secs(1).mul_f64(seat as f64 / count as f64);
        world.plan(at, seat, What::Begin);
    }
    world.run_until(DIES);
    world.die();
    world.run_until(END);
    let returned = world.seats.iter().filter_map(|seat| seat.back);
    Arrivals::new(
        count,
        returned.map(|at| at.saturating_sub(RETURNS)).collect(),
        world.server.asked,
    )
}

impl<C> Seat<C> {
    fn new(client: C) -> Self {
        Self {
            client,
            wire: None,
            wake: None,
            back: None,
        }
    }
}

impl<C: Client> World<C> {
    fn plan(&mut self, at: Duration, seat: usize, what: What) {
        self.planned += 1;
        let event = Event {
            at: u64::try_from(at.as_nanos()).unwrap_or(u64::MAX),
            order: self.planned,
            seat: seat as u32,
            what,
        };
        self.heap.push(Reverse(event));
    }

    fn run_until(&mut self, end: Duration) {
        while self.back < self.seats.len() {
            let Some(Reverse(event)) = self.heap.peek() else { return };
            let at = Duration::from_nanos(event.at);
            if at >= end {
                return;
            }
            let (seat, what) = (event.seat as usize, event.what);
            self.heap.pop();
            self.happen(at, seat, what);
        }
    }

    /// Every connection breaks in the same instant.
    fn die(&mut self) {
        for seat in 0..self.seats.len() {
            assert!(
                self.seats[seat].client.is_connected(),
                "client {seat} was not connected"
            );
            if let Some(wire) = self.seats[seat].wire.take() {
                self.tell(DIES, seat, Input::Ended(wire, Ending::Reset));
            }
        }
    }

    fn happen(&mut self, at: Duration, seat: usize, what: What) {
        let wire = self.seats[seat].wire;
        // What belongs to a connection that was given up concerns nobody.
        match what {
            What::Begin => self.tell(at, seat, Input::Begin),
            What::Due if self.seats[seat].wake == Some(at) => {
                self.seats[seat].wake = None;
                self.tell(at, seat, Input::Due);
            }
            What::Knock(own, tries) if wire == Some(own) => self.knock(at, seat, own, tries),
            What::Opened(own) if wire == Some(own) => self.tell(at, seat, Input::Opened(own)),
            What::Accepted(own) if wire == Some(own) => {
                self.tell(at, seat, Input::Accepted(own));
                self.plan(at + PING, seat, What::Ping(own));
                if at >= RETURNS && self.seats[seat].client.is_connected() {
                    self.seats[seat].back = Some(at);
                    self.back += 1;
                }
            }
            What::Ping(own) if wire == Some(own) => {
                self.tell(at, seat, Input::Ping(own));
                self.plan(at + PING, seat, What::Ping(own));
            }
            What::Ended(own, ending) if wire == Some(own) => {
                self.seats[seat].wire = None;
                self.tell(at, seat, Input::Ended(own, ending));
            }
            _ => {}
        }
    }

    /// A connection has reached the server's address.
    fn knock(&mut self, now: Duration, seat: usize, wire: Wire, tries: u8) {
        // The request follows the connection by a round trip.
        match self.server.ask(now, now + ROUND_TRIP) {
            Answer::Taken(done) => self.plan(done + ONE_WAY, seat, What::Opened(wire)),
            Answer::Refused(Refusal::Reset) => self.plan(now + ONE_WAY, seat, What::Ended(wire, Ending::Reset)),
            Answer::Refused(Refusal::Busy { retry_after_s }) => {
                let what = What::Ended(wire, Ending::Busy { retry_after_s });
                self.plan(now + ROUND_TRIP + ONE_WAY, seat, what);
            }
            Answer::Refused(Refusal::Silence) => {
                let pause = Duration::from_secs(1 << tries);
                let what = match tries + 1 {
                    KNOCKS => What::Ended(wire, Ending::Reset),
                    more => What::Knock(wire, more),
                };
                self.plan(now + pause, seat, what);
            }
        }
    }

    fn tell(&mut self, now: Duration, seat: usize, input: Input) {
        let mut acts = std::mem::take(&mut self.acts);
        self.seats[seat].client.handle(now, input, &mut acts);
        for act in acts.drain(..) {
            match act {
                Act::Dial(wire) => {
                    self.seats[seat].wire = Some(wire);
                    self.plan(now + ONE_WAY, seat, What::Knock(wire, 0));
                }
                Act::Join(wire) => self.plan(now + ROUND_TRIP, seat, What::Accepted(wire)),
                Act::Hangup(wire) => {
                    if self.seats[seat].wire == Some(wire) {
                        self.seats[seat].wire = None;
                    }
                }
                Act::Wake(at) => {
                    if let Some(at) = at.filter(|at| self.seats[seat].wake != Some(*at)) {
                        self.plan(at, seat, What::Due);
                    }
                    self.seats[seat].wake = at;
                }
            }
        }
        self.acts = acts;
    }
}

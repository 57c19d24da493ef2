//! The core against a model of an honest server, in random interleavings.
//!
//! The server answers everything it gets and removes duplicates, but late, in part, or not before the link breaks. What
//! is checked is what the client promises once the network is quiet.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;

use super::json::json_config;
use super::pair::*;
use super::server::{Server, Session};
use crate::config::{Overflow, Protocol};
use crate::core::{Emission, EmitOptions, LinkEvent, LinkId, room_lane};
use crate::error::Error;
use crate::receipt::{Outcome, Receipt};
use crate::state::State;
use crate::{QueueConfig, Target};

/// A room that everyone may enter, and one that has a password.
const ROOMS: [&str; 2] = ["open", "locked"];

#[derive(Debug, Clone)]
enum Step {
    Connect,
    Disconnect,
    /// A reliable message: to one of the rooms, or to a user.
    Send(usize),
    /// A message that is not reliable.
    Plain,
    Join {
        room: usize,
        right: bool,
    },
    Leave(usize),
    Type,
    StopTyping,
    Cancel(prop::sample::Index),
    Clear,
    /// The batch under way is written, and gets to the server.
    Written,
    /// The server works off so many frames.
    Serve(usize),
    /// So many of its answers arrive.
    Hear(usize),
    /// The link breaks; so many frames of the batch under way got through.
    Cut(usize),
    Sleep(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Connect),
        1 => Just(Step::Disconnect),
        6 => (0..3_usize).prop_map(Step::Send),
        1 => Just(Step::Plain),
        4 => (0..2_usize, prop::bool::weighted(0.8)).prop_map(|(room, right)| Step::Join { room, right }),
        3 => (0..2_usize).prop_map(Step::Leave),
        1 => Just(Step::Type),
        1 => Just(Step::StopTyping),
        1 => any::<prop::sample::Index>().prop_map(Step::Cancel),
        1 => Just(Step::Clear),
        8 => Just(Step::Written),
        8 => (1..9_usize).prop_map(Step::Serve),
        8 => (1..9_usize).prop_map(Step::Hear),
        2 => (0..5_usize).prop_map(Step::Cut),
        3 => prop_oneof![4 => 1..3_000_u16, 1 => 3_000..15_000_u16].prop_map(Step::Sleep),
    ]
}

/// Client and server, and what lies between.
struct World {
    protocol: Protocol,
    pair: Pair,
    server: Server,
    /// Frames of the batches under way.
    flight: Vec<(LinkId, String)>,
    /// Every reliable message, by its number.
    sent: Vec<(u64, Receipt)>,
    /// The ids of those that a link was handed.
    handed: BTreeSet<String>,
    others: Vec<Receipt>,
    /// Whether the user, by the last they said about each room, wants to be in it and may.
    wishes: [bool; 2],
    /// Messages to a room that the user may be in.
    welcome: BTreeSet<u64>,
}

impl World {
    fn new(protocol: Protocol, overflow: Overflow, capacity: usize) -> Self {
        let mut namespace = chat_config();
        namespace.queue = QueueConfig {
            capacity,
            overflow,
            ..QueueConfig::default()
        };
        let config = match protocol {
            Protocol::SocketIo => config(),
            Protocol::Json => json_config(),
        };
        let mut pair = Pair::with(config, namespace);
        pair.writes = false;
        Self {
            protocol,
            pair,
            server: Server::default(),
            flight: Vec::new(),
            sent: Vec::new(),
            handed: BTreeSet::new(),
            others: Vec::new(),
            wishes: [false; 2],
            welcome: BTreeSet::new(),
        }
    }

    fn run(&mut self, step: &Step) {
        let (now, socket) = (self.pair.now, self.pair.socket);
        let core = &mut self.pair.core;
        match step {
            Step::Connect => core.connect(now, socket),
            Step::Disconnect => core.disconnect(now, socket),
            Step::Send(to) => {
                // Nobody who may enter is ever turned away from the open room.
                if *to == 0 && self.wishes[0] {
                    self.welcome.insert(self.sent.len() as u64);
                }
                self.send(ROOMS.get(*to).copied());
            }
            Step::Plain => self
                .others
                .push(self.pair.emit("plain", "[]", EmitOptions::new().ack())),
            Step::Join { room, right } => {
                let password = if *right { "right" } else { "wrong" };
                let receipt = core.join_room(now, socket, ROOMS[*room], Some(password.to_owned()));
                self.wishes[*room] = *right || ROOMS[*room] == "open";
                self.others.push(receipt);
            }
            Step::Leave(room) => {
                self.others.push(core.leave_room(now, socket, ROOMS[*room]));
                self.wishes[*room] = false;
            }
            Step::Type => core.start_typing(now, socket, Target::user("u2")),
            Step::StopTyping => core.stop_typing(now, socket, &Target::user("u2")),
            Step::Cancel(index) => {
                let receipts: Vec<_> = self.sent.iter().map(|(_, sent)| sent).chain(&self.others).collect();
                if !receipts.is_empty() {
                    core.cancel(now, socket, index.get(&receipts).id());
                }
            }
            Step::Clear => core.clear(now, socket),
            Step::Written => self.arrive(),
            Step::Serve(most) => {
                for link in self.links() {
                    self.server.serve(link, *most);
                }
            }
            Step::Hear(most) => self.hear(*most),
            Step::Cut(most) if !self.pair.started.is_empty() => {
                let link = self.pair.link();
                for (_, frame) in self.flight.extract_if(.., |(to, _)| *to == link).take(*most) {
                    self.server.sessions.entry(link).or_default().inbox.push_back(frame);
                }
                self.server.serve(link, *most);
                self.server.sessions.remove(&link);
                self.pair.cut();
            }
            Step::Cut(_) => {}
            Step::Sleep(ms) => self.pair.sleep(millis(u64::from(*ms))),
        }
        self.settle();
    }

    fn send(&mut self, room: Option<&str>) {
        let n = self.sent.len() as u64;
        let (event, object, lane) = match room {
            Some(room) => ("group_message", json!({"roomId": room, "n": n}), room_lane(room)),
            None => (
                "private_message",
                json!({"recipientId": "u2", "n": n}),
                "user:u2".into(),
            ),
        };
        let emission = Emission::of_object(
            event,
            object.to_string().as_bytes(),
            EmitOptions::new().reliable().lane(lane),
        );
        let receipt = self.pair.core.emit(self.pair.now, self.pair.socket, emission);
        if let Some(Outcome::Rejected(Error::Overloaded)) = receipt.outcome() {
            assert!(
                !self.pair.core.is_writable(self.pair.socket),
                "refused, and yet writable"
            );
        }
        self.sent.push((n, receipt));
    }

    fn links(&self) -> Vec<LinkId> {
        self.server.sessions.keys().copied().collect()
    }

    /// Takes note of what the core did.
    fn settle(&mut self) {
        self.pair.drain();
        for (link, frame) in self.pair.wire.drain(..) {
            for (_, receipt) in &self.sent {
                let id = receipt.message_id().unwrap();
                if frame.contains(id) {
                    self.handed.insert(id.to_owned());
                }
            }
            self.flight.push((link, frame));
        }
        for (link, _) in &self.pair.started {
            if !self.pair.stopped.contains(link) && !self.server.sessions.contains_key(link) {
                self.server.sessions.insert(*link, Session::new(self.protocol));
            }
        }
        for link in &self.pair.stopped {
            self.server.sessions.remove(link);
            self.flight.retain(|(to, _)| to != link);
        }
    }

    /// What is under way gets to the server.
    fn arrive(&mut self) {
        for (link, frame) in self.flight.drain(..) {
            if let Some(session) = self.server.sessions.get_mut(&link) {
                session.inbox.push_back(frame);
            }
        }
        self.pair.write_all();
    }

    /// The client hears so much of what was said.
    fn hear(&mut self, most: usize) {
        for _ in 0..most {
            let Some((link, event)) = self
                .server
                .sessions
                .iter_mut()
                .find_map(|(link, session)| Some((*link, session.said.pop_front()?)))
            else {
                return;
            };
            let taken = event == LinkEvent::Text(CONNECT.into());
            self.pair.event(link, event);
            self.settle();
            if taken && let Some(session) = self.server.sessions.get_mut(&link) {
                // A greeting that is late makes messages `Sent`, which is another story.
                let greeting = session.said.pop_front().unwrap();
                self.pair.event(link, greeting);
                self.settle();
            }
        }
    }

    /// The network works from now on.
    fn calm(&mut self) {
        self.pair.core.connect(self.pair.now, self.pair.socket);
        self.settle();
        for _ in 0..40 {
            for _ in 0..4 {
                self.run(&Step::Written);
                self.run(&Step::Serve(usize::MAX));
                self.run(&Step::Hear(1_000));
            }
            for link in self.links() {
                self.pair.event(link, Session::heartbeat(self.protocol));
            }
            self.settle();
            self.run(&Step::Sleep(500));
        }
    }

    /// What the client promises once the network is quiet.
    fn check(&mut self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.pair.state(), State::Connected);
        prop_assert!(
            self.pair.core.pending(self.pair.socket).is_empty(),
            "{:?}",
            self.pair.core.pending(self.pair.socket)
        );
        prop_assert!(self.pair.core.is_writable(self.pair.socket));
        let session = self.server.sessions.get(&self.pair.link()).unwrap();
        prop_assert!(!session.typing, "a typing_stop was lost");
        for (room, wanted) in ROOMS.iter().zip(self.wishes) {
            prop_assert_eq!(session.rooms.contains(*room), wanted, "in room {}", room);
        }
        for receipt in &self.others {
            prop_assert!(receipt.outcome().is_some(), "message {} has no outcome", receipt.id());
        }
        let mut last = BTreeMap::new();
        for (lane, n) in &self.server.taken {
            let sent = self.sent.iter().find(|(other, _)| other == n);
            if sent.is_some_and(|(_, receipt)| matches!(receipt.outcome(), Some(Outcome::Delivered(_)))) {
                let before = last.insert(lane, n);
                prop_assert!(
                    before.is_none_or(|before| before < n),
                    "lane {:?}: {:?} then {}",
                    lane,
                    before,
                    n
                );
            }
        }
        for (n, receipt) in &self.sent {
            let id = receipt.message_id().unwrap();
            let handed = self.handed.contains(id);
            let taken = self.server.taken.iter().filter(|(_, other)| other == n).count();
            let outcome = receipt.outcome();
            let right = match &outcome {
                Some(Outcome::Delivered(_)) => taken == 1,
                Some(Outcome::Rejected(Error::Server { .. })) => taken == 0 && !self.welcome.contains(n),
                Some(Outcome::Rejected(_)) => taken == 0,
                // A batch behind one that a closed link never finished counts as written.
                Some(Outcome::Unconfirmed(_)) => taken <= 1,
                Some(Outcome::Dropped | Outcome::Cancelled | Outcome::Expired) => !handed,
                Some(Outcome::Sent) | None => false,
            };
            prop_assert!(
                right,
                "message {}: {:?}, handed over {}, taken {}",
                n,
                outcome,
                handed,
                taken
            );
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn once_the_network_is_quiet_every_promise_is_kept(
        steps in prop::collection::vec(step(), 0..80), reject: bool, capacity in 3..12_usize, json: bool,
    ) {
        let overflow = if reject { Overflow::Reject } else { Overflow::DropOldest };
        let protocol = if json { Protocol::Json } else { Protocol::SocketIo };
        let mut world = World::new(protocol, overflow, capacity);
        for step in &steps {
            world.run(step);
        }
        world.calm();
        world.check()?;
        // What it only seemed to be in, it is not in after this.
        world.run(&Step::Cut(0));
        world.calm();
        world.check()?;
    }
}

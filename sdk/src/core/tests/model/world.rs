//! Client, server and what the app knows: how each step is done.

use std::collections::BTreeSet;

use serde_json::json;

use super::super::json::json_config;
use super::super::pair::*;
use super::carriage::{Mood, Network, transports};
use super::check::Heard;
use super::server::Server;
use super::{ROOMS, Setup, Step};
use crate::config::{Overflow, Protocol};
use crate::core::{AuthSource, Emission, EmitOptions, room_lane};
use crate::error::Error;
use crate::receipt::{Outcome, Receipt};
use crate::state::{Hint, State};
use crate::{QueueConfig, Target};

/// Client and server, and what lies between.
pub(super) struct World {
    pub(super) protocol: Protocol,
    pub(super) pair: Pair,
    pub(super) server: Server,
    pub(super) net: Network,
    pub(super) heard: Heard,
    /// Every reliable message, by its number.
    pub(super) sent: Vec<(u64, Receipt)>,
    /// The ids of those that a link was handed.
    pub(super) handed: BTreeSet<String>,
    pub(super) others: Vec<Receipt>,
    /// Whether the user, by the last they said about each room, wants to be in it and may.
    pub(super) wishes: [bool; 2],
    /// Messages to a room that the user may be in.
    pub(super) welcome: BTreeSet<u64>,
}

impl World {
    pub(super) fn new(setup: &Setup) -> Self {
        let mut namespace = chat_config();
        namespace.queue = QueueConfig {
            capacity: setup.capacity,
            overflow: if setup.reject {
                Overflow::Reject
            } else {
                Overflow::DropOldest
            },
            ..QueueConfig::default()
        };
        let protocol = if setup.json { Protocol::Json } else { Protocol::SocketIo };
        let mut config = match protocol {
            Protocol::SocketIo => config(),
            Protocol::Json => json_config(),
        };
        if !setup.json {
            config.transports = transports(setup.transports);
        }
        config.can_ping = setup.can_ping;
        let mut pair = Pair::with(config, namespace);
        pair.writes = false;
        let mut server = Server::default();
        server.upgrades = setup.upgrades;
        server.recovers = setup.recovers && !setup.json;
        Self {
            protocol,
            pair,
            server,
            net: Network::default(),
            heard: Heard::default(),
            sent: Vec::new(),
            handed: BTreeSet::new(),
            others: Vec::new(),
            wishes: [false; 2],
            welcome: BTreeSet::new(),
        }
    }

    pub(super) fn run(&mut self, step: &Step) {
        let (now, socket) = (self.pair.now, self.pair.socket);
        let core = &mut self.pair.core;
        match step {
            Step::Connect => core.connect(now, socket),
            Step::Disconnect => core.disconnect(now, socket),
            Step::Forget => {
                core.forget(now);
                self.wishes = [false; 2];
            }
            Step::SetAuth if self.protocol == Protocol::Json => {}
            Step::SetAuth => core.set_auth(now, socket, AuthSource::Value(r#"{"token":"t"}"#.to_owned())),
            Step::Hint(hint) => core.hint(now, *hint),
            Step::Clock(ms) => self.pair.now.unix_ms = now.unix_ms.saturating_add_signed(i64::from(*ms)),
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
            Step::Tell => self.server.tell(),
            Step::Dismiss {
                code,
                retry_after,
                link,
            } => self.server.dismiss(code, *retry_after, *link),
            Step::Written => self.arrive(),
            Step::Answered => self.answer_posts(),
            Step::Flow(times) => (0..*times).for_each(|_| self.flow()),
            Step::Serve(most) => {
                for id in self.server.sessions.keys().copied().collect::<Vec<_>>() {
                    self.server.serve(id, *most);
                }
            }
            Step::Hear(most) => self.hear(*most),
            Step::Cut { which, most, told } => self.cut(which, *most, *told),
            Step::Freeze => self.freeze(),
            Step::WebSockets(mood) => self.net.websocket = *mood,
            Step::Exchanges(mood) => self.net.polling = *mood,
            Step::Sleep(ms) => self.pair.sleep(millis(u64::from(*ms))),
        }
        self.settle();
    }

    fn flow(&mut self) {
        self.run(&Step::Written);
        self.run(&Step::Serve(usize::MAX));
        self.run(&Step::Hear(8));
        self.run(&Step::Answered);
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

    /// Takes note of what the core did.
    pub(super) fn settle(&mut self) {
        self.pair.drain();
        let frames: Vec<_> = self.pair.wire.iter().map(|(_, frame)| frame.clone()).collect();
        for frame in frames {
            self.note_handed(&frame);
        }
        self.note_wires();
        self.note_events();
    }

    /// Which messages a link was handed with this.
    pub(super) fn note_handed(&mut self, text: &str) {
        for (_, receipt) in &self.sent {
            let id = receipt.message_id().unwrap();
            if text.contains(id) {
                self.handed.insert(id.to_owned());
            }
        }
    }

    /// The network works from now on, and the user is there.
    pub(super) fn calm(&mut self) {
        (self.net.websocket, self.net.polling) = (Mood::Open, Mood::Open);
        self.run(&Step::Hint(Hint::Online));
        self.run(&Step::Hint(Hint::Foreground));
        self.run(&Step::Connect);
        self.heard.calm_from = Some(self.pair.now.mono + secs(3));
        for turn in 0..100 {
            if turn == 8 {
                // What lives shows it.
                self.run(&Step::Hint(Hint::Foreground));
                self.run(&Step::Tell);
            }
            for order in 0..4 {
                self.run(&Step::Written);
                self.run(&Step::Serve(usize::MAX));
                let (first, then) = (Step::Answered, Step::Hear(1_000));
                let (first, then) = if order % 2 == 0 { (then, first) } else { (first, then) };
                self.run(&first);
                self.run(&then);
            }
            if self.pair.state() == State::Failed {
                // It was told so before it was quiet, and the user insists.
                self.run(&Step::Connect);
            }
            if turn > 14 && self.is_quiet() {
                break;
            }
            self.server.beat();
            self.run(&Step::Sleep(500));
        }
        self.heard.calm_from = None;
    }

    fn is_quiet(&self) -> bool {
        let receipts = self.sent.iter().map(|(_, receipt)| receipt).chain(&self.others);
        let ended = receipts.into_iter().all(|receipt| receipt.outcome().is_some());
        ended && self.pair.state() == State::Connected && self.current().is_some()
    }
}

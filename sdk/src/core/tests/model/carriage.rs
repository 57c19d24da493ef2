//! What lies between client and server: WebSockets and HTTP exchanges, which may be refused, swallowed, cut or frozen.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::server::{CLOSE, PONG};
use super::world::World;
use crate::config::Protocol;
use crate::core::{LinkEvent, LinkId, Method, Response};
use crate::error::Error;
use crate::state::Transport;

/// How new WebSockets, or new sessions on polling, fare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Mood {
    #[default]
    Open,
    Refused,
    Silent,
}

/// One of the platform's wires that has not ended.
#[derive(Debug)]
pub(super) struct Wire {
    kind: Kind,
    /// The session that it belongs to, if the server knows one.
    session: Option<u64>,
    mood: Mood,
    /// Nothing passes, and nobody is told.
    frozen: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// Carries its session.
    Socket,
    /// A WebSocket that may carry its session soon; `true` once the server has the probe.
    Upgrade(bool),
    Get,
    /// What the server does not have yet. `None`: it has, and the answer is on its way.
    Post(Option<Vec<String>>),
}

/// The network.
#[derive(Debug, Default)]
pub(super) struct Network {
    pub(super) websocket: Mood,
    pub(super) polling: Mood,
    pub(super) wires: BTreeMap<LinkId, Wire>,
    /// Frames of the batches under way.
    flight: Vec<(LinkId, String)>,
    /// Answers to probes of WebSockets that may take over.
    probed: VecDeque<LinkId>,
    /// Sessions that one side has ended.
    over: BTreeSet<u64>,
    started: usize,
    stopped: usize,
}

fn broken() -> LinkEvent {
    LinkEvent::Closed(Some(Error::Unreachable("reset".into())))
}

fn answer(status: u16, body: String) -> LinkEvent {
    LinkEvent::Response(Response {
        status,
        retry_after: None,
        body: body.into(),
    })
}

impl World {
    /// Takes note of what the core started, wrote and stopped.
    pub(super) fn note_wires(&mut self) {
        let stopped = self.pair.stopped[self.net.stopped..].to_vec();
        self.net.stopped += stopped.len();
        // Started and stopped in one go: the server never hears of it.
        for at in self.net.started..self.pair.started.len() {
            let (link, request) = self.pair.started[at].clone();
            self.net.started += 1;
            let sid = request.target.split_once("sid=e").map(|(_, rest)| {
                let digits = rest.split('&').next().unwrap();
                digits.parse::<u64>().unwrap()
            });
            self.start(link, &request.method, sid);
        }
        for link in stopped {
            self.net.flight.retain(|(to, _)| *to != link);
            if let Some(wire) = self.net.wires.remove(&link) {
                self.gone(&wire);
            }
        }
        for (link, frame) in self.pair.wire.drain(..) {
            self.net.flight.push((link, frame));
        }
        assert!(self.net.wires.len() <= 5, "wires are left behind: {:?}", self.net.wires);
    }

    fn start(&mut self, link: LinkId, method: &Method, sid: Option<u64>) {
        let protocol = self.protocol;
        let (kind, mut mood) = match method {
            Method::WebSocket if sid.is_some() => (Kind::Upgrade(false), self.net.websocket),
            Method::WebSocket => (Kind::Socket, self.net.websocket),
            Method::Get => (Kind::Get, self.net.polling),
            Method::Post(body) => {
                let body = std::str::from_utf8(body).unwrap();
                self.note_handed(body);
                assert!(body.len() <= 500, "a body of {} bytes", body.len());
                let frames = body.split('\u{1e}').map(str::to_owned).collect();
                (Kind::Post(Some(frames)), Mood::Open)
            }
        };
        if let Some(id) = sid {
            assert!(!self.net.over.contains(&id), "{method:?} on a session that is over");
            let mut same = self.net.wires.values().filter(|wire| wire.session == sid);
            let doubled = |wire: &Wire| std::mem::discriminant(&wire.kind) == std::mem::discriminant(&kind);
            assert!(!same.any(doubled), "a second {method:?} on a session");
            if *method == Method::Post("1".into()) {
                self.net.over.insert(id);
            }
            if *method == Method::Get {
                mood = Mood::Open;
            }
        }
        let session = match sid {
            None if mood == Mood::Open => Some(self.server.open(protocol)),
            known => known,
        };
        let frozen = false;
        let wire = Wire {
            kind,
            session,
            mood,
            frozen,
        };
        self.net.wires.insert(link, wire);
    }

    /// The server notices that a wire is gone, unless nothing gets to it any more.
    fn gone(&mut self, wire: &Wire) {
        let (Some(id), true) = (
            wire.session,
            wire.kind != Kind::Upgrade(false) && wire.kind != Kind::Upgrade(true),
        ) else {
            return;
        };
        if wire.frozen {
            self.server.sessions.remove(&id);
        } else {
            self.server.lose(id);
        }
    }

    /// A wire has said its last.
    fn end(&mut self, link: LinkId, event: LinkEvent) {
        self.net.wires.remove(&link);
        self.net.flight.retain(|(to, _)| *to != link);
        self.pair.forget_batch(link);
        self.pair.event(link, event);
        self.settle();
    }

    /// What is under way gets to the server.
    pub(super) fn arrive(&mut self) {
        let mut written = BTreeSet::new();
        for (link, frame) in std::mem::take(&mut self.net.flight) {
            let Some(wire) = self.net.wires.get(&link).filter(|wire| !wire.frozen) else {
                self.net.flight.push((link, frame));
                continue;
            };
            if wire.mood != Mood::Open {
                self.net.flight.push((link, frame));
                continue;
            }
            written.insert(link);
            self.take_frame(link, frame);
        }
        for (_, wire) in self.net.wires.iter_mut().filter(|(_, wire)| !wire.frozen) {
            if let Kind::Post(frames) = &mut wire.kind
                && let Some(frames) = frames.take()
                && let Some(session) = wire.session.and_then(|id| self.server.sessions.get_mut(&id))
            {
                session.inbox.extend(frames);
            }
        }
        for link in written {
            if self.net.wires.contains_key(&link) {
                self.pair.written_on(link);
                self.settle();
            }
        }
    }

    fn take_frame(&mut self, link: LinkId, frame: String) {
        let Some(wire) = self.net.wires.get_mut(&link) else {
            return;
        };
        let id = wire.session.unwrap_or_default();
        match (&wire.kind, frame.as_str()) {
            (Kind::Upgrade(_), "2probe") => {
                wire.kind = Kind::Upgrade(true);
                self.net.probed.push_back(link);
            }
            (Kind::Upgrade(true), "5") => {
                wire.kind = Kind::Socket;
                let polls = |wire: &Wire| wire.session == Some(id) && matches!(wire.kind, Kind::Get | Kind::Post(_));
                assert!(!self.net.wires.values().any(polls), "the WebSocket took over too early");
            }
            (Kind::Socket, _) => {
                if let Some(session) = self.server.sessions.get_mut(&id) {
                    session.inbox.push_back(frame);
                }
            }
            other => panic!("{other:?} on a wire that does not carry it"),
        }
    }

    /// POSTs that arrived are answered.
    pub(super) fn answer_posts(&mut self) {
        let done = |(link, wire): (&LinkId, &Wire)| (wire.kind == Kind::Post(None) && !wire.frozen).then_some(*link);
        let arrived: Vec<_> = self.net.wires.iter().filter_map(done).collect();
        for link in arrived {
            if self.net.wires.contains_key(&link) {
                self.end(link, answer(200, "ok".to_owned()));
            }
        }
    }

    /// The client hears so much of what was said.
    pub(super) fn hear(&mut self, most: usize) {
        for _ in 0..most {
            if let Some(link) = self.net.probed.pop_front() {
                if self.net.wires.get(&link).is_some_and(|wire| !wire.frozen) {
                    self.pair.event(link, LinkEvent::Text("3probe".into()));
                    self.settle();
                }
            } else if !self.refuse() && !self.hear_packet() && !self.hear_polled(most) {
                return;
            }
        }
    }

    fn refuse(&mut self) -> bool {
        let refused = |(link, wire): (&LinkId, &Wire)| (wire.mood == Mood::Refused && !wire.frozen).then_some(*link);
        let Some(link) = self.net.wires.iter().find_map(refused) else {
            return false;
        };
        self.end(link, answer(403, "no".to_owned()));
        true
    }

    fn hear_packet(&mut self) -> bool {
        let sessions = &mut self.server.sessions;
        let Some((link, said)) = self.net.wires.iter().find_map(|(link, wire)| {
            let carries = wire.kind == Kind::Socket && wire.mood == Mood::Open && !wire.frozen;
            let session = sessions.get_mut(&wire.session.filter(|_| carries)?)?;
            Some((*link, together(&mut session.said)?))
        }) else {
            return false;
        };
        for said in said {
            match said.as_str() {
                PONG => self.pair.event(link, LinkEvent::Pong),
                CLOSE => {
                    if let Some(wire) = self.net.wires.get(&link) {
                        self.server.lose(wire.session.unwrap_or_default());
                    }
                    self.end(link, LinkEvent::Closed(None));
                }
                _ => self.pair.event(link, LinkEvent::Text(said.into())),
            }
            self.settle();
        }
        true
    }

    fn hear_polled(&mut self, most: usize) -> bool {
        let upgrades = |id| {
            let probed = |wire: &Wire| wire.session == Some(id) && wire.kind == Kind::Upgrade(true) && !wire.frozen;
            self.net.wires.values().any(probed)
        };
        let found = self.net.wires.iter().find_map(|(link, wire)| {
            let id = wire
                .session
                .filter(|_| wire.kind == Kind::Get && wire.mood == Mood::Open && !wire.frozen)?;
            let said = &self.server.sessions.get(&id)?.said;
            (!said.is_empty() || upgrades(id)).then_some((*link, id))
        });
        let Some((link, id)) = found else { return false };
        let said = &mut self.server.sessions.get_mut(&id).unwrap().said;
        let mut body = Vec::new();
        while body.len() < most
            && let Some(packets) = together(said)
        {
            body.extend(
                packets
                    .into_iter()
                    .map(|packet| if packet == CLOSE { "1".to_owned() } else { packet }),
            );
        }
        if body.is_empty() {
            body.push("6".to_owned());
        }
        let over = body.iter().any(|packet| packet == "1");
        if over {
            self.server.lose(id);
        }
        self.end(link, answer(200, body.join("\u{1e}")));
        // A client that leaves does not listen any more.
        let leaves = self.net.wires.values().any(|wire| wire.session == Some(id));
        if over && !leaves {
            self.net.over.insert(id);
        }
        true
    }

    /// A wire breaks; so much of what was under way on it got through. The server notices, too.
    pub(super) fn cut(&mut self, which: &proptest::sample::Index, most: usize, told: bool) {
        if self.net.wires.is_empty() {
            return;
        }
        let link = *which.get(&self.net.wires.keys().copied().collect::<Vec<_>>());
        let Some(mut wire) = self.net.wires.remove(&link) else {
            return;
        };
        let id = wire.session.unwrap_or_default();
        let frames: Vec<_> = self
            .net
            .flight
            .extract_if(.., |(to, _)| *to == link)
            .map(|(_, frame)| frame)
            .collect();
        if let Some(session) = self.server.sessions.get_mut(&id).filter(|_| !wire.frozen) {
            match &mut wire.kind {
                Kind::Socket => session.inbox.extend(frames.into_iter().take(most)),
                Kind::Post(frames) if most > 0 => session.inbox.extend(frames.take().unwrap_or_default()),
                _ => {}
            }
            self.server.serve(id, most);
        }
        self.gone(&wire);
        let event = match wire.kind {
            Kind::Get | Kind::Post(_) if told => answer(502, "bad gateway".to_owned()),
            Kind::Socket if told => LinkEvent::Closed(None),
            _ => broken(),
        };
        self.end(link, event);
    }

    /// Nothing passes any more on any wire, and nobody is told.
    pub(super) fn freeze(&mut self) {
        for wire in self.net.wires.values_mut() {
            wire.frozen = true;
        }
    }

    /// The session that carries on, once the network is quiet.
    pub(super) fn current(&self) -> Option<u64> {
        let mut live = self
            .net
            .wires
            .values()
            .filter(|wire| !wire.frozen)
            .filter_map(|wire| wire.session);
        live.next_back()
            .filter(|_| self.protocol == Protocol::Json || self.pair.core.transport().is_some())
    }
}

/// Takes the next packet, and with a CONNECT the greeting: one that is late makes messages `Sent`, which is another story.
fn together(said: &mut VecDeque<String>) -> Option<Vec<String>> {
    let packet = said.pop_front()?;
    let greeting = packet.starts_with("40{").then(|| said.pop_front()).flatten();
    Some([Some(packet), greeting].into_iter().flatten().collect())
}

/// The transports of a client, by a number.
pub(super) fn transports(choice: u8) -> Vec<Transport> {
    match choice % 4 {
        0 => vec![Transport::WebSocket],
        1 => vec![Transport::Polling],
        2 => vec![Transport::WebSocket, Transport::Polling],
        _ => vec![Transport::Polling, Transport::WebSocket],
    }
}

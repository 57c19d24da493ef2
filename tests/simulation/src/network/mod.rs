//! What lies between the people and the server: links with latency, which are refused, swallowed, cut or go silent.
//!
//! - `link`: one link, and what is planned to go wrong with it. `weather`: what the network is like for a person, at a time.

mod link;
mod weather;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use rejoin::core::{Frame, LinkEvent, Request};
use rejoin::sim::{self, Far, Process, WireId, World};

use self::link::{Fate, Link};
pub(crate) use self::weather::{Dials, Weather};
use crate::book::{Facts, PEOPLE, Run, Who, marked};
use crate::rng::Rng;
use crate::server::{Effect, Server};

/// The network and the server behind it. Clones are handles.
#[derive(Clone)]
pub(crate) struct Net {
    inner: Arc<Inner>,
}

struct Inner {
    world: World,
    facts: Facts,
    can_ping: bool,
    server: Mutex<Server>,
    state: Mutex<State>,
}

struct State {
    rng: Rng,
    links: BTreeMap<u64, Link>,
    weather: Vec<Weather>,
    /// The server takes nobody until then.
    down_until: Duration,
}

impl Net {
    pub(crate) fn new(world: World, facts: Facts, server: Server, can_ping: bool, seed: u64) -> Self {
        Self {
            inner: Arc::new(Inner {
                world,
                facts,
                can_ping,
                server: Mutex::new(server),
                state: Mutex::new(State {
                    rng: Rng::new(seed),
                    links: BTreeMap::new(),
                    weather: vec![Weather::default(); PEOPLE.len()],
                    down_until: Duration::ZERO,
                }),
            }),
        }
    }

    /// This network as a process sees it.
    pub(crate) fn port(&self, who: Who) -> Arc<dyn sim::Network> {
        Arc::new(Port { net: self.clone(), who })
    }

    /// Changes what the network is like for a person, for links that are opened from now on and for those that are.
    pub(crate) fn set_weather(&self, who: Who, change: impl FnOnce(&mut Weather)) {
        change(&mut self.state().weather[who]);
    }

    /// Nothing goes wrong from now on that has not already.
    pub(crate) fn calm(&self) {
        for link in self.state().links.values_mut() {
            link.up.spare();
            link.down.spare();
        }
    }

    /// Has something done with the server.
    pub(crate) fn server<R>(&self, deed: impl FnOnce(&mut Server) -> R) -> R {
        deed(&mut self.lock_server())
    }

    pub(crate) fn act(&self, deed: impl FnOnce(&mut Server, Duration) -> Vec<Effect>) {
        let effects = deed(&mut self.lock_server(), self.inner.world.now());
        self.carry_out(effects);
    }

    /// Breaks the links of a person. With `told` both sides hear of it; otherwise nothing passes any more, in the
    /// directions that are named.
    pub(crate) fn disturb(&self, who: Who, told: bool, up: bool, down: bool) {
        let mut state = self.state();
        let mine = state
            .links
            .iter()
            .filter(|(_, link)| link.run.who == who && link.lives());
        let links: Vec<u64> = mine.map(|(id, _)| *id).collect();
        for id in &links {
            if let Some(link) = state.links.get_mut(id).filter(|_| !told) {
                (link.up.mute, link.down.mute) = (link.up.mute || up, link.down.mute || down);
                self.inner.facts.count("fault: a link went silent");
            }
        }
        drop(state);
        if told {
            for id in links {
                self.inner.facts.count("fault: a link was cut");
                self.cut(id);
            }
        }
    }

    /// The server goes down, and comes up again after a time.
    pub(crate) fn restart_server(&self, after: Duration) {
        self.inner.facts.count("fault: the server restarted");
        let until = self.inner.world.now() + after;
        self.state().down_until = until;
        for link in self.server(Server::restart) {
            self.cut(link);
        }
    }

    fn open(&self, who: Who, process: &Process, request: &Request, far: Far) {
        let now = self.inner.world.now();
        let id = far.id().0;
        let run = Run {
            who,
            number: process.number(),
        };
        let facts = &self.inner.facts;
        facts.book().dials.push((run, now, id));
        facts.note(id, || format!("{:<8} dials, link {id}", PEOPLE[who]));
        let mut state = self.state();
        let weather = state.weather[who].clone();
        let fate = match request.method {
            rejoin::core::Method::WebSocket => weather.fate(&mut state.rng),
            // There is no polling here: it is always refused.
            _ => Fate::refused(),
        };
        let latency = weather.latency(&mut state.rng);
        let down = state.down_until > now;
        let link = Link::new(run, far, fate);
        state.links.insert(id, link);
        drop(state);
        let dials = if down { Dials::Refused } else { fate.dials };
        let net = self.downgrade();
        match dials {
            Dials::Swallowed => facts.count("fault: a dial was swallowed"),
            Dials::Refused => {
                facts.count("fault: a dial was refused");
                self.inner.world.at(now + latency, move || net.refuse(id));
            }
            Dials::Open => self.inner.world.at(now + latency * 2, move || net.accept(id)),
        }
    }

    /// A batch goes out, frame by frame.
    fn written(&self, id: u64, frames: Vec<Frame>) -> Duration {
        let now = self.inner.world.now();
        let mut state = self.state();
        let State {
            rng, links, weather, ..
        } = &mut *state;
        let Some(link) = links.get_mut(&id) else {
            return Duration::ZERO;
        };
        let run = link.run;
        let weather = &weather[run.who];
        {
            let mut book = self.inner.facts.book();
            book.batches.push((run, now, id));
        }
        let mut at = now;
        for frame in frames {
            at += weather.writing(rng);
            let text = match frame {
                Frame::Text(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
                Frame::Ping => None,
                _ => Some(String::new()),
            };
            if let Some(n) = text.as_deref().and_then(marked) {
                let at = now;
                self.inner
                    .facts
                    .book()
                    .written
                    .push(crate::book::Written { n, run, at });
            }
            self.inner.facts.note(id, || {
                let text = text.as_deref().unwrap_or("(ping)");
                format!("{:<8} writes on link {id}: {}", PEOPLE[run.who], short(text))
            });
            let Some(passage) = link.up.pass(at + weather.latency(rng)) else {
                continue;
            };
            let net = self.downgrade();
            self.inner
                .world
                .at(passage.at, move || net.arrive(id, at, text, passage.cut));
        }
        at - now
    }

    /// The client has let go of a link.
    fn closed(&self, id: u64) {
        let now = self.inner.world.now();
        let mut state = self.state();
        let State {
            rng, links, weather, ..
        } = &mut *state;
        let Some(link) = links.get_mut(&id) else { return };
        link.near_end = Some(now);
        let run = link.run;
        let latency = weather[run.who].latency(rng);
        let passage = link.up.pass_end(now + latency);
        self.inner
            .facts
            .note(id, || format!("{:<8} lets go of link {id}", PEOPLE[run.who]));
        drop(state);
        if let Some(at) = passage {
            let net = self.downgrade();
            self.inner.world.at(at, move || net.end_far(id));
        }
    }

    fn refuse(&self, id: u64) {
        if let Some(link) = self.state().links.remove(&id) {
            link.far.break_off("connection refused");
        }
    }

    fn accept(&self, id: u64) {
        let mut state = self.state();
        let now = self.inner.world.now();
        let down = state.down_until > now;
        match state.links.get_mut(&id) {
            Some(link) if link.near_end.is_none() && !down => link.open = true,
            _ => {
                drop(state);
                return self.refuse(id);
            }
        }
        drop(state);
        self.act(|server, now| server.opened(now, id));
    }

    /// A frame has come to the server.
    fn arrive(&self, id: u64, left_at: Duration, text: Option<String>, cut: Option<bool>) {
        let mut state = self.state();
        let arrives = match state.links.get_mut(&id) {
            // What was not yet with the system when the client went is lost.
            Some(link) => link.lives() && link.near_end.is_none_or(|end| left_at <= end),
            None => false,
        };
        drop(state);
        if !arrives {
            return;
        }
        if cut == Some(true) {
            self.inner
                .facts
                .count("fault: a link was cut before a frame to the server");
            return self.cut(id);
        }
        match text {
            Some(text) => self.act(|server, now| server.received(now, id, text)),
            None => self.act(|server, _| server.pinged(id)),
        }
        if cut == Some(false) {
            self.inner
                .facts
                .count("fault: a link was cut behind a frame to the server");
            self.cut(id);
        }
    }

    /// A frame has come to the client.
    fn reach(&self, id: u64, event: LinkEvent, cut: Option<bool>) {
        let now = self.inner.world.now();
        let mut state = self.state();
        let Some(link) = state
            .links
            .get_mut(&id)
            .filter(|link| link.near_end.is_none() && !link.cut)
        else {
            return;
        };
        if cut == Some(true) {
            drop(state);
            self.inner
                .facts
                .count("fault: a link was cut before a frame to the client");
            return self.cut(id);
        }
        let (far, run) = (link.far.clone(), link.run);
        let over = matches!(event, LinkEvent::Closed(_));
        if over {
            state.links.remove(&id);
        }
        drop(state);
        self.inner.facts.book().reached.push((run, now, id));
        self.inner.facts.note(id, || {
            let what = match &event {
                LinkEvent::Text(text) => short(text).to_owned(),
                other => format!("({other:?})"),
            };
            format!("{:<8} hears on link {id}: {what}", PEOPLE[run.who])
        });
        far.push(event);
        if cut == Some(false) {
            self.inner
                .facts
                .count("fault: a link was cut behind a frame to the client");
            self.cut(id);
        }
    }

    /// A link breaks, and both sides hear of it in their time.
    fn cut(&self, id: u64) {
        let now = self.inner.world.now();
        let mut state = self.state();
        let State {
            rng, links, weather, ..
        } = &mut *state;
        let Some(link) = links.get_mut(&id).filter(|link| !link.cut) else {
            return;
        };
        link.cut = true;
        let who = link.run.who;
        let (near, far) = (weather[who].latency(rng), weather[who].latency(rng));
        self.inner.facts.note(id, || format!("network  link {id} breaks"));
        drop(state);
        let net = self.downgrade();
        self.inner.world.at(now + far, move || net.lose_far(id));
        let net = self.downgrade();
        self.inner.world.at(now + near, move || net.end_near(id));
    }

    fn end_near(&self, id: u64) {
        let mut state = self.state();
        let Some(link) = state.links.get(&id) else { return };
        let gone = link.near_end.is_some();
        let far = link.far.clone();
        state.links.remove(&id);
        drop(state);
        if !gone {
            far.break_off("reset");
        }
    }

    fn end_far(&self, id: u64) {
        self.state().links.remove(&id);
        self.act(|server, now| server.lost(now, id));
    }

    fn lose_far(&self, id: u64) {
        self.act(|server, now| server.lost(now, id));
    }

    fn carry_out(&self, effects: Vec<Effect>) {
        let now = self.inner.world.now();
        for effect in effects {
            match effect {
                Effect::Send(link, text) => self.down(link, LinkEvent::Text(text.into())),
                Effect::Pong(link) => self.down(link, LinkEvent::Pong),
                Effect::Close(link) => self.down(link, LinkEvent::Closed(None)),
                Effect::Later(after, job) => {
                    let net = self.downgrade();
                    self.inner
                        .world
                        .at(now + after, move || net.act(|server, now| server.work(now, job)));
                }
            }
        }
    }

    /// The server says something to a client.
    fn down(&self, id: u64, event: LinkEvent) {
        let now = self.inner.world.now();
        let mut state = self.state();
        let State {
            rng, links, weather, ..
        } = &mut *state;
        let Some(link) = links.get_mut(&id).filter(|link| !link.cut) else {
            return;
        };
        let at = now + weather[link.run.who].latency(rng);
        let Some(passage) = link.down.pass(at) else { return };
        drop(state);
        let net = self.downgrade();
        self.inner
            .world
            .at(passage.at, move || net.reach(id, event, passage.cut));
    }

    /// What the world holds must not hold the world.
    fn downgrade(&self) -> Later {
        Later(Arc::downgrade(&self.inner))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_server(&self) -> MutexGuard<'_, Server> {
        self.inner.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A network that does something later.
struct Later(Weak<Inner>);

impl Later {
    fn net(&self) -> Option<Net> {
        self.0.upgrade().map(|inner| Net { inner })
    }
}

macro_rules! later {
    ($($name:ident($($arg:ident: $type:ty),*))*) => {
        impl Later {
            $(fn $name(&self, $($arg: $type),*) {
                if let Some(net) = self.net() {
                    net.$name($($arg),*);
                }
            })*
        }
    };
}

later! {
    refuse(id: u64)
    accept(id: u64)
    end_far(id: u64)
    lose_far(id: u64)
    end_near(id: u64)
    arrive(id: u64, left_at: Duration, text: Option<String>, cut: Option<bool>)
    reach(id: u64, event: LinkEvent, cut: Option<bool>)
    act(deed: impl FnOnce(&mut Server, Duration) -> Vec<Effect>)
}

/// The network as one person has it.
struct Port {
    net: Net,
    who: Who,
}

impl sim::Network for Port {
    fn open(&self, process: &Process, request: Request, far: Far) {
        self.net.open(self.who, process, &request, far);
    }

    fn written(&self, wire: WireId, frames: Vec<Frame>) -> Duration {
        self.net.written(wire.0, frames)
    }

    fn closed(&self, wire: WireId) {
        self.net.closed(wire.0);
    }

    fn can_ping(&self) -> bool {
        self.net.inner.can_ping
    }
}

fn short(text: &str) -> &str {
    let end = text.char_indices().nth(160).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

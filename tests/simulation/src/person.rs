//! A person: a device, a process on it, and a chat client in that as an app has it.

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use rejoin::sim::{Device, Process, World};
use rejoin::{
    EmitOptions, Event, NewRoom, Notice, Outcome, QueueConfig, RawArgs, RealtimeClient, Receipt, State, Subscription,
    Target, Transport,
};
use serde_json::Value;

use crate::book::{Call, Facts, Heard, Kind, PEOPLE, Run, Sent, Who, mark};
use crate::disk::Platter;
use crate::network::Net;
use crate::plan::{Habits, Note};
use crate::server::chat::POISON;

/// What a person knows of rooms and typists, from events alone.
#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) session: Option<String>,
    pub(crate) rooms: BTreeMap<String, BTreeSet<String>>,
    pub(crate) typists: BTreeSet<(String, Option<String>)>,
}

/// What a person last said about a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    In,
    Out,
    /// It depends on what the server said meanwhile.
    Unclear,
}

/// One person.
pub(crate) struct Person {
    pub(crate) who: Who,
    pub(crate) device: Device,
    pub(crate) habits: Habits,
    pub(crate) disk: Option<Platter>,
    /// The newest token that was given to this person.
    pub(crate) token: Arc<AtomicU64>,
    pub(crate) life: Option<Life>,
    pub(crate) wishes: BTreeMap<String, Wish>,
    facts: Facts,
    net: Net,
    created: u64,
}

/// A process, from its start to its end.
pub(crate) struct Life {
    pub(crate) process: Process,
    pub(crate) client: RealtimeClient,
    pub(crate) view: Arc<Mutex<View>>,
    /// The receipts' numbers, by message.
    receipts: Vec<(usize, u64)>,
    _subscriptions: Vec<Subscription>,
}

impl Life {
    pub(crate) fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Person {
    pub(crate) fn new(world: &World, who: Who, habits: Habits, facts: Facts, net: Net, seed: u64) -> Self {
        let device = world.device(1_700_000_000_000);
        device.set_slack(habits.slack);
        net.set_weather(who, |weather| *weather = habits.weather.clone());
        Self {
            who,
            device,
            disk: habits.stores.then(|| Platter::new(seed, facts.clone())),
            habits,
            token: Arc::default(),
            life: None,
            wishes: BTreeMap::new(),
            facts,
            net,
            created: 0,
        }
    }

    fn token_text(&self) -> String {
        format!("{}.{}", PEOPLE[self.who], self.token.load(Ordering::Relaxed))
    }

    /// Starts a process with a client in it.
    pub(crate) fn start(&mut self) {
        let process = self.device.start(self.net.port(self.who));
        let habits = &self.habits;
        let mut queue = QueueConfig::default();
        queue.capacity = habits.capacity;
        queue.overflow = habits.overflow;
        queue.ttl = habits.ttl;
        let mut builder = RealtimeClient::builder("http://127.0.0.1:3000")
            .process(&process)
            .delivery(habits.delivery)
            .queue(queue)
            .ack_timeout(habits.ack_timeout)
            .connect_timeout(habits.connect_timeout);
        if let Some(most) = habits.max_attempts {
            builder = builder.max_attempts(most);
        }
        if !habits.polling_too {
            builder = builder.transports([Transport::WebSocket]);
        }
        if let Some(disk) = &self.disk {
            builder = builder.store(disk.store(&process));
        }
        if habits.provides {
            let (token, user, process) = (Arc::clone(&self.token), PEOPLE[self.who], process.clone());
            builder = builder.token_provider(move || {
                let (token, process) = (Arc::clone(&token), process.clone());
                async move {
                    process.sleep(std::time::Duration::from_millis(30)).await;
                    Ok(format!("{user}.{}", token.load(Ordering::Relaxed)))
                }
            });
        } else {
            builder = builder.token(&self.token_text());
        }
        let client = builder.build().expect("these options are right");
        let view = Arc::<Mutex<View>>::default();
        let subscriptions = self.listen(&client, &process, &view);
        self.facts.note(1, || {
            format!("{:<8} starts process {}", PEOPLE[self.who], process.number())
        });
        self.life = Some(Life {
            process,
            client,
            view,
            receipts: Vec::new(),
            _subscriptions: subscriptions,
        });
    }

    fn listen(&self, client: &RealtimeClient, process: &Process, view: &Arc<Mutex<View>>) -> Vec<Subscription> {
        let run = Run {
            who: self.who,
            number: process.number(),
        };
        let (facts, view) = (self.facts.clone(), Arc::clone(view));
        let events = client.on_any(move |event| hear(run, event, &facts, &view));
        let facts = self.facts.clone();
        let states = client.socket().on_state(move |change| {
            let now = facts.now();
            facts.note(2, || format!("{:<8} is {}", PEOPLE[run.who], change.to_json()));
            let (from, to) = (change.previous.name(), change.state.name());
            facts.count(&format!("state: {from} -> {to}"));
            if let Some(reason) = change.reason {
                facts.count(&format!("reason: {}", reason.as_str()));
            }
            facts.book().states.push((run, now, change.clone()));
        });
        let facts = self.facts.clone();
        let notices = client.socket().on_notice(move |notice| {
            facts.note(3, || format!("{:<8} notices {}", PEOPLE[run.who], notice.to_json()));
            facts.count(&format!("notice: {}", notice.name()));
            if let Notice::Overflow {
                message_id: Some(id), ..
            } = notice
            {
                facts.book().dropped.insert(id.clone());
            }
            if let Notice::MessageStatus { message_id, status, .. } = notice {
                let mut book = facts.book();
                book.statuses.push((run, message_id.clone(), status));
            }
        });
        vec![events, states, notices]
    }

    /// The system kills the process.
    pub(crate) fn crash(&mut self) {
        let Some(life) = self.life.take() else { return };
        self.facts.note(4, || format!("{:<8} is killed", PEOPLE[self.who]));
        self.facts.call(self.who, Call::Crash);
        life.process.kill();
        if let Some(disk) = &self.disk {
            disk.crash();
        }
        self.wishes.clear();
    }

    /// Whether there is somebody to act.
    pub(crate) fn is_there(&self) -> bool {
        self.life.is_some() && self.device.is_awake()
    }

    pub(crate) fn client(&self) -> Option<&RealtimeClient> {
        self.life.as_ref().map(|life| &life.client)
    }

    pub(crate) fn run(&self) -> Option<Run> {
        let number = self.life.as_ref()?.process.number();
        Some(Run { who: self.who, number })
    }

    pub(crate) fn other(&self) -> &'static str {
        PEOPLE[1 - self.who]
    }

    pub(crate) fn state(&self) -> Option<State> {
        Some(self.client()?.state())
    }

    pub(crate) fn send_private(&mut self, poison: bool) {
        let (other, reliable) = (self.other(), true);
        let about = About::new(Kind::Private, Some(format!("user:{other}")), reliable, poison);
        self.send(about, |client, content| client.send_private_message(other, content));
    }

    pub(crate) fn send_group(&mut self, room: &str) {
        let about = About::new(Kind::Group, Some(format!("room:{room}")), true, false);
        self.send(about, |client, content| client.send_group_message(room, content));
    }

    pub(crate) fn send_note(&mut self, note: Note) {
        let mut about = About::new(Kind::Note, note.lane.map(str::to_owned), note.reliable, false);
        about.volatile = note.volatile;
        about.ttl = note.ttl;
        about.timeout = note.timeout;
        self.send(about, |client, content| {
            let mut options = EmitOptions::new();
            if note.ack {
                options = options.ack();
            }
            if note.reliable {
                options = options.reliable();
            }
            if note.volatile {
                options = options.volatile();
            }
            if let Some(lane) = note.lane {
                options = options.lane(lane);
            }
            if let Some(ttl) = note.ttl {
                options = options.ttl(ttl);
            }
            if let Some(limit) = note.timeout {
                options = options.timeout(limit);
            }
            let lane = note.lane.unwrap_or_default();
            let args = format!(r#"[{{"content":"{content}","lane":"{lane}"}}]"#);
            client.socket().emit_raw("note", RawArgs::json(args), options)
        });
    }

    pub(crate) fn create(&mut self, password: bool) {
        self.created += 1;
        let about = About::new(Kind::Create, None, true, false);
        self.send(about, |client, content| {
            client.create_room(NewRoom {
                name: format!("room {content}"),
                password: password.then(|| "right".to_owned()),
                ..NewRoom::default()
            })
        });
    }

    pub(crate) fn join(&mut self, room: &str, right: bool) {
        let wish = if right { Wish::In } else { Wish::Unclear };
        self.wishes.insert(room.to_owned(), wish);
        let about = About::new(Kind::Join, None, false, false);
        self.send(about, |client, _| match (room, right) {
            ("den", true) => client.join_room_with_password(room, "right"),
            ("den", false) => client.join_room_with_password(room, "wrong"),
            _ => client.join_room(room),
        });
    }

    pub(crate) fn leave(&mut self, room: &str) {
        self.wishes.insert(room.to_owned(), Wish::Out);
        let about = About::new(Kind::Leave, None, false, false);
        self.send(about, |client, _| client.leave_room(room));
    }

    pub(crate) fn target(&self, room: Option<&str>) -> Target {
        match room {
            Some(room) => Target::room(room),
            None => Target::user(self.other()),
        }
    }

    /// Takes back one of the last messages.
    pub(crate) fn cancel(&self, drawn: u64) {
        let Some(life) = &self.life else { return };
        let recent = life.receipts.len().min(8) as u64;
        if recent == 0 {
            return;
        }
        let at = life.receipts.len() - 1 - usize::try_from(drawn % recent).unwrap_or(0);
        let (n, receipt) = life.receipts[at];
        let done = life.client.socket().cancel(receipt);
        self.facts
            .note(5, || format!("{:<8} cancels {n}: {done}", PEOPLE[self.who]));
        if done {
            self.facts.book().taken_back.insert(n);
        }
        self.facts.count(if done { "cancelled" } else { "not cancelled" });
    }

    fn send(&mut self, about: About, emit: impl FnOnce(&RealtimeClient, &str) -> Receipt) {
        let run = self.run();
        let (Some(life), Some(run)) = (&mut self.life, run) else {
            return;
        };
        let n = self.facts.book().sent.len();
        let mut content = mark(n);
        if about.poison {
            content.push_str(POISON);
        }
        self.facts.book().sent.push(Sent {
            run,
            kind: about.kind,
            lane: about.lane,
            message_id: None,
            reliable: about.reliable,
            volatile: about.volatile,
            ttl: about.ttl.or(self.habits.ttl),
            ack_timeout: about.timeout.unwrap_or(self.habits.ack_timeout),
            poison: about.poison,
            at: self.facts.now(),
            accepted: None,
            outcomes: Vec::new(),
        });
        let receipt = emit(&life.client, &content);
        self.facts.book().sent[n].message_id = receipt.message_id().map(str::to_owned);
        life.receipts.push((n, receipt.id()));
        self.facts.note(n as u64, || {
            format!(
                "{:<8} sends {n}, {:?}, as {:?}",
                PEOPLE[run.who],
                about.kind,
                receipt.message_id()
            )
        });
        life.process.spawn(watch(n, receipt, self.facts.clone()));
    }
}

struct About {
    kind: Kind,
    lane: Option<String>,
    reliable: bool,
    volatile: bool,
    poison: bool,
    ttl: Option<std::time::Duration>,
    timeout: Option<std::time::Duration>,
}

impl About {
    fn new(kind: Kind, lane: Option<String>, reliable: bool, poison: bool) -> Self {
        Self {
            kind,
            lane,
            reliable,
            volatile: false,
            poison,
            ttl: None,
            timeout: None,
        }
    }
}

/// Waits for what becomes of a message.
async fn watch(n: usize, mut receipt: Receipt, facts: Facts) {
    let mut accepted = receipt.accepted();
    let mut taken = false;
    let outcome = poll_fn(|cx| {
        if !taken && let Poll::Ready(answer) = Pin::new(&mut accepted).poll(cx) {
            taken = true;
            if answer.is_ok() {
                let now = facts.now();
                facts.book().sent[n].accepted = Some(now);
                facts.note(n as u64, || format!("         {n} is accepted"));
            }
        }
        Pin::new(&mut receipt).poll(cx)
    })
    .await;
    let now = facts.now();
    facts.note(n as u64, || format!("         {n} ends {outcome:?}"));
    facts.count(&match &outcome {
        Outcome::Rejected(error) | Outcome::Unconfirmed(error) => {
            format!("outcome: {} ({})", outcome.name(), error.kind().as_str())
        }
        other => format!("outcome: {}", other.name()),
    });
    facts.book().sent[n].outcomes.push((now, outcome));
}

/// What a handler does with an event.
fn hear(run: Run, event: &Event, facts: &Facts, view: &Mutex<View>) {
    let data: Value = event
        .payload()
        .raw(0)
        .and_then(|raw| serde_json::from_str(raw).ok())
        .unwrap_or_default();
    let text = |name: &str| data[name].as_str().map(str::to_owned);
    let offset = event.payload().raw(1).and_then(|raw| {
        let (offset, session) = raw.trim_matches('"').strip_prefix('o')?.split_once('-')?;
        Some((offset.parse().ok()?, session.to_owned()))
    });
    let typist = match event.name() {
        "typing_start" | "typing_stop" => text("userId").map(|user| (user, text("roomId"))),
        _ => None,
    };
    let now = facts.now();
    facts.note(6, || {
        format!(
            "{:<8} handles {} {}",
            PEOPLE[run.who],
            event.name(),
            event.payload().to_json()
        )
    });
    facts.count(&format!("event: {}", event.name()));
    facts.book().heard.push(Heard {
        run,
        at: now,
        name: event.name().to_owned(),
        id: text("id"),
        offset,
        typist: typist.clone(),
    });
    let mut view = view.lock().unwrap_or_else(PoisonError::into_inner);
    let user = || data["user"]["id"].as_str().map(str::to_owned);
    // The server names the session in what is for one alone; the rooms of another are not this one's.
    if let Some(session) = text("session")
        && view.session.as_ref() != Some(&session)
    {
        view.rooms.clear();
        view.session = Some(session);
    }
    match event.name() {
        "room_joined" => {
            let members = data["members"].as_array().into_iter().flatten();
            let members = members.filter_map(|member| member["id"].as_str().map(str::to_owned));
            view.rooms.insert(text("room").unwrap_or_default(), members.collect());
        }
        "room_created" => {
            let me = PEOPLE[run.who].to_owned();
            view.rooms.entry(text("id").unwrap_or_default()).or_default().insert(me);
        }
        "room_left" => _ = view.rooms.remove(&text("roomId").unwrap_or_default()),
        "user_joined_room" | "user_left_room" => {
            let joined = event.name() == "user_joined_room";
            if let (Some(members), Some(user)) = (view.rooms.get_mut(&text("roomId").unwrap_or_default()), user()) {
                if joined {
                    members.insert(user);
                } else if user != PEOPLE[run.who] {
                    // Of oneself it tells where another link of one's own has ended.
                    members.remove(&user);
                }
            }
        }
        "typing_start" => view.typists.extend(typist),
        "typing_stop" => {
            if let Some(typist) = typist {
                view.typists.remove(&typist);
            }
        }
        _ => {}
    }
}

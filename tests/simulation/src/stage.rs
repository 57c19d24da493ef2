//! One seed from its beginning to its end: the script, then quiet, then the checks.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rejoin::sim::World;
use rejoin::{Hint, RealtimeClient, State};

use crate::book::{Call, Facts, PEOPLE, Who};
use crate::check;
use crate::disk::Platter;
use crate::network::{Net, Weather};
use crate::person::Person;
use crate::plan::{Deed, Plan, ROOMS, Step};
use crate::rng::Rng;
use crate::server::Server;

/// How long everything has to come to an end once nothing disturbs it.
const QUIET: Duration = Duration::from_secs(400);

/// What one seed brought.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) failures: Vec<String>,
    pub(crate) counts: BTreeMap<String, u64>,
    pub(crate) digest: u64,
    /// How much virtual time passed.
    pub(crate) lasted: Duration,
}

/// A world with everything in it.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) facts: Facts,
    pub(crate) net: Net,
    pub(crate) people: Vec<Person>,
}

/// Runs one seed.
pub(crate) fn run(seed: u64, trace: bool) -> Report {
    let plan = Plan::draw(seed);
    if trace {
        println!("{plan:#?}");
    }
    let world = World::new(seed);
    let facts = Facts::new(world.clone(), trace);
    let mut rng = Rng::new(seed ^ 0xfeed);
    let server = Server::new(plan.manner.clone(), rng.bits(), facts.clone());
    let net = Net::new(world.clone(), facts.clone(), server, plan.can_ping, rng.bits());
    let people = plan.people.iter().enumerate();
    let people =
        people.map(|(who, habits)| Person::new(&world, who, habits.clone(), facts.clone(), net.clone(), rng.bits()));
    let mut stage = Stage {
        people: people.collect(),
        world: world.clone(),
        facts,
        net,
    };
    // A world ends by a word, also where what is in it panics.
    let _end = End(world);
    stage.perform(plan.script);
    stage.world.run_until(plan.calm_at);
    stage.calm();
    let mut failures = stage.come_to_rest();
    let settled = failures.is_empty();
    if settled {
        failures.extend(stage.type_to_each_other());
    }
    failures.extend(check::all(&stage, settled));
    let lasted = stage.world.now();
    let mut book = stage.facts.book();
    Report {
        failures,
        counts: std::mem::take(&mut book.counts),
        digest: book.digest,
        lasted,
    }
}

struct End(World);

impl Drop for End {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Stage {
    fn perform(&mut self, script: Vec<Step>) {
        for person in &mut self.people {
            person.start();
        }
        // When killed processes are started again, and sleeping devices wake up.
        let mut returns: Vec<(Duration, Who, bool)> = Vec::new();
        for Step { at, who, deed } in script {
            loop {
                returns.sort();
                match returns.first().copied() {
                    Some((when, who, is_sleep)) if when <= at => {
                        returns.remove(0);
                        self.world.run_until(when);
                        self.come_back(who, is_sleep);
                    }
                    _ => break,
                }
            }
            self.world.run_until(at);
            match &deed {
                Deed::Crash(after) if self.people[who].life.is_some() => {
                    self.facts.count("fault: killed");
                    self.people[who].crash();
                    returns.push((at + *after, who, false));
                }
                Deed::Sleep(time) if self.people[who].device.is_awake() => {
                    self.facts.count("fault: the device slept");
                    self.people[who].device.sleep();
                    returns.push((at + *time, who, true));
                }
                _ => self.act(who, deed),
            }
        }
        for (_, who, is_sleep) in returns {
            self.come_back(who, is_sleep);
        }
    }

    fn come_back(&mut self, who: Who, is_sleep: bool) {
        if is_sleep {
            self.facts.call(who, Call::Clock);
            self.people[who].device.wake();
        } else {
            self.facts.count("restarted");
            self.people[who].start();
            self.act(who, Deed::Connect);
        }
    }

    fn act(&mut self, who: Who, deed: Deed) {
        let facts = self.facts.clone();
        facts.note(7, || format!("{:<8} {deed:?}", PEOPLE[who]));
        match deed {
            Deed::Cut => return self.net.disturb(who, true, true, true),
            Deed::Silence { up, down } => return self.net.disturb(who, false, up, down),
            Deed::Weather(weather) => return self.net.set_weather(who, |known| *known = weather),
            Deed::RestartServer(after) => return self.net.restart_server(after),
            Deed::Kick {
                code,
                retry_after,
                politely,
            } => {
                facts.count(&format!("fault: kicked ({code})"));
                return self
                    .net
                    .act(|server, now| server.kick(now, PEOPLE[who], code, retry_after, politely));
            }
            Deed::ExpireTokens => {
                facts.count("fault: tokens expired");
                let version = self.people[who].token.fetch_add(1, Ordering::Relaxed) + 1;
                return self.net.server(|server| server.expire_tokens(PEOPLE[who], version));
            }
            Deed::Notify => return self.net.act(|server, now| server.notify(now, PEOPLE[who])),
            _ => {}
        }
        let person = &mut self.people[who];
        if !person.is_there() {
            return;
        }
        let Some(client) = person.client().cloned() else { return };
        match deed {
            Deed::Connect => {
                facts.call(who, Call::Connect);
                client.connect();
            }
            Deed::Disconnect => {
                facts.call(who, Call::Disconnect);
                client.disconnect();
            }
            Deed::Private { poison } => person.send_private(poison),
            Deed::Group(room) => person.send_group(room),
            Deed::Note(note) => person.send_note(note),
            Deed::Burst(count) => (0..count).for_each(|_| person.send_private(false)),
            Deed::Create { password } => person.create(password),
            Deed::Join { room, right } => person.join(room, right),
            Deed::Leave(room) => person.leave(room),
            Deed::Type { room } => client.start_typing(person.target(room)),
            Deed::StopTyping { room } => client.stop_typing(person.target(room)),
            Deed::Cancel(drawn) => person.cancel(drawn),
            Deed::Clear => {
                facts.call(who, Call::Clear);
                client.socket().clear();
            }
            Deed::Hint(hint) => {
                facts.call(
                    who,
                    match hint {
                        Hint::Online => Call::Online,
                        Hint::Offline => Call::Offline,
                        Hint::Background => Call::Background,
                        _ => Call::Foreground,
                    },
                );
                client.hint(hint);
            }
            Deed::Token => {
                facts.call(who, Call::Token);
                let token = format!("{}.{}", PEOPLE[who], person.token.load(Ordering::Relaxed));
                client.set_token(&token);
            }
            Deed::Forget => {
                facts.call(who, Call::Forget);
                client.forget();
                person.wishes.clear();
            }
            Deed::StepClock(ms) => {
                facts.count("fault: the wall clock stepped");
                facts.call(who, Call::Clock);
                person.device.step_clock(ms);
            }
            _ => {}
        }
    }

    /// Nothing disturbs anybody any more, and everybody is there.
    fn calm(&mut self) {
        self.net.server(Server::calm);
        self.net.calm();
        for who in 0..self.people.len() {
            self.facts.note(8, || "it becomes quiet".to_owned());
            self.net.set_weather(who, |weather| *weather = Weather::default());
            let person = &mut self.people[who];
            person.device.wake();
            if let Some(disk) = &person.disk {
                disk.calm();
            }
            if person.life.is_none() {
                person.start();
            }
            self.act(who, Deed::Token);
            self.act(who, Deed::Hint(Hint::Online));
            self.act(who, Deed::Hint(Hint::Foreground));
            self.act(who, Deed::Connect);
            // Messages of an earlier life wait for the app to say which rooms it is in.
            let person = &self.people[who];
            let waits = |client: &RealtimeClient| {
                let mut pending = client.socket().pending().into_iter();
                pending.any(|pending| pending.event == "group_message")
            };
            if person.run().is_some_and(|run| run.number > 0) && person.client().is_some_and(waits) {
                for room in ROOMS {
                    self.act(who, Deed::Join { room, right: true });
                }
            }
            self.act(who, Deed::Private { poison: false });
        }
    }

    /// Waits until everybody is connected and every message has its outcome. Gives what never comes to that.
    fn come_to_rest(&mut self) -> Vec<String> {
        let end = self.world.now() + QUIET;
        let mut quiet_since = None;
        loop {
            self.world.run_until(self.world.now() + Duration::from_millis(500));
            for who in 0..self.people.len() {
                if matches!(
                    self.people[who].state(),
                    Some(State::Failed | State::Closed | State::Idle)
                ) {
                    self.act(who, Deed::Connect);
                }
            }
            let restless = self.restless();
            let now = self.world.now();
            if !restless.is_empty() {
                quiet_since = None;
                if now > end {
                    return restless;
                }
            } else if now > *quiet_since.get_or_insert(now) + Duration::from_secs(8) {
                return Vec::new();
            }
        }
    }

    fn restless(&self) -> Vec<String> {
        let mut restless = Vec::new();
        for person in &self.people {
            if person.state() != Some(State::Connected) {
                restless.push(format!(
                    "{} is {:?}, though nothing is in the way",
                    PEOPLE[person.who],
                    person.state()
                ));
            }
            let pending = person.client().map_or(0, |client| client.socket().pending().len());
            if pending > 0 {
                restless.push(format!("{} has {pending} messages that still wait", PEOPLE[person.who]));
            }
        }
        let links = self.net.server(|server| server.links());
        if links != self.people.len() {
            restless.push(format!("the server has {links} links"));
        }
        if self.net.server(|server| server.kept()) > 0 && crate::expected::RECEIPTS {
            restless.push("the server has no receipt for what it keeps".to_owned());
        }
        let lives: Vec<_> = self.people.iter().map(Person::run).collect();
        for (n, sent) in self.facts.book().sent.iter().enumerate() {
            if sent.outcomes.is_empty() && lives[sent.run.who] == Some(sent.run) {
                restless.push(format!("message {n} has no outcome"));
            }
        }
        for person in self.people.iter().filter(|_| restless.is_empty()) {
            let kept = person.disk.as_ref().map(Platter::message_ids).unwrap_or_default();
            if !kept.is_empty() {
                return vec![format!("the store of {} still keeps {kept:?}", PEOPLE[person.who])];
            }
        }
        restless
    }

    /// Everybody types, and stops. Gives whose view of that is wrong.
    fn type_to_each_other(&mut self) -> Vec<String> {
        let mut failures = Vec::new();
        for _ in 0..5 {
            for who in 0..self.people.len() {
                self.act(who, Deed::Type { room: None });
            }
            self.world.run_until(self.world.now() + Duration::from_millis(900));
        }
        for person in &self.people {
            let typist = (person.other().to_owned(), None);
            let knows = |life: &crate::person::Life| life.view().typists.iter().eq([&typist]);
            if !person.life.as_ref().is_some_and(knows) {
                failures.push(format!(
                    "{} does not see that {} types, and nobody else",
                    PEOPLE[person.who], typist.0
                ));
            }
        }
        self.world.run_until(self.world.now() + Duration::from_secs(8));
        for person in &self.people {
            if let Some(life) = &person.life
                && !life.view().typists.is_empty()
            {
                failures.push(format!(
                    "{} believes that {:?} type, and nobody does",
                    PEOPLE[person.who],
                    life.view().typists
                ));
            }
        }
        failures
    }
}

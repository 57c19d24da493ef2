//! CONNECT: who comes, with which token, and whether to a session that was lost. As npm's adapter in memory does it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::session::Joined;
use super::{Effect, Job, Server};

/// How long a lost session may be taken up again.
const KEPT: Duration = Duration::from_secs(120);

/// A session that was lost.
#[derive(Debug, Clone)]
pub(super) struct Saved {
    user: String,
    sid: String,
    rooms: BTreeSet<String>,
    until: Duration,
}

/// An event that is kept for sessions that may come back.
#[derive(Debug, Clone)]
pub(super) struct Packet {
    offset: u64,
    to: To,
    /// The session that it does not go to.
    except: Option<String>,
    name: String,
    payload: Value,
}

/// Whom an event is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum To {
    Session(String),
    User(String),
    Room(String),
}

impl Server {
    /// Someone wants to join.
    pub(super) fn join(&mut self, link: u64, data: &Value) {
        let token = data["token"].as_str().unwrap_or_default();
        let (user, version) = token.split_once('.').unwrap_or((token, "0"));
        let version: u64 = version.parse().unwrap_or(0);
        if version < self.tokens.get(user).copied().unwrap_or(0) {
            self.facts.count("server: refused an old token");
            let mut refusal = json!({"message": "the token has expired", "data": {"code": "token_expired"}});
            if self.rng.chance(20) {
                refusal["data"]["retryAfterMs"] = self.rng.between(500, 4_000).into();
            }
            self.send(link, format!("44{refusal}"));
            return;
        }
        let user = user.to_owned();
        let restored = self.restore(data, &user);
        let recovered = restored.is_some();
        let (pid, saved, offset) = restored.unwrap_or_else(|| {
            let saved = Saved {
                user: user.clone(),
                sid: format!("s{}", self.name()),
                rooms: BTreeSet::new(),
                until: Duration::MAX,
            };
            (format!("p{}", self.name()), saved, 0)
        });
        let sid = saved.sid.clone();
        let Some(session) = self.sessions.get_mut(&link) else {
            return;
        };
        session.joined = Some(Joined::new(user.clone(), sid.clone(), pid.clone()));
        if recovered {
            self.facts.count("server: took up a lost session");
            let missed = |packet: &&Packet| packet.offset > offset && includes(packet, &saved);
            // As npm's: by the rooms that the session was in when it was lost, whenever it came into them.
            if let Some(chain) = self.facts.book().chains.get_mut(&pid) {
                chain.offsets.retain(|known| *known <= offset);
            }
            let missed: Vec<Packet> = self.log.iter().filter(missed).cloned().collect();
            for packet in missed {
                self.note_meant(&pid, &packet);
                self.facts.count("server: said again what was missed");
                self.send(link, packet_text(&packet, &pid));
            }
        } else if self.manner.recovers {
            let who = crate::book::PEOPLE.iter().position(|id| *id == user).unwrap_or(0);
            let mut book = self.facts.book();
            book.chains.entry(pid.clone()).or_default().who = who;
        }
        let mut connect = json!({"sid": sid});
        if self.manner.recovers {
            connect["pid"] = pid.into();
        }
        self.send(link, format!("40{connect}"));
        for room in &saved.rooms {
            self.enter(link, room);
        }
        if self.manner.greeting.is_zero() {
            self.greet(link, &sid);
        } else {
            let greet = Job::Greet(link, sid);
            self.out.push(Effect::Later(self.manner.greeting, greet));
        }
    }

    /// The session that the data names, if it was lost and not too long ago, with the offset from which on.
    fn restore(&mut self, data: &Value, user: &str) -> Option<(String, Saved, u64)> {
        let (pid, offset) = (data["pid"].as_str()?, data["offset"].as_str()?);
        if !self.manner.recovers {
            return None;
        }
        let offset: u64 = offset.strip_prefix('o')?.split_once('-')?.0.parse().ok()?;
        if !self.log.iter().any(|packet| packet.offset == offset) {
            return None;
        }
        let saved = self.saved.get(pid)?;
        if saved.until < self.now || saved.user != user {
            return None;
        }
        let saved = self.saved.remove(pid)?;
        Some((pid.to_owned(), saved, offset))
    }

    /// Tells who has joined what the server promises, and hands over what was kept.
    pub(super) fn greet(&mut self, link: u64, sid: &str) {
        let Some(joined) = self
            .sessions
            .get_mut(&link)
            .filter(|session| !session.gone)
            .and_then(|session| session.joined.as_mut())
            .filter(|joined| joined.sid == sid && !joined.greeted)
        else {
            return;
        };
        joined.greeted = true;
        let (user, pid) = (joined.user.clone(), joined.pid.clone());
        let features: Vec<&str> = [
            ("ack", self.manner.ack),
            ("dedupe", self.manner.dedupe),
            ("order", self.manner.order),
            ("receipts", self.manner.receipts),
        ]
        .into_iter()
        .filter_map(|(name, on)| on.then_some(name))
        .collect();
        let greeting = json!({
            "connected": true,
            "userId": user,
            "username": user,
            "features": features,
            "session": pid,
        });
        self.tell(&To::Session(sid.to_owned()), None, "connection_status", &greeting);
        self.hand_over_post(link);
    }

    /// Says something to all that it is for, and keeps it for those who may come back.
    pub(super) fn tell(&mut self, to: &To, except: Option<&str>, name: &str, payload: &Value) {
        let offset = self.name();
        let packet = Packet {
            offset,
            to: to.clone(),
            except: except.map(str::to_owned),
            name: name.to_owned(),
            payload: payload.clone(),
        };
        for (link, pid) in self.audience(to, except) {
            if self.manner.recovers {
                self.note_meant(&pid, &packet);
                self.send(link, packet_text(&packet, &pid));
            } else {
                self.send(link, format!("42[\"{name}\",{payload}]"));
            }
        }
        if self.manner.recovers {
            self.log.push(packet);
        }
    }

    /// The same, to those who are there and listen.
    pub(super) fn tell_volatile(&mut self, to: &To, except: Option<&str>, name: &str, payload: &Value) {
        for (link, _) in self.audience(to, except) {
            self.send(link, format!("42[\"{name}\",{payload}]"));
        }
    }

    fn audience(&self, to: &To, except: Option<&str>) -> Vec<(u64, String)> {
        let mut audience = Vec::new();
        for (link, session) in &self.sessions {
            let Some(joined) = session.joined.as_ref().filter(|_| !session.gone) else {
                continue;
            };
            let meant = match to {
                To::Session(sid) => joined.sid == *sid,
                To::User(user) => joined.user == *user,
                To::Room(room) => self.rooms.get(room).is_some_and(|room| room.links.contains(link)),
            };
            if meant && except != Some(joined.sid.as_str()) {
                audience.push((*link, joined.pid.clone()));
            }
        }
        audience
    }

    /// Someone is no longer here. With `lost` they may come back.
    pub(super) fn part(&mut self, link: u64, joined: Joined, lost: bool) {
        let rooms = self.leave_all(link, &joined);
        if lost && self.manner.recovers {
            let saved = Saved {
                user: joined.user,
                sid: joined.sid,
                rooms,
                until: self.now + KEPT,
            };
            self.saved.insert(joined.pid, saved);
        }
    }

    /// But for what the chat layer keeps to itself, where an acknowledgement says the same.
    fn note_meant(&self, pid: &str, packet: &Packet) {
        let mut book = self.facts.book();
        if let Some(chain) = book.chains.get_mut(pid)
            && chain.offsets.last().is_none_or(|last| *last < packet.offset)
            && packet.name != "join_room_failed"
        {
            chain.offsets.push(packet.offset);
        }
    }
}

/// The offset names the session too, which is nobody's business but the server's, and the checks'.
fn packet_text(packet: &Packet, pid: &str) -> String {
    format!(
        "42[\"{}\",{},\"o{}-{pid}\"]",
        packet.name, packet.payload, packet.offset
    )
}

fn includes(packet: &Packet, saved: &Saved) -> bool {
    let meant = match &packet.to {
        To::Session(sid) => saved.sid == *sid,
        To::User(user) => saved.user == *user,
        To::Room(room) => saved.rooms.contains(room),
    };
    meant && packet.except.as_deref() != Some(saved.sid.as_str())
}

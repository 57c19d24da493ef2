//! Rooms: who is in them does not outlive a link, but for sessions that come back.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Server;
use super::chat::refused;
use super::joining::To;
use super::session::Joined;

/// One room.
#[derive(Debug)]
pub(super) struct Room {
    password: Option<String>,
    /// The links that are in it.
    pub(super) links: BTreeSet<u64>,
}

impl Room {
    pub(super) fn new(password: Option<&str>) -> Self {
        Self {
            password: password.map(str::to_owned),
            links: BTreeSet::new(),
        }
    }
}

impl Server {
    /// The users in a room, each once.
    pub(super) fn members(&self, room: &str) -> BTreeSet<String> {
        let links = self.rooms.get(room).map(|room| &room.links);
        let users = links.into_iter().flatten().filter_map(|link| self.user(*link));
        users.collect()
    }

    pub(super) fn user(&self, link: u64) -> Option<String> {
        let joined = self.sessions.get(&link)?.joined.as_ref()?;
        Some(joined.user.clone())
    }

    fn sid(&self, link: u64) -> Option<String> {
        let joined = self.sessions.get(&link)?.joined.as_ref()?;
        Some(joined.sid.clone())
    }

    fn pid(&self, link: u64) -> Option<String> {
        let joined = self.sessions.get(&link)?.joined.as_ref()?;
        Some(joined.pid.clone())
    }

    pub(super) fn is_in(&self, link: u64, room: &str) -> bool {
        self.rooms.get(room).is_some_and(|room| room.links.contains(&link))
    }

    /// Puts a link into a room, and tells the others.
    pub(super) fn enter(&mut self, link: u64, room: &str) {
        let before = self.members(room);
        if let Some(room) = self.rooms.get_mut(room) {
            room.links.insert(link);
        }
        if let (Some(user), Some(sid)) = (self.user(link), self.sid(link))
            && !before.contains(&user)
        {
            let told = json!({"roomId": room, "user": {"id": user, "username": user}});
            self.tell(&To::Room(room.to_owned()), Some(&sid), "user_joined_room", &told);
        }
    }

    /// Takes a link out of a room, and tells the others, if it was its user's last there.
    fn exit(&mut self, link: u64, user: &str, sid: &str, room: &str) {
        if let Some(room) = self.rooms.get_mut(room) {
            room.links.remove(&link);
        }
        if !self.members(room).contains(user) {
            let told = json!({"roomId": room, "user": {"id": user, "username": user}});
            self.tell(&To::Room(room.to_owned()), Some(sid), "user_left_room", &told);
        }
    }

    /// Takes a link, whose session is gone already, out of all rooms. Gives them.
    pub(super) fn leave_all(&mut self, link: u64, joined: &Joined) -> BTreeSet<String> {
        let mine = self.rooms.iter().filter(|(_, room)| room.links.contains(&link));
        let rooms: BTreeSet<String> = mine.map(|(id, _)| id.clone()).collect();
        for room in &rooms {
            self.exit(link, &joined.user, &joined.sid, room);
        }
        rooms
    }

    /// `join_room`.
    pub(super) fn join_room(&mut self, link: u64, data: &Value) -> Value {
        let (Some(room), Some(sid)) = (data["roomId"].as_str(), self.sid(link)) else {
            return refused("invalid");
        };
        let reason = match self.rooms.get(room) {
            None => Some("not_found"),
            Some(known) if known.password.as_deref() != data["password"].as_str() && known.password.is_some() => {
                Some("wrong_password")
            }
            Some(_) => None,
        };
        if let Some(reason) = reason {
            let failed = json!({"roomId": room, "reason": reason});
            self.tell(&To::Session(sid), None, "join_room_failed", &failed);
            return refused(reason);
        }
        self.enter(link, room);
        let joined = json!({"room": room, "members": members(&self.members(room)), "session": self.pid(link)});
        self.tell(&To::Session(sid), None, "room_joined", &joined);
        json!({"ok": true, "id": room})
    }

    /// `leave_room`: leaving a room that one is not in is what was wanted.
    pub(super) fn leave_room(&mut self, link: u64, data: &Value) -> Value {
        let (Some(room), Some(sid), Some(user)) = (data["roomId"].as_str(), self.sid(link), self.user(link)) else {
            return refused("invalid");
        };
        if self.is_in(link, room) {
            self.exit(link, &user, &sid, room);
        }
        self.tell(&To::Session(sid), None, "room_left", &json!({"roomId": room}));
        json!({"ok": true, "id": room})
    }

    /// `create_room`: its creator is in it. The answer is remembered; a copy enters the room again.
    pub(super) fn create_room(&mut self, data: &Value) -> Value {
        let Some(name) = data["name"].as_str() else {
            return refused("invalid");
        };
        let id = name.replace(['#', ' '], "-");
        if self.rooms.contains_key(&id) {
            return refused("name_taken");
        }
        self.rooms.insert(id.clone(), Room::new(data["password"].as_str()));
        json!({"ok": true, "id": id})
    }

    /// Whoever was told that they created a room is in it.
    pub(super) fn enter_created(&mut self, link: u64, answer: &Value, name: &Value) {
        if answer["ok"] == true
            && let Some(id) = answer["id"].as_str()
            && let Some(sid) = self.sid(link)
        {
            let id = id.to_owned();
            self.enter(link, &id);
            let created = json!({"id": id, "name": name, "createdBy": self.user(link), "session": self.pid(link)});
            self.tell(&To::Session(sid), None, "room_created", &created);
        }
    }
}

fn members(users: &BTreeSet<String>) -> Value {
    let users = users.iter().map(|user| json!({"id": user, "username": user}));
    users.collect()
}

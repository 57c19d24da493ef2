//! Who is connected, and in which rooms.
//!
//! A connection is in a room, and its user with it. With several connections a user comes with the
//! first and goes with the last.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::session::Session;
use crate::auth::User;

/// All connections, by user and by room, each in order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    inner: Mutex<Inner>,
    emptied: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    users: HashMap<String, Vec<Arc<Session>>>,
    rooms: HashMap<String, Vec<Arc<Session>>>,
}

/// What a user is no longer in, with one connection fewer.
#[derive(Debug)]
pub(crate) struct Left {
    /// Whether it was the user's last.
    pub(crate) was_last: bool,
    pub(crate) rooms: Vec<String>,
}

/// What a connection is in a room that it joined.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Joined {
    /// It was not in it before.
    pub(crate) is_new: bool,
    /// Nor was its user.
    pub(crate) is_first: bool,
}

impl Presence {
    /// Makes a connection known; whether it is its user's first.
    pub(crate) fn add(&self, session: &Arc<Session>) -> bool {
        let mut inner = self.lock();
        let connections = inner.users.entry(session.user.id.clone()).or_default();
        connections.push(session.clone());
        connections.len() == 1
    }

    /// Removes a connection everywhere.
    pub(crate) fn remove(&self, session: &Session) -> Left {
        let mut inner = self.lock();
        let was_last = take_out(&mut inner.users, &session.user.id, session) == Some(true);
        let rooms: Vec<String> = inner.rooms.keys().cloned().collect();
        let left = |room: &String| take_out(&mut inner.rooms, room, session) == Some(true);
        let rooms = rooms.into_iter().filter(left).collect();
        if inner.users.is_empty() {
            self.emptied.notify_waiters();
        }
        Left { was_last, rooms }
    }

    /// Returns once nobody is connected.
    pub(crate) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.lock().users.is_empty() {
                return;
            }
            emptied.await;
        }
    }

    /// The connections of a user.
    pub(crate) fn of(&self, user: &str) -> Vec<Arc<Session>> {
        self.lock().users.get(user).cloned().unwrap_or_default()
    }

    /// The connections in a room.
    pub(crate) fn in_room(&self, room: &str) -> Vec<Arc<Session>> {
        self.lock().rooms.get(room).cloned().unwrap_or_default()
    }

    /// The users in a room, each once.
    pub(crate) fn members(&self, room: &str) -> Vec<User> {
        let mut members: Vec<User> = Vec::new();
        for session in self.in_room(room) {
            if !members.iter().any(|member| member.id == session.user.id) {
                members.push(session.user.clone());
            }
        }
        members
    }

    pub(crate) fn is_in(&self, room: &str, session: &Session) -> bool {
        self.in_room(room).iter().any(|other| other.is(session))
    }

    /// Puts a connection into a room.
    pub(crate) fn join(&self, room: &str, session: &Arc<Session>) -> Joined {
        let mut inner = self.lock();
        let connections = inner.rooms.entry(room.to_owned()).or_default();
        let joined = Joined {
            is_new: !connections.iter().any(|other| other.is(session)),
            is_first: !connections.iter().any(|other| other.user.id == session.user.id),
        };
        if joined.is_new {
            connections.push(session.clone());
        }
        joined
    }

    /// Whether a user is in a room, with any connection.
    pub(crate) fn has(&self, room: &str, user: &str) -> bool {
        self.in_room(room).iter().any(|other| other.user.id == user)
    }

    /// Takes a connection out of a room; whether its user left with it.
    pub(crate) fn leave(&self, room: &str, session: &Session) -> bool {
        take_out(&mut self.lock().rooms, room, session) == Some(true)
    }

    /// Every connection.
    pub(crate) fn all(&self) -> Vec<Arc<Session>> {
        self.lock().users.values().flatten().cloned().collect()
    }

    /// How many users and how many connections.
    pub(crate) fn count(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.users.len(), inner.users.values().map(Vec::len).sum::<usize>())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a connection off a list, and the list off the map with its last one. `None` if it was not
/// there, otherwise whether it was its user's last.
fn take_out(lists: &mut HashMap<String, Vec<Arc<Session>>>, key: &str, session: &Session) -> Option<bool> {
    let list = lists.get_mut(key)?;
    let place = list.iter().position(|other| other.is(session))?;
    list.remove(place);
    let was_last = !list.iter().any(|other| other.user.id == session.user.id);
    if list.is_empty() {
        lists.remove(key);
    }
    Some(was_last)
}

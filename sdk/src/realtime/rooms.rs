//! Rooms: joined, left and created.

use std::fmt;

use super::RealtimeClient;
use super::arguments::{check_id, object};
use crate::core::{Emission, EmitOptions};
use crate::receipt::Receipt;

/// A room to create.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct NewRoom {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// Whether it is hidden from those who are not in it.
    pub is_private: bool,
    /// What has to be known to join it. Kept in memory, to join again after a reconnect; never stored.
    pub password: Option<String>,
}

impl fmt::Debug for NewRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the password: it is not for logs.
        f.debug_struct("NewRoom")
            .field("name", &self.name)
            .field("is_private", &self.is_private)
            .finish_non_exhaustive()
    }
}

impl RealtimeClient {
    /// Joins a room, now and after every reconnect until it is left. While offline it is joined on connect; the receipt
    /// then ends when the server has answered.
    pub fn join_room(&self, room_id: &str) -> Receipt {
        self.join(room_id, None)
    }

    /// Joins a room that has a password. It is kept in memory, to join again after a reconnect, and never stored.
    pub fn join_room_with_password(&self, room_id: &str, password: &str) -> Receipt {
        self.join(room_id, Some(password))
    }

    fn join(&self, room_id: &str, password: Option<&str>) -> Receipt {
        if let Err(error) = check_id(room_id, "roomId") {
            return self.socket.send(Err(error));
        }
        let password = password.map(str::to_owned);
        let receipt = self.input(|core, now, socket| core.join_room(now, socket, room_id, password));
        self.socket.steered(receipt)
    }

    /// Leaves a room and does not join it again. What was sent to it before goes out before. While offline the receipt waits;
    /// the room is left on connect.
    pub fn leave_room(&self, room_id: &str) -> Receipt {
        if let Err(error) = check_id(room_id, "roomId") {
            return self.socket.send(Err(error));
        }
        let receipt = self.input(|core, now, socket| core.leave_room(now, socket, room_id));
        self.socket.steered(receipt)
    }

    /// Creates a room. Its creator is in it; the reply `{ok, id}` names it. While offline it waits in the queue.
    pub fn create_room(&self, room: NewRoom) -> Receipt {
        if let Err(error) = check_id(&room.name, "name") {
            return self.socket.send(Err(error));
        }
        let object = object(|object| {
            object.string("name", &room.name);
            if let Some(description) = &room.description {
                object.string("description", description);
            }
            if room.is_private {
                object.bool("isPrivate", true);
            }
            if let Some(password) = &room.password {
                object.string("password", password);
            }
        });
        let emission = Emission::of_object("create_room", &object, EmitOptions::new().reliable());
        let receipt = self.input(|core, now, socket| core.create_room(now, socket, emission, room.password));
        self.socket.steered(receipt)
    }
}

//! The chat layer's methods.

use rejoin::{NewRoom, RealtimeClient, Receipt, Target};
use wasm_bindgen::prelude::*;

use crate::link::Link;

impl Link {
    fn send(&mut self, send: impl FnOnce(&RealtimeClient) -> Receipt) -> JsValue {
        let receipt = self.chat.as_ref().map(send);
        receipt.map_or(JsValue::UNDEFINED, |receipt| self.taken(receipt))
    }
}

fn target(group: bool, id: String) -> Target {
    if group { Target::room(id) } else { Target::user(id) }
}

#[wasm_bindgen]
impl Link {
    /// Sends a message to a room or a user. As all that sends here, it gives what `Link::taken` does.
    pub fn send_message(&mut self, group: bool, to: &str, content: &str) -> JsValue {
        self.send(|chat| match group {
            true => chat.send_group_message(to, content),
            false => chat.send_private_message(to, content),
        })
    }

    /// The user types to a room or a user, or does not any more.
    pub fn type_to(&self, group: bool, id: String, start: bool) {
        if let Some(chat) = &self.chat {
            match start {
                true => chat.start_typing(target(group, id)),
                false => chat.stop_typing(target(group, id)),
            }
        }
    }

    /// Types to nobody any more.
    pub fn stop_all_typing(&self) {
        if let Some(chat) = &self.chat {
            chat.stop_all_typing();
        }
    }

    /// Joins a room.
    pub fn join_room(&mut self, room: &str, password: Option<String>) -> JsValue {
        self.send(|chat| match password {
            Some(password) => chat.join_room_with_password(room, &password),
            None => chat.join_room(room),
        })
    }

    /// Leaves a room.
    pub fn leave_room(&mut self, room: &str) -> JsValue {
        self.send(|chat| chat.leave_room(room))
    }

    /// Creates a room.
    pub fn create_room(
        &mut self,
        name: String,
        description: Option<String>,
        is_private: bool,
        password: Option<String>,
    ) -> JsValue {
        self.send(|chat| {
            chat.create_room(NewRoom {
                name,
                description,
                is_private,
                password,
            })
        })
    }

    /// Invites a user to a game.
    pub fn invite_to_game(&mut self, user: &str, game: &str) -> JsValue {
        self.send(|chat| chat.invite_to_game(user, game))
    }

    /// Makes a move, given as the text of one JSON value.
    pub fn send_game_move(&mut self, game: &str, json: &str) -> JsValue {
        self.send(|chat| chat.send_game_move_json(game, json))
    }

    /// Marks notifications as read.
    pub fn mark_notifications_read(&mut self, ids: Vec<String>) -> JsValue {
        self.send(|chat| chat.mark_notifications_read(ids))
    }
}

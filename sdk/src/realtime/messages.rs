//! Messages to a user or a room, and telling that one is being typed.

use super::RealtimeClient;
use super::arguments::{check_id, object};
use super::time::iso8601;
use crate::core::{Emission, EmitOptions, Target, room_lane};
use crate::receipt::Receipt;

impl RealtimeClient {
    /// Sends a message to a user, in order with all that is sent to that user. While offline it waits in the queue.
    pub fn send_private_message(&self, recipient_id: &str, content: &str) -> Receipt {
        self.send_message("private_message", "recipientId", &Target::user(recipient_id), content)
    }

    /// Sends a message to a room, in order with all that is sent there. While offline, and while the room is being joined, it
    /// waits in the queue; if the server refuses to let the user in again, it ends
    /// [`Rejected`](crate::Outcome::Rejected) with [`Error::RoomRefused`](crate::Error::RoomRefused).
    pub fn send_group_message(&self, room_id: &str, content: &str) -> Receipt {
        self.send_message("group_message", "roomId", &Target::room(room_id), content)
    }

    fn send_message(&self, event: &str, key: &'static str, target: &Target, content: &str) -> Receipt {
        let (id, lane) = match target {
            Target::User(id) => (id, user_lane(id)),
            Target::Room(id) => (id, room_lane(id)),
        };
        if let Err(error) = check_id(id, key) {
            return self.socket.send(Err(error));
        }
        let receipt = self.input(|core, now, socket| {
            let object = object(|object| {
                object.string(key, id);
                object.string("content", content);
                object.string("timestamp", &iso8601(now.unix_ms));
            });
            // What was typed is what is being sent.
            core.stop_typing(now, socket, target);
            core.emit(
                now,
                socket,
                Emission::of_object(event, &object, EmitOptions::new().reliable().lane(lane)),
            )
        });
        self.socket.steered(receipt)
    }

    /// Tells a user or a room that the user types. Call it at each keystroke: it is sent at most every 2 s, and
    /// `typing_stop` follows by itself 3 s after the last call. Nothing is sent while offline, nor to an empty id.
    pub fn start_typing(&self, target: Target) {
        let (Target::User(id) | Target::Room(id)) = &target;
        if !id.is_empty() {
            self.input(|core, now, socket| core.start_typing(now, socket, target));
        }
    }

    /// Tells everyone to whom the user types that they stopped: the user looks elsewhere.
    pub fn stop_all_typing(&self) {
        self.input(|core, now, socket| core.stop_all_typing(now, socket));
    }

    /// Tells that the user stopped typing. Sending a message to the target does so too.
    pub fn stop_typing(&self, target: Target) {
        self.input(|core, now, socket| core.stop_typing(now, socket, &target));
    }
}

/// The lane of what goes to a user.
pub(super) fn user_lane(id: &str) -> String {
    ["user:", id].concat()
}

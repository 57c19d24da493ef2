//! What the chat protocol asks of a socket beside sending and receiving: rooms and typing.

use super::context::Context;
use super::emission::{Emission, EmitOptions};
use super::namespace::{Namespace, Phase};
use super::outbox::{Entry, Purpose};
use super::scan::{self, ObjectWriter};
use super::sending::Bounds;
use super::typing::{Target, Typist};
use super::{id, lanes, rooms};
use crate::error::Error;
use crate::payload::Payload;
use crate::receipt::{self, Completer, Outcome, Receipt};

impl Namespace {
    /// The user wants to be in `room`, now and after every reconnect.
    pub(crate) fn join_room(&mut self, cx: &mut Context, room: &str, password: Option<String>) -> Receipt {
        let (receipt, completer) = receipt::pair(cx.next_seq(), None);
        completer.accept_now();
        // A join takes back a leave that the server was not told of yet.
        let untold = |entry: &Entry| matches!(&entry.purpose, Purpose::Leave(left) if left == room);
        while let Some(entry) = self.outbox.take_where(untold) {
            let outcome = entry.ended(Outcome::Cancelled, Error::LinkLost);
            self.finish(cx, entry, outcome);
        }
        self.rooms.want(room, password, Some(completer));
        if matches!(self.phase, Phase::Rejoining | Phase::Ready) {
            self.ask_for_rooms(cx);
        }
        receipt
    }

    /// The user does not want to be in `room` any more.
    ///
    /// The leave waits in the room's lane, behind the messages that were sent to it before; the room stays wanted until
    /// then, or those would be refused.
    pub(crate) fn leave_room(&mut self, cx: &mut Context, room: &str, bounds: Bounds) -> Receipt {
        self.stop_typing(cx, &Target::Room(room.to_owned()), bounds);
        let lane = rooms::lane(room);
        for completer in self.rooms.unanswered(room) {
            cx.settle(self.id, completer, Outcome::Cancelled);
        }
        if !self.outbox.entries().any(|entry| entry.lane.as_deref() == Some(&lane)) {
            self.rooms.leaving(room);
            self.urgent
                .retain(|entry| !matches!(&entry.purpose, Purpose::Join(join) if join == room));
        }
        let (receipt, completer) = receipt::pair(cx.next_seq(), None);
        completer.accept_now();
        let message_id = id::uuid_v7(cx.now.unix_ms, &mut cx.rng);
        let object = room_object(room, None, Some(&message_id));
        let emission = Emission::of_object("leave_room", &object, EmitOptions::new().lane(lane));
        let entry = self.own_entry(
            cx,
            receipt.id(),
            emission,
            Purpose::Leave(room.to_owned()),
            Some(completer),
        );
        self.outbox.push(entry);
        self.proceed(cx);
        receipt
    }

    /// Asks for every room that is wanted and not asked for.
    pub(crate) fn ask_for_rooms(&mut self, cx: &mut Context) {
        let mut seq = cx.next_seq();
        while let Some((room, password)) = self.rooms.ask(cx.now.mono, seq) {
            let message_id = id::uuid_v7(cx.now.unix_ms, &mut cx.rng);
            let object = room_object(&room, password.as_deref(), Some(&message_id));
            let emission = Emission::of_object("join_room", &object, EmitOptions::new().ack());
            let entry = self.own_entry(cx, seq, emission, Purpose::Join(room), None);
            self.urgent.push_back(entry);
            seq = cx.next_seq();
        }
    }

    pub(super) fn own_entry(
        &self,
        cx: &Context,
        seq: u64,
        emission: Emission,
        purpose: Purpose,
        completer: Option<Completer>,
    ) -> Entry {
        Entry {
            attachments: emission.attachments,
            ack: emission.options.ack,
            ack_timeout: self.config.ack_timeout,
            lane: emission.options.lane,
            purpose,
            completer,
            ..Entry::new(seq, emission.body, cx.now.mono)
        }
    }

    /// The server answered `join_room`.
    pub(crate) fn join_answered(
        &mut self,
        cx: &mut Context,
        seq: u64,
        room: &str,
        payload: &Payload,
        refusal: Option<Error>,
    ) {
        if !self.rooms.decides(room, seq) {
            return;
        }
        match refusal {
            None => {
                for completer in self.rooms.confirmed(room) {
                    cx.settle(self.id, completer, Outcome::Delivered(payload.clone()));
                }
            }
            Some(Error::RateLimited { retry_after, .. }) if self.rooms.waits_for_nobody(room) => {
                // A room that the user is in already, as far as they know: asked for again when the server says so.
                self.rooms.postpone(room, cx.after(lanes::pause(retry_after)));
            }
            Some(error) => {
                let reason = match &error {
                    Error::Server { code: Some(code), .. } => code.clone(),
                    other => other.kind().as_str().to_owned(),
                };
                if self.room_refused(cx, room, &reason, &error) {
                    self.raise_join_failed(cx, room, &reason);
                }
            }
        }
    }

    /// A room cannot be joined: its receipts and its waiting messages end, and nobody else's. Says whether it was wanted.
    fn room_refused(&mut self, cx: &mut Context, room: &str, reason: &str, error: &Error) -> bool {
        let Some(wish) = self.rooms.forget(room) else {
            return false;
        };
        for completer in wish.waiting {
            cx.settle(self.id, completer, Outcome::Rejected(error.clone()));
        }
        let lane = rooms::lane(room);
        while let Some(entry) = self.outbox.take_where(|entry| entry.lane.as_deref() == Some(&lane)) {
            let refused = Error::RoomRefused {
                room: room.to_owned(),
                reason: reason.to_owned(),
            };
            let outcome = entry.ended(Outcome::Rejected(refused.clone()), refused);
            self.finish(cx, entry, outcome);
        }
        true
    }

    /// A room's confirmation is overdue. Its messages wait on, unless the server never confirms anything.
    pub(crate) fn room_overdue(&mut self, cx: &mut Context, room: &str) {
        let asks = |entry: &Entry| matches!(&entry.purpose, Purpose::Join(join) if join == room);
        if !self.acks.entries().any(asks) {
            // Where no answer was asked for, none is overdue later on.
            let after = rooms::CONFIRMATION;
            for completer in self.rooms.unanswered(room) {
                cx.settle(self.id, completer, Outcome::Unconfirmed(Error::AckTimeout { after }));
            }
        }
        self.raise_join_failed(cx, room, "timeout");
    }

    fn raise_join_failed(&mut self, cx: &mut Context, room: &str, reason: &str) {
        let mut json = Vec::with_capacity(64);
        let mut object = ObjectWriter::new(&mut json);
        object.string("roomId", room);
        object.string("reason", reason);
        object.end();
        self.raise(cx, "join_room_failed", &json);
    }

    /// Looks at an event for what it says about rooms and typists. Says whether the app is to hear of it.
    pub(crate) fn observe(&mut self, cx: &mut Context, name: &str, payload: &Payload) -> bool {
        match name {
            "room_joined" => {
                // Where the server answers, the answer says which join it was; an event may be about an earlier one.
                if let Some(room) = payload.string_field("room")
                    && !(self.server_acks() && self.rooms.is_asked(&room))
                {
                    for completer in self.rooms.confirmed(&room) {
                        cx.settle(self.id, completer, Outcome::Delivered(payload.clone()));
                    }
                    self.proceed(cx);
                }
            }
            "join_room_failed" => {
                let room = payload.string_field("roomId").unwrap_or_default();
                if self.server_acks() && self.rooms.is_asked(&room) {
                    return false;
                }
                let reason = payload.string_field("reason").unwrap_or_default();
                let error = Error::Server {
                    code: Some(reason.clone()),
                    message: reason.clone(),
                };
                let wanted = self.room_refused(cx, &room, &reason, &error);
                self.proceed(cx);
                // Told already, when the acknowledgement refused it.
                return wanted;
            }
            "room_created" => {
                if let (Some(room), Some(name)) = (payload.string_field("id"), payload.string_field("name")) {
                    self.rooms.created(&room, &name);
                }
            }
            "typing_start" => {
                if let Some(typist) = typist(payload) {
                    self.typing.started(cx.now.mono, typist);
                }
            }
            "typing_stop" => {
                return typist(payload).is_some_and(|typist| self.typing.gone(&typist));
            }
            "private_message" => self.heard_from(cx, payload, None),
            "group_message" => {
                let room = payload.string_field("room");
                self.heard_from(cx, payload, room);
            }
            "user_left_room" => {
                let user = payload
                    .field("user")
                    .and_then(|user| scan::field(user, "id"))
                    .and_then(scan::string);
                if let Some(user) = user {
                    let room = payload.string_field("roomId");
                    let user = user.into_owned();
                    self.typist_gone(cx, Typist { user, room });
                }
            }
            _ => {}
        }
        true
    }

    /// Whoever sent a message types no longer.
    fn heard_from(&mut self, cx: &mut Context, payload: &Payload, room: Option<String>) {
        let sender = payload.field("sender").and_then(|sender| scan::field(sender, "id"));
        if let Some(user) = sender.and_then(scan::string) {
            let user = user.into_owned();
            self.typist_gone(cx, Typist { user, room });
        }
    }

    fn typist_gone(&mut self, cx: &mut Context, typist: Typist) {
        if self.typing.gone(&typist) {
            self.raise_typing_stop(cx, &typist);
        }
    }

    fn raise_typing_stop(&mut self, cx: &mut Context, typist: &Typist) {
        let mut json = Vec::with_capacity(64);
        let mut object = ObjectWriter::new(&mut json);
        object.string("userId", &typist.user);
        if let Some(room) = &typist.room {
            object.string("roomId", room);
        }
        object.end();
        self.raise(cx, "typing_stop", &json);
    }

    /// The user typed something for `target`.
    pub(crate) fn start_typing(&mut self, cx: &mut Context, target: Target, bounds: Bounds) {
        if self.typing.keystroke(cx.now.mono, &target) && self.say_typing(cx, true, &target, bounds) {
            self.typing.said(cx.now.mono, target);
        }
    }

    /// The user stopped typing, or sent what was being typed.
    pub(crate) fn stop_typing(&mut self, cx: &mut Context, target: &Target, bounds: Bounds) {
        if self.typing.stop(target) {
            self.say_typing(cx, false, target, bounds);
        }
    }

    /// The user has left the app, and types no more.
    pub(crate) fn stop_all_typing(&mut self, cx: &mut Context, bounds: Bounds) {
        for target in self.typing.stop_all() {
            self.say_typing(cx, false, &target, bounds);
        }
    }

    /// The link is gone, and with it every typist.
    pub(crate) fn stop_typing_events(&mut self, cx: &mut Context) {
        for typist in self.typing.disconnected() {
            self.raise_typing_stop(cx, &typist);
        }
    }

    pub(crate) fn expire_typing(&mut self, cx: &mut Context, bounds: Bounds) {
        while let Some(target) = self.typing.stopped(cx.now.mono) {
            self.say_typing(cx, false, &target, bounds);
        }
        while let Some(typist) = self.typing.expired(cx.now.mono) {
            self.raise_typing_stop(cx, &typist);
        }
    }
}

/// Who types. Nobody whose id is longer than any server's: what is kept of a server is bounded.
fn typist(payload: &Payload) -> Option<Typist> {
    const LONGEST: usize = 256;
    let user = payload.string_field("userId").filter(|user| user.len() <= LONGEST)?;
    let room = payload.string_field("roomId");
    let fits = room.as_ref().is_none_or(|room| room.len() <= LONGEST);
    fits.then_some(Typist { user, room })
}

fn room_object(room: &str, password: Option<&str>, message_id: Option<&str>) -> Vec<u8> {
    let mut json = Vec::with_capacity(96);
    let mut object = ObjectWriter::new(&mut json);
    if let Some(id) = message_id {
        object.string("messageId", id);
    }
    object.string("roomId", room);
    if let Some(password) = password {
        object.string("password", password);
    }
    object.end();
    json
}

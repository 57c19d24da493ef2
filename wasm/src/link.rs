//! One client and its sockets.

use std::time::Duration;

use futures::FutureExt;
use js_sys::{Array, Promise, Uint8Array};
use rejoin::core::ReplyTo;
use rejoin::core::scan::ObjectWriter;
use rejoin::{Client, EmitOptions, Error, Hint, RawArgs, RealtimeClient, Receipt, Socket};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use crate::border;
use crate::errors::{text, thrown};
use crate::settings::Settings;

/// One client and its sockets, which have numbers.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Link {
    client: Client,
    pub(crate) chat: Option<RealtimeClient>,
    sockets: Vec<Socket>,
    /// The message id of the message that was sent last.
    last_id: Option<String>,
}

impl Link {
    pub(crate) fn new(client: Client, chat: Option<RealtimeClient>) -> Self {
        let sockets = chat.iter().map(|chat| chat.socket().clone()).collect();
        Self {
            client,
            chat,
            sockets,
            last_id: None,
        }
    }

    fn of(&self, socket: usize) -> &Socket {
        &self.sockets[socket]
    }

    /// The receipt's number, below zero where the store has yet to accept it; or, as text, the outcome that it has already.
    pub(crate) fn taken(&mut self, receipt: Receipt) -> JsValue {
        let id = receipt.id() as f64;
        let taken = match receipt.outcome() {
            Some(outcome) => border::outcome(&outcome).into(),
            None if receipt.accepted().now_or_never().is_none() => (-id).into(),
            None => id.into(),
        };
        self.last_id = receipt.message_id().map(str::to_owned);
        taken
    }
}

#[wasm_bindgen]
impl Link {
    /// The number of a namespace's socket, made at the first call.
    pub fn socket(&mut self, namespace: &str) -> u32 {
        self.add(self.client.socket(namespace))
    }

    /// The same, with settings of its own.
    pub fn socket_with(&mut self, namespace: &str, settings: Settings) -> Result<u32, JsValue> {
        let socket = self
            .client
            .socket_with(namespace, settings.into_socket())
            .map_err(thrown)?;
        Ok(self.add(socket))
    }

    fn add(&mut self, socket: Socket) -> u32 {
        let number = socket.number().0;
        if number as usize == self.sockets.len() {
            self.sockets.push(socket);
        }
        number
    }

    /// Connects a socket, and keeps it connected.
    pub fn connect(&self, socket: usize) {
        self.of(socket).connect();
    }

    /// Takes a socket out of its namespace. `connect` works again.
    pub fn disconnect(&self, socket: usize) {
        self.of(socket).disconnect();
    }

    /// Has a socket, or all that have none of their own, send other credentials: the text of a JSON object.
    pub fn auth(&self, socket: Option<usize>, json: String) -> Result<(), JsValue> {
        match socket {
            Some(socket) => self.of(socket).set_auth_json(json),
            None => self.client.set_auth_json(json),
        }
        .map_err(thrown)
    }

    /// What the page or the network does: `online`, `offline`, `background`, `suspend`, or else `foreground`.
    pub fn hint(&self, hint: &str) {
        self.client.hint(match hint {
            "online" => Hint::Online,
            "offline" => Hint::Offline,
            "background" => Hint::Background,
            "suspend" => Hint::Suspend,
            _ => Hint::Foreground,
        });
    }

    /// Disconnects and keeps nothing of the user.
    pub fn forget(&self) {
        self.client.forget();
    }

    /// Ends the client for good.
    pub fn close(&self) {
        self.client.close();
    }

    /// The state's name.
    pub fn state(&self, socket: usize) -> String {
        self.of(socket).state().name().to_owned()
    }

    /// The last change of state, as the text of a JSON object.
    pub fn last_change(&self, socket: usize) -> Option<String> {
        let change = self.of(socket).last_change()?;
        let mut json = Vec::with_capacity(160);
        change.write(&mut json, Error::write_parts);
        Some(text(&json).to_owned())
    }

    /// The Socket.IO session id.
    pub fn id(&self, socket: usize) -> Option<String> {
        self.of(socket).id()
    }

    /// How the link is made, while there is one.
    pub fn transport(&self, socket: usize) -> Option<String> {
        self.of(socket)
            .transport()
            .map(|transport| transport.as_str().to_owned())
    }

    /// Sends an event. `args` is the text of an array; `flags` are 1 for an acknowledgement, 2 for volatile, 4 for reliable; times are
    /// in ms, and 0 is none. Gives what `taken` does.
    #[allow(clippy::too_many_arguments)]
    pub fn emit(
        &mut self,
        socket: usize,
        event: &str,
        args: String,
        attachments: Option<Array>,
        flags: u32,
        timeout: f64,
        ttl: f64,
        lane: Option<String>,
    ) -> JsValue {
        let mut options = EmitOptions::new();
        if flags & 1 != 0 {
            options = options.ack();
        }
        if flags & 2 != 0 {
            options = options.volatile();
        }
        if flags & 4 != 0 {
            options = options.reliable();
        }
        if timeout > 0.0 {
            options = options.timeout(Duration::from_millis(timeout as u64));
        }
        if ttl > 0.0 {
            options = options.ttl(Duration::from_millis(ttl as u64));
        }
        if let Some(lane) = lane {
            options = options.lane(lane);
        }
        let receipt = self.of(socket).emit_raw(event, raw(args, attachments), options);
        self.taken(receipt)
    }

    /// Acknowledges an event by the numbers that came with it.
    pub fn reply(&self, socket: usize, to: Vec<f64>, args: String, attachments: Option<Array>) -> Result<(), JsValue> {
        let parts = [to[0] as u64, to[1] as u64, to[2] as u64];
        self.of(socket)
            .reply_to(ReplyTo::from_parts(parts), raw(args, attachments))
            .map_err(thrown)
    }

    /// The message id of the message sent last.
    pub fn message_id(&self) -> Option<String> {
        self.last_id.clone()
    }

    /// Takes a message back, if it was not written yet. Says whether it did.
    pub fn cancel(&self, socket: usize, receipt: f64) -> bool {
        self.of(socket).cancel(receipt as u64)
    }

    /// Takes back everything that waits to be written.
    pub fn clear(&self, socket: usize) {
        self.of(socket).clear();
    }

    /// What was counted, as the text of a JSON object.
    pub fn stats(&self, socket: usize) -> String {
        self.of(socket).stats().to_json()
    }

    /// A promise that a message would not be refused as overloaded.
    pub fn writable(&self, socket: usize) -> Promise {
        let socket = self.of(socket).clone();
        future_to_promise(async move {
            socket.writable().await;
            Ok(JsValue::UNDEFINED)
        })
    }

    /// What waits to be sent or acknowledged, as the text of a JSON array.
    pub fn pending(&self, socket: usize) -> String {
        let mut json = Vec::with_capacity(100);
        let mut next = b'[';
        for pending in self.of(socket).pending() {
            json.push(next);
            next = b',';
            let mut object = ObjectWriter::new(&mut json);
            object.uint("receipt", pending.receipt);
            object.string("event", &pending.event);
            object.bool("written", pending.written);
            if let Some(id) = &pending.message_id {
                object.string("messageId", id);
            }
            object.end();
        }
        if next == b'[' {
            json.push(b'[');
        }
        json.push(b']');
        text(&json).to_owned()
    }
}

fn raw(json: String, attachments: Option<Array>) -> RawArgs {
    let attachments = attachments.map(|array| {
        array
            .iter()
            .map(|bytes| bytes.unchecked_into::<Uint8Array>().to_vec().into())
            .collect()
    });
    RawArgs {
        json,
        attachments: attachments.unwrap_or_default(),
    }
}

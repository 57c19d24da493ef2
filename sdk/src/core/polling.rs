//! Long-polling: a session carried by single HTTP exchanges, one GET and one POST at a time.
//!
//! There is never a second GET on a session: npm's server closes it for that. POSTs follow one another, so that the server
//! sees their packets in order, and each fits what it takes.

use std::collections::VecDeque;
use std::fmt;

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

use super::connection::{Core, Dial};
use super::context::Context;
use super::engineio::{self, Record};
use super::io::{Frame, LinkEvent, LinkId, Method, Output, Response};
use super::link::{Carrier, Link, Role};
use super::requests::Requests;
use super::upgrade::Upgrade;
use crate::error::Error;
use crate::state::Reason;

/// What a POST holds at most where the server does not say: the default of npm's.
const BODY: usize = 1_000_000;

/// How much of what a server says about a refusal is told.
const WORDS: usize = 200;

/// The exchanges of one session.
pub(super) struct Polling {
    /// `None` until the session is open.
    sid: Option<String>,
    get: Option<LinkId>,
    post: Option<LinkId>,
    /// What is left of the batch for further POSTs.
    bodies: VecDeque<Bytes>,
    /// How long a body may be.
    most: usize,
    pub(super) upgrade: Upgrade,
}

impl fmt::Debug for Polling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whoever knows the sid can take the session, and the bodies are the app's.
        f.debug_struct("Polling")
            .field("get", &self.get)
            .field("post", &self.post)
            .field("bodies", &self.bodies.len())
            .field("upgrade", &self.upgrade)
            .finish_non_exhaustive()
    }
}

impl Polling {
    /// Asks for a new session.
    pub(super) fn open(cx: &mut Context, requests: &mut Requests) -> Self {
        Self {
            sid: None,
            get: Some(requests.start(cx, Method::Get, None)),
            post: None,
            bodies: VecDeque::new(),
            most: BODY,
            upgrade: Upgrade::No,
        }
    }

    pub(super) fn opened(&mut self, sid: String, max_payload: Option<u64>) {
        self.sid = Some(sid);
        self.most = max_payload.map_or(BODY, |max| usize::try_from(max).unwrap_or(usize::MAX));
    }

    pub(super) fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// The wire that it began with.
    pub(super) fn first(&self) -> LinkId {
        self.get.unwrap_or(LinkId(0))
    }

    pub(super) fn role_of(&self, wire: LinkId) -> Option<Role> {
        let wire = Some(wire);
        match wire {
            _ if wire == self.get => Some(Role::Get),
            _ if wire == self.post => Some(Role::Post),
            _ if wire == self.upgrade.wire() => Some(Role::Upgrade),
            _ => None,
        }
    }

    /// Whether a batch can be sent now.
    pub(super) fn takes(&self) -> bool {
        self.sid.is_some() && self.post.is_none() && !self.upgrade.is_pausing()
    }

    /// Whether no exchange is under way.
    pub(super) fn is_quiet(&self) -> bool {
        self.get.is_none() && self.post.is_none()
    }

    /// Sends a batch, in as many POSTs as it takes.
    pub(super) fn send(&mut self, cx: &mut Context, requests: &mut Requests, frames: Vec<Frame>) {
        self.bodies = bodies(frames, self.most);
        self.post_next(cx, requests);
    }

    /// Sends the next part of a batch. Says whether there was one.
    fn post_next(&mut self, cx: &mut Context, requests: &mut Requests) -> bool {
        let body = self.bodies.pop_front();
        self.post = body.map(|body| requests.start(cx, Method::Post(body), self.sid.as_deref()));
        self.post.is_some()
    }

    /// Waits for the server's next packets, unless that is done already or is to be left to a WebSocket.
    pub(super) fn listen(&mut self, cx: &mut Context, requests: &mut Requests) {
        if self.get.is_none() && self.sid.is_some() && !self.upgrade.holds_polling() {
            self.get = Some(requests.start(cx, Method::Get, self.sid.as_deref()));
        }
    }

    pub(super) fn stop(&self, cx: &mut Context) {
        let wires = [self.get, self.post, self.upgrade.wire()];
        for wire in wires.into_iter().flatten() {
            cx.push(Output::Stop(wire));
        }
    }
}

impl Link {
    /// Its exchanges, if it is carried by such.
    pub(super) fn polling(&mut self) -> Option<&mut Polling> {
        match &mut self.carrier {
            Carrier::Polling(polling) => Some(polling),
            Carrier::WebSocket(_) => None,
        }
    }

    /// A POST was answered. Says whether that was the last of its batch.
    pub(super) fn posted(&mut self, cx: &mut Context, requests: &mut Requests) -> bool {
        match self.polling() {
            Some(polling) => !polling.post_next(cx, requests),
            None => false,
        }
    }
}

impl Core {
    /// The GET has ended.
    pub(super) fn handle_polled(&mut self, event: LinkEvent) {
        let Dial::Linked(link) = &mut self.dial else { return };
        let (id, open) = (link.id, link.is_open());
        if let Some(polling) = link.polling() {
            polling.get = None;
        }
        match event {
            LinkEvent::Response(response) if response.status == 200 => {
                let Ok(body) = ByteString::try_from(response.body) else {
                    self.unreadable("a polling response that is not UTF-8");
                    return;
                };
                if !open && !body.starts_with('0') {
                    let what = match body.trim_start().starts_with('<') {
                        true => "it answered with a web page, as a captive portal does",
                        false => "its first answer opens no session",
                    };
                    self.opening_failed(Error::Handshake(what.into()), None);
                    return;
                }
                self.take_records(id, &body);
                if !self.is_linked(id) {
                    return;
                }
                self.listen_on();
            }
            LinkEvent::Response(response) => self.exchange_refused(&response),
            LinkEvent::Closed(error) => self.exchange_failed(error),
            _ => {}
        }
    }

    /// Goes on waiting for packets, or to the WebSocket that was waiting for this end.
    fn listen_on(&mut self) {
        let Dial::Linked(link) = &mut self.dial else { return };
        if let Some(polling) = link.polling() {
            polling.listen(&mut self.cx, &mut self.requests);
        }
        self.finish_upgrade();
    }

    fn take_records(&mut self, id: LinkId, body: &ByteString) {
        for record in engineio::decode_payload(body) {
            match record {
                Ok(Record::Packet(text)) => self.handle_text(body.slice_ref(text)),
                Ok(Record::Binary(bytes)) => self.handle_binary(bytes),
                Err(error) => self.unreadable(error.as_str()),
            }
            if !self.is_linked(id) {
                return;
            }
        }
    }

    /// The POST has ended.
    pub(super) fn handle_posted(&mut self, event: LinkEvent) {
        let Dial::Linked(link) = &mut self.dial else { return };
        match event {
            LinkEvent::Response(response) if response.status == 200 => {
                let last = link.posted(&mut self.cx, &mut self.requests);
                if !last {
                    return;
                }
                self.handle_sent();
                self.finish_upgrade();
            }
            LinkEvent::Response(response) => self.exchange_refused(&response),
            LinkEvent::Closed(error) => self.exchange_failed(error),
            _ => {}
        }
    }

    fn exchange_refused(&mut self, response: &Response) {
        let error = refusal(response);
        if self.patience().is_some() {
            self.lose_link_after(Reason::TransportError, error, response.retry_after);
        } else {
            self.opening_failed(error, response.retry_after);
        }
    }

    fn exchange_failed(&mut self, error: Option<Error>) {
        let error = error.unwrap_or(Error::LinkLost);
        if self.patience().is_some() {
            self.lose_link(super::connection::reason_of(&error), error);
        } else {
            self.opening_failed(error, None);
        }
    }

    /// Whether this is still the link.
    pub(super) fn is_linked(&self, id: LinkId) -> bool {
        matches!(&self.dial, Dial::Linked(link) if link.id == id)
    }
}

/// What an HTTP status means that opens nothing.
pub(super) fn refusal(response: &Response) -> Error {
    let mut digits = Vec::with_capacity(3);
    super::scan::write_uint(&mut digits, u64::from(response.status));
    let status: String = digits.into_iter().map(char::from).collect();
    let text = match response.status {
        300..400 => [
            "it answered with a redirect (HTTP status ",
            &status,
            "), which is not followed; give the address that it leads to",
        ]
        .concat(),
        _ => {
            let mut text = ["it answered with HTTP status ", &status].concat();
            if let Some(words) = words(&response.body) {
                text.push_str(": ");
                text.push_str(&words);
            }
            text
        }
    };
    Error::Handshake(text.into())
}

/// What Engine.IO says about a refusal: `{"code":…,"message":"…"}`.
fn words(body: &[u8]) -> Option<String> {
    let json = std::str::from_utf8(body).ok()?;
    let valid = json.starts_with('{') && super::scan::validate(json, 8).is_ok();
    let message = valid.then(|| super::scan::field(json, "message"))??;
    let message = super::scan::string(message)?;
    Some(message.chars().filter(|char| !char.is_control()).take(WORDS).collect())
}

/// Packs frames into bodies of at most `most` bytes; a frame that is longer goes alone.
fn bodies(frames: Vec<Frame>, most: usize) -> VecDeque<Bytes> {
    let mut bodies = VecDeque::new();
    let mut body = BytesMut::new();
    for frame in frames {
        let len = match &frame {
            Frame::Text(text) => text.len(),
            Frame::Binary(bytes) => engineio::binary_len(bytes.len()),
            Frame::Ping => continue,
        };
        if !body.is_empty() && body.len() + 1 + len > most {
            bodies.push_back(body.split().freeze());
        }
        match frame {
            Frame::Text(text) => engineio::push_packet(&mut body, &text),
            Frame::Binary(bytes) => engineio::push_binary(&mut body, &bytes),
            Frame::Ping => {}
        }
    }
    if !body.is_empty() {
        bodies.push_back(body.freeze());
    }
    bodies
}

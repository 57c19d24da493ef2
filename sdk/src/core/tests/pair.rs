//! A core, a clock that jumps, and a peer that says what the test has it say.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;

use crate::config::Endpoint;
use crate::core::room_lane;
use crate::core::{
    ConnectionConfig, Core, Emission, EmitOptions, Frame, Happening, LinkEvent, LinkId, NamespaceConfig, Now, Output,
    Request, SocketId,
};
use crate::error::Error;
use crate::payload::RawArgs;
use crate::receipt::{Outcome, Receipt};
use crate::state::{Notice, Reason, State, Transport};
use crate::store::{Contents, Record, Transaction};

pub(super) const OPEN: &str =
    r#"0{"sid":"e1","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
pub(super) const CONNECT: &str = r#"40{"sid":"s1"}"#;
pub(super) const GREETING: &str =
    r#"42["connection_status",{"connected":true,"userId":"u1","username":"A","features":["ack","dedupe"]}]"#;

/// Everything that came out of the core, by kind, until a test takes it.
pub(super) struct Pair {
    pub(super) core: Core,
    pub(super) socket: SocketId,
    pub(super) now: Now,
    /// When the core wants to be called next.
    pub(super) wake: Option<Duration>,
    pub(super) started: Vec<(LinkId, Request)>,
    pub(super) stopped: Vec<LinkId>,
    /// Frames by link, in order of writing.
    pub(super) wire: Vec<(LinkId, String)>,
    pub(super) binary: Vec<Bytes>,
    pub(super) batches: usize,
    pub(super) auths: Vec<(SocketId, u64)>,
    pub(super) transactions: Vec<Transaction>,
    /// The number of the last one.
    pub(super) turn: u64,
    pub(super) events: VecDeque<(SocketId, Happening)>,
    /// Whether a batch counts as written as soon as it is handed over.
    pub(super) writes: bool,
    /// Every output in words: what determinism is measured by.
    pub(super) log: Vec<String>,
    /// Links whose batch is not written yet.
    unsent: Vec<LinkId>,
}

pub(super) fn config() -> ConnectionConfig {
    let endpoint = Endpoint::parse("http://127.0.0.1:3000").unwrap();
    let mut config = ConnectionConfig::new(endpoint, 1);
    config.backoff.jitter = false;
    // Polling has tests of its own.
    config.transports = vec![Transport::WebSocket];
    config
}

pub(super) fn chat_config() -> NamespaceConfig {
    let mut config = NamespaceConfig::new("/");
    config.chat = Some(crate::TypingConfig::default());
    config
}

pub(super) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

impl Pair {
    pub(super) fn new() -> Self {
        Self::with(config(), NamespaceConfig::new("/"))
    }

    pub(super) fn chat() -> Self {
        Self::with(config(), chat_config())
    }

    pub(super) fn with(config: ConnectionConfig, namespace: NamespaceConfig) -> Self {
        let mut core = Core::new(config);
        let socket = core.add_socket(namespace);
        Self {
            core,
            socket,
            now: Now {
                mono: secs(100),
                unix_ms: 1_795_464_465_012,
            },
            wake: None,
            started: Vec::new(),
            stopped: Vec::new(),
            wire: Vec::new(),
            binary: Vec::new(),
            batches: 0,
            auths: Vec::new(),
            transactions: Vec::new(),
            turn: 0,
            events: VecDeque::new(),
            writes: true,
            log: Vec::new(),
            unsent: Vec::new(),
        }
    }

    /// A pair that is connected, all that led there forgotten.
    pub(super) fn connected() -> Self {
        let mut pair = Self::new();
        pair.connect();
        pair
    }

    pub(super) fn connect(&mut self) {
        self.core.connect(self.now, self.socket);
        self.drain();
        self.open();
        self.server(CONNECT);
        self.wire.clear();
        self.events.clear();
    }

    /// The newest link opens its Engine.IO session.
    pub(super) fn open(&mut self) {
        self.server(OPEN);
    }

    pub(super) fn link(&self) -> LinkId {
        self.started.last().unwrap().0
    }

    /// The server sends a text frame on the newest link.
    pub(super) fn server(&mut self, text: &str) {
        self.event(self.link(), LinkEvent::Text(ByteString::from(text)));
    }

    pub(super) fn event(&mut self, link: LinkId, event: LinkEvent) {
        self.core.handle_link(self.now, link, event);
        self.drain();
    }

    /// The newest link breaks.
    pub(super) fn cut(&mut self) {
        let link = self.link();
        self.event(link, LinkEvent::Closed(Some(Error::Unreachable("reset".into()))));
    }

    /// Polls until the core has nothing more to say.
    pub(super) fn drain(&mut self) {
        loop {
            let output = self.core.poll_output();
            self.log.push(format!("{output:?}"));
            match output {
                Output::Start(link, request) => self.started.push((link, *request)),
                Output::Stop(link) => {
                    self.unsent.retain(|unsent| *unsent != link);
                    self.stopped.push(link);
                }
                Output::Send(link, frames) => {
                    assert!(
                        !self.unsent.contains(&link),
                        "a second batch before the first was written"
                    );
                    self.batches += 1;
                    for frame in frames {
                        match frame {
                            Frame::Text(text) => self.wire.push((link, String::from_utf8(text.to_vec()).unwrap())),
                            Frame::Binary(bytes) => self.binary.push(bytes),
                            Frame::Ping => self.wire.push((link, "ws ping".to_owned())),
                        }
                    }
                    self.unsent.push(link);
                    if self.writes {
                        self.written();
                    }
                }
                Output::Authenticate(socket, turn) => self.auths.push((socket, turn)),
                Output::Store(turn, transaction) => {
                    self.turn = turn;
                    self.transactions.push(transaction);
                }
                Output::Accept(acceptor) => acceptor.accept(),
                Output::Settle(completer, outcome) => completer.complete(outcome),
                Output::Writable(_) => {}
                Output::Event(socket, happening) => self.events.push_back((socket, happening)),
                Output::Timeout(at) => {
                    self.wake = at;
                    return;
                }
            }
        }
    }

    /// The batch under way has been written.
    pub(super) fn written(&mut self) {
        let link = self.unsent.pop().expect("a batch under way");
        self.core.handle_link(self.now, link, LinkEvent::Sent);
    }

    /// The batch under way on one link has been written, if there is one.
    pub(super) fn written_on(&mut self, link: LinkId) {
        if let Some(at) = self.unsent.iter().position(|unsent| *unsent == link) {
            self.unsent.remove(at);
            self.core.handle_link(self.now, link, LinkEvent::Sent);
        }
    }

    /// A link has ended with what was under way on it.
    pub(super) fn forget_batch(&mut self, link: LinkId) {
        self.unsent.retain(|unsent| *unsent != link);
    }

    /// Writes what is under way, if anything is.
    pub(super) fn write_all(&mut self) {
        while !self.unsent.is_empty() {
            self.written();
        }
    }

    /// Time passes: the core is called at each deadline on the way, and never early.
    pub(super) fn sleep(&mut self, time: Duration) {
        let end = self.now.mono + time;
        while let Some(at) = self.wake.filter(|at| *at <= end) {
            self.jump(at.max(self.now.mono));
            self.core.handle_timeout(self.now);
            self.drain();
            assert!(
                self.wake.is_none_or(|next| next > self.now.mono),
                "the core wants to be called at once, again and again"
            );
        }
        self.jump(end);
    }

    /// Time passes and nobody calls the core: a phone that sleeps.
    pub(super) fn jump(&mut self, to: Duration) {
        let step = to - self.now.mono;
        self.now.mono = to;
        self.now.unix_ms += u64::try_from(step.as_millis()).unwrap();
    }

    pub(super) fn emit(&mut self, event: &str, json: &str, options: EmitOptions) -> Receipt {
        let emission = Emission::new(event, RawArgs::json(json), options).unwrap();
        self.core.emit(self.now, self.socket, emission)
    }

    /// Emits without acknowledgement, and drains.
    pub(super) fn say(&mut self, event: &str) -> Receipt {
        let receipt = self.emit(event, "[]", EmitOptions::new());
        self.drain();
        receipt
    }

    pub(super) fn state(&self) -> State {
        self.core.state(self.socket).0
    }

    /// The frames written since the last look.
    pub(super) fn frames(&mut self) -> Vec<String> {
        self.wire.drain(..).map(|(_, text)| text).collect()
    }

    /// Names of the server's events that the app has heard since the last look.
    pub(super) fn heard(&mut self) -> Vec<String> {
        self.take(|happening| match happening {
            Happening::Message { name, payload, .. } => Some(format!("{name} {}", payload.to_json())),
            _ => None,
        })
    }

    pub(super) fn states(&mut self) -> Vec<(State, Option<Reason>)> {
        self.take(|happening| match happening {
            Happening::State(change) => Some((change.state, change.reason)),
            _ => None,
        })
    }

    pub(super) fn notices(&mut self) -> Vec<Notice> {
        self.take(|happening| match happening {
            Happening::Notice(notice) => Some((**notice).clone()),
            _ => None,
        })
    }

    fn take<T>(&mut self, pick: impl Fn(&Happening) -> Option<T>) -> Vec<T> {
        let mut picked = Vec::new();
        self.events.retain(|(_, happening)| match pick(happening) {
            Some(found) => {
                picked.push(found);
                false
            }
            None => true,
        });
        picked
    }
}

/// What a store gives that has kept these.
pub(super) fn contents(records: Vec<Record>) -> Contents {
    Contents {
        records,
        ..Contents::default()
    }
}

pub(super) fn names(receipts: &[Receipt]) -> Vec<&'static str> {
    receipts
        .iter()
        .map(|receipt| receipt.outcome().map_or("none", |outcome| outcome.name()))
        .collect()
}

pub(super) fn error_of(receipt: &Receipt) -> Error {
    let outcome = receipt.outcome();
    outcome
        .as_ref()
        .and_then(Outcome::error)
        .cloned()
        .unwrap_or_else(|| panic!("no error in {outcome:?}"))
}

/// A chat client that the server has greeted.
pub(super) fn greeted() -> Pair {
    let mut pair = Pair::chat();
    pair.connect();
    pair.server(GREETING);
    pair.events.clear();
    pair
}

/// The id under which a frame asks for its acknowledgement.
pub(super) fn ack_id(frame: &str) -> String {
    frame[2..].chars().take_while(char::is_ascii_digit).collect()
}

/// The server agrees to what a frame asks.
pub(super) fn ok(pair: &mut Pair, frame: &str) {
    pair.server(&format!(r#"43{}[{{"ok":true}}]"#, ack_id(frame)));
}

/// The link breaks, and the next one has come as far as CONNECT.
pub(super) fn reconnect(pair: &mut Pair) {
    pair.cut();
    pair.sleep(secs(5));
    pair.open();
    pair.frames();
    pair.server(CONNECT);
}

/// Everything by which the server promises to keep messages in order.
pub(super) const ORDERLY: &str = r#"42["connection_status",{"connected":true,"userId":"u1","username":"A","features":["ack","dedupe","order","receipts"]}]"#;

/// A chat client that such a server has greeted.
pub(super) fn orderly() -> Pair {
    let mut pair = Pair::chat();
    pair.connect();
    pair.server(ORDERLY);
    pair.events.clear();
    pair
}

/// The server refuses what a frame asks, for so many milliseconds; `more` goes into the error.
pub(super) fn limit(pair: &mut Pair, frame: &str, retry_after_ms: u64, more: &str) {
    let error = format!(r#"{{"code":"rate_limited","message":"slow","retryAfterMs":{retry_after_ms}{more}}}"#);
    pair.server(&format!(r#"43{}[{{"ok":false,"error":{error}}}]"#, ack_id(frame)));
}

/// The numbers in `{"n":…}` of the frames written since the last look.
pub(super) fn numbers(frames: &[String]) -> Vec<u32> {
    let number = |frame: &String| frame.split(r#""n":"#).nth(1)?.trim_end_matches("}]").parse().ok();
    frames.iter().filter_map(number).collect()
}

/// Sends the reliable messages `{"n":…}` in a lane.
pub(super) fn say_numbers(pair: &mut Pair, lane: &str, numbers: std::ops::Range<u32>) -> Vec<Receipt> {
    let receipts = numbers.map(|n| {
        let options = EmitOptions::new().reliable().lane(lane);
        pair.emit("m", &format!(r#"[{{"n":{n}}}]"#), options)
    });
    let receipts = receipts.collect();
    pair.drain();
    receipts
}

pub(super) fn say_to_room(pair: &mut Pair, room: &str) -> Receipt {
    let object = format!(r#"{{"roomId":"{room}","content":"x"}}"#);
    let options = EmitOptions::new().reliable().lane(room_lane(room));
    let receipt = pair.core.emit(
        pair.now,
        pair.socket,
        Emission::of_object("group_message", object.as_bytes(), options),
    );
    pair.drain();
    receipt
}

/// A chat client that is in a room.
pub(super) fn in_room(room: &str) -> Pair {
    let mut pair = greeted();
    let _joined = pair.core.join_room(pair.now, pair.socket, room, None);
    pair.drain();
    let join = pair.frames().remove(0);
    ok(&mut pair, &join);
    pair
}

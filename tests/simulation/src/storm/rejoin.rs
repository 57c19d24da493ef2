//! The shipped core as a client of the simulated world: its outputs become acts, what happens becomes its inputs.

use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use rejoin::core::{
    ConnectionConfig, Core, Frame, LinkEvent, LinkId, Method, NamespaceConfig, Now, Output, Request, Response, SocketId,
};
use rejoin::{Error, State};

use super::client::{Act, Client, Ending, Input, Wire};

/// The session offers no upgrade: it is counted until CONNECT is accepted, and an upgrade comes after that.
const OPEN: &str = r#"0{"sid":"e","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
const CONNECTED: &str = r#"40{"sid":"s"}"#;
const PING: &str = "2";

/// Unix time at which the simulation begins, in milliseconds.
const EPOCH: u64 = 1_767_225_600_000;

/// One client of the real core.
pub(super) struct Rejoin {
    core: Core,
    socket: SocketId,
    carrier: Carrier,
}

/// What the core's link runs over.
enum Carrier {
    Nothing,
    WebSocket(LinkId),
    /// HTTP exchanges. To the world they are one connection, which the first GET opened.
    Polling {
        first: LinkId,
        get: Option<LinkId>,
        post: Option<LinkId>,
    },
}

impl Rejoin {
    pub(super) fn new(config: ConnectionConfig) -> Self {
        let mut core = Core::new(config);
        let socket = core.add_socket(NamespaceConfig::new("/"));
        Self {
            core,
            socket,
            carrier: Carrier::Nothing,
        }
    }

    /// The server says something.
    fn hear(&mut self, now: Now, wire: Wire, text: &'static str) {
        match &mut self.carrier {
            Carrier::WebSocket(link) if number(*link) == wire => {
                self.core
                    .handle_link(now, *link, LinkEvent::Text(ByteString::from_static(text)));
            }
            Carrier::Polling { first, get, post } if number(*first) == wire => {
                // A POST is answered before what it led to.
                for (exchange, body) in [(post.take(), "ok"), (get.take(), text)] {
                    if let Some(exchange) = exchange {
                        self.core.handle_link(now, exchange, answer(200, None, body));
                    }
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, now: Now, wire: Wire, ending: Ending) {
        let link = match std::mem::replace(&mut self.carrier, Carrier::Nothing) {
            Carrier::WebSocket(link) if number(link) == wire => link,
            Carrier::Polling { first, get, .. } if number(first) == wire => get.unwrap_or(first),
            other => {
                self.carrier = other;
                return;
            }
        };
        let event = match ending {
            Ending::Reset => LinkEvent::Closed(Some(Error::Unreachable("reset".into()))),
            Ending::Busy { retry_after_s } => {
                let after = Duration::from_secs(retry_after_s.into());
                answer(503, Some(after), "")
            }
        };
        self.core.handle_link(now, link, event);
    }

    fn drain(&mut self, now: Now, acts: &mut Vec<Act>) {
        loop {
            match self.core.poll_output() {
                Output::Start(link, request) => self.start(now, link, *request, acts),
                Output::Send(link, frames) => {
                    if frames.iter().any(is_connect) {
                        acts.push(Act::Join(number(link)));
                    }
                    self.core.handle_link(now, link, LinkEvent::Sent);
                }
                Output::Stop(link) => self.stop(link, acts),
                Output::Timeout(at) => {
                    acts.push(Act::Wake(at));
                    return;
                }
                // What the app is told does not matter here.
                _ => {}
            }
        }
    }

    fn start(&mut self, now: Now, link: LinkId, request: Request, acts: &mut Vec<Act>) {
        match (request.method, &mut self.carrier) {
            (Method::WebSocket, carrier) => {
                *carrier = Carrier::WebSocket(link);
                acts.push(Act::Dial(number(link)));
            }
            (Method::Get, Carrier::Polling { get, .. }) if request.target.contains("&sid=") => *get = Some(link),
            (Method::Get, carrier) => {
                *carrier = Carrier::Polling {
                    first: link,
                    get: Some(link),
                    post: None,
                };
                acts.push(Act::Dial(number(link)));
            }
            (Method::Post(body), Carrier::Polling { first, post, .. }) if body.starts_with(b"40") => {
                *post = Some(link);
                acts.push(Act::Join(number(*first)));
            }
            // The answer to a heartbeat.
            (Method::Post(_), _) => self.core.handle_link(now, link, answer(200, None, "ok")),
        }
    }

    fn stop(&mut self, link: LinkId, acts: &mut Vec<Act>) {
        let wire = match &self.carrier {
            Carrier::WebSocket(own) if *own == link => link,
            Carrier::Polling { first, get, post } if [*get, *post].contains(&Some(link)) => *first,
            _ => return,
        };
        self.carrier = Carrier::Nothing;
        acts.push(Act::Hangup(number(wire)));
    }
}

impl Client for Rejoin {
    fn handle(&mut self, now: Duration, input: Input, acts: &mut Vec<Act>) {
        let now = Now {
            mono: now,
            unix_ms: EPOCH + u64::try_from(now.as_millis()).unwrap_or(0),
        };
        match input {
            Input::Begin => self.core.connect(now, self.socket),
            Input::Due => self.core.handle_timeout(now),
            Input::Opened(wire) => self.hear(now, wire, OPEN),
            Input::Accepted(wire) => self.hear(now, wire, CONNECTED),
            Input::Ping(wire) => self.hear(now, wire, PING),
            Input::Ended(wire, ending) => self.end(now, wire, ending),
        }
        self.drain(now, acts);
    }

    fn is_connected(&self) -> bool {
        self.core.state(self.socket).0 == State::Connected
    }
}

/// The core counts its links from 1, and makes a few dozen of them here.
fn number(link: LinkId) -> Wire {
    Wire::try_from(link.0).unwrap_or(Wire::MAX)
}

fn is_connect(frame: &Frame) -> bool {
    matches!(frame, Frame::Text(text) if text.starts_with(b"40"))
}

fn answer(status: u16, retry_after: Option<Duration>, body: &'static str) -> LinkEvent {
    LinkEvent::Response(Response {
        status,
        retry_after,
        body: Bytes::from_static(body.as_bytes()),
    })
}

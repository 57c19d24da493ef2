//! One client that is driven, and what it reports.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rejoin::{Client, Error, Event, Notice, RawArgs, RealtimeClient, Socket, StateChange, Subscription, Transport};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::lines::{EventLine, Lines, Refusal, StateLine, malformed};
use super::options::{Options, Token, unsupported};
use super::receipts::{Receipts, next_number};
use crate::binary;

const EVERY_EVENT: &str = "*";

/// What the client tells about itself under that name too. The rest has to be asked for by its own.
const OWN_OF_EVERY_EVENT: [&str; 6] = [
    "handlerError",
    "overflow",
    "warning",
    "storeError",
    "accountChanged",
    "messageStatus",
];

/// The chat layer's own events, which it gives by name.
const OWN_OF_CHAT: [&str; 3] = ["connectionStatusChange", "connectionFailed", "reconnected"];

/// A client by the name that commands have for it.
pub(super) struct Driven {
    pub(super) socket: Socket,
    pub(super) reporter: Arc<Reporter>,
    link: Link,
    token: TokenOf,
    own: Vec<(String, Subscription)>,
    _states: Subscription,
}

/// What the socket belongs to.
enum Link {
    Generic(Client),
    Chat(RealtimeClient),
}

/// What another token is given to.
enum TokenOf {
    Provider(watch::Sender<Token>),
    /// The client, and with it all namespaces that have none of their own.
    Client,
    /// One namespace.
    Socket,
}

/// Prints what happens to one client.
pub(super) struct Reporter {
    pub(super) client: String,
    pub(super) lines: Lines,
    pub(super) receipts: Receipts,
    /// Whether events of the chat layer have their TypeScript names.
    names: bool,
    last: Mutex<Option<StateChange>>,
    /// Events that the server wants answered, by the numbers in their lines.
    asked: Mutex<HashMap<u64, Event>>,
}

impl Driven {
    /// Makes a client with a link of its own.
    pub(super) fn create(name: &str, url: String, options: Options, lines: &Lines) -> Result<Self, Error> {
        let (sender, token) = watch::channel(None);
        let token_of = match options.provider {
            true => TokenOf::Provider(sender),
            false => TokenOf::Client,
        };
        let namespace = options.namespace.clone().unwrap_or_else(|| "/".to_owned());
        let (socket, link) = if options.chat.unwrap_or(true) {
            let mut builder = RealtimeClient::builder(url).namespace(namespace);
            if let Some(typing) = options.typing.clone() {
                builder = builder.typing(typing);
            }
            let chat = options.apply(builder, token)?.build()?;
            (chat.socket().clone(), Link::Chat(chat))
        } else {
            if options.typing.is_some() {
                return Err(unsupported("option `typing` without the chat layer"));
            }
            let client = options.apply(Client::builder(url), token)?.build()?;
            (client.socket(&namespace), Link::Generic(client))
        };
        Ok(Self::new(name, socket, link, token_of, lines))
    }

    /// Another namespace on the link of this client, without the chat layer.
    pub(super) fn create_of(&self, name: &str, options: Options, lines: &Lines) -> Result<Self, Error> {
        if options.chat == Some(true) {
            return Err(unsupported("the chat layer on another client's link"));
        }
        let (sender, token) = watch::channel(None);
        let token_of = match options.provider {
            true => TokenOf::Provider(sender),
            false => TokenOf::Socket,
        };
        let namespace = options.namespace.clone().unwrap_or_else(|| "/".to_owned());
        let client = self.client().clone();
        let socket = client.socket_with(&namespace, options.of_a_namespace(token)?)?;
        Ok(Self::new(name, socket, Link::Generic(client), token_of, lines))
    }

    fn new(name: &str, socket: Socket, link: Link, token: TokenOf, lines: &Lines) -> Self {
        let reporter = Arc::new(Reporter {
            client: name.to_owned(),
            lines: lines.clone(),
            receipts: Receipts::default(),
            names: matches!(link, Link::Chat(_)),
            last: Mutex::default(),
            asked: Mutex::default(),
        });
        // A handler, not the stream of states: so a change stands in its place among the events.
        let states = socket.on_state({
            let reporter = Arc::clone(&reporter);
            move |change| reporter.state(change)
        });
        Self {
            socket,
            reporter,
            link,
            token,
            own: Vec::new(),
            _states: states,
        }
    }

    /// The chat layer, if the client has it.
    pub(super) fn chat(&self) -> Option<&RealtimeClient> {
        match &self.link {
            Link::Generic(_) => None,
            Link::Chat(chat) => Some(chat),
        }
    }

    /// The client whose link it is on.
    pub(super) fn client(&self) -> &Client {
        match &self.link {
            Link::Generic(client) => client,
            Link::Chat(chat) => chat.client(),
        }
    }

    /// Ends the client for good.
    pub(super) fn close(&self) {
        self.client().close();
    }

    /// Starts event lines.
    pub(super) fn on(&mut self, event: &str) {
        let reporter = Arc::clone(&self.reporter);
        let name = event.to_owned();
        let own = OWN_OF_CHAT.contains(&event);
        match &self.link {
            _ if event == EVERY_EVENT => self
                .socket
                .on_any(move |event| reporter.event(&reporter.name_of(event), event))
                .detach(),
            Link::Chat(chat) => {
                let subscription = chat.on_name(event, move |event| reporter.event(&name, event));
                match own {
                    true => return self.own.push((event.to_owned(), subscription)),
                    false => subscription.detach(),
                }
            }
            Link::Generic(_) => self
                .socket
                .on(event, move |event| reporter.event(&name, event))
                .detach(),
        }
        self.on_notice(event, false);
    }

    /// Starts the line of the next event.
    pub(super) fn once(&mut self, event: &str) -> Result<(), Error> {
        if event == EVERY_EVENT {
            return Err(unsupported("`once` for every event"));
        }
        let reporter = Arc::clone(&self.reporter);
        let name = event.to_owned();
        if let Link::Chat(chat) = &self.link
            && OWN_OF_CHAT.contains(&event)
        {
            let mut heard = false;
            let subscription = chat.on_name(event, move |event| {
                if !std::mem::replace(&mut heard, true) {
                    reporter.event(&name, event);
                }
            });
            self.own.push((event.to_owned(), subscription));
            return Ok(());
        }
        let wire = self.wire_name(event);
        self.socket
            .once(wire, move |event| reporter.event(&name, event))
            .detach();
        self.on_notice(event, true);
        Ok(())
    }

    /// The client's own notices come by their names, beside the server's events.
    fn on_notice(&mut self, event: &str, once: bool) {
        let reporter = Arc::clone(&self.reporter);
        let (name, mut heard) = (event.to_owned(), false);
        let subscription = self.socket.on_notice(move |notice| {
            let among_all = name == EVERY_EVENT && OWN_OF_EVERY_EVENT.contains(&notice.name());
            if (among_all || name == notice.name()) && !(once && heard) {
                heard = true;
                reporter.notice(notice);
            }
        });
        self.own.push((event.to_owned(), subscription));
    }

    fn wire_name<'a>(&self, event: &'a str) -> &'a str {
        match self.link {
            Link::Chat(_) => rejoin::wire_name(event),
            Link::Generic(_) => event,
        }
    }

    /// Ends event lines.
    pub(super) fn off(&mut self, event: &str) {
        self.own.retain(|(name, _)| name != event);
        if event == EVERY_EVENT {
            self.socket.off_any();
        } else {
            self.socket.off(self.wire_name(event));
        }
    }

    /// Answers an event.
    pub(super) fn reply(&self, ack: u64, args: RawArgs) -> Result<(), Refusal> {
        let event = self.reporter.asked().get(&ack).cloned();
        let event = event.ok_or_else(|| malformed(format!("no event came with the ack {ack}")))?;
        Ok(event.reply_raw(args)?)
    }

    /// Has another token from now on.
    pub(super) fn set_token(&self, token: String) {
        match &self.token {
            TokenOf::Provider(provider) => {
                provider.send_replace(Some(token));
            }
            TokenOf::Client => self.client().set_token(&token),
            TokenOf::Socket => self.socket.set_token(&token),
        }
    }

    /// What it has counted.
    pub(super) fn stats(&self) -> Box<RawValue> {
        RawValue::from_string(self.socket.stats().to_json()).expect("statistics are JSON")
    }

    /// The state object: the state as the client gives it, and what the last change said about it.
    pub(super) fn state(&self) -> StateLine<'static> {
        let state = self.socket.state();
        let last = self.reporter.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mut object = match &*last {
            Some(change) if change.state == state => StateLine::now(change),
            // There was none yet, or its line is still on the way.
            _ => StateLine::bare(state),
        };
        object.id = self.socket.id();
        object.transport = self.socket.transport().map(Transport::as_str);
        object
    }
}

impl Reporter {
    fn name_of<'a>(&self, event: &'a Event) -> Cow<'a, str> {
        match self.names {
            true => rejoin::event_name(event.name()),
            false => event.name().into(),
        }
    }

    fn state(&self, change: &StateChange) {
        self.lines.print(&StateLine::of(&self.client, change));
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(change.clone());
    }

    fn event(&self, name: &str, event: &Event) {
        let ack = event.wants_ack().then(|| {
            let number = next_number();
            self.asked().insert(number, event.clone());
            number
        });
        self.print_event(name, binary::incoming(event.payload()), ack);
    }

    fn notice(&self, notice: &Notice) {
        let mut argument: Value = serde_json::from_str(&notice.to_json()).expect("a notice is JSON");
        if let Notice::Overflow { receipt, .. } = notice {
            argument["receipt"] = json!(self.receipts.ours(*receipt));
        }
        let args = to_raw_value(&[argument]).expect("a JSON value is JSON");
        self.print_event(notice.name(), args, None);
    }

    fn print_event(&self, event: &str, args: Box<RawValue>, ack: Option<u64>) {
        let client = &self.client;
        self.lines.print(&EventLine {
            client,
            event,
            args,
            ack,
        });
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Event>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! What a mutation check found untested: each of these fails with a break that nothing else noticed.
//!
//! - `timers`: deadlines, delays and probes; `messages`: the queue, the store and outcomes; `namespaces`: joining, rooms and
//!   what a server can do to one socket.

mod messages;
mod namespaces;
mod timers;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use bytes::Bytes;
use futures::FutureExt;

use super::pair::*;
use crate::config::{Delivery, Endpoint};
use crate::core::{
    AuthSource, ConnectionConfig, Emission, EmitOptions, Happening, LinkEvent, NamespaceConfig, ReplyTo, SocketId,
    Target, room_lane,
};
use crate::error::Error;
use crate::payload::RawArgs;
use crate::receipt::Receipt;
use crate::state::{Notice, State};

fn greeted_with(config: ConnectionConfig, namespace: NamespaceConfig) -> Pair {
    let mut pair = Pair::with(config, namespace);
    pair.connect();
    pair.server(GREETING);
    pair.events.clear();
    pair
}

fn stored() -> ConnectionConfig {
    let mut config = config();
    config.stored = true;
    config
}

/// A second namespace on the link of the first.
fn with_news(pair: &mut Pair) -> SocketId {
    let news = pair.core.add_socket(NamespaceConfig::new("/news"));
    pair.core.connect(pair.now, news);
    pair.drain();
    pair.server(r#"40/news,{"sid":"n1"}"#);
    pair.frames();
    pair.events.clear();
    news
}

fn reliable(pair: &mut Pair, options: EmitOptions) -> Receipt {
    let receipt = pair.emit("m", "[{}]", options.reliable());
    pair.drain();
    receipt
}

fn probes(pair: &mut Pair) -> usize {
    pair.frames().iter().filter(|frame| *frame == "ws ping").count()
}

/// The server asks something; gives where the answer goes.
fn asked(pair: &mut Pair) -> ReplyTo {
    pair.server(r#"421["ask"]"#);
    match pair.events.pop_back() {
        Some((_, Happening::Message { reply_to: Some(to), .. })) => *to,
        other => panic!("{other:?}"),
    }
}

//! How links are carried: `polling`, `fallback` to it, and the `upgrade` from it.

mod fallback;
mod polling;
mod upgrade;

use super::pair::*;
use crate::core::{ConnectionConfig, EmitOptions, LinkEvent, LinkId, Method, NamespaceConfig, Response};
use crate::error::Error;
use crate::receipt::Receipt;
use crate::state::{Hint, Reason, State, Transport};

pub(super) const UPGRADABLE: &str =
    r#"0{"sid":"e1","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":100}"#;

pub(super) fn with(transports: &[Transport], change: impl FnOnce(&mut ConnectionConfig)) -> Pair {
    let mut config = config();
    config.transports = transports.to_vec();
    change(&mut config);
    Pair::with(config, NamespaceConfig::new("/"))
}

/// Requests that were made and have not ended, in order.
pub(super) fn open_requests(pair: &Pair) -> Vec<(LinkId, Method)> {
    let open = pair.started.iter().filter(|(link, _)| !pair.stopped.contains(link));
    open.map(|(link, request)| (*link, request.method.clone())).collect()
}

/// The one GET that is under way.
pub(super) fn get(pair: &Pair) -> LinkId {
    let gets: Vec<_> = open_requests(pair)
        .into_iter()
        .filter(|(_, method)| *method == Method::Get)
        .collect();
    assert_eq!(gets.len(), 1, "one GET at a time");
    gets[0].0
}

/// The one POST that is under way, and its body.
pub(super) fn post(pair: &Pair) -> Option<(LinkId, String)> {
    let posts: Vec<_> = open_requests(pair)
        .into_iter()
        .filter_map(|(link, method)| match method {
            Method::Post(body) => Some((link, String::from_utf8(body.to_vec()).unwrap())),
            _ => None,
        })
        .collect();
    assert!(posts.len() <= 1, "one POST at a time");
    posts.into_iter().next()
}

pub(super) fn websocket(pair: &Pair) -> LinkId {
    let sockets: Vec<_> = open_requests(pair)
        .into_iter()
        .filter(|(_, method)| *method == Method::WebSocket)
        .collect();
    assert_eq!(sockets.len(), 1);
    sockets[0].0
}

pub(super) fn answer(pair: &mut Pair, link: LinkId, status: u16, body: &str) {
    let response = Response {
        status,
        retry_after: None,
        body: body.to_owned().into(),
    };
    // It ends with this, as the driver sees it.
    pair.stopped.push(link);
    pair.event(link, LinkEvent::Response(response));
}

/// The server's packets come as the answer to the GET.
pub(super) fn polled(pair: &mut Pair, body: &str) {
    let link = get(pair);
    answer(pair, link, 200, body);
}

/// The POST under way is taken; gives its body.
pub(super) fn posted(pair: &mut Pair) -> String {
    let (link, body) = post(pair).expect("a POST");
    answer(pair, link, 200, "ok");
    body
}

/// Connected by polling alone.
pub(super) fn polling() -> Pair {
    connected(with(&[Transport::Polling], |_| {}))
}

pub(super) fn connected(mut pair: Pair) -> Pair {
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    polled(&mut pair, UPGRADABLE);
    assert_eq!(posted(&mut pair), "40");
    polled(&mut pair, CONNECT);
    assert_eq!(pair.state(), State::Connected);
    pair.events.clear();
    pair
}

pub(super) fn target(pair: &Pair, link: LinkId) -> String {
    let found = pair.started.iter().find(|(started, _)| *started == link);
    found.unwrap().1.target.clone()
}

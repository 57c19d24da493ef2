//! Requests to the one server: where they go, and under which id.

use std::fmt;

use super::context::Context;
use super::io::{LinkId, Method, Output, Request};
use super::scan;
use crate::config::{Endpoint, Protocol};
use crate::state::Transport;

/// Makes the requests of one client.
pub(super) struct Requests {
    endpoint: Endpoint,
    /// Path and query up to where a request's own parameters begin.
    base: String,
    /// The user's own part of the query.
    query: String,
    protocol: Protocol,
    /// How many were made.
    made: u64,
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the query, which may hold a secret.
        f.debug_struct("Requests")
            .field("made", &self.made)
            .finish_non_exhaustive()
    }
}

impl Requests {
    pub(super) fn new(config: &super::settings::ConnectionConfig) -> Self {
        Self {
            endpoint: config.endpoint.clone(),
            base: config.path.clone(),
            query: config.query.clone(),
            protocol: config.protocol,
            made: 0,
        }
    }

    /// Has the platform start a request of the session `sid`, or one for a new session.
    pub(super) fn start(&mut self, cx: &mut Context, method: Method, sid: Option<&str>) -> LinkId {
        self.made += 1;
        let id = LinkId(self.made);
        let target = self.target(&method, sid);
        let request = Request {
            method,
            secure: self.endpoint.secure,
            host: self.endpoint.host.clone(),
            port: self.endpoint.port,
            authority: self.endpoint.authority(),
            target,
        };
        cx.push(Output::Start(id, Box::new(request)));
        id
    }

    fn target(&self, method: &Method, sid: Option<&str>) -> String {
        let mut target = self.base.clone();
        if self.protocol == Protocol::SocketIo {
            let transport = match method {
                Method::WebSocket => Transport::WebSocket,
                Method::Get | Method::Post(_) => Transport::Polling,
            };
            target.push_str("?EIO=4&transport=");
            target.push_str(transport.as_str());
            if let Some(sid) = sid {
                target.push_str("&sid=");
                crate::config::push_encoded(&mut target, sid);
            }
            if transport == Transport::Polling {
                // No cache on the way may take one request for another.
                let mut digits = Vec::with_capacity(20);
                scan::write_uint(&mut digits, self.made);
                target.push_str("&t=");
                target.extend(digits.into_iter().map(char::from));
            }
        }
        if !self.query.is_empty() {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str(&self.query);
        }
        target
    }
}

//! From an HTTP request to a WebSocket (RFC 6455, 4.2).
//!
//! By hand, and not by axum's extractor: that hides why a frame could not be read, and brings
//! another tungstenite than Socket.IO's.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::connection;
use crate::chat::hub::Hub;

/// A WebSocket to a client.
pub(super) type WebSocket = WebSocketStream<TokioIo<Upgraded>>;

/// `GET /ws`: 101 and a connection, or 426 for whatever does not ask for a WebSocket.
pub(crate) async fn upgrade(State(hub): State<Arc<Hub>>, request: Request) -> Response {
    let Some(key) = key(request.headers()) else {
        let upgrade = [(UPGRADE, "websocket"), (SEC_WEBSOCKET_VERSION, "13")];
        let body = "this is a WebSocket, version 13";
        return (StatusCode::UPGRADE_REQUIRED, upgrade, body).into_response();
    };
    let accept = derive_accept_key(key);
    tokio::spawn(async move {
        match hyper::upgrade::on(request).await {
            Ok(link) => {
                let config = limits(hub.config.max_payload);
                let socket = WebSocketStream::from_raw_socket(TokioIo::new(link), Role::Server, Some(config));
                connection::run(&hub, socket.await).await;
            }
            Err(error) => tracing::debug!(%error, "a WebSocket did not begin"),
        }
    });
    let headers = [
        (CONNECTION, "upgrade".to_owned()),
        (UPGRADE, "websocket".to_owned()),
        (SEC_WEBSOCKET_ACCEPT, accept),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers, Body::empty()).into_response()
}

/// The key of a request that asks for a WebSocket.
fn key(headers: &HeaderMap) -> Option<&[u8]> {
    let is = |name, value: &str| {
        let header = headers.get(name).and_then(|header| header.to_str().ok());
        header.is_some_and(|header| header.trim().eq_ignore_ascii_case(value))
    };
    let asks = is(UPGRADE, "websocket") && is(SEC_WEBSOCKET_VERSION, "13");
    let key = headers.get(SEC_WEBSOCKET_KEY)?;
    asks.then(|| key.as_bytes())
}

fn limits(max_payload: u64) -> WebSocketConfig {
    let max = usize::try_from(max_payload).unwrap_or(usize::MAX);
    WebSocketConfig::default()
        .max_message_size(Some(max))
        .max_frame_size(Some(max))
}

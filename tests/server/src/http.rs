//! What is served beside Socket.IO: the chat as plain JSON at `/ws`, `/health`, `/stats`, and
//! `/dev/token` where it is switched on.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::User;
use crate::chat::{Hub, json};
use crate::stats::Stats;

pub(crate) fn pages(hub: Arc<Hub>) -> Router {
    let pages = Router::new()
        .route("/ws", get(json::upgrade))
        .route("/health", get(health))
        .route("/stats", get(stats));
    let pages = match hub.config.dev_tokens {
        true => pages.route("/dev/token", get(dev_token)),
        false => pages,
    };
    pages.with_state(hub)
}

/// Sends whoever is new away while the server shuts down. Sessions that are there already go on.
pub(crate) async fn let_in(State(hub): State<Arc<Hub>>, request: Request, next: Next) -> Response {
    let known = request.uri().query().is_some_and(|query| query.contains("sid="));
    if known || !hub.ending.load(Ordering::Acquire) {
        return next.run(request).await;
    }
    let seconds = hub.config.retry_after.map_or(1, |after| after.as_secs().max(1));
    let text = "the server is shutting down";
    (
        StatusCode::SERVICE_UNAVAILABLE,
        [(RETRY_AFTER, seconds.to_string())],
        text,
    )
        .into_response()
}

/// 200 while the database answers, 503 otherwise.
async fn health(State(hub): State<Arc<Hub>>) -> (StatusCode, Json<Value>) {
    match hub.store.lock().await.ping().await {
        Ok(()) => (StatusCode::OK, Json(json!({ "status": "ok" }))),
        Err(error) => {
            tracing::error!(%error, "the database does not answer");
            let failed = json!({ "status": "the database does not answer" });
            (StatusCode::SERVICE_UNAVAILABLE, Json(failed))
        }
    }
}

async fn stats(State(hub): State<Arc<Hub>>) -> Json<Stats> {
    Json(hub.stats())
}

#[derive(Deserialize)]
struct Wanted {
    user: String,
    name: Option<String>,
    /// In seconds; a day unless given.
    ttl: Option<u64>,
}

/// A token as plain text, so that a shell can take it as it is.
async fn dev_token(State(hub): State<Arc<Hub>>, Query(wanted): Query<Wanted>) -> String {
    let username = wanted.name.unwrap_or_else(|| wanted.user.clone());
    let user = User {
        id: wanted.user,
        username,
    };
    let ttl = Duration::from_secs(wanted.ttl.unwrap_or(24 * 60 * 60));
    hub.tokens.mint(user, ttl)
}

#[cfg(test)]
mod tests {
    use axum::middleware::from_fn_with_state;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::config::ServerConfig;

    #[tokio::test]
    async fn while_the_server_shuts_down_sessions_go_on_and_nobody_new_is_let_in() {
        let hub = Arc::new(Hub::open(ServerConfig::default()).await.expect("a database"));
        let doors = from_fn_with_state(hub.clone(), let_in);
        let pages = Router::new().route("/page", get(async || "let in")).layer(doors);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, pages).await });
        let ask = async |path: &str| {
            let mut stream = TcpStream::connect(address).await.expect("connected");
            let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.expect("written");
            let mut response = String::new();
            stream.read_to_string(&mut response).await.expect("read");
            response
        };
        assert!(ask("/page").await.contains("let in"));
        hub.ending.store(true, Ordering::Release);
        let refused = ask("/page?EIO=4").await;
        assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
        assert!(refused.contains("retry-after: 1\r\n"), "{refused}");
        assert!(ask("/page?EIO=4&sid=s1").await.contains("let in"));
    }
}

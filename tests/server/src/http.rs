//! What is served beside Socket.IO: the chat as plain JSON at `/ws`, `/health`, `/stats`, and
//! `/dev/token` where it is switched on.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
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

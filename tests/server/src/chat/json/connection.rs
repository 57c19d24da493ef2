//! The life of one plain-JSON connection.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use serde_json::json;
use tokio::io::{AsyncWriteExt, copy, sink};
use tokio::time::timeout;
use uuid::Uuid;

use super::incoming::Incoming;
use super::outlet::{Outlet, write};
use super::upgrade::WebSocket;
use crate::chat::hub::Hub;
use crate::chat::life::live;
use crate::chat::outlet;

/// How long the end may take, for what is still to be written and for the client's goodbye.
const GRACE: Duration = Duration::from_secs(1);

/// Runs a connection to its end.
pub(super) async fn run(hub: &Arc<Hub>, socket: WebSocket) {
    let (writer, stream) = socket.split();
    let (outlet, queue) = Outlet::new(hub.max_waiting());
    let writing = tokio::spawn(write(writer, queue));
    let stuck = writing.abort_handle();
    let mut incoming = Incoming::new(hub, stream, outlet.clone(), writing);
    let greeting = json!({
        "clientId": Uuid::new_v4().to_string(),
        "message": "authenticate with a token",
        "features": hub.config.features.announced(),
    });
    outlet.say("connection", &greeting);
    if let Some(user) = incoming.authenticate().await {
        live(hub, user, outlet::Outlet::Json(outlet.clone()), &mut incoming).await;
    }
    // Where this side has not closed yet; otherwise nobody reads it.
    outlet.close(1000, "");
    drop(outlet);
    if timeout(GRACE, part(incoming)).await.is_err() {
        stuck.abort();
    }
}

/// Closes the link when all is written. What still comes is read and thrown away: unread, it would
/// make the system reset the link, and the client would lose the last frames.
async fn part(incoming: Incoming<'_>) {
    let (stream, Some(writer)) = incoming.into_parts().await else {
        return;
    };
    if let Ok(socket) = stream.reunite(writer) {
        let mut link = socket.into_inner();
        if link.shutdown().await.is_ok() {
            let _ = copy(&mut link, &mut sink()).await;
        }
    }
}

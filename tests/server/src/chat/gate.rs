//! Who may connect: checks the token before CONNECT is answered.

use std::future::{Ready, ready};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use socketioxide::extract::{SocketRef, State, TryData};

use super::hub::Hub;
use super::inbox::{Inbox, Incoming};
use crate::auth::{AuthError, User};

/// A connection that was let in, on its way to its session.
#[derive(Clone, Debug)]
pub(crate) struct Admitted(Arc<Mutex<Option<(User, Incoming)>>>);

impl Admitted {
    /// Takes what [`authenticate`] left with a connection.
    pub(crate) fn take(socket: &SocketRef) -> Option<(User, Incoming)> {
        let Self(admitted) = socket.extensions.remove()?;
        let mut admitted = admitted.lock().unwrap_or_else(PoisonError::into_inner);
        admitted.take()
    }
}

/// The middleware of CONNECT.
///
/// Handlers are registered here already: a client may send its first event as soon as it reads
/// the answer, before the connection's session has begun.
pub(crate) fn authenticate(
    socket: SocketRef,
    TryData(auth): TryData<Value>,
    State(hub): State<Arc<Hub>>,
) -> Ready<Result<(), AuthError>> {
    let auth = auth.unwrap_or_default();
    let admitted = token(&socket, &auth).and_then(|token| hub.admit(token));
    ready(match admitted {
        Ok(user) => {
            let (inbox, incoming) = Inbox::new();
            let gone = inbox.clone();
            socket.on_fallback(inbox);
            socket.on_disconnect(async move || gone.gone());
            let admitted = Admitted(Arc::new(Mutex::new(Some((user, incoming)))));
            socket.extensions.insert(admitted);
            Ok(())
        }
        Err(error) => {
            hub.counters.refused.add(1);
            tracing::debug!(%error, "CONNECT was refused");
            Err(error)
        }
    })
}

/// The token of CONNECT's auth, otherwise that of the handshake's `Authorization` header.
fn token<'a>(socket: &'a SocketRef, auth: &'a Value) -> Result<&'a str, AuthError> {
    match auth.get("token") {
        Some(Value::String(token)) => return Ok(token),
        None | Some(Value::Null) => {}
        Some(_) => return Err(AuthError::Invalid),
    }
    let headers = &socket.req_parts().headers;
    let header = headers.get("authorization").ok_or(AuthError::Missing)?;
    let header = header.to_str().map_err(|_| AuthError::Invalid)?;
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(AuthError::Missing),
    }
}

//! This project's client, used as its documentation says.

use futures::StreamExt;
use futures::channel::mpsc;
use rejoin::{Client, ErrorKind, Event, Outcome, Socket, State};
use serde::Serialize;

use super::Subject;
use crate::workload::{BoxError, Message};

/// One client with the main namespace connected.
pub(super) struct Session {
    socket: Socket,
    /// Keeps the connection.
    _client: Client,
}

impl Subject for Session {
    async fn connect(url: &str) -> Result<Self, BoxError> {
        let client = Client::builder(url).build()?;
        let socket = client.socket("/");
        let mut states = socket.states();
        socket.connect();
        while let Some(change) = states.next().await {
            match change.state {
                State::Connected => {
                    return Ok(Self {
                        socket,
                        _client: client,
                    });
                }
                State::Idle | State::Connecting => {}
                other => return Err(format!("{} instead of connected", other.name()).into()),
            }
        }
        Err("the client ended".into())
    }

    async fn emit(&mut self, count: u64) -> Result<(), BoxError> {
        let (mut done, counted) = mpsc::channel(1);
        let _subscription = self.socket.on("counted", move |_: &Event| {
            // Nobody waits only after the workload has failed.
            let _ = done.try_send(());
        });
        self.push("expect", &count).await?;
        let mut message = Message::new(0);
        for id in 0..count {
            message.id = id;
            self.push("count", &message).await?;
        }
        finished(counted).await
    }

    async fn receive(&mut self, count: u64) -> Result<(), BoxError> {
        let (mut done, received) = mpsc::channel(1);
        let mut outstanding = count;
        let _subscription = self.socket.on("news", move |event: &Event| {
            // A damaged message is not counted, and the run then fails by its deadline.
            if event.get::<Message>(0).is_ok_and(|message| message.id == 123_456) {
                outstanding -= 1;
            }
            if outstanding == 0 {
                let _ = done.try_send(());
            }
        });
        self.push("flood", &count).await?;
        finished(received).await
    }

    async fn round_trips(&mut self, count: u64) -> Result<(), BoxError> {
        let mut message = Message::new(0);
        for id in 0..count {
            message.id = id;
            let reply: Message = self.socket.request("echo", &message).await?;
            if reply.id != id {
                return Err("another message's acknowledgement".into());
            }
        }
        Ok(())
    }
}

impl Session {
    /// Emits without waiting for the outcome, unless the client says that it has no room.
    async fn push(&self, event: &str, args: &impl Serialize) -> Result<(), BoxError> {
        loop {
            match self.socket.emit(event, args).outcome() {
                Some(Outcome::Rejected(error)) if error.kind() == ErrorKind::Overloaded => {
                    self.socket.writable().await;
                }
                Some(Outcome::Rejected(error)) => return Err(error.into()),
                _ => return Ok(()),
            }
        }
    }
}

async fn finished(mut signal: mpsc::Receiver<()>) -> Result<(), BoxError> {
    signal.next().await.ok_or_else(|| "the handler was removed".into())
}

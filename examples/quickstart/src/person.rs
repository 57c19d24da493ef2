//! One of the two who chat: a client, and what the story has to know of what it hears.

use std::pin::Pin;
use std::time::Duration;

use futures::{Stream, StreamExt};
use rejoin::{
    BackoffConfig, ConnectionStatus, GroupMessage, Notice, PrivateMessage, RealtimeClient, RoomJoined, State,
    StateChange, TypingStart, TypingStop,
};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::timeout;

use crate::stage::User;
use crate::story::{Failure, THE_END};
use crate::timeline::{Timeline, Who};

/// Nothing that is waited for here takes longer than this.
const PATIENCE: Duration = Duration::from_secs(15);

/// A client, and what the story has to know of what it hears.
pub(crate) struct Person {
    pub(crate) chat: RealtimeClient,
    states: Pin<Box<dyn Stream<Item = StateChange> + Send>>,
    greetings: UnboundedReceiver<ConnectionStatus>,
    pub(crate) stopped_typing: UnboundedReceiver<()>,
    room_messages: UnboundedReceiver<String>,
    private_messages: UnboundedReceiver<String>,
    /// The receipts of messages that the queue had no room for.
    dropped: UnboundedReceiver<u64>,
}

impl Person {
    /// Makes a client and says what it is to be told. It does nothing until `connect`.
    pub(crate) fn new(who: Who, user: &User, timeline: &Timeline) -> Result<Self, Failure> {
        // Shorter delays than the default of 1 s to 5 s, because you are watching.
        let mut backoff = BackoffConfig::default();
        backoff.initial = Duration::from_millis(250);
        backoff.max = Duration::from_secs(1);
        let chat = RealtimeClient::builder(&user.url)
            .token(&user.token)
            .backoff(backoff)
            .build()?;

        // Handlers run one after the other, on one task of the client. Each `on` gives a subscription that removes its
        // handler when it is dropped; `detach` keeps the handler for as long as the client.
        let say = {
            let timeline = timeline.clone();
            move |what: String| timeline.say(who, what)
        };
        let told = say.clone();
        chat.socket().on_state(move |change| told(describe(change))).detach();
        let told = say.clone();
        chat.on(move |m: &PrivateMessage| told(format!("hears {}: {}", m.sender.username, m.content)))
            .detach();
        let told = say.clone();
        chat.on(move |joined: &RoomJoined| told(format!("is in the room {}", joined.room)))
            .detach();
        let told = say.clone();
        chat.on(move |t: &TypingStart| told(format!("sees that {} is typing", t.username)))
            .detach();
        chat.on(move |t: &TypingStop| say(format!("sees that {} has stopped", t.user_id)))
            .detach();

        // What the story waits for is handed on to it. It may have ended: then nobody waits, and that is no error.
        let (sender, greetings) = mpsc::unbounded_channel();
        chat.on(move |greeting: &ConnectionStatus| {
            let _ = sender.send(greeting.clone());
        })
        .detach();
        let (sender, stopped_typing) = mpsc::unbounded_channel();
        chat.on(move |_: &TypingStop| {
            let _ = sender.send(());
        })
        .detach();
        let (sender, room_messages) = mpsc::unbounded_channel();
        chat.on(move |message: &GroupMessage| {
            let _ = sender.send(message.content.clone());
        })
        .detach();
        let (sender, private_messages) = mpsc::unbounded_channel();
        chat.on(move |message: &PrivateMessage| {
            let _ = sender.send(message.content.clone());
        })
        .detach();
        let (sender, dropped) = mpsc::unbounded_channel();
        chat.socket()
            .on_notice(move |notice| {
                if let Notice::Overflow { receipt, .. } = notice {
                    let _ = sender.send(*receipt);
                }
            })
            .detach();

        Ok(Self {
            states: Box::pin(chat.socket().states()),
            chat,
            greetings,
            stopped_typing,
            room_messages,
            private_messages,
            dropped,
        })
    }

    /// Connects, and waits for the server's greeting; it says who the token is for.
    pub(crate) async fn connect(&mut self) -> Result<String, Failure> {
        self.chat.connect();
        self.wait_for(|change| change.state == State::Connected).await?;
        let greeting = within("the server greets", self.greetings.recv()).await?;
        Ok(greeting.ok_or("the client ended")?.user_id)
    }

    /// Waits for a change of state. The stream leaves none out, so none can be missed.
    pub(crate) async fn wait_for(&mut self, wanted: impl Fn(&StateChange) -> bool) -> Result<(), Failure> {
        let change = async {
            while let Some(change) = self.states.next().await {
                if change.state == State::Failed {
                    return Err(describe(&change).into());
                }
                if wanted(&change) {
                    return Ok(());
                }
            }
            Err("the client ended".into())
        };
        within("the connection changes", change).await?
    }

    /// The next `count` messages that are reported as dropped, as their numbers: the places of their receipts.
    pub(crate) async fn reports(&mut self, count: usize, receipts: &[u64]) -> Result<Vec<usize>, Failure> {
        let mut reported = Vec::new();
        while reported.len() < count {
            let receipt = within("drops are reported", self.dropped.recv()).await?;
            let place = receipts.iter().position(|known| Some(*known) == receipt);
            reported.push(place.ok_or("a message was dropped that is not one of these")? + 1);
        }
        Ok(reported)
    }

    /// The numbers that are heard in the room.
    pub(crate) async fn hears_until_the_end(&mut self) -> Vec<usize> {
        let mut heard = Vec::new();
        while let Some(content) = self.room_messages.recv().await {
            if content == THE_END {
                break;
            }
            // What is no number is none of ours, and a fault: no message has the number 0.
            heard.push(content.parse().unwrap_or(0));
        }
        heard
    }

    /// The numbers that are heard in private, until the last one is, and what follows at once.
    pub(crate) async fn hears_from_the_phone(&mut self, last: usize) -> Vec<usize> {
        let mut heard: Vec<usize> = Vec::new();
        while heard.last() != Some(&last) {
            match self.private_messages.recv().await {
                // What is no number was said before.
                Some(content) => heard.extend(content.parse::<usize>()),
                None => break,
            }
        }
        while let Ok(content) = self.private_messages.try_recv() {
            heard.extend(content.parse::<usize>());
        }
        heard
    }

    /// Ends the client: what was sent goes out, the server is told, and handlers have had their last call.
    pub(crate) async fn leave(&mut self) -> Result<(), Failure> {
        self.chat.close();
        let end = async { while self.states.next().await.is_some() {} };
        within("the client ends", end).await
    }
}

/// Whether the connection is lost, and the next attempt has its time.
pub(crate) const fn is_waiting(change: &StateChange) -> bool {
    matches!(change.state, State::Waiting { .. })
}

/// A change of state as a person reads it.
fn describe(change: &StateChange) -> String {
    let mut text = change.state.name().to_owned();
    if let State::Waiting { retry_in } = change.state {
        text += &format!(", tries again in {:.2} s", retry_in.as_secs_f64());
    }
    if let Some(reason) = change.reason {
        text += &format!(" ({})", reason.as_str());
    }
    if let (State::Failed, Some(error)) = (change.state, &change.error) {
        text += &format!(": {error}");
    }
    text
}

/// Waits, but not for ever.
pub(crate) async fn within<T>(what: &str, happens: impl Future<Output = T>) -> Result<T, Failure> {
    let late = |_| format!("it should have happened within {} s: {what}", PATIENCE.as_secs());
    Ok(timeout(PATIENCE, happens).await.map_err(late)?)
}

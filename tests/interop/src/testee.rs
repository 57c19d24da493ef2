//! The program under test: a platform's testee, driven through its JSON lines.

use std::process::{self, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::invariants;
use crate::merged;
use crate::peer::Peer;

/// The script that builds and starts each platform's testee.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testee");

/// A running testee; it is ended when this is dropped.
///
/// Every method panics, and so fails its case, where the testee refuses the command, does not answer in time,
/// or is gone. A wait takes the line that it found: the same wait again waits for the next such line.
#[derive(Debug)]
pub struct Testee {
    peer: Peer,
}

/// How one emit ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// `delivered`, `sent`, `rejected`, `unconfirmed`, `expired`, `dropped` or `cancelled`.
    pub name: String,
    /// What the server answered, one item for each argument; empty where it answered nothing.
    pub reply: Vec<Value>,
    /// Why, where there is an error.
    pub error: Option<Refusal>,
}

/// An error as it crosses the border of a platform.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The stable number of the kind.
    pub code: u64,
    /// The name of the kind, e.g. `refused`.
    pub kind: String,
    /// A sentence for people.
    pub message: String,
    /// The server's own code, where the error is the server's.
    pub server_code: Option<String>,
}

fn platform() -> String {
    std::env::var("REJOIN_TESTEE").unwrap_or_else(|_| "rust".to_owned())
}

/// Whether the testee lives in a page. There the browser does some things itself, and does not tell the page of others: why
/// a WebSocket did not open, or what was wrong with a frame.
pub fn in_browser() -> bool {
    platform() == "web"
}

/// Whether this is the code of an answer that no server of ours gives. A page is told only that nothing came of it.
pub fn is_no_handshake(code: &Value) -> bool {
    code == 2004 || (in_browser() && code == 2001)
}

impl Testee {
    /// Starts the testee of the platform that `REJOIN_TESTEE` names, built anew where its sources have
    /// changed. Must be called inside a tokio runtime.
    pub fn start() -> Self {
        static BUILT: OnceLock<()> = OnceLock::new();
        let platform = platform();
        BUILT.get_or_init(|| {
            let mut build = process::Command::new(SCRIPT);
            build.args(["--build", &platform]).stdin(Stdio::null());
            // What cargo tells this test about its package: build scripts would run anew for it, and at the next build
            // by hand again.
            for (name, _) in std::env::vars_os() {
                let about_us = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"];
                if about_us.iter().any(|start| name.to_string_lossy().starts_with(start)) {
                    build.env_remove(name);
                }
            }
            let build = build.output().expect("tests/testee can be started");
            assert!(
                build.status.success(),
                "the testee was not built:\n{}",
                String::from_utf8_lossy(&build.stderr)
            );
        });
        let mut command = Command::new(SCRIPT);
        command.arg(platform);
        Self::spawn(command)
    }

    /// Starts any program as a testee. Must be called inside a tokio runtime.
    pub fn spawn(command: Command) -> Self {
        Self {
            peer: Peer::spawn("testee", command),
        }
    }

    /// Sends a command, which has to be taken, and returns the answer.
    pub async fn command(&self, command: Value) -> Value {
        let answer = self.peer.command(command.clone()).await;
        assert!(answer["ok"] == true, "{command} was refused: {answer}");
        answer
    }

    /// Sends a command, which has to be refused.
    pub async fn refused(&self, command: Value) -> Refusal {
        let answer = self.peer.command(command.clone()).await;
        assert!(answer["ok"] == false, "{command} was taken: {answer}");
        Refusal::read(&answer["error"])
    }

    /// Writes a command, and does not wait for the answer.
    pub fn say(&self, command: &Value) {
        self.peer.write(&command.to_string());
    }

    /// Ends it as `kill -9` does; every line that it has printed.
    pub async fn kill(mut self) -> Vec<Value> {
        self.peer.kill().await;
        self.peer.transcript.ended().await
    }

    /// Writes one line as it is, valid or not, and waits for the error line that answers a line without an `id`.
    pub async fn refused_line(&self, line: &str) -> Refusal {
        self.peer.write(line);
        let answer = self
            .peer
            .wait("error line", |line| line["ok"] == false && line["re"].is_null())
            .await;
        Refusal::read(&answer["error"])
    }

    /// Makes a client; see [`options`](crate::options).
    pub async fn create(&self, client: &str, url: &str, options: Value) {
        self.command(json!({ "op": "create", "client": client, "url": url, "options": options }))
            .await;
    }

    /// Makes a client of another namespace on the link of the client `of`.
    pub async fn create_of(&self, client: &str, of: &str, namespace: &str) {
        let options = json!({ "namespace": namespace });
        self.command(json!({ "op": "create", "client": client, "of": of, "options": options }))
            .await;
    }

    /// Starts connecting.
    pub async fn connect(&self, client: &str) {
        self.command(json!({ "op": "connect", "client": client })).await;
    }

    /// Starts connecting, and waits until that is done.
    pub async fn connected(&self, client: &str) {
        self.connect(client).await;
        self.wait_state(client, "connected").await;
    }

    /// Closes by the user's wish.
    pub async fn disconnect(&self, client: &str) {
        self.command(json!({ "op": "disconnect", "client": client })).await;
    }

    /// Gives the auth provider the token that it answers with from now on.
    pub async fn token(&self, client: &str, token: &str) {
        self.command(json!({ "op": "token", "client": client, "token": token }))
            .await;
    }

    /// Registers a handler for an event.
    pub async fn on(&self, client: &str, event: &str) {
        self.command(json!({ "op": "on", "client": client, "event": event }))
            .await;
    }

    /// Registers a handler for the next event of this name.
    pub async fn once(&self, client: &str, event: &str) {
        self.command(json!({ "op": "once", "client": client, "event": event }))
            .await;
    }

    /// Removes the handlers of an event.
    pub async fn off(&self, client: &str, event: &str) {
        self.command(json!({ "op": "off", "client": client, "event": event }))
            .await;
    }

    /// Emits; the receipt's number.
    pub async fn emit(&self, client: &str, event: &str, args: Value) -> u64 {
        self.emit_with(client, event, args, json!({})).await
    }

    /// Emits with further fields of the command: `ack`, `timeout`, `volatile` and so on.
    pub async fn emit_with(&self, client: &str, event: &str, args: Value, with: Value) -> u64 {
        let emit = json!({ "op": "emit", "client": client, "event": event, "args": args });
        receipt(&self.command(merged(emit, with)).await)
    }

    /// Emits, asks for an acknowledgement, and returns what was acknowledged.
    pub async fn request(&self, client: &str, event: &str, args: Value) -> Vec<Value> {
        let receipt = self.emit_with(client, event, args, json!({ "ack": true })).await;
        let outcome = self.outcome(client, receipt).await;
        assert_eq!(outcome.name, "delivered", "{outcome:?}");
        outcome.reply
    }

    /// Calls a method of the chat layer that sends nothing anyone waits for.
    pub async fn call(&self, client: &str, method: &str, args: Value) {
        self.command(json!({ "op": "call", "client": client, "method": method, "args": args }))
            .await;
    }

    /// Calls a method of the chat layer that sends; the receipt's number.
    pub async fn send(&self, client: &str, method: &str, args: Value) -> u64 {
        receipt(
            &self
                .command(json!({ "op": "call", "client": client, "method": method, "args": args }))
                .await,
        )
    }

    /// Acknowledges an event that [`wait_event`](Self::wait_event) returned with `ack`.
    pub async fn reply(&self, client: &str, event: &Value, args: Value) {
        self.command(json!({ "op": "reply", "client": client, "ack": event["ack"], "args": args }))
            .await;
    }

    /// Cancels an emit. What came of it is its outcome.
    pub async fn cancel(&self, client: &str, receipt: u64) {
        self.command(json!({ "op": "cancel", "client": client, "receipt": receipt }))
            .await;
    }

    /// How many emits have no outcome yet.
    pub async fn pending(&self, client: &str) -> u64 {
        let answer = self.command(json!({ "op": "pending", "client": client })).await;
        answer["pending"]
            .as_u64()
            .unwrap_or_else(|| panic!("not a number of entries: {answer}"))
    }

    /// The state now.
    pub async fn state(&self, client: &str) -> Value {
        self.command(json!({ "op": "state", "client": client })).await["state"].clone()
    }

    /// Waits for the next change into a state, passing over those before it; the state line.
    pub async fn wait_state(&self, client: &str, state: &str) -> Value {
        let what = format!("change of {client} into {state}");
        self.peer
            .transcript
            .wait(&what, |lines| {
                let is_change = |value: &Value| value["client"] == client && value["state"].is_string();
                let found = lines
                    .iter()
                    .position(|line| !line.taken && is_change(&line.value) && line.value["state"] == state)?;
                lines[..=found]
                    .iter_mut()
                    .filter(|line| is_change(&line.value))
                    .for_each(|line| line.taken = true);
                Some(lines[found].value.clone())
            })
            .await
    }

    /// Waits for the next event of this name, whatever other events come before it; the event line.
    pub async fn wait_event(&self, client: &str, event: &str) -> Value {
        let what = format!("event {event} on {client}");
        self.peer
            .wait(&what, |line| line["client"] == client && line["event"] == event)
            .await
    }

    /// Waits for the next event, which has to have this name; its arguments.
    pub async fn next_event(&self, client: &str, event: &str) -> Value {
        let what = format!("event on {client}, which should be {event}");
        let line = self
            .peer
            .wait(&what, |line| line["client"] == client && line["event"].is_string())
            .await;
        assert_eq!(line["event"], event, "the next event on {client}: {line}");
        line["args"].clone()
    }

    /// Waits for the one outcome of an emit.
    pub async fn outcome(&self, client: &str, receipt: u64) -> Outcome {
        let what = format!("outcome of receipt {receipt}");
        let line = self.peer.wait(&what, |line| {
            line["client"] == client && line["receipt"] == receipt && line["outcome"].is_string()
        });
        let line = line.await;
        Outcome {
            name: line["outcome"].as_str().unwrap_or_default().to_owned(),
            reply: line["reply"].as_array().cloned().unwrap_or_default(),
            error: line.get("error").filter(|error| !error.is_null()).map(Refusal::read),
        }
    }

    /// The states of a client so far, in order.
    pub fn states(&self, client: &str) -> Vec<String> {
        let changes = self
            .peer
            .transcript
            .so_far(|line| line["client"] == client && line["state"].is_string());
        changes
            .iter()
            .filter_map(|line| Some(line["state"].as_str()?.to_owned()))
            .collect()
    }

    /// The arguments of each event of this name so far, in order.
    pub fn events(&self, client: &str, event: &str) -> Vec<Value> {
        let events = self
            .peer
            .transcript
            .so_far(|line| line["client"] == client && line["event"] == event);
        events.into_iter().map(|line| line["args"].clone()).collect()
    }

    /// What a client has told so far, in order: the names of events and of states.
    pub fn story(&self, client: &str) -> Vec<String> {
        let lines = self.peer.transcript.so_far(|line| line["client"] == client);
        let names = lines
            .iter()
            .filter_map(|line| line["event"].as_str().or(line["state"].as_str()));
        names.map(str::to_owned).collect()
    }

    /// Gives a hint of the platform.
    pub async fn hint(&self, client: &str, hint: &str) {
        self.command(json!({ "op": "hint", "client": client, "hint": hint }))
            .await;
    }

    /// What the client counts.
    pub async fn stats(&self, client: &str) -> Value {
        self.command(json!({ "op": "stats", "client": client })).await["stats"].clone()
    }

    /// Whether this emit has an outcome already.
    pub fn has_outcome(&self, client: &str, receipt: u64) -> bool {
        !self.outcomes(client, receipt).is_empty()
    }

    /// The names of this emit's outcomes so far; there should be one.
    pub fn outcomes(&self, client: &str, receipt: u64) -> Vec<String> {
        let lines = self
            .peer
            .transcript
            .so_far(|line| line["client"] == client && line["receipt"] == receipt);
        let names = lines.iter().filter_map(|line| line["outcome"].as_str());
        names.map(str::to_owned).collect()
    }

    /// Sends `exit`, and waits until the program has ended; its exit status.
    pub async fn exit(mut self) -> Option<i32> {
        self.command(json!({ "op": "exit" })).await;
        self.peer.ended().await
    }

    /// Closes its standard input, and waits until the program has ended; its exit status.
    pub async fn close_input(mut self) -> Option<i32> {
        self.peer.close_input();
        self.peer.ended().await
    }

    /// What was said so far, as a failed case prints it.
    pub fn transcript(&self) -> String {
        self.peer.transcript.to_string()
    }
}

impl Drop for Testee {
    fn drop(&mut self) {
        let broken = invariants::broken(&self.peer.transcript.so_far(|_| true));
        if !broken.is_empty() && !std::thread::panicking() {
            panic!(
                "what the testee said can never be right:\n{}\n{}",
                broken.join("\n"),
                self.peer.transcript
            );
        }
    }
}

impl Refusal {
    fn read(error: &Value) -> Self {
        let (Some(code), Some(kind), Some(message)) = (
            error["code"].as_u64(),
            error["kind"].as_str(),
            error["message"].as_str(),
        ) else {
            panic!("not an error with code, kind and message: {error}");
        };
        Self {
            code,
            kind: kind.to_owned(),
            message: message.to_owned(),
            server_code: error["serverCode"].as_str().map(str::to_owned),
        }
    }
}

fn receipt(answer: &Value) -> u64 {
    answer["receipt"]
        .as_u64()
        .unwrap_or_else(|| panic!("no receipt in {answer}"))
}

//! npm's socket.io in a real Node process, or a plain-JSON server, which reports what happens to it (`servers/`).

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::merged;
use crate::peer::Peer;
use crate::transcript::Line;

const SERVERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/servers");

/// A Socket.IO server that none of us wrote, or one of plain JSON, on a loopback port of its own; killed on drop.
///
/// As with [`Testee`](crate::Testee), methods panic at their deadline, and a wait takes the line that it found.
#[derive(Debug)]
pub struct NodeServer {
    peer: Peer,
    script: &'static str,
    config: Value,
}

impl NodeServer {
    /// Starts the server with the settings that `servers/socketio.js` explains, `{}` for none, and waits until
    /// it listens.
    pub async fn start(settings: Value) -> Self {
        Self::run("socketio.js", settings).await
    }

    /// Starts a server of plain JSON instead, with the settings that `servers/json.js` explains.
    pub async fn start_json(settings: Value) -> Self {
        Self::run("json.js", settings).await
    }

    async fn run(script: &'static str, settings: Value) -> Self {
        let mut config = settings;
        config["port"] = json!(free_port());
        Self {
            peer: listen(script, &config).await,
            script,
            config,
        }
    }

    /// The address of the server, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Host and port.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.config["port"])
    }

    /// Emits an event to every socket in `/`.
    pub async fn emit(&self, event: &str, args: Value) {
        self.emit_to(json!({}), event, args).await;
    }

    /// Emits an event to every socket in another namespace.
    pub async fn emit_in(&self, namespace: &str, event: &str, args: Value) {
        self.emit_to(json!({ "namespace": namespace }), event, args).await;
    }

    /// Emits an event to some sockets: those of a `namespace`, in a `room`, or the one `socket`; with `volatile`, to
    /// those only that can take it at once.
    pub async fn emit_to(&self, whom: Value, event: &str, args: Value) {
        let emit = json!({ "op": "emit", "event": event, "args": args });
        self.command(merged(emit, whom)).await;
    }

    /// Puts every socket in `/` into a room.
    pub async fn join(&self, room: &str) {
        self.command(json!({ "op": "join", "room": room })).await;
    }

    /// The sockets in `/`, each with `id`, `link`, `transport` and `rooms`.
    pub async fn sockets(&self) -> Vec<Value> {
        let answer = self.command(json!({ "op": "sockets" })).await;
        answer["sockets"].as_array().cloned().expect("a list of sockets")
    }

    /// Breaks the links in `/` off, as a network does that fails.
    pub async fn drop_links(&self) {
        self.command(json!({ "op": "drop" })).await;
    }

    /// Answers requests in another way from now on; see `servers/gate.js`.
    pub async fn gate(&self, answers: Value) {
        self.command(json!({ "op": "gate", "gate": answers })).await;
    }

    /// Lets other clients in from now on: those with this token, `null` for any; and refuses some first, as the setting
    /// `refuse` says.
    pub async fn admit(&self, token: Value, refuse: Value) {
        let token = if token.is_null() {
            json!({})
        } else {
            json!({ "token": token })
        };
        self.command(merged(json!({ "op": "admit", "refuse": refuse }), token))
            .await;
    }

    /// Stops listening and breaks every connection off. The process goes on, with the sessions that can be recovered.
    pub async fn close(&self) {
        self.command(json!({ "op": "close" })).await;
    }

    /// Listens again after [`close`](Self::close).
    pub async fn listen(&self) {
        self.command(json!({ "op": "listen" })).await;
    }

    /// Emits an event to a socket in `/`, and waits for its acknowledgement; the arguments of that.
    pub async fn request(&self, event: &str, args: Value) -> Vec<Value> {
        let answer = self
            .command(json!({ "op": "emit", "event": event, "args": args, "ack": true }))
            .await;
        answer["reply"].as_array().cloned().expect("a reply is a list")
    }

    /// Writes a Socket.IO packet to every link in `/` as it is, whether it makes sense or not.
    pub async fn write_raw(&self, packet: &str) {
        self.command(json!({ "op": "raw", "text": packet })).await;
    }

    /// Writes binary to every link, whether it makes sense or not. Of plain JSON only.
    pub async fn write_binary(&self, bytes: &[u8]) {
        self.command(json!({ "op": "raw", "base64": STANDARD.encode(bytes) }))
            .await;
    }

    /// Says nothing any more, or speaks again. Of plain JSON only.
    pub async fn mute(&self, mute: bool) {
        self.command(json!({ "op": "mute", "mute": mute })).await;
    }

    /// Disconnects every socket in `/`, with `close` their links too.
    pub async fn disconnect_clients(&self, close: bool) {
        self.command(json!({ "op": "disconnect", "close": close })).await;
    }

    /// Disconnects every socket in another namespace.
    pub async fn disconnect_in(&self, namespace: &str) {
        self.command(json!({ "op": "disconnect", "namespace": namespace }))
            .await;
    }

    /// Waits until a namespace is joined; the line about it, with `auth`, `link`, `socket` and `at`
    /// (milliseconds).
    pub async fn wait_join(&self, namespace: &str) -> Value {
        self.peer
            .wait(&format!("join of {namespace}"), |line| line["joined"] == namespace)
            .await
    }

    /// Waits until a CONNECT to a namespace has been refused; the line about it, with `auth`, `link` and `at`.
    pub async fn wait_refusal(&self, namespace: &str) -> Value {
        self.peer
            .wait(&format!("refusal in {namespace}"), |line| line["refused"] == namespace)
            .await
    }

    /// Waits until a namespace has been left; the reason that socket.io gives.
    pub async fn wait_leave(&self, namespace: &str) -> Value {
        self.peer
            .wait(&format!("leave of {namespace}"), |line| line["left"] == namespace)
            .await["reason"]
            .clone()
    }

    /// Waits for the next new link; the line about it, with `at` (milliseconds), `path`, `query`, `headers`
    /// and `transport`.
    pub async fn wait_link(&self) -> Value {
        self.peer.wait("link", |line| line["path"].is_string()).await
    }

    /// Waits until a link has changed its transport; the new one.
    pub async fn wait_upgrade(&self) -> Value {
        let line = self.peer.wait("upgrade", |line| line["upgraded"].is_u64()).await;
        line["transport"].clone()
    }

    /// Waits until the gate has answered a request in engine.io's place; the line about it, with `turnedAway` (the
    /// method) and `status`.
    pub async fn wait_turned_away(&self) -> Value {
        let line = self
            .peer
            .wait("request that is turned away", |line| line["turnedAway"].is_string());
        line.await
    }

    /// How many requests the gate has answered so far.
    pub fn turned_away(&self) -> usize {
        self.so_far(|line| line["turnedAway"].is_string()).len()
    }

    /// Waits for the next long-polling request that brings something; the line about it, with `post` (bytes) and `type`.
    pub async fn wait_post(&self) -> Value {
        self.peer.wait("POST", |line| line["post"].is_u64()).await
    }

    /// The sizes of all long-polling requests that brought something, in bytes, in order.
    pub fn posts(&self) -> Vec<u64> {
        let posts = self.so_far(|line| line["post"].is_u64());
        posts.iter().filter_map(|line| line["post"].as_u64()).collect()
    }

    /// Waits until a client has answered the next heartbeat.
    pub async fn wait_heartbeat(&self) {
        self.peer.wait("heartbeat", |line| line["heartbeat"].is_u64()).await;
    }

    /// Waits until exactly this many links are open.
    pub async fn wait_open_links(&self, count: usize) {
        let what = format!("moment with {count} open links");
        let open = |lines: &mut [Line]| {
            let opened = lines.iter().filter(|line| line.value["path"].is_string()).count();
            let closed = lines.iter().filter(|line| line.value["linkClosed"].is_u64()).count();
            (opened - closed == count).then_some(())
        };
        self.peer.transcript.wait(&what, open).await;
    }

    /// Waits for the next event of this name; the line about it, with `namespace`, `args` and `ack`.
    pub async fn wait_got(&self, event: &str) -> Value {
        self.peer
            .wait(&format!("event {event}"), |line| line["got"] == event)
            .await
    }

    /// The arguments of each event of this name so far, in order.
    pub fn got(&self, event: &str) -> Vec<Value> {
        self.so_far(|line| line["got"] == event)
            .into_iter()
            .map(|line| line["args"].clone())
            .collect()
    }

    /// How many links there were so far.
    pub fn links(&self) -> usize {
        self.so_far(|line| line["path"].is_string()).len()
    }

    /// How many CONNECTs were refused so far.
    pub fn refusals(&self) -> usize {
        self.so_far(|line| line["refused"].is_string()).len()
    }

    /// Stops the process as it stands: its connections stay open, and nothing is answered any more.
    pub fn freeze(&self) {
        self.peer.signal(Signal::STOP);
    }

    /// Lets a frozen process go on.
    pub fn thaw(&self) {
        self.peer.signal(Signal::CONT);
    }

    /// Ends the process as `kill -9` does. What it had reported is gone with it.
    pub async fn kill(&mut self) {
        self.peer.kill().await;
    }

    /// Starts a new process on the same port, with the same settings.
    pub async fn start_again(&mut self) {
        self.peer = listen(self.script, &self.config).await;
    }

    async fn command(&self, command: Value) -> Value {
        let answer = self.peer.command(command.clone()).await;
        assert!(answer["ok"] == true, "{command} failed: {answer}");
        answer
    }

    fn so_far(&self, keep: impl Fn(&Value) -> bool) -> Vec<Value> {
        self.peer.transcript.so_far(keep)
    }
}

async fn listen(script: &str, config: &Value) -> Peer {
    let mut command = Command::new("node");
    command.current_dir(SERVERS).arg(script).arg(config.to_string());
    let peer = Peer::spawn(script, command);
    peer.wait("listening server", |line| line["listening"].is_u64()).await;
    peer
}

/// A loopback port below those that the system hands out by itself.
///
/// A server that is killed and started again needs the same port, which no outgoing connection may take
/// meanwhile; and a client that dials an absent server on a port of that range can come to be connected with
/// itself.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 4_000).expect("below 4,000");
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let mut ports = std::iter::repeat_with(|| 20_000 + (start + NEXT.fetch_add(1, Relaxed)) % 12_000);
    ports.by_ref().take(12_000).find(free).expect("a free port")
}

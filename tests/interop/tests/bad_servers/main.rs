//! Servers that say what a Socket.IO server should not: an error that says what, and a connection as soon as the server
//! is good again.

use std::time::Duration;

use rejoin_interop::{NodeServer, Testee, in_browser, merged, options};
use serde_json::{Value, json};

mod closes;
mod gate;
mod handshakes;
mod http;
mod packets;
mod script;

use gate::{Behaviour, Gate};
use script::{Step, play};

const WEBSOCKET: &str = "websocket";
const POLLING: &str = "polling";
const BOTH: [&str; 2] = [WEBSOCKET, POLLING];

/// Plain JSON over a WebSocket. Not a transport, but what it does before the first frame is the same.
const JSON: &str = "json";
const ALL: [&str; 3] = [WEBSOCKET, POLLING, JSON];

/// What the lines about a bad server have to say.
struct Verdict {
    reason: &'static str,
    /// Any one of them.
    codes: &'static [u64],
}

const fn verdict(reason: &'static str, codes: &'static [u64]) -> Verdict {
    Verdict { reason, codes }
}

/// Options with one transport.
fn over(transport: &str) -> Value {
    match transport {
        JSON => options(json!({ "protocol": "json" })),
        _ => options(json!({ "transports": [transport] })),
    }
}

/// A testee, and the good server that each bad one becomes.
struct Bench {
    socketio: NodeServer,
    json: NodeServer,
    testee: Testee,
}

impl Bench {
    async fn start() -> Self {
        Self {
            socketio: NodeServer::start(json!({})).await,
            json: NodeServer::start_json(json!({ "features": ["ack"] })).await,
            testee: Testee::start(),
        }
    }

    /// A new client connects to a bad server: looks at how its first attempt ends, and at the connection that it makes
    /// when the server is good.
    async fn outlives(&self, transport: &str, what: &str, behaviour: Behaviour, verdict: &Verdict) {
        let testee = &self.testee;
        let good = if transport == JSON { &self.json } else { &self.socketio };
        let gate = Gate::start(good, behaviour).await;
        let links = good.links();
        let client = &format!("{what} over {transport}");
        // Where it is not what is looked at, it must not come first on a busy machine.
        let limit = if verdict.reason == "connect timeout" {
            400
        } else {
            8_000
        };
        let options = merged(over(transport), json!({ "connectTimeout": limit }));
        testee.create(client, &gate.url(), options).await;
        testee.connect(client).await;

        let waiting = testee.wait_state(client, "waiting").await;
        assert_eq!(waiting["reason"], verdict.reason, "{waiting}");
        let code = waiting["error"]["code"].as_u64().unwrap_or_default();
        // Where something answered otherwise than a server of ours does, a page is told only that nothing came of it.
        let untold = in_browser() && code == 2001 && verdict.codes.contains(&2004);
        assert!(verdict.codes.contains(&code) || untold, "{waiting}");
        // A sentence, and not what the server sent.
        let message = waiting["error"]["message"].as_str().unwrap_or_default();
        assert!((20..400).contains(&message.len()), "{waiting}");
        assert_eq!(good.links(), links, "{waiting}");

        gate.mend();
        testee.wait_state(client, "connected").await;
        let reply = testee.request(client, "echo", json!([{ "what": what }])).await;
        assert_eq!(reply[0]["what"], what);
        good.wait_open_links(1).await;
        testee.disconnect(client).await;
        good.wait_open_links(0).await;
    }

    /// The same for a server that keeps to a script in each session.
    async fn outlives_script(&self, transport: &str, what: &str, steps: &[Step], verdict: &Verdict) {
        self.outlives(transport, what, play(transport, steps), verdict).await;
    }
}

/// A heartbeat of an hour: silence is no matter here.
fn open_packet() -> Step {
    open_packet_every(Duration::from_secs(3600))
}

fn open_packet_every(interval: Duration) -> Step {
    let interval = interval.as_millis();
    Step::Say(format!(
        r#"0{{"sid":"bad","upgrades":[],"pingInterval":{interval},"pingTimeout":150,"maxPayload":1000000}}"#
    ))
}

/// What comes before the packet in question: a session that is open and a namespace that is joined.
fn joined() -> Vec<Step> {
    vec![open_packet(), Step::Hear("40"), Step::say(r#"40{"sid":"s"}"#)]
}

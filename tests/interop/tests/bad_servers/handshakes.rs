//! Sessions that do not begin as they should.

use crate::script::Step;
use crate::{BOTH, Bench, POLLING, WEBSOCKET, open_packet, verdict};

fn open(fields: &str) -> Step {
    Step::Say(format!("0{{{fields}}}"))
}

#[tokio::test]
async fn a_handshake_that_cannot_be_read_is_an_error() {
    let bench = Bench::start().await;
    let long = format!(
        r#""sid":"{}","pingInterval":25000,"pingTimeout":20000"#,
        "x".repeat(1 << 20)
    );
    let deep = format!(
        r#""sid":"s","pingInterval":1,"x":{}1{}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    for transport in BOTH {
        for (what, said) in [
            ("no JSON", Step::say("0{")),
            ("no object", Step::say("0[]")),
            ("no sid", open(r#""pingInterval":25000,"pingTimeout":20000"#)),
            ("a sid of a megabyte", open(&long)),
            ("no interval", open(r#""sid":"s","pingTimeout":20000"#)),
            (
                "an interval of 0",
                open(r#""sid":"s","pingInterval":0,"pingTimeout":20000"#),
            ),
            (
                "a negative interval",
                open(r#""sid":"s","pingInterval":-1,"pingTimeout":20000"#),
            ),
            (
                "an interval of ages",
                open(r#""sid":"s","pingInterval":1e300,"pingTimeout":20000"#),
            ),
            (
                "a timeout of ages",
                open(r#""sid":"s","pingInterval":25000,"pingTimeout":18446744073709551615"#),
            ),
            (
                "a maxPayload of 0",
                open(r#""sid":"s","pingInterval":25000,"pingTimeout":20000,"maxPayload":0"#),
            ),
            ("nesting", open(&deep)),
        ] {
            let verdict = verdict("parse error", &[2005]);
            bench
                .outlives_script(transport, what, &[said, Step::Stay], &verdict)
                .await;
        }
    }
}

#[tokio::test]
async fn a_first_answer_that_is_no_packet_is_an_error() {
    let bench = Bench::start().await;
    for (what, said) in [("words", "hello"), ("JSON", r#"{"ok":true}"#), ("nothing", "")] {
        // Whoever answers a request without being Engine.IO is something else; whoever opens a WebSocket is expected to be.
        for (transport, verdict) in [
            (POLLING, verdict("connect error", &[2004])),
            (WEBSOCKET, verdict("parse error", &[2005])),
        ] {
            bench
                .outlives_script(transport, what, &[Step::say(said), Step::Stay], &verdict)
                .await;
        }
    }
}

#[tokio::test]
async fn a_namespace_without_a_sid_is_socketio_2_and_a_handshake_error() {
    let bench = Bench::start().await;
    for transport in BOTH {
        // It joins by itself, and says no sid.
        for (what, steps) in [
            (
                "socket.io 2",
                vec![open_packet(), Step::say("40"), Step::Hear("40"), Step::say("40")],
            ),
            (
                "an answer without sid",
                vec![open_packet(), Step::Hear("40"), Step::say("40{}")],
            ),
        ] {
            let steps = [steps, vec![Step::Stay]].concat();
            bench
                .outlives_script(transport, what, &steps, &verdict("connect error", &[2004]))
                .await;
        }
    }
}

#[tokio::test]
async fn a_namespace_with_a_sid_of_a_megabyte_is_a_parse_error() {
    let bench = Bench::start().await;
    let answer = Step::Say(format!(r#"40{{"sid":"{}"}}"#, "x".repeat(1 << 20)));
    for transport in BOTH {
        let steps = [open_packet(), Step::Hear("40"), answer.clone(), Step::Stay];
        bench
            .outlives_script(
                transport,
                "a sid of a megabyte",
                &steps,
                &verdict("parse error", &[2005]),
            )
            .await;
    }
}

#[tokio::test]
async fn a_session_that_is_not_opened_or_not_joined_is_a_connect_timeout() {
    let bench = Bench::start().await;
    let verdict = verdict("connect timeout", &[2003]);
    bench
        .outlives_script(WEBSOCKET, "no session", &[Step::Stay], &verdict)
        .await;
    for transport in BOTH {
        bench
            .outlives_script(transport, "no namespace", &[open_packet(), Step::Stay], &verdict)
            .await;
    }
}

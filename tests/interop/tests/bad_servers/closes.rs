//! A close at each stage.

use rejoin_interop::in_browser;
use tokio::io::AsyncWriteExt;

use crate::gate::{Behaviour, behaviour};
use crate::script::{Step, request};
use crate::{ALL, BOTH, Bench, WEBSOCKET, joined, open_packet, verdict};

/// Writes these bytes as the answer to a request, and breaks off.
fn breaking_off_after(bytes: &'static str) -> Behaviour {
    behaviour(move |mut stream| async move {
        let _ = request(&mut stream).await;
        let _ = stream.write_all(bytes.as_bytes()).await;
    })
}

#[tokio::test]
async fn before_there_is_a_session() {
    let bench = Bench::start().await;
    for transport in ALL {
        let at_once = behaviour(|stream| async move { drop(stream) });
        for (what, behaviour) in [
            ("at once", at_once),
            ("without an answer", breaking_off_after("")),
            ("in the status", breaking_off_after("HTTP/1.1 2")),
            ("in a header", breaking_off_after("HTTP/1.1 200 OK\r\ncontent-le")),
            (
                "in the body",
                breaking_off_after("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n0{\"sid\":"),
            ),
        ] {
            bench
                .outlives(transport, what, behaviour, &verdict("connect error", &[2001, 2004]))
                .await;
        }
    }
}

#[tokio::test]
async fn before_the_first_packet() {
    let bench = Bench::start().await;
    let verdict = verdict("connect error", &[2001, 2004]);
    bench
        .outlives_script(WEBSOCKET, "before the first packet", &[], &verdict)
        .await;
    // A frame of 100 bytes, of which three come.
    let half = Step::Write(b"\x81\x640{\"".to_vec());
    bench
        .outlives_script(WEBSOCKET, "in the first packet", &[half], &verdict)
        .await;
}

#[tokio::test]
async fn between_the_session_and_the_namespace() {
    let bench = Bench::start().await;
    for transport in BOTH {
        for (what, steps) in [
            ("before CONNECT", vec![open_packet()]),
            ("after CONNECT", vec![open_packet(), Step::Hear("40")]),
            ("by a packet", vec![open_packet(), Step::say("1"), Step::Stay]),
        ] {
            closed(&bench, transport, what, &steps).await;
        }
    }
}

#[tokio::test]
async fn in_the_middle_of_things() {
    let bench = Bench::start().await;
    for transport in BOTH {
        for (what, more) in [
            ("when joined", vec![]),
            ("by a packet", vec![Step::say("1"), Step::Stay]),
            (
                "before an attachment",
                vec![Step::say(r#"451-["x",{"_placeholder":true,"num":0}]"#)],
            ),
        ] {
            closed(&bench, transport, what, &[joined(), more].concat()).await;
        }
    }
    let half = Step::Write(b"\x81\x6442[\"".to_vec());
    closed(&bench, WEBSOCKET, "in a frame", &[joined(), vec![half]].concat()).await;
    let goodbye = Step::Write(b"\x88\x02\x03\xe8".to_vec());
    closed(
        &bench,
        WEBSOCKET,
        "by a closing frame",
        &[joined(), vec![goodbye, Step::Stay]].concat(),
    )
    .await;
}

/// With the name that fits: a close, or a connection that broke.
async fn closed(bench: &Bench, transport: &str, what: &str, steps: &[Step]) {
    let by_packet = matches!(steps.last(), Some(Step::Stay));
    let verdict = match (transport, by_packet) {
        // Chromium waits for the connection to end too, gives up after two seconds, and forgets that it was told.
        (WEBSOCKET, true) if in_browser() && what == "by a closing frame" => verdict("transport error", &[2001]),
        (_, true) => verdict("transport close", &[2006]),
        (WEBSOCKET, false) => verdict("transport error", &[2001, 2006]),
        _ => verdict("transport error", &[2001, 2006]),
    };
    bench.outlives_script(transport, what, steps, &verdict).await;
}

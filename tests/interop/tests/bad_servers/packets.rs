//! Packets that make no sense, in a session that is open and a namespace that is joined.

use std::time::Duration;

use rejoin_interop::{NodeServer, Testee, in_browser, options};
use serde_json::json;

use crate::script::Step;
use crate::{BOTH, Bench, WEBSOCKET, joined, open_packet_every, over, verdict};

/// A parse error, once the namespace is joined.
async fn unreadable(bench: &Bench, transport: &str, what: &str, more: Vec<Step>) {
    let steps = [joined(), more, vec![Step::Stay]].concat();
    bench
        .outlives_script(transport, what, &steps, &verdict("parse error", &[2005]))
        .await;
}

#[tokio::test]
async fn what_cannot_be_read_closes_the_link() {
    let bench = Bench::start().await;
    let deep = format!(r#"42["x",{}1{}]"#, "[".repeat(10_000), "]".repeat(10_000));
    let placeholder = r#"{"_placeholder":true,"num":0}"#;
    for transport in BOTH {
        for (what, more) in [
            ("no packet", vec![Step::say("hello")]),
            ("an unknown type", vec![Step::say("49[]")]),
            ("no list", vec![Step::say("42{}")]),
            ("no name", vec![Step::say("42[]")]),
            ("a broken list", vec![Step::say(r#"42["x","#)]),
            ("nesting", vec![Step::Say(deep.clone())]),
            ("bytes without a packet", vec![Step::SayBytes(vec![1, 2, 3])]),
            ("a billion attachments", vec![Step::say(r#"451000000000-["x"]"#)]),
            (
                "text in place of an attachment",
                vec![
                    Step::Say(format!(r#"451-["x",{placeholder}]"#)),
                    Step::say(r#"42["y"]"#),
                ],
            ),
            (
                "a placeholder of nothing",
                vec![
                    Step::say(r#"451-["x",{"_placeholder":true,"num":7}]"#),
                    Step::SayBytes(vec![1]),
                ],
            ),
        ] {
            unreadable(&bench, transport, what, more).await;
        }
    }
}

#[tokio::test]
async fn frames_that_are_none_close_the_link() {
    let bench = Bench::start().await;
    for (what, bytes) in [
        (
            "a frame of a terabyte",
            b"\x81\x7f\x00\x00\x01\x00\x00\x00\x00\x00".to_vec(),
        ),
        ("a reserved opcode", b"\x83\x01x".to_vec()),
        ("reserved bits", b"\xf1\x01x".to_vec()),
        ("a rest without a beginning", b"\x80\x01x".to_vec()),
        ("text that is not UTF-8", b"\x81\x03\xff\xfe\xfd".to_vec()),
        (
            "a ping that is too long",
            [b"\x89\x7e\x01\x00".to_vec(), vec![b'x'; 256]].concat(),
        ),
    ] {
        let steps = [joined(), vec![Step::Write(bytes), Step::Stay]].concat();
        // The browser ends such a link itself.
        let verdict = match in_browser() {
            true => verdict("transport error", &[2001]),
            false => verdict("parse error", &[2005]),
        };
        bench.outlives_script(WEBSOCKET, what, &steps, &verdict).await;
    }
}

#[tokio::test]
async fn a_message_over_the_limit_closes_the_link() {
    let bench = Bench::start().await;
    let long = format!(r#"42["x","{}"]"#, "y".repeat(17 << 20));
    for transport in BOTH {
        unreadable(&bench, transport, "17 MiB of text", vec![Step::Say(long.clone())]).await;
    }
    // Each attachment is within it, all of them are not.
    let head = r#"455-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},{"_placeholder":true,"num":2},{"_placeholder":true,"num":3},{"_placeholder":true,"num":4}]"#;
    let attachments = vec![Step::SayBytes(vec![0; 4 << 20]); 5];
    unreadable(
        &bench,
        WEBSOCKET,
        "20 MiB of attachments",
        [vec![Step::say(head)], attachments].concat(),
    )
    .await;
}

#[tokio::test]
async fn half_a_binary_message_and_then_silence_is_a_ping_timeout() {
    let bench = Bench::start().await;
    for transport in BOTH {
        let steps = [
            open_packet_every(Duration::from_millis(100)),
            Step::Hear("40"),
            Step::say(r#"40{"sid":"s"}"#),
            Step::say(r#"451-["x",{"_placeholder":true,"num":0}]"#),
            Step::Stay,
        ];
        bench
            .outlives_script(transport, "half a message", &steps, &verdict("ping timeout", &[2006]))
            .await;
    }
}

#[tokio::test]
async fn a_packet_that_cannot_be_read_closes_the_link_and_a_new_one_is_opened() {
    let server = NodeServer::start(json!({})).await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options(json!({}))).await;
    testee.connected("a").await;
    for packet in ["9[]", "2{}", "2[]", "2[\"x\","] {
        server.write_raw(packet).await;
        let waiting = testee.wait_state("a", "waiting").await;
        assert_eq!(waiting["reason"], "parse error", "{packet}");
        assert_eq!(waiting["error"]["code"], 2005, "{packet}");
        testee.wait_state("a", "connected").await;
        assert_eq!(testee.request("a", "echo", json!([packet])).await, [json!(packet)]);
    }
    server.wait_open_links(1).await;
}

#[tokio::test]
async fn a_packet_for_nobody_is_ignored() {
    for transport in BOTH {
        let server = NodeServer::start(json!({})).await;
        let testee = Testee::start();
        testee.create("a", &server.url(), over(transport)).await;
        testee.on("a", "*").await;
        testee.connected("a").await;
        for packet in [
            // A namespace that was not joined, and one that is told of twice.
            "2/nowhere,[\"x\"]",
            "3/nowhere,1[]",
            "1/nowhere,",
            "0/nowhere,{\"sid\":\"x\"}",
            "4/nowhere,{\"message\":\"no\"}",
            "4{\"message\":\"no\"}",
            // Acknowledgements that nobody asked for.
            "3999[]",
            "318446744073709551615[]",
        ] {
            server.write_raw(packet).await;
        }
        server.emit("end", json!([])).await;
        testee.next_event("a", "end").await;
        assert_eq!(testee.states("a"), ["connecting", "connected"]);
    }
}

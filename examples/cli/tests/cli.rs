//! The program as a person or the suite runs it, against the reference server.
#![allow(clippy::unwrap_used)]

mod program;

use std::time::Duration;

use program::Program;
use rejoin_server::{Server, ServerConfig};

const HOUR: Duration = Duration::from_secs(3600);

async fn server() -> Server {
    Server::start(ServerConfig::default()).await.unwrap()
}

fn token(server: &Server, user: &str) -> String {
    server.mint_token(user, user, HOUR)
}

const TO_BOB: &str = r#"{"recipientId":"bob","content":"hi","timestamp":"2026-11-23T20:07:45.012Z"}"#;

#[tokio::test]
async fn an_event_that_is_sent_says_so_and_ends_with_0() {
    let server = server().await;
    let token = token(&server, "alice");
    let ended = Program::run(&["emit", &server.url(), "private_message", TO_BOB, "--token", &token]).await;
    assert_eq!((ended.stdout.as_str(), ended.status), ("sent\n", Some(0)), "{ended:?}");
}

#[tokio::test]
async fn an_acknowledgement_is_printed() {
    let server = server().await;
    let token = token(&server, "alice");
    let ended = Program::run(&[
        "emit",
        &server.url(),
        "private_message",
        TO_BOB,
        "--token",
        &token,
        "--ack",
    ])
    .await;
    assert!(ended.stdout.starts_with(r#"delivered [{"ok":true,"id":""#), "{ended:?}");
    assert_eq!(ended.status, Some(0));
}

#[tokio::test]
async fn an_event_that_the_server_does_not_let_in_ends_with_1_at_once() {
    let server = server().await;
    let ended = Program::run(&["emit", &server.url(), "x", "--token", "wrong", "--timeout", "60"]).await;
    assert!(ended.stderr.contains("token_invalid"), "{ended:?}");
    assert!(ended.stdout.starts_with("cancelled"), "{ended:?}");
    assert_eq!(ended.status, Some(1));
}

#[tokio::test]
async fn an_event_that_nobody_takes_is_given_up_in_time() {
    let ended = Program::run(&["emit", "http://127.0.0.1:9", "x", "--timeout", "0.2"]).await;
    assert_eq!(
        ended.stdout, "cancelled: it was not sent, 0.2 s have passed\n",
        "{ended:?}"
    );
    assert!(ended.stderr.contains("waiting, next attempt in"), "{ended:?}");
    assert_eq!(ended.status, Some(1));
}

#[tokio::test]
async fn what_cannot_be_sent_or_reached_is_refused() {
    for (args, word, status) in [
        (&["emit", "http://127.0.0.1:9", "x", "hello"][..], r#"'"hello"'"#, 2),
        (&["emit", "http://127.0.0.1:9", "x", "{a:1}"], "not JSON", 2),
        (&["emit", "http://127.0.0.1:9", "x", "--timeout", "0"], "over zero", 2),
        (&["emit", "127.0.0.1:9", "x"], "scheme", 1),
        (&["emit", "http://127.0.0.1:9", "x", r#"{"$binary":"?"}"#], "$binary", 1),
        (
            &[
                "listen",
                "http://127.0.0.1:9",
                "--protocol",
                "json",
                "--transport",
                "polling",
            ],
            "plain JSON needs a WebSocket",
            1,
        ),
        (
            &["listen", "http://127.0.0.1:9", "--transport", "pigeon"],
            "websocket",
            2,
        ),
    ] {
        let ended = Program::run(args).await;
        assert!(ended.stderr.contains(word), "{args:?}: {ended:?}");
        assert_eq!(ended.status, Some(status), "{args:?}: {ended:?}");
    }
}

#[tokio::test]
async fn a_reserved_name_is_rejected_with_1() {
    let ended = Program::run(&["emit", "http://127.0.0.1:9", "disconnect"]).await;
    assert!(ended.stdout.starts_with("rejected: "), "{ended:?}");
    assert_eq!(ended.status, Some(1));
}

#[cfg(unix)]
#[tokio::test]
async fn what_the_server_sends_is_printed_until_ctrl_c() {
    let server = server().await;
    let bob = token(&server, "bob");
    let mut listen = Program::start(&["listen", &server.url(), "--token", &bob]);
    listen.wait_for("* connecting").await;
    listen.wait_for("* connected over websocket").await;

    let alice = token(&server, "alice");
    Program::run(&["emit", &server.url(), "private_message", TO_BOB, "--token", &alice]).await;
    listen.wait_for(r#""content":"hi""#).await;

    listen.interrupt().await;
    let ended = listen.ended().await;
    assert_eq!(ended.status, Some(0), "{ended:?}");
    for line in ["connection_status [{", "* closed (io client disconnect)"] {
        assert!(ended.stdout.contains(line), "{line} is missing: {ended:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_events_that_were_asked_for_are_printed() {
    let server = server().await;
    let bob = token(&server, "bob");
    let mut listen = Program::start(&["listen", &server.url(), "--token", &bob, "--event", "private_message"]);
    listen.wait_for("* connected").await;
    let alice = token(&server, "alice");
    Program::run(&["emit", &server.url(), "private_message", TO_BOB, "--token", &alice]).await;
    listen.wait_for("private_message").await;
    listen.interrupt().await;
    let ended = listen.ended().await;
    assert!(!ended.stdout.contains("connection_status"), "{ended:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn other_transports_and_the_other_protocol_work_the_same() {
    let server = server().await;
    let bob = token(&server, "bob");
    let mut plain = Program::start(&["listen", &server.url(), "--token", &bob, "--protocol", "json"]);
    plain.wait_for("* connected over websocket").await;
    let mut polling = Program::start(&["listen", &server.url(), "--token", &bob, "--transport", "polling"]);
    polling.wait_for("* connected over polling").await;
    // Only then it is in the chat.
    polling.wait_for("connection_status [{").await;

    let alice = token(&server, "alice");
    let to_bob = [
        "emit",
        &server.url(),
        "private_message",
        TO_BOB,
        "--token",
        &alice,
        "--ack",
    ];
    for how in [["--protocol", "json"], ["--transport", "polling"]] {
        let ended = Program::run(&[&to_bob[..], &how].concat()).await;
        assert!(ended.stdout.starts_with(r#"delivered [{"ok":true"#), "{ended:?}");
        assert_eq!(ended.status, Some(0));
        for listen in [&mut plain, &mut polling] {
            listen.wait_for("private_message [{").await;
        }
    }
    for listen in [plain, polling] {
        listen.interrupt().await;
        assert_eq!(listen.ended().await.status, Some(0));
    }
}

#[tokio::test]
async fn listening_where_one_is_not_let_in_ends_with_1() {
    let server = server().await;
    let ended = Program::run(&["listen", &server.url()]).await;
    assert!(ended.stdout.contains("* failed (connect error)"), "{ended:?}");
    assert!(ended.stdout.contains("token_missing"), "{ended:?}");
    assert_eq!(ended.status, Some(1));
}

#[tokio::test]
async fn every_command_explains_itself() {
    for (args, words) in [
        (&["--help"][..], &["listen", "emit", "testee"][..]),
        (
            &["listen", "--help"],
            &["--event", "--namespace", "--token", "--transport", "Examples"],
        ),
        (&["emit", "--help"], &["--ack", "--timeout", "JSON", "Examples"]),
    ] {
        let ended = Program::run(args).await;
        assert_eq!(ended.status, Some(0));
        for word in words {
            assert!(ended.stdout.contains(word), "{word} is missing: {}", ended.stdout);
        }
    }
}

//! The sentences of errors stand in Rust and in TypeScript. Both are held to the same file: this test to what Rust says, and
//! tests/web/units to what TypeScript makes of it.

#![allow(clippy::unwrap_used, reason = "tests fail by panics")]

use std::time::Duration;

use rejoin::Error;

const TABLE: &str = include_str!("../../tests/web/units/errors.txt");

/// One of each kind, and of each form.
fn errors() -> Vec<Error> {
    let text = || "what it was about".into();
    let string = || "what \"it\" was".to_owned();
    let after = Duration::from_millis(1_500);
    vec![
        Error::InvalidUrl(text()),
        Error::InvalidOption {
            option: "queue.ttl".into(),
            reason: text(),
        },
        Error::InvalidPayload(text()),
        Error::Closed,
        Error::Unsupported(text()),
        Error::Unreachable(text()),
        Error::Tls(text()),
        Error::ConnectTimeout {
            after,
            stage: "the stage",
        },
        Error::Handshake(text()),
        Error::Protocol(text()),
        Error::LinkLost,
        Error::SlowConsumer,
        Error::Kicked(text()),
        Error::Refused {
            message: string(),
            data: None,
        },
        Error::Refused {
            message: string(),
            data: Some(r#"{"code":"x"}"#.to_owned()),
        },
        Error::AuthFailed(text()),
        Error::Overloaded,
        Error::AckTimeout { after },
        Error::Poison,
        Error::Server {
            code: None,
            message: string(),
        },
        Error::Server {
            code: Some("not_a_member".to_owned()),
            message: string(),
        },
        Error::RateLimited {
            message: string(),
            retry_after: Some(after),
        },
        Error::RoomRefused {
            room: "r1".to_owned(),
            reason: string(),
        },
        Error::Store(text()),
        Error::StoreBusy(text()),
        Error::StoreDamaged(text()),
        Error::AccountChanged("u1".to_owned()),
        Error::Handler {
            event: "news".to_owned(),
            message: string(),
        },
    ]
}

fn parts(error: &Error) -> String {
    let mut json = Vec::new();
    error.write_parts(&mut json);
    String::from_utf8(json).unwrap()
}

/// A line for each: kind, whether it is retryable, what crosses, the sentence.
fn table() -> String {
    let lines = errors().into_iter().map(|error| {
        let json = parts(&error);
        let kind = error.kind().as_str();
        format!("{kind}\t{}\t{json}\t{error}\n", error.is_retryable())
    });
    lines.collect()
}

#[test]
fn what_crosses_and_what_it_means_is_as_the_table_says() {
    assert_eq!(table(), TABLE);
}

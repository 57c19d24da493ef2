//! The story, told as `cargo run -p quickstart` tells it.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use quickstart::stage::{Elsewhere, Stage};
use quickstart::story;
use quickstart::timeline::Timeline;

#[tokio::test(flavor = "multi_thread")]
async fn no_message_is_lost_repeated_or_out_of_order() {
    let mut stage = Stage::here().await.unwrap();
    stage.program = env!("CARGO_BIN_EXE_quickstart").into();
    let out = Arc::new(Mutex::new(Vec::new()));
    let evidence = story::tell(&stage, &Timeline::to(out.clone())).await;
    let printed = String::from_utf8(out.lock().unwrap().clone()).unwrap();
    let evidence = evidence.unwrap_or_else(|failure| panic!("{failure}\n{printed}"));
    stage.close().await;

    assert_eq!(evidence.faults(), [""; 0], "{printed}");
    assert_eq!(
        evidence.table(),
        "outcome      messages\ndelivered         100\ndropped            20\nin all            120\n"
    );
    for told in [
        "Bob      hears Alice: Hello",
        "is typing",
        "Alice's network is cut",
        "21, 22, 23 … 120",
        "killed",
        "10 delivered",
        "hears 10 messages: 1, 2, 3 … 10",
    ] {
        assert!(printed.contains(told), "{told} is missing:\n{printed}");
    }
    assert!(!printed.contains('\x1b'), "colour, and it is no terminal");
}

#[tokio::test]
async fn an_address_that_cannot_be_cut_is_refused() {
    for url in ["https://127.0.0.1:1", "127.0.0.1:1", "http://host.invalid:1"] {
        let elsewhere = Elsewhere {
            url: url.to_owned(),
            token_a: "a".to_owned(),
            token_b: "b".to_owned(),
        };
        let failure = Stage::elsewhere(elsewhere).await.unwrap_err();
        assert!(failure.to_string().contains("`--url`"), "{failure}");
    }
}

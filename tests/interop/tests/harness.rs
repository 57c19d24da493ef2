//! The harness itself, with scripted testees: what a case relies on to fail has to fail.

use std::any::Any;
use std::time::Duration;

use rejoin_interop::Testee;
use serde_json::json;
use tokio::process::Command;

/// A testee that runs a shell script.
fn scripted(script: &str) -> Testee {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    Testee::spawn(command)
}

/// Runs a case that has to fail, and returns what it failed with.
async fn failure(case: impl Future<Output = ()> + Send + 'static) -> String {
    let failed = tokio::spawn(case).await.expect_err("the case has to fail");
    let payload: Box<dyn Any + Send> = failed.into_panic();
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(_) => panic!("a failure without a message"),
    }
}

#[tokio::test]
async fn a_testee_that_does_as_it_should_passes() {
    let testee = scripted(
        r#"
        read -r line; echo '{"re":1,"ok":true}'
        echo '{"client":"a","state":"connecting","previous":"idle"}'
        echo '{"client":"a","state":"connected","previous":"connecting","transport":"websocket"}'
        echo '{"client":"a","event":"first","args":[1]}'
        echo '{"client":"a","event":"second","args":[2]}'
        read -r line; echo '{"re":2,"ok":true,"receipt":7}'
        echo '{"client":"a","receipt":7,"outcome":"delivered","reply":["yes"]}'
        read -r line; echo '{"re":3,"ok":false,"error":{"code":1001,"kind":"invalidUrl","message":"no"}}'
        read -r line; echo '{"re":4,"ok":true}'
        "#,
    );
    testee.connected("a").await;
    assert_eq!(testee.next_event("a", "first").await, json!([1]));
    assert_eq!(testee.next_event("a", "second").await, json!([2]));
    assert_eq!(testee.request("a", "echo", json!(["yes"])).await, [json!("yes")]);
    assert_eq!(testee.refused(json!({ "op": "create" })).await.code, 1001);
    assert_eq!(testee.states("a"), ["connecting", "connected"]);
    assert_eq!(testee.exit().await, Some(0));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_does_not_come_fails_the_case() {
    let testee = scripted(r#"echo '{"client":"a","event":"other","args":[]}'; read -r line"#);
    let failure = failure(async move { drop(testee.wait_event("a", "news").await) }).await;
    assert_eq!(failure, "no event news on a from testee within 10s");
}

#[tokio::test]
async fn events_in_another_order_fail_the_case() {
    let testee = scripted(
        r#"
        echo '{"client":"a","event":"second","args":[]}'
        echo '{"client":"a","event":"first","args":[]}'
        read -r line
        "#,
    );
    let failure = failure(async move { drop(testee.next_event("a", "first").await) }).await;
    assert!(failure.contains("the next event on a"), "{failure}");
}

#[tokio::test]
async fn a_testee_that_dies_fails_the_case_at_once() {
    let testee = scripted(r#"read -r line; echo 'thread panicked' >&2; exit 101"#);
    let waiting = failure(async move { testee.connect("a").await });
    let failure = tokio::time::timeout(Duration::from_secs(5), waiting)
        .await
        .expect("at once");
    assert!(failure.contains("testee closed its output"), "{failure}");
}

#[tokio::test]
async fn a_testee_that_prints_anything_but_json_fails_the_case() {
    let testee = scripted(r#"echo 'Compiling rejoin'; read -r line"#);
    let failure = failure(async move { drop(testee.wait_state("a", "connected").await) }).await;
    assert!(failure.contains("not JSON"), "{failure}");
}

#[tokio::test]
async fn a_command_that_was_refused_fails_the_case_and_so_does_one_that_should_have_been() {
    let refusing = r#"read -r line; echo '{"re":1,"ok":false,"error":{"code":1,"kind":"k","message":"m"}}'"#;
    let testee = scripted(refusing);
    let refused = failure(async move { testee.connect("a").await }).await;
    assert!(refused.contains("was refused"), "{refused}");

    let testee = scripted(r#"read -r line; echo '{"re":1,"ok":true}'"#);
    let taken = failure(async move { drop(testee.refused(json!({ "op": "connect" })).await) }).await;
    assert!(taken.contains("was taken"), "{taken}");
}

#[tokio::test]
async fn a_second_outcome_fails_a_case_that_did_not_look_for_it() {
    let testee = scripted(
        r#"
        echo '{"client":"a","receipt":1,"outcome":"sent"}'
        echo '{"client":"a","receipt":1,"outcome":"dropped"}'
        echo '{"client":"a","event":"end","args":[]}'
        read -r line
        "#,
    );
    let failure = failure(async move { drop(testee.wait_event("a", "end").await) }).await;
    assert!(failure.contains("a second outcome of the same emit"), "{failure}");
}

#[tokio::test]
async fn the_transcript_holds_both_directions_in_order() {
    let testee = scripted(r#"read -r line; echo 'a log' >&2; sleep 0.01; echo '{"re":1,"ok":true}'; read -r line"#);
    testee.connect("a").await;
    let transcript = testee.transcript();
    let lines: Vec<_> = transcript.lines().collect();
    assert_eq!(lines[0], "--- testee");
    assert!(
        lines[1].contains(r#"-> {"client":"a","id":1,"op":"connect"}"#),
        "{transcript}"
    );
    assert!(
        lines
            .last()
            .is_some_and(|line| line.contains(r#"<- {"re":1,"ok":true}"#)),
        "{transcript}"
    );
}

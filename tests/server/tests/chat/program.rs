//! The program, as a person runs it.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use rejoin_server::ServerConfig;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::wire::Wire;
use super::{HOUR, config, start};

const SECRET: &str = "a secret that two servers of this test share";
const DEADLINE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn ctrl_c_tells_every_client_when_to_come_back_and_ends_well() {
    ends_well("-INT").await;
}

#[tokio::test]
async fn a_supervisor_ends_it_as_well_as_a_person() {
    ends_well("-TERM").await;
}

/// Runs the program on a port of its own; it and its address.
async fn run(arguments: &[&str]) -> (Child, SocketAddr) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_rejoin-server"))
        .args(["--port", "0"])
        .args(arguments)
        .env("REJOIN_JWT_SECRET", SECRET)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program runs");
    let output = program.stdout.take().expect("piped");
    let mut lines = BufReader::new(output).lines();
    let line = timeout(DEADLINE, lines.next_line()).await.expect("in time");
    let line = line.expect("read").expect("a line");
    let (_, addr) = line.split_once("http://").expect("an address");
    (program, addr.parse().expect("an address"))
}

/// A token for it, from a server that shares its secret.
async fn token(id: &str) -> Value {
    let minting = start(ServerConfig {
        secret: SECRET.into(),
        ..config()
    })
    .await;
    json!({ "token": minting.mint_token(id, id, HOUR) })
}

async fn connected(addr: SocketAddr, id: &str) -> Wire {
    let connected = Wire::connect_to(addr, token(id).await, None).await;
    connected.expect("the token is good")
}

async fn ends_well(signal: &str) {
    let (mut program, addr) = run(&["--retry-after", "2s", "--ban", "u2"]).await;
    assert!(Wire::connect_to(addr, token("u2").await, None).await.is_err());
    let mut alice = connected(addr, "u1").await;
    alice.event("connection_status").await;

    let pid = program.id().expect("it runs").to_string();
    let told = Command::new("kill").args([signal, &pid]).status().await;
    assert!(told.expect("kill runs").success());
    let last = alice.ends().await;
    assert_eq!(last[0].0, "closing");
    assert_eq!(
        (&last[0].1["code"], &last[0].1["retryAfterMs"]),
        (&json!("shutdown"), &json!(2000))
    );
    let status = timeout(DEADLINE, program.wait()).await.expect("in time");
    assert!(status.expect("ended").success());
}

#[tokio::test]
async fn an_empty_secret_is_refused() {
    // As left by a variable that is set to nothing: anybody could sign tokens with it.
    let ended = Command::new(env!("CARGO_BIN_EXE_rejoin-server"))
        .args(["--port", "0"])
        .env("REJOIN_JWT_SECRET", "")
        .kill_on_drop(true)
        .output();
    let ended = timeout(DEADLINE, ended).await.expect("it ends").expect("it runs");
    assert!(!ended.status.success());
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(told.contains("--secret"), "{told}");
}

#[tokio::test]
async fn promises_can_be_switched_off_and_limits_set_on_the_command_line() {
    let arguments = ["--without", "dedupe", "--limit", "private_message=1/1h"];
    let (_program, addr) = run(&arguments).await;
    let mut alice = connected(addr, "u1").await;
    let greeting = alice.event("connection_status").await;
    assert_eq!(greeting["features"], json!(["ack", "order", "receipts"]));
    let message = json!({ "recipientId": "u2", "content": "hello" });
    assert_eq!(alice.request("private_message", message.clone()).await["ok"], true);
    let refused = alice.request("private_message", message).await;
    let wait = refused["error"]["retryAfterMs"].as_u64();
    assert!(wait.is_some_and(|wait| wait > 3_000_000), "{refused}");
}

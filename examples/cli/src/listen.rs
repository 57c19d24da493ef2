//! `rejoin listen`: prints what a server sends.

use std::fmt::Display;
use std::future::ready;
use std::io::{self, Write};
use std::pin::pin;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use futures::StreamExt;
use rejoin::{Error, Event, State};

use crate::binary;
use crate::connection::{Connection, close, describe};

/// Print events as they come, until Ctrl-C
///
/// Each line has the seconds since the start, the event's name and its arguments as JSON; binary stands in them as
/// {"$binary": "<base64>"}. Lines that begin with * tell how the connection does. A lost connection is made again; a
/// refused one ends the program with status 1.
#[derive(Args)]
#[command(after_help = "Examples:
  rejoin listen http://127.0.0.1:3000
  rejoin listen https://chat.example.com --namespace /news --event headline --event correction")]
pub(crate) struct Listen {
    #[command(flatten)]
    connection: Connection,

    /// Print events of this name only; may be given several times
    #[arg(long = "event", value_name = "NAME")]
    events: Vec<String>,
}

pub(crate) async fn run(listen: Listen) -> Result<ExitCode, Error> {
    let (client, socket) = listen.connection.open()?;
    let began = Instant::now();
    let say = move |line: &dyn Display| {
        // Whoever read the lines has gone.
        if writeln!(io::stdout(), "{:9.3} {line}", began.elapsed().as_secs_f64()).is_err() {
            std::process::exit(0);
        }
    };

    let print = move |event: &Event| {
        let answer = if event.wants_ack() { " (asks for an answer)" } else { "" };
        say(&format_args!(
            "{} {}{answer}",
            event.name(),
            binary::incoming(event.payload())
        ));
    };
    if listen.events.is_empty() {
        socket.on_any(print).detach();
    }
    for event in &listen.events {
        socket.on(event, print).detach();
    }
    socket
        .on_notice(move |notice| say(&format_args!("* {} {}", notice.name(), notice.to_json())))
        .detach();

    // Changes are printed by a handler, so that each stands in its place among the events; the stream says when to end.
    socket
        .on_state(move |change| say(&format_args!("* {}", describe(change))))
        .detach();
    let refused = socket.states().filter(|change| ready(change.state == State::Failed));
    let mut refused = pin!(refused);

    socket.connect();
    let status = tokio::select! {
        Some(_) = refused.next() => ExitCode::FAILURE,
        _ = tokio::signal::ctrl_c() => ExitCode::SUCCESS,
    };
    close(&client, &socket).await;
    Ok(status)
}

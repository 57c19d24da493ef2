//! `rejoin emit`: sends one event and says what became of it.

use std::future::ready;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use futures::StreamExt;
use rejoin::{EmitOptions, Error, Outcome, Receipt, State};
use serde_json::value::RawValue;
use tokio::time::timeout;

use crate::binary;
use crate::connection::{Connection, close, describe};

/// Send one event, and print what became of it
///
/// Prints `sent`, or with --ack `delivered` and the server's answer as a JSON array, and ends with status 0; any other
/// outcome is printed with its reason, and the status is 1.
#[derive(Args)]
#[command(after_help = "Examples:
  rejoin emit http://127.0.0.1:3000 news '\"hello\"' 42 '{\"lang\": \"en\"}'
  rejoin emit http://127.0.0.1:3000 private_message --token \"$TOKEN\" --ack \\
      '{\"recipientId\": \"u2\", \"content\": \"hello\"}'
  rejoin emit http://127.0.0.1:3000 upload '{\"$binary\": \"aGVsbG8=\"}'")]
pub(crate) struct Emit {
    #[command(flatten)]
    connection: Connection,

    /// The event's name
    event: String,

    /// Its arguments, each a JSON value; {"$binary": "<base64>"} in them is binary
    #[arg(value_name = "JSON", value_parser = json, allow_negative_numbers = true)]
    args: Vec<Box<RawValue>>,

    /// Ask the server for an acknowledgement, and wait for it
    #[arg(long)]
    ack: bool,

    /// How long it all may take, from connecting to the outcome
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    timeout: Duration,
}

pub(crate) async fn run(emit: Emit) -> Result<ExitCode, Error> {
    let args: Vec<&str> = emit.args.iter().map(|arg| arg.get()).collect();
    let args = RawValue::from_string(format!("[{}]", args.join(","))).expect("each argument is JSON");
    let args = binary::outgoing(Some(&args))?;
    let (client, socket) = emit.connection.open()?;

    let states = socket.states();
    socket.connect();
    let mut options = EmitOptions::new();
    if emit.ack {
        options = options.timeout(emit.timeout);
    }
    // Not connected yet: it waits in the queue and goes out on connect.
    let mut receipt = socket.emit_raw(&emit.event, args, options);
    let refused = states.filter(|change| {
        if !matches!(change.state, State::Connecting | State::Connected) {
            eprintln!("rejoin: {}", describe(change));
        }
        ready(change.state == State::Failed)
    });
    let mut refused = pin!(refused);
    let outcome = timeout(emit.timeout, async {
        tokio::select! {
            outcome = &mut receipt => Ok(outcome),
            Some(_) = refused.next() => Err("there is no connection".to_owned()),
        }
    });
    let late = |_| Err(format!("{} s have passed", emit.timeout.as_secs_f64()));
    let status = match outcome.await.unwrap_or_else(late) {
        Ok(outcome) => report(&outcome),
        Err(why) => give_up(&receipt, &why),
    };
    close(&client, &socket).await;
    Ok(status)
}

fn report(outcome: &Outcome) -> ExitCode {
    let name = outcome.name();
    match (outcome, outcome.error()) {
        (Outcome::Delivered(reply), _) => println!("{name} {}", binary::incoming(reply)),
        (_, Some(error)) => println!("{name}: {error}"),
        (_, None) => println!("{name}"),
    }
    match outcome {
        Outcome::Delivered(_) | Outcome::Sent => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Nothing more is waited for: either it was not sent and will not be, or nobody knows whether it arrived.
fn give_up(receipt: &Receipt, why: &str) -> ExitCode {
    match receipt.cancel() {
        true => println!("cancelled: it was not sent, {why}"),
        false => println!("unconfirmed: it was sent and not acknowledged, {why}"),
    }
    ExitCode::FAILURE
}

fn json(text: &str) -> Result<Box<RawValue>, String> {
    RawValue::from_string(text.to_owned()).map_err(|error| {
        let bare_word = !text.starts_with(['"', '{', '[']);
        match bare_word {
            true => format!(
                "not JSON; a string has its own quotes, inside of the shell's: '{}'",
                quoted(text)
            ),
            false => format!("not JSON: {error}"),
        }
    })
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    let limit = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    if limit.is_zero() {
        return Err("it has to be over zero".to_owned());
    }
    Ok(limit)
}

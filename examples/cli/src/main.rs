//! `rejoin`: a command-line client for Socket.IO servers.
//!
//! - [`listen`], [`emit`]: for people.
//! - [`testee`]: for the conformance suite.
//! - [`connection`]: what the commands for people share. [`binary`]: `{"$binary":…}` and attachments.

mod binary;
mod connection;
mod emit;
mod listen;
mod testee;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A command-line client for Socket.IO servers.
///
/// It connects again by itself, keeps what is sent meanwhile, and says what became of it.
#[derive(Parser)]
#[command(version)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Listen(listen::Listen),
    Emit(emit::Emit),
    /// Drive the client from JSON lines: the conformance suite's testee
    Testee,
}

// One thread: so lines appear in the order in which things happened.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let done = match Options::parse().command {
        Command::Listen(listen) => listen::run(listen).await,
        Command::Emit(emit) => emit::run(emit).await,
        Command::Testee => {
            testee::run().await;
            Ok(ExitCode::SUCCESS)
        }
    };
    done.unwrap_or_else(|error| {
        eprintln!("rejoin: {error}");
        ExitCode::FAILURE
    })
}

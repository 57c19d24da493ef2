//! `rejoin-server`: the reference server as a program.

mod options;

use std::process::ExitCode;

use clap::Parser;
use rejoin_server::{Server, ServerError};

use options::Options;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rejoin-server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), ServerError> {
    let dev = options.dev;
    let server = Server::start(options.config()).await?;
    let tokens = match dev {
        true => ", tokens at /dev/token?user=u1&name=Alice",
        false => "",
    };
    println!("rejoin-server listens on {}{tokens}", server.url());
    if asked_to_end().await.is_ok() {
        server.shutdown().await;
    }
    Ok(())
}

/// Returns when a person (Ctrl-C) or a supervisor (SIGTERM) asks for the end.
async fn asked_to_end() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            told = tokio::signal::ctrl_c() => told,
            _ = terminated.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

//! `rejoin-server`: the reference server as a program.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use clap::builder::NonEmptyStringValueParser;
use rejoin_server::{Database, Server, ServerConfig, ServerError};

/// The reference chat server of rejoin. It needs no other service.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// The port to listen on; 0 lets the system choose.
    #[arg(long, default_value_t = 3000)]
    port: u16,

    /// The address to listen on.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    bind: IpAddr,

    /// The SQLite file that keeps messages and rooms; without it they are kept in memory.
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,

    /// The HS256 key of tokens; random unless given.
    #[arg(
        long,
        env = "REJOIN_JWT_SECRET",
        hide_env_values = true,
        value_name = "TEXT",
        value_parser = NonEmptyStringValueParser::new()
    )]
    secret: Option<String>,

    /// How many connections one user may have; beyond it the oldest is closed.
    #[arg(long, value_name = "COUNT")]
    max_connections: Option<usize>,

    /// A user who may not connect; may be given several times.
    #[arg(long, value_name = "USER")]
    ban: Vec<String>,

    /// How long a connection may send no event until it is closed, e.g. 5m.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    idle_timeout: Option<Duration>,

    /// When clients are told to come back after a shutdown, e.g. 2s.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    retry_after: Option<Duration>,

    /// Mint tokens for anyone who asks, on a loopback address only:
    /// GET /dev/token?user=u1&name=Alice
    #[arg(long)]
    dev: bool,
}

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
    let mut config = ServerConfig {
        bind: SocketAddr::new(options.bind, options.port),
        dev_tokens: options.dev,
        max_connections: options.max_connections,
        banned: options.ban,
        idle_timeout: options.idle_timeout,
        retry_after: options.retry_after,
        ..ServerConfig::default()
    };
    if let Some(secret) = options.secret {
        config.secret = secret.into_bytes();
    }
    if let Some(file) = options.database {
        config.database = Database::File(file);
    }
    let server = Server::start(config).await?;
    let tokens = match options.dev {
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

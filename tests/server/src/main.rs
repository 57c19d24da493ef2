//! `rejoin-server`: the reference server as a program.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
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
    #[arg(long, env = "REJOIN_JWT_SECRET", hide_env_values = true, value_name = "TEXT")]
    secret: Option<String>,

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
    if tokio::signal::ctrl_c().await.is_ok() {
        server.shutdown().await;
    }
    Ok(())
}

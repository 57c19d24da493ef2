//! Where the story takes place: a server, and a tunnel in front of it that is Alice's network.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use rejoin_server::{Server, ServerConfig, Tunnel};
use tokio::net::lookup_host;

use crate::story::Failure;

/// How long the minted tokens are good for.
const HOUR: Duration = Duration::from_secs(3600);

/// A server, a network that can be cut, and two users.
#[derive(Debug)]
pub struct Stage {
    /// What to know about Alice. Her network can be cut.
    pub alice: User,
    /// What to know about Bob. His network cannot.
    pub bob: User,
    /// Alice's network.
    pub tunnel: Tunnel,
    /// The server's address, without the tunnel.
    pub server_url: String,
    /// This program, which is also that of Alice's phone.
    pub program: PathBuf,
    server: Option<Server>,
}

/// Who connects, and where to.
#[derive(Debug)]
pub struct User {
    /// The address to connect to.
    pub url: String,
    /// Shown to the server, which knows the user by it.
    pub token: String,
}

/// A server that runs already.
#[derive(Debug)]
pub struct Elsewhere {
    /// Its address, `http://host:port`.
    pub url: String,
    /// Alice's token.
    pub token_a: String,
    /// Bob's token.
    pub token_b: String,
}

impl Stage {
    /// Starts the reference server in this process, and mints tokens for two users.
    ///
    /// # Errors
    /// When the system has no port to listen on.
    pub async fn here() -> Result<Self, Failure> {
        let server = Server::start(ServerConfig::default()).await?;
        let elsewhere = Elsewhere {
            url: server.url(),
            token_a: server.mint_token("alice", "Alice", HOUR),
            token_b: server.mint_token("bob", "Bob", HOUR),
        };
        let stage = Self::elsewhere(elsewhere).await?;
        Ok(Self {
            server: Some(server),
            ..stage
        })
    }

    /// Takes a server that runs already.
    ///
    /// # Errors
    /// When the address is not `http://host:port`, or the host has no address.
    pub async fn elsewhere(elsewhere: Elsewhere) -> Result<Self, Failure> {
        let tunnel = Tunnel::start(resolve(&elsewhere.url).await?).await?;
        Ok(Self {
            alice: User {
                url: tunnel.url(),
                token: elsewhere.token_a,
            },
            bob: User {
                url: elsewhere.url.clone(),
                token: elsewhere.token_b,
            },
            tunnel,
            server_url: elsewhere.url,
            program: std::env::current_exe()?,
            server: None,
        })
    }

    /// Ends the server, if it is ours.
    pub async fn close(self) {
        if let Some(server) = self.server {
            server.shutdown().await;
        }
    }
}

/// The tunnel passes bytes on and knows no TLS, so an `https` address cannot be cut.
async fn resolve(url: &str) -> Result<SocketAddr, Failure> {
    let authority = url
        .strip_prefix("http://")
        .map(|rest| rest.trim_end_matches('/'))
        .ok_or("`--url` has to be http://host:port")?;
    let has_port = authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let authority = match has_port {
        true => authority.to_owned(),
        false => format!("{authority}:80"),
    };
    let addresses = lookup_host(&authority)
        .await
        .map_err(|error| format!("`--url`, {authority}: {error}"))?;
    let address = addresses.into_iter().next();
    address.ok_or_else(|| format!("`--url`: {authority} has no address").into())
}

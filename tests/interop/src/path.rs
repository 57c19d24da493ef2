//! A way to a server that goes dead under those who are on it: what a phone finds that has changed its network.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A TCP proxy whose connections can be stranded: they stay open and nothing passes through them any more, while new ones
/// are well. The server keeps its side too.
#[derive(Debug)]
pub struct Path {
    address: SocketAddr,
    strandings: watch::Sender<u64>,
}

impl Path {
    /// Opens a path to a server (host and port) on a loopback port that the system chooses.
    ///
    /// # Panics
    /// If there is no port.
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (strandings, stranded) = watch::channel(0);
        tokio::spawn(accept(listener, server.to_owned(), stranded));
        Self { address, strandings }
    }

    /// The address for clients.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Strands every connection that there is.
    pub fn strand(&self) {
        self.strandings.send_modify(|count| *count += 1);
    }
}

async fn accept(listener: TcpListener, server: String, stranded: watch::Receiver<u64>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(carry(client, server.clone(), stranded.clone()));
    }
}

/// Carries both directions until an end, or until it is stranded; then holds both sides open for as long as the path is.
async fn carry(mut client: TcpStream, server: String, mut stranded: watch::Receiver<u64>) {
    stranded.mark_unchanged();
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let is_stranded = tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => false,
        changed = stranded.changed() => changed.is_ok(),
    };
    if is_stranded {
        while stranded.changed().await.is_ok() {}
    }
}

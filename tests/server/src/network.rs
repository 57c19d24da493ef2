//! A network that can be taken away: a TCP proxy between a client and a server.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

/// A tunnel to one server, through which clients connect while it lasts.
///
/// All its switches act at once and need no `await`. Dropping it resets every connection.
#[derive(Debug)]
pub struct Tunnel {
    addr: SocketAddr,
    weather: watch::Sender<Weather>,
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    accepted: AtomicU64,
    refused: AtomicU64,
}

/// What the network is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Weather {
    /// Counts cuts, so that a connection sees one even where the network is back at once.
    cuts: u64,
    is_cut: bool,
    is_frozen: bool,
    delay: Duration,
}

/// How much is read at once, in bytes, and how many such pieces may be under way.
const PIECE: usize = 16 * 1024;
const UNDER_WAY: usize = 256;

impl Tunnel {
    /// Opens a tunnel to `upstream` on a loopback port that the system chooses.
    ///
    /// # Errors
    ///
    /// When the system has no port to listen on.
    pub async fn start(upstream: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let (weather, forecast) = watch::channel(Weather::default());
        let counters = Arc::new(Counters::default());
        tokio::spawn(accept(listener, upstream, forecast, counters.clone()));
        Ok(Self {
            addr,
            weather,
            counters,
        })
    }

    /// Where clients connect to.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The same as an address for a client, e.g. `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Takes the network away: every connection is reset on both sides, with what was under way,
    /// and every new one at once.
    pub fn cut(&self) {
        self.weather.send_modify(|weather| {
            weather.cuts += 1;
            weather.is_cut = true;
        });
    }

    /// Gives the network back after [`cut`](Self::cut): new connections come through again.
    pub fn restore(&self) {
        self.weather.send_modify(|weather| weather.is_cut = false);
    }

    /// Makes the network half-open: connections stay, and new ones are accepted, but no byte and
    /// no end of a connection gets through.
    pub fn freeze(&self) {
        self.weather.send_modify(|weather| weather.is_frozen = true);
    }

    /// Lets everything that was held by [`freeze`](Self::freeze) through, in its order.
    pub fn thaw(&self) {
        self.weather.send_modify(|weather| weather.is_frozen = false);
    }

    /// Makes every byte take this long, in each direction, from now on; order is kept.
    pub fn delay(&self, one_way: Duration) {
        self.weather.send_modify(|weather| weather.delay = one_way);
    }

    /// How many connections were let in so far.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.counters.accepted.load(Ordering::Relaxed)
    }

    /// How many connections were reset at once because the network was cut.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.counters.refused.load(Ordering::Relaxed)
    }
}

/// Lets connections in until the tunnel is dropped, which closes the channel of its weather.
async fn accept(
    listener: TcpListener,
    upstream: SocketAddr,
    weather: watch::Receiver<Weather>,
    counters: Arc<Counters>,
) {
    let mut end = weather.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = end.wait_for(|_| false) => return,
        };
        let Ok((client, _)) = accepted else {
            // Out of file descriptors, most likely: let some be closed first.
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        if weather.borrow().is_cut {
            counters.refused.fetch_add(1, Ordering::Relaxed);
            reset(client);
        } else {
            counters.accepted.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(connect(client, upstream, weather.clone()));
        }
    }
}

/// One connection, until it ends on both sides, the network is cut, or the tunnel is dropped.
async fn connect(mut client: TcpStream, upstream: SocketAddr, weather: watch::Receiver<Weather>) {
    let cuts = weather.borrow().cuts;
    let Ok(mut server) = TcpStream::connect(upstream).await else {
        return reset(client);
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let mut storm = weather.clone();
    let was_cut = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let up = carry(from_client, to_server, weather.clone());
        let down = carry(from_server, to_client, weather);
        tokio::select! {
            _ = storm.wait_for(|weather| weather.cuts != cuts) => true,
            _ = async { tokio::join!(up, down) } => false,
        }
    };
    if was_cut {
        reset(client);
        reset(server);
    }
}

/// Ends a stream with a reset, not with a proper close.
fn reset(stream: TcpStream) {
    let _ = stream.set_zero_linger();
}

/// A piece of one direction and when it is due; `None` is the end.
type Piece = (Instant, Option<Vec<u8>>);

async fn carry(from: ReadHalf<'_>, to: WriteHalf<'_>, weather: watch::Receiver<Weather>) {
    let (pieces, under_way) = mpsc::channel(UNDER_WAY);
    tokio::join!(take_in(from, pieces, weather.clone()), let_out(to, under_way, weather),);
}

async fn take_in(mut from: ReadHalf<'_>, pieces: mpsc::Sender<Piece>, weather: watch::Receiver<Weather>) {
    loop {
        let mut piece = vec![0; PIECE];
        let read = from.read(&mut piece).await.unwrap_or(0);
        piece.truncate(read);
        let due = Instant::now() + weather.borrow().delay;
        let piece = (read > 0).then_some(piece);
        let was_last = piece.is_none();
        if pieces.send((due, piece)).await.is_err() || was_last {
            return;
        }
    }
}

async fn let_out(mut to: WriteHalf<'_>, mut pieces: mpsc::Receiver<Piece>, mut weather: watch::Receiver<Weather>) {
    while let Some((due, piece)) = pieces.recv().await {
        sleep_until(due).await;
        if weather.wait_for(|weather| !weather.is_frozen).await.is_err() {
            return;
        }
        let passed = match piece {
            Some(piece) => to.write_all(&piece).await,
            None => to.shutdown().await,
        };
        if passed.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;

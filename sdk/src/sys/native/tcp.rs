//! One TCP connection to a host that may have several addresses.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use futures::channel::oneshot;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::net::TcpStream;

/// How long an address has before the next one is tried beside it (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to the first of a host's addresses that answers.
///
/// One after the other would not do: an address that swallows everything, such as IPv6 in many a home, would use up the
/// whole time of every attempt, and the good one beside it would never be tried.
pub(super) async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let addresses = match host.parse() {
        Ok(address) => vec![SocketAddr::new(address, port)],
        Err(_) => {
            let host = host.to_owned();
            apart(move || Ok((host.as_str(), port).to_socket_addrs()?.collect())).await?
        }
    };
    match addresses[..] {
        [only] => TcpStream::connect(only).await,
        _ => race(alternate(addresses)).await,
    }
}

/// Looks up a name in a thread of its own. On a network that swallows everything that takes half a minute, and the end
/// of a tokio runtime, and with it of many a program, waits for what runs in the runtime's own threads.
async fn apart(look_up: impl FnOnce() -> io::Result<Vec<SocketAddr>> + Send + 'static) -> io::Result<Vec<SocketAddr>> {
    let (told, answer) = oneshot::channel();
    std::thread::Builder::new()
        .name("rejoin-lookup".to_owned())
        .spawn(move || told.send(look_up()))?;
    answer
        .await
        .map_err(|_| io::Error::other("the lookup of the name panicked"))?
}

/// The families in turn, beginning with the one that the system put first; otherwise in the system's order.
fn alternate(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut ours, mut others): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .rev()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let mut mixed = Vec::with_capacity(ours.len() + others.len());
    while !ours.is_empty() || !others.is_empty() {
        mixed.extend(ours.pop());
        mixed.extend(others.pop());
    }
    mixed
}

/// Starts with the first address, and with the next whenever one fails or its head start is over.
#[allow(clippy::disallowed_methods, reason = "sys/ is where timers of the platform are used")]
async fn race(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut under_way = FuturesUnordered::new();
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    loop {
        under_way.extend(waiting.next().map(TcpStream::connect));
        let head_start = async {
            match waiting.len() {
                0 => std::future::pending().await,
                _ => tokio::time::sleep(HEAD_START).await,
            }
        };
        let next = under_way.next();
        futures::pin_mut!(head_start);
        match futures::future::select(next, head_start).await {
            futures::future::Either::Left((Some(Ok(stream)), _)) => return Ok(stream),
            futures::future::Either::Left((Some(Err(error)), _)) => failure = error,
            futures::future::Either::Left((None, _)) => return Err(failure),
            futures::future::Either::Right(((), _)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    #[test]
    fn families_take_turns() {
        let parse = |list: &[&str]| -> Vec<SocketAddr> { list.iter().map(|text| text.parse().unwrap()).collect() };
        let mixed = alternate(parse(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"]));
        assert_eq!(
            mixed,
            parse(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"])
        );
        assert_eq!(alternate(Vec::new()), []);
    }

    /// An address of this machine that swallows everything: its listener accepts nobody, and its queue is full.
    async fn black_hole() -> (TcpListener, Vec<TcpStream>, SocketAddr) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut filling = Vec::new();
        while let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await {
            filling.push(stream);
        }
        (listener, filling, address)
    }

    #[tokio::test]
    async fn an_address_that_swallows_everything_does_not_hold_up_the_next() {
        let (_listener, _filling, hole) = black_hole().await;
        let good = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = good.local_addr().unwrap();
        let connected = tokio::time::timeout(Duration::from_secs(10), race(vec![hole, address])).await;
        assert_eq!(connected.unwrap().unwrap().peer_addr().unwrap(), address);
    }

    #[test]
    fn a_lookup_that_hangs_does_not_hold_up_the_end_of_the_runtime() {
        let (release, held) = std::sync::mpsc::channel::<()>();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (begun, beginning) = oneshot::channel();
            let mut lookup = Box::pin(apart(move || {
                begun.send(()).unwrap();
                held.recv_timeout(Duration::from_secs(20)).map_err(io::Error::other)?;
                Ok(Vec::new())
            }));
            assert!(futures::poll!(&mut lookup).is_pending());
            beginning.await.unwrap();
        });
        drop(runtime);
        // Had the runtime waited, the lookup would have given up by now.
        release.send(()).unwrap();
    }

    #[tokio::test]
    async fn names_and_addresses_are_found() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        for host in ["localhost", "127.0.0.1"] {
            let stream = connect(host, address.port()).await.unwrap();
            assert_eq!(stream.peer_addr().unwrap(), address);
        }
    }

    #[tokio::test]
    async fn an_address_that_refuses_gives_way_at_once_and_the_last_error_is_told() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let good = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = good.local_addr().unwrap();
        let connected = race(vec![closed, closed, address]).await;
        assert_eq!(connected.unwrap().peer_addr().unwrap(), address);
        let refused = race(vec![closed, closed]).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(race(Vec::new()).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}

//! The tunnel between a client and an echo server.

use super::*;
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(10);

/// A tunnel to a server that sends back what it gets.
async fn tunnel() -> Tunnel {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.expect("a port");
    let addr = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    Tunnel::start(addr).await.expect("a port")
}

async fn client(tunnel: &Tunnel) -> TcpStream {
    let connected = TcpStream::connect(tunnel.addr()).await;
    connected.expect("the tunnel accepts")
}

async fn write(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.expect("written");
}

/// Reads as much as the text is long.
async fn read(stream: &mut TcpStream, text: &str) {
    let mut read = vec![0; text.len()];
    let done = timeout(DEADLINE, stream.read_exact(&mut read)).await;
    done.expect("in time").expect("an open stream");
    assert_eq!(read, text.as_bytes());
}

/// How a stream ends: 0 for a close, or an error.
async fn end(stream: &mut TcpStream) -> io::Result<usize> {
    let ended = timeout(DEADLINE, stream.read(&mut [0; 1])).await;
    ended.expect("it ends in time")
}

async fn is_reset(stream: &mut TcpStream) -> bool {
    let reset = io::ErrorKind::ConnectionReset;
    end(stream).await.is_err_and(|error| error.kind() == reset)
}

#[tokio::test]
async fn bytes_and_a_proper_close_come_through() {
    let tunnel = tunnel().await;
    let mut stream = client(&tunnel).await;
    write(&mut stream, "hello").await;
    read(&mut stream, "hello").await;
    write(&mut stream, "bye").await;
    stream.shutdown().await.expect("shut down");
    read(&mut stream, "bye").await;
    assert_eq!(end(&mut stream).await.expect("a close"), 0);
    assert_eq!(tunnel.accepted(), 1);
}

#[tokio::test]
async fn a_cut_resets_old_and_new_connections_until_it_is_restored() {
    let tunnel = tunnel().await;
    let mut old = client(&tunnel).await;
    write(&mut old, "hello").await;
    read(&mut old, "hello").await;
    tunnel.cut();
    assert!(is_reset(&mut old).await);
    let mut new = client(&tunnel).await;
    assert!(is_reset(&mut new).await);
    assert_eq!((tunnel.accepted(), tunnel.refused()), (1, 1));

    tunnel.restore();
    let mut again = client(&tunnel).await;
    write(&mut again, "hello").await;
    read(&mut again, "hello").await;
    assert_eq!(tunnel.accepted(), 2);
}

#[tokio::test]
async fn a_cut_is_felt_even_if_the_network_is_back_at_once() {
    let tunnel = tunnel().await;
    let mut old = client(&tunnel).await;
    write(&mut old, "hello").await;
    read(&mut old, "hello").await;
    tunnel.cut();
    tunnel.restore();
    assert!(is_reset(&mut old).await);
}

#[tokio::test]
async fn a_frozen_network_holds_everything_and_gives_it_back_in_order() {
    let tunnel = tunnel().await;
    let mut stream = client(&tunnel).await;
    write(&mut stream, "before").await;
    read(&mut stream, "before").await;
    tunnel.freeze();
    write(&mut stream, "one").await;
    let mut new = client(&tunnel).await;
    write(&mut new, "new").await;
    let held = timeout(Duration::from_millis(100), stream.read(&mut [0; 1])).await;
    assert!(held.is_err(), "{held:?}");
    write(&mut stream, "two").await;
    tunnel.thaw();
    read(&mut stream, "onetwo").await;
    read(&mut new, "new").await;
}

#[tokio::test]
async fn a_cut_ends_what_is_frozen() {
    let tunnel = tunnel().await;
    let mut stream = client(&tunnel).await;
    write(&mut stream, "before").await;
    read(&mut stream, "before").await;
    tunnel.freeze();
    write(&mut stream, "lost").await;
    tunnel.cut();
    assert!(is_reset(&mut stream).await);
}

#[tokio::test]
async fn a_delay_is_taken_in_each_direction_and_keeps_the_order() {
    let tunnel = tunnel().await;
    let mut stream = client(&tunnel).await;
    tunnel.delay(Duration::from_millis(50));
    let start = Instant::now();
    write(&mut stream, "slow").await;
    read(&mut stream, "slow").await;
    assert!(start.elapsed() >= Duration::from_millis(100));

    // What comes after the delay was lifted does not overtake what is under way.
    for text in ["first", "second", "third"] {
        write(&mut stream, text).await;
    }
    tunnel.delay(Duration::ZERO);
    write(&mut stream, "last").await;
    read(&mut stream, "firstsecondthirdlast").await;
}

#[tokio::test]
async fn dropping_the_tunnel_resets_its_connections_and_frees_its_port() {
    let tunnel = tunnel().await;
    let addr = tunnel.addr();
    let mut stream = client(&tunnel).await;
    write(&mut stream, "hello").await;
    read(&mut stream, "hello").await;
    drop(tunnel);
    assert!(is_reset(&mut stream).await);
    let freed = async { while TcpStream::connect(addr).await.is_ok() {} };
    timeout(DEADLINE, freed).await.expect("freed in time");
}

//! A port behind which there is first a bad server, and then a good one.

use std::pin::Pin;
use std::sync::Arc;

use rejoin_interop::NodeServer;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What a bad server does with each connection.
pub(crate) type Behaviour = Arc<dyn Fn(TcpStream) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// As a behaviour.
pub(crate) fn behaviour<F>(behave: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> Behaviour
where
    F: Future<Output = ()> + Send + 'static,
{
    Arc::new(move |stream| Box::pin(behave(stream)))
}

/// A listening port; closed when this is dropped.
pub(crate) struct Gate {
    address: std::net::SocketAddr,
    mended: watch::Sender<bool>,
}

impl Gate {
    /// Opens the port of a bad server that will become `good`.
    pub(crate) async fn start(good: &NodeServer, bad: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (mended, state) = watch::channel(false);
        tokio::spawn(accept(listener, good.address(), bad, state));
        Self { address, mended }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Breaks off what the bad server does, and lets everybody through to the good one.
    pub(crate) fn mend(&self) {
        self.mended.send_replace(true);
    }
}

async fn accept(listener: TcpListener, good: String, bad: Behaviour, mut state: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // The gate was dropped.
            true = async { state.changed().await.is_err() } => return,
        };
        let Ok((mut stream, _)) = accepted else { continue };
        let mut mended = state.clone();
        if *mended.borrow_and_update() {
            let good = good.clone();
            tokio::spawn(async move {
                if let Ok(mut server) = TcpStream::connect(good).await {
                    let _ = copy_bidirectional(&mut stream, &mut server).await;
                }
            });
        } else {
            let behaving = bad(stream);
            tokio::spawn(async move {
                tokio::select! {
                    () = behaving => {}
                    _ = mended.changed() => {}
                }
            });
        }
    }
}

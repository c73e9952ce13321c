//! Stands before a server and breaks connections at the moment when they commit.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_postgres::config::Config;

/// What the driver sends to commit.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

/// What happens to the next commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Next {
    /// Nothing.
    Passes = 0,
    /// The connection is cut before the server hears of it.
    IsLost = 1,
    /// The connection is cut when the server has answered, before the answer comes back.
    IsUnanswered = 2,
    /// It is kept back until [`Proxy::cut`]; the server does not hear of it.
    IsHeld = 3,
}

pub(crate) struct Proxy {
    port: u16,
    target: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    next: AtomicU8,
    /// A commit was met that does not pass.
    met: Notify,
    cut: Notify,
}

impl Proxy {
    pub(crate) async fn before(dsn: &str) -> Self {
        let config: Config = dsn.parse().unwrap();
        let target = config.get_ports()[0];
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let serving = shared.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await {
                    tokio::spawn(relay(client, server, serving.clone()));
                }
            }
        });
        Self {
            port,
            target,
            shared,
        }
    }

    /// The DSN through the proxy.
    pub(crate) fn through(&self, dsn: &str) -> String {
        dsn.replace(&format!(":{}/", self.target), &format!(":{}/", self.port))
    }

    /// Decides on the next commit, only.
    pub(crate) fn next(&self, next: Next) {
        self.shared.next.store(next as u8, Ordering::SeqCst);
    }

    /// Waits until a commit was met that does not pass.
    pub(crate) async fn met(&self) {
        self.shared.met.notified().await;
    }

    /// Cuts the connection whose commit is held.
    pub(crate) fn cut(&self) {
        self.shared.cut.notify_one();
    }
}

async fn relay(client: TcpStream, server: TcpStream, shared: Arc<Shared>) -> std::io::Result<()> {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
        (from_server, to_client)
    });
    let mut buffer = vec![0; 65_536];
    loop {
        let read = from_client.read(&mut buffer).await?;
        let sent = &buffer[..read];
        let commits = sent.windows(COMMIT.len()).any(|part| part == COMMIT);
        let next = if commits {
            shared.next.swap(Next::Passes as u8, Ordering::SeqCst)
        } else {
            Next::Passes as u8
        };
        let met = [Next::IsLost, Next::IsUnanswered, Next::IsHeld]
            .into_iter()
            .find(|known| *known as u8 == next);
        let Some(met) = met else {
            to_server.write_all(sent).await?;
            if read == 0 {
                return Ok(());
            }
            continue;
        };
        // From here on nothing comes back. Both ends are closed when this ends.
        back.abort();
        let _ = back.await;
        if met == Next::IsUnanswered {
            to_server.write_all(sent).await?;
        }
        shared.met.notify_one();
        if met == Next::IsHeld {
            shared.cut.notified().await;
        }
        return Ok(());
    }
}

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

/// Ends, and closes both ends, as soon as one is closed or a connection is to be cut.
async fn relay(
    mut client: TcpStream,
    mut server: TcpStream,
    shared: Arc<Shared>,
) -> std::io::Result<()> {
    let (mut question, mut answer) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = server.read(&mut answer) => match read? {
                0 => return Ok(()),
                read => client.write_all(&answer[..read]).await?,
            },
            read = client.read(&mut question) => {
                let sent = &question[..read?];
                if sent.is_empty() {
                    return Ok(());
                }
                match shared.fate_of(sent) {
                    Next::Passes => server.write_all(sent).await?,
                    Next::IsLost => {
                        shared.met.notify_one();
                        return Ok(());
                    }
                    Next::IsUnanswered => {
                        server.write_all(sent).await?;
                        // The answer, which goes no further.
                        let _ = server.read(&mut answer).await?;
                        shared.met.notify_one();
                        return Ok(());
                    }
                    Next::IsHeld => {
                        shared.met.notify_one();
                        shared.cut.notified().await;
                        return Ok(());
                    }
                }
            }
        }
    }
}

impl Shared {
    fn fate_of(&self, sent: &[u8]) -> Next {
        if !sent.windows(COMMIT.len()).any(|part| part == COMMIT) {
            return Next::Passes;
        }
        let next = self.next.swap(Next::Passes as u8, Ordering::SeqCst);
        let known = [Next::IsLost, Next::IsUnanswered, Next::IsHeld];
        let fate = known.into_iter().find(|known| *known as u8 == next);
        fate.unwrap_or(Next::Passes)
    }
}

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_postgres::Config;
use tokio_postgres::config::Host;
use tokio_rustls::TlsAcceptor;

use super::address::{STANDARD_PORT, parse, url};

/// What a client sends that asks for TLS: its own length, and the number of this request.
const TLS_WANTED: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// The first byte of TLS, from a client that does not ask first (`sslnegotiation=direct`).
const HANDSHAKE: u8 = 22;

/// What is told to a client that wants no TLS: severity, code and message of an error.
const REFUSAL: &str =
    "SFATAL\0VFATAL\0C28000\0Mno pg_hba.conf entry for this host, no encryption\0\0";

/// Stands before a server that speaks no TLS, as the one that the tests fetch is built without,
/// and speaks it for that server. Clients that want none are refused. Its certificate is for
/// `localhost`, by an authority of the tests' own. It stops when it is dropped, and cuts off whom
/// it serves.
pub struct TlsFront {
    server: Config,
    port: u16,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for TlsFront {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsFront(localhost:{})", self.port)
    }
}

/// The file, in PEM, with the authority that has signed the certificate of a [`TlsFront`].
pub fn certificate_authority() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/postgres/certificates/authority.pem")
}

impl TlsFront {
    /// Stands before the server of a DSN.
    ///
    /// # Panics
    /// When there is no free port, or the server is not reached through TCP.
    pub fn before(dsn: &str) -> Self {
        let server = parse(dsn);
        let target = target(&server);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a port to wait at");
        let port = listener.local_addr().expect("an address").port();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || serve(listener, target, stopped));
        Self {
            server,
            port,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// The DSN through TLS: that of the server, for the host `localhost` and another port, with
    /// `sslmode=require`.
    pub fn dsn(&self) -> String {
        let mut config = Config::new();
        config.host("localhost").port(self.port);
        config.ssl_mode(tokio_postgres::config::SslMode::Require);
        if let Some(user) = self.server.get_user() {
            config.user(user);
        }
        if let Some(password) = self.server.get_password() {
            config.password(password);
        }
        if let Some(database) = self.server.get_dbname() {
            config.dbname(database);
        }
        url(&config)
    }

    /// The port that speaks TLS, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn target(server: &Config) -> (String, u16) {
    let port = server.get_ports().first().copied().unwrap_or(STANDARD_PORT);
    match server.get_hosts().first() {
        Some(Host::Tcp(host)) => (host.clone(), port),
        _ => panic!("TLS is only spoken for a server that is reached through TCP"),
    }
}

fn serve(listener: TcpListener, target: (String, u16), stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let tls = TlsAcceptor::from(Arc::new(certified()));
    runtime.expect("a runtime").block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a port to wait at");
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // A client that hangs up in the middle is what some tests want.
                tokio::spawn(forward(client, target.clone(), tls.clone()));
            }
        });
        let _ = stopped.await;
    });
}

fn certified() -> ServerConfig {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("certificates/server.pem"));
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("certificates/server.key"));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.expect("a certificate")],
            key.expect("a key"),
        )
        .expect("a certificate with its key");
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    config
}

async fn forward(mut client: TcpStream, target: (String, u16), tls: TlsAcceptor) -> io::Result<()> {
    let mut first = [0];
    client.peek(&mut first).await?;
    if first != [HANDSHAKE] {
        let mut asked = [0; TLS_WANTED.len()];
        client.read_exact(&mut asked).await?;
        if asked != TLS_WANTED {
            return refuse(client).await;
        }
        client.write_all(b"S").await?;
    }
    let mut client = tls.accept(client).await?;
    let mut server = TcpStream::connect((target.0.as_str(), target.1)).await?;
    server.set_nodelay(true)?;
    client.get_ref().0.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

async fn refuse(mut client: TcpStream) -> io::Result<()> {
    let length = u32::try_from(REFUSAL.len() + 4).unwrap_or_default();
    client.write_all(b"E").await?;
    client.write_all(&length.to_be_bytes()).await?;
    client.write_all(REFUSAL.as_bytes()).await?;
    client.shutdown().await?;
    // What the client has sent so far is read: unread, it would cut off the answer.
    tokio::io::copy(&mut client, &mut tokio::io::sink()).await?;
    Ok(())
}

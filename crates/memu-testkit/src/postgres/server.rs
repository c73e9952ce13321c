use std::collections::hash_map::RandomState;
use std::env;
use std::fmt;
use std::fs;
use std::hash::BuildHasher;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use tempfile::TempDir;
use uuid::Uuid;

use super::keeper::Keeper;
use super::place::quick_place;
use super::processes::{TICK, kill_all, send};
use super::programs::Programs;
use super::{Database, programs};

/// The superuser of every server.
const USER: &str = "memu";

/// Below those that systems give to connections: a client that tries to reach a server which is
/// down, at a port of theirs, may be given that port itself and talk to itself.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// Started on a port that somebody else takes in the same moment, a server tries another.
const ATTEMPTS: u32 = 10;

/// Lines of `postmaster.pid`, from 0: the number of the process; the key and number of its shared
/// memory; how far it is.
const PID: usize = 0;
const MEMORY: usize = 6;
const STATUS: usize = 7;

/// How a server is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Takes no new connections and waits until all clients have left by themselves.
    Smart,
    /// Cuts off clients, rolls back what they were doing, and writes everything down.
    Fast,
}

/// How a server is started.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    durable: bool,
    settings: Vec<(String, String)>,
}

/// A server of a test's own: UTF-8, the locale `C`, checked passwords, on 127.0.0.1 at a port that
/// it keeps. Its folder is removed with it. It stops when it is dropped, and also when the test is
/// killed.
pub struct Server {
    settings: Vec<(String, String)>,
    password: String,
    port: u16,
    keeper: Option<Keeper>,
    // Last, so that the server has stopped when its folders go.
    folder: TempDir,
    programs: Programs,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server(127.0.0.1:{})", self.port)
    }
}

impl Builder {
    /// Lies on the disk and waits for it (`fsync`), as a server in earnest does. Otherwise it lies
    /// in memory, where there is enough: what a killed server has acknowledged survives all the
    /// same, but not a power cut.
    #[must_use]
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// A setting of `postgresql.conf`, above those that all test servers have.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts the server, or returns `None` after recording that `test` is skipped, because
    /// [`PROGRAMS`](super::PROGRAMS) names no programs.
    ///
    /// # Panics
    /// When it does not start; when [`REQUIRED`](super::REQUIRED) is set and there are no programs.
    pub fn start(self, test: &str) -> Option<Server> {
        Some(self.start_from(&programs(test)?))
    }

    /// Starts the server from the programs in a folder.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_from(self, bin: &Path) -> Server {
        let programs = Programs::find(bin);
        let place = if self.durable {
            env::temp_dir()
        } else {
            quick_place()
        };
        let mut server = Server {
            folder: programs.folder(&place),
            programs,
            settings: self.all_settings(),
            password: Uuid::new_v4().simple().to_string(),
            port: 0,
            keeper: None,
        };
        server.initialize();
        server.start_anywhere();
        server
    }

    fn all_settings(self) -> Vec<(String, String)> {
        let sync = if self.durable { "on" } else { "off" };
        let settings = [
            ("listen_addresses", "127.0.0.1"),
            ("unix_socket_directories", ""),
            ("fsync", sync),
            ("full_page_writes", sync),
            ("max_connections", "200"),
            ("shared_buffers", "64MB"),
            ("timezone", "UTC"),
            ("log_timezone", "UTC"),
            // Checking a password is slow on purpose, and slower still in a build for tests.
            ("scram_iterations", "1"),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        settings.into_iter().chain(self.settings).collect()
    }
}

impl Server {
    /// Starts a server with the usual settings. See [`Builder::start`].
    pub fn start(test: &str) -> Option<Self> {
        Self::builder().start(test)
    }

    /// A server with settings of the test's own.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The DSN of the superuser's database. It stays the same when the server is started again.
    pub fn dsn(&self) -> String {
        let (password, port) = (&self.password, self.port);
        format!("postgresql://{USER}:{password}@127.0.0.1:{port}/postgres")
    }

    /// A new database on this server.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn database(&self) -> Database {
        Database::create(&self.dsn())
    }

    /// Stops the server and waits until it has stopped; does nothing when it does not run.
    ///
    /// # Panics
    /// When it fails while it stops.
    pub fn stop(&mut self, how: Stop) {
        let Some(mut keeper) = self.keeper.take() else {
            return;
        };
        send(
            self.pid(),
            match how {
                Stop::Smart => Signal::TERM,
                Stop::Fast => Signal::INT,
            },
        );
        let ended = keeper.wait().expect("a server that stops");
        assert!(ended.success(), "PostgreSQL: {ended}\n{}", self.log());
    }

    /// Kills the server and all its processes with `SIGKILL`: what it has not written is lost.
    /// Does nothing when it does not run.
    ///
    /// # Panics
    /// When the system does not tell how it ended.
    pub fn kill(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            kill_all(self.pid());
            keeper.wait().expect("a server that is killed");
        }
    }

    /// Starts the server again, on the same data and the same port, and waits until it takes
    /// connections; does nothing when it runs.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_again(&mut self) {
        let runs = self.keeper.is_some() || self.try_start();
        assert!(runs, "PostgreSQL does not start again:\n{}", self.log());
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// What the server has said so far: with the setting `log_statement`, also what it was asked.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn keep(&self, program: &str, arguments: &[String]) -> Keeper {
        let places = (self.folder.path(), self.log_path());
        match Keeper::start(&self.programs, program, arguments, (places.0, &places.1)) {
            Ok(keeper) => keeper,
            Err(error) => panic!(
                "{program} cannot be started in {}: {error}; can its user reach that folder?",
                places.0.display()
            ),
        }
    }

    fn initialize(&self) {
        let password = self.folder.path().join("password");
        fs::write(&password, &self.password).expect("a file with a password");
        self.programs
            .give(&password)
            .expect("a file with a password");
        let arguments = [
            format!("--pgdata={}", self.data().display()),
            format!("--username={USER}"),
            format!("--pwfile={}", password.display()),
            "--auth=scram-sha-256".to_owned(),
            "--encoding=UTF8".to_owned(),
            "--locale=C".to_owned(),
            "--set=scram_iterations=1".to_owned(),
            "--no-sync".to_owned(),
            "--no-instructions".to_owned(),
        ];
        let ended = self.keep("initdb", &arguments).wait().expect("initdb");
        assert!(ended.success(), "initdb: {ended}\n{}", self.log());
        fs::remove_file(password).expect("a file with a password");
    }

    fn start_anywhere(&mut self) {
        for _ in 0..ATTEMPTS {
            self.port = free_port();
            if self.try_start() {
                return;
            }
            if !self.log().contains("could not bind") {
                break;
            }
        }
        panic!("PostgreSQL does not start:\n{}", self.log());
    }

    /// Whether the server runs and takes connections.
    fn try_start(&mut self) -> bool {
        let place = ["-D".to_owned(), self.data().display().to_string()];
        let settings = self
            .settings
            .iter()
            .map(|(name, value)| format!("--{name}={value}"));
        let arguments: Vec<_> = place
            .into_iter()
            .chain([format!("--port={}", self.port)])
            .chain(settings)
            .collect();
        // One that was killed has left its news behind.
        let before = self.news(PID);
        let mut keeper = self.keep("postgres", &arguments);
        while !self.is_ready(before.as_deref()) {
            if keeper.ended().expect("a server that starts").is_some() {
                return false;
            }
            std::thread::sleep(TICK);
        }
        self.keeper = Some(keeper);
        true
    }

    /// Whether another process than the one `before` takes connections. Both are read at once: what
    /// one that was killed left behind says that it is ready until the next one writes anew.
    fn is_ready(&self, before: Option<&str>) -> bool {
        let news = self.all_news();
        let line = |line| news.lines().nth(line).map(str::trim);
        line(STATUS) == Some("ready") && line(PID) != before
    }

    /// A line of what the server tells about itself while it runs.
    fn news(&self, line: usize) -> Option<String> {
        Some(self.all_news().lines().nth(line)?.trim().to_owned())
    }

    fn all_news(&self) -> String {
        fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default()
    }

    fn pid(&self) -> i32 {
        let pid = self.news(PID).and_then(|line| line.parse().ok());
        pid.expect("the number of the server's process")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that was killed leaves a few bytes of shared memory behind, which outlive it.
        if self.keeper.take().is_none()
            && let Some(memory) = self.news(MEMORY)
            && let Some(id) = memory.split_whitespace().nth(1)
        {
            let _ = Command::new("ipcrm").args(["-m", id]).output();
        }
    }
}

/// A port on which nobody listens. PostgreSQL takes no 0 that would have the system choose one.
fn free_port() -> u16 {
    let numbers = (0_u8..).map(|attempt| RandomState::new().hash_one(attempt));
    let mut ports = numbers.map(|number| PORTS.start + (number % PORTS.len() as u64) as u16);
    let free = ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.expect("a free port")
}

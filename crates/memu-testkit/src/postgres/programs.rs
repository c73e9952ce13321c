use std::env;
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::geteuid;
use tempfile::TempDir;

/// The programs of a PostgreSQL, and who runs them.
pub(super) struct Programs {
    bin: PathBuf,
    user: Option<User>,
    /// Where they have been linked to.
    linked: Option<TempDir>,
}

/// The user `nobody`, as whom root runs servers: PostgreSQL refuses to run as root.
#[derive(Clone, Copy)]
struct User {
    id: u32,
    group: u32,
}

impl Programs {
    /// The programs in a folder, or links to them, when root runs them as somebody who cannot
    /// reach that folder.
    pub(super) fn find(bin: &Path) -> Self {
        assert!(
            bin.join("postgres").is_file() && bin.join("initdb").is_file(),
            "{} holds no programs postgres and initdb",
            bin.display()
        );
        let mut programs = Self {
            bin: bin.to_owned(),
            user: geteuid().is_root().then(nobody),
            linked: None,
        };
        if !programs.is_reachable() {
            // Not where the data are, which may be a place that runs no programs.
            let folder = programs.folder(&env::temp_dir());
            let linked = folder.path().join("server");
            let prefix = bin.parent().expect("a folder around the programs");
            programs
                .link(prefix, &linked)
                .expect("links to the programs");
            programs.bin = linked.join(bin.file_name().expect("a name"));
            programs.linked = Some(folder);
        }
        programs
    }

    /// A new folder, only for who runs the server.
    pub(super) fn folder(&self, place: &Path) -> TempDir {
        let folder = tempfile::Builder::new()
            .prefix("memu-postgres-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(place)
            .expect("a temporary folder");
        self.give(folder.path()).expect("a folder for a server");
        folder
    }

    /// The folder with links to the programs, if there is one.
    pub(super) fn linked(&self) -> Option<&Path> {
        self.linked.as_ref().map(TempDir::path)
    }

    /// Has a folder belong to who runs the server.
    pub(super) fn give(&self, path: &Path) -> io::Result<()> {
        match self.user {
            Some(User { id, group }) => chown(path, Some(id), Some(group)),
            None => Ok(()),
        }
    }

    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.bin.join(program)
    }

    /// A command that runs as who runs the server, and knows where its libraries are.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some(User { id, group }) = self.user {
            // Leaves root's other groups, too.
            command.uid(id).gid(group);
        }
        for variable in ["PGDATA", "PGPORT", "PGHOST", "PGUSER", "PGOPTIONS", "PGTZ"] {
            command.env_remove(variable);
        }
        command
            .env("LC_ALL", "C")
            .env("LD_LIBRARY_PATH", self.bin.join("../lib"));
        command
    }

    fn is_reachable(&self) -> bool {
        let mut command = self.command(&self.path("postgres"));
        let ran = command.arg("--version").stdout(Stdio::null()).status();
        match ran {
            Ok(status) => status.success(),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => false,
            Err(error) => panic!("{} cannot be run: {error}", self.bin.display()),
        }
    }

    /// Links all files of a tree, or copies them to another disk; the folders are new, and of
    /// who runs the server, who may therefore remove them.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::create_dir(to)?;
        self.give(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let (from, to) = (entry.path(), to.join(entry.file_name()));
            if entry.file_type()?.is_dir() {
                self.link(&from, &to)?;
            } else if fs::hard_link(&from, &to).is_err() {
                fs::copy(&from, &to)?;
            }
        }
        Ok(())
    }
}

/// Looked up by name: the numbers differ between systems.
fn nobody() -> User {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let numbers = users.lines().find_map(|line| {
        let mut fields = line.strip_prefix("nobody:")?.split(':').skip(1);
        let id = fields.next()?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        Some(User { id, group })
    });
    numbers.expect("a user nobody, as whom root runs PostgreSQL")
}

//! Runs the real `memu` binary in a folder of its own.

#![allow(dead_code)] // Every test file uses its own part of this.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A folder with a database, for one test.
pub(crate) struct Home {
    pub(crate) folder: TempDir,
}

/// What a run printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The binary with arguments, in this folder, without the user's settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_memu"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("MEMU_DB")
            .env_remove("MEMU_USER")
            .env_remove("MEMU_CONFIG")
            .env_remove("MEMU_KEY")
            .env_remove("MEMU_NEW_KEY")
            .env("NO_COLOR", "1")
            .env("COLUMNS", "100")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        finished(self.command(arguments).output().unwrap())
    }

    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Run {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        finished(child.wait_with_output().unwrap())
    }

    /// Runs and demands success.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let run = self.run(arguments);
        assert_eq!(run.code, Some(0), "{arguments:?}: {run:?}");
        run.stdout
    }

    /// Runs with `--json` and reads the response.
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let mut all = vec!["--json"];
        all.extend(arguments);
        serde_json::from_str(&self.ok(&all)).unwrap()
    }

    /// Everything in the store, as text: to see that nothing changed.
    pub(crate) fn everything(&self) -> String {
        ["items", "categories", "resources"]
            .map(|kind| self.ok(&["--json", "list", kind, "--all-scopes"]))
            .join("\n")
    }
}

pub(crate) fn finished(output: std::process::Output) -> Run {
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A conversation of `count` messages that all say something of their own.
pub(crate) fn long_conversation(count: usize) -> Vec<u8> {
    const THINGS: [&str; 10] = [
        "teapot",
        "kayak",
        "lantern",
        "violin",
        "compass",
        "quilt",
        "telescope",
        "bicycle",
        "aquarium",
        "drum",
    ];
    let messages: Vec<serde_json::Value> = (0..count)
        .map(|at| {
            let thing = THINGS[at % THINGS.len()];
            serde_json::json!({
                "id": format!("m{at}"),
                "name": if at % 2 == 0 { "Nora" } else { "Theo" },
                "content": format!("I bought {thing} number {at} in town {} last week.", at / 7),
                "created_at": format!("2026-{:02}-{:02}T10:{:02}:00", 1 + at / 600, 1 + at / 60 % 28, at % 60),
            })
        })
        .collect();
    serde_json::to_vec(&serde_json::json!({"id": "long", "messages": messages})).unwrap()
}

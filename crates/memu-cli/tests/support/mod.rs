//! Runs the real `memu` binary in a folder of its own.

#![allow(dead_code)] // Every test file uses its own part of this.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// The variables that name a memory, who asks, a key or a recording. Those of single settings
/// have a `__`.
pub(crate) const SETTINGS: [&str; 7] = [
    "MEMU_DB",
    "MEMU_USER",
    "MEMU_CONFIG",
    "MEMU_KEY",
    "MEMU_NEW_KEY",
    "MEMU_RECORD",
    "MEMU_REPLAY",
];

const README: &str = include_str!("../../../../README.md");

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
        let mut command = self.without_settings(env!("CARGO_BIN_EXE_memu"));
        command.args(arguments).env("COLUMNS", "100");
        command
    }

    /// A shell with a script, in this folder, without the user's settings. The binary is
    /// `memu`, and `$MEMU`.
    pub(crate) fn shell(&self, script: &str) -> Command {
        let binary = Path::new(env!("CARGO_BIN_EXE_memu"));
        let others = std::env::var("PATH").unwrap();
        let path = format!("{}:{others}", binary.parent().unwrap().display());
        let mut command = self.without_settings("sh");
        command
            .args(["-c", script])
            .env("MEMU", binary)
            .env("PATH", path)
            .env_remove("COLUMNS");
        command
    }

    /// A program in this folder that cannot find the memory of whoever runs the tests.
    fn without_settings(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        for name in SETTINGS {
            command.env_remove(name);
        }
        let names = std::env::vars_os().map(|(name, _)| name);
        for name in names.filter(|name| name.to_string_lossy().contains("__")) {
            command.env_remove(name);
        }
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

    /// The numbers and checksums of a store, which holds items, by scope and table.
    pub(crate) fn sums(&self, database: &str) -> serde_json::Value {
        let move_it = ["migrate", "--from", database, "--to", "nowhere.db"];
        let plan = self.json(&[&move_it[..], &["--dry-run"]].concat());
        assert!(!self.path("nowhere.db").exists());
        let items = plan["scopes"][0]["sums"]["items"]["count"].as_u64();
        assert!(items.unwrap() > 0, "{plan}");
        plan["scopes"].clone()
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

/// Runs the commands of the first block after a heading of the README, and compares what they
/// print with what it shows. Returns how many were `memu`'s; the others are left out.
pub(crate) fn compare_with_readme(home: &Home, heading: &str) -> usize {
    let (_, section) = README.split_once(heading).unwrap();
    let (_, rest) = section.split_once("```console\n").unwrap();
    let (block, _) = rest.split_once("```").unwrap();
    let steps = block.split("$ ").filter(|step| !step.is_empty());
    let mut compared = 0;
    for step in steps {
        let (command, expected) = step.split_once('\n').unwrap();
        if !command.split(' ').any(|word| word == "memu") {
            continue;
        }
        let mut shell = home.shell(&format!("{command} 2>&1"));
        let found = finished(shell.output().unwrap()).stdout;
        assert_eq!(in_short(&found), in_short(expected), "{command}");
        compared += 1;
    }
    compared
}

/// What is the same in every run: without short ids and sizes, and without the causes of
/// errors, which the README leaves out.
fn in_short(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("  because:"));
    let words = lines.flat_map(|line| line.split(' ').chain(["\n"]));
    let mut short: Vec<&str> = Vec::new();
    for word in words {
        let is_id = word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        if word.starts_with("KiB") {
            short.pop();
        }
        short.push(if is_id { "[id]" } else { word });
    }
    short.join(" ")
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

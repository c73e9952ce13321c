//! What the pages tell their readers to type at a shell, and to write into `memu.toml`, works.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
// Not every line of a page is for a shell of Windows.
#![cfg(unix)]

mod support;

use std::process::Child;
use std::time::{Duration, Instant};

use memu::settings::Layers;
use memu_testkit::postgres::database;
use support::{Home, finished};

const README: &str = include_str!("../../../README.md");
const ON_SQLITE: &str = include_str!("../../../docs/sqlite.md");

/// The address of a server in the pages.
const SERVER: &str = "postgresql://user:pass@localhost/memu";
const SERVER_OF_README: &str = "postgresql://memu:secret@db.example.org/memu?sslmode=verify-full";

/// The blocks of a page in one language.
fn blocks(page: &'static str, language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let blocks = page.split(fence.as_str()).skip(1);
    blocks
        .map(|rest| rest.split_once("```").unwrap().0)
        .collect()
}

/// A program that ends with the test, whatever comes of it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a line that goes on until it is ended, until it has written a file.
fn run_until_there_is_a_copy(home: &Home, line: &str, folder: &str) {
    let child = home.shell(&format!("exec {line}")).spawn().unwrap();
    let mut child = Running(child);
    let began = Instant::now();
    // One that is being made has another name.
    let has_copy = || {
        let files = std::fs::read_dir(home.path(folder)).into_iter().flatten();
        let mut names = files.map(|file| file.unwrap().path());
        names.any(|name| name.extension().is_some_and(|ending| ending == "db"))
    };
    while !has_copy() {
        assert!(began.elapsed() < Duration::from_mins(1), "{line}: no copy");
        assert_eq!(child.0.try_wait().unwrap(), None, "{line} ended");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn every_line_for_a_shell_on_the_page_about_sqlite_works() {
    let home = Home::new();
    home.write("conversation.json", blocks(ON_SQLITE, "json")[0]);
    std::fs::create_dir_all(home.path("path/to/folder")).unwrap();
    let remember = ["memorize", "conversation.json", "--user", "alice"];
    home.ok(&remember);
    let server = database("every_line_for_a_shell_on_the_page_about_sqlite_works");
    let lines = blocks(ON_SQLITE, "sh").into_iter().flat_map(str::lines);
    let mut ran = 0;
    for line in lines {
        if line.contains("--every") {
            run_until_there_is_a_copy(&home, line, "copies");
            ran += 1;
            continue;
        }
        let line = match &server {
            Some(server) => line.replace(SERVER, &format!("'{}'", server.dsn())),
            None if line.contains(SERVER) => continue,
            None => line.to_owned(),
        };
        let run = finished(home.shell(&line).output().unwrap());
        assert_eq!(run.code, Some(0), "{line}: {run:?}");
        ran += 1;
    }
    let expected = 10 - usize::from(server.is_none());
    assert_eq!(ran, expected, "the page has other lines now");
    let found = home.ok(&["--db", "other.db", "list", "items", "--user", "alice"]);
    assert_eq!(found, home.ok(&["list", "items", "--user", "alice"]));
}

#[test]
fn the_line_for_a_server_in_the_readme_works() {
    let Some(server) = database("the_line_for_a_server_in_the_readme_works") else {
        return;
    };
    let home = Home::new();
    home.write("chat.json", include_bytes!("../samples/friends.json"));
    let blocks = blocks(README, "console").into_iter();
    let mut lines = blocks.filter(|block| block.contains(SERVER_OF_README));
    let line = lines.next().unwrap().trim().strip_prefix("$ ").unwrap();
    let line = line.replace(SERVER_OF_README, server.dsn());
    let run = finished(home.shell(&line).output().unwrap());
    assert_eq!(run.code, Some(0), "{line}: {run:?}");
    assert!(run.stdout.contains("26 messages"), "{run:?}");
}

#[test]
fn the_settings_in_the_readme_are_known() {
    let home = Home::new();
    let of_readme = blocks(README, "toml");
    assert_eq!(of_readme.len(), 3, "the README has other settings now");
    for block in of_readme {
        // The profile that one of them names stands elsewhere.
        let eyes = "[llm_profiles.eyes]\nprovider = \"ollama\"\n";
        let others = if block.contains("\"eyes\"") { eyes } else { "" };
        let file = home.write("memu.toml", format!("{others}{block}"));
        let settings = Layers::new().file(&file).and_then(Layers::settings);
        settings.unwrap_or_else(|error| panic!("{error:?}: {block}"));
    }
    let file = home.write("memu.toml", "[memorize_config]\nno_such_setting = 1\n");
    let unknown = Layers::new().file(&file).and_then(Layers::settings);
    assert!(unknown.is_err());
}

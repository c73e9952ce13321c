//! A memory as a folder of Markdown, its edits, and what is refused.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod documents;
mod edits;
mod refusals;
#[path = "../support/mod.rs"]
mod support;
mod whole;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use support::{Home, Run, long_conversation};

const ALICE: [&str; 2] = ["--user", "alice"];

/// A memory of Alice's in `memu.db`, and its folder `dir`.
fn home() -> Home {
    let home = Home::new();
    for (text, category) in [
        ("Nora likes green tea", "preferences"),
        ("Nora rows on Sundays", "habits"),
        ("Nora works at the harbour", "work_life"),
    ] {
        home.ok(&[&["add", text, "-c", category], &ALICE[..]].concat());
    }
    home.ok(&[
        "add",
        "Nora met Theo",
        "-t",
        "event",
        "-c",
        "relationships",
        "-u",
        "alice",
    ]);
    export(&home, "dir");
    home
}

fn export(home: &Home, folder: &str) -> String {
    home.ok(&["export", folder, "--format", "markdown", "--all-scopes"])
}

fn page(home: &Home, name: &str) -> String {
    std::fs::read_to_string(home.path(&format!("dir/alice/{name}"))).unwrap()
}

/// Edits a page of Alice's, and demands that there was something to edit.
fn edit(home: &Home, name: &str, from: &str, to: &str) {
    let text = page(home, name);
    assert!(text.contains(from), "{from} in {text}");
    home.write(&format!("dir/alice/{name}"), text.replacen(from, to, 1));
}

/// The line of a page that holds a text.
fn line(home: &Home, name: &str, text: &str) -> String {
    let page = page(home, name);
    let found = page.lines().find(|line| line.contains(text));
    found
        .unwrap_or_else(|| panic!("{text} in {page}"))
        .to_owned()
}

/// The files below a folder with what they hold, but for the list of files, whose times differ.
fn files(folder: &Path) -> BTreeMap<String, String> {
    fn walk(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, files);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                files.insert(name.to_owned(), std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(folder, folder, &mut files);
    files.remove("memu.json").expect("there is a list of files");
    files
}

/// The items of a memory, as text, type, time and names of categories.
fn items(home: &Home, arguments: &[&str]) -> Vec<Value> {
    let list = ["list", "items", "--all-scopes", "--limit", "10000"];
    let list = [arguments, &list[..]].concat();
    home.json(&list)["items"].as_array().unwrap().clone()
}

fn item<'i>(items: &'i [Value], text: &str) -> &'i Value {
    let found = items.iter().find(|item| item["summary"] == text);
    found.unwrap_or_else(|| panic!("{text} in {items:?}"))
}

/// The texts of the items of a category.
fn filed(home: &Home, category: &str) -> Vec<String> {
    let condition = format!("category={category}");
    let page = home.json(&["list", "items", "--all-scopes", "-w", &condition]);
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| item["summary"].as_str().unwrap().to_owned())
        .collect()
}

fn category(home: &Home, name: &str) -> Value {
    let page = home.json(&["list", "categories", "--all-scopes"]);
    let categories = page["categories"].as_array().unwrap();
    categories
        .iter()
        .find(|one| one["name"] == name)
        .unwrap()
        .clone()
}

/// What an import changes, as pairs of what and text.
fn changes(imported: &Value) -> Vec<(String, String)> {
    let text = |change: &Value, key: &str| change[key].as_str().unwrap().to_owned();
    let changes = imported["changes"].as_array().unwrap().iter();
    changes
        .map(|change| (text(change, "what"), text(change, "text")))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(what, text): &(&str, &str)| ((*what).to_owned(), (*text).to_owned());
    expected.iter().map(own).collect()
}

/// Demands that an import fails with this message and changes nothing.
fn refused(home: &Home, arguments: &[&str], code: i32, expected: &[&str]) -> Run {
    let before = home.everything();
    let run = home.run(&[&["import"], arguments].concat());
    assert_eq!(run.code, Some(code), "{run:?}");
    for expected in expected {
        assert!(run.stderr.contains(expected), "{expected}: {run:?}");
    }
    assert_eq!(home.everything(), before);
    run
}

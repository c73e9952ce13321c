//! Copies of a memory that is in use, and bringing them back, by the real binary.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use support::{Home, long_conversation};

fn count(home: &Home, db: &str, kind: &str) -> usize {
    let list = home.json(&["--db", db, "list", kind, "--all-scopes", "--limit", "10000"]);
    list[kind].as_array().unwrap().len()
}

/// Starts a process that adds memories one after the other, until it is told to stop by
/// the absence of the file `go`.
fn writer(home: &Home, user: &str) -> Child {
    let script = format!(
        "n=0; while [ -e go ]; do \"$MEMU\" add \"note $n of {user}\" --user {user} --quiet \
         >/dev/null || exit 1; n=$((n + 1)); done; echo $n > {user}.count"
    );
    let mut shell = home.shell(&script);
    shell.stdout(Stdio::null()).spawn().unwrap()
}

#[test]
#[cfg(unix)]
fn copies_made_while_others_write_are_sound_and_complete() {
    let home = Home::new();
    home.write("long.json", long_conversation(600));
    home.ok(&["memorize", "long.json", "--user", "nora"]);
    home.write("go", "");
    let writers: Vec<_> = ["ann", "ben"]
        .iter()
        .map(|user| writer(&home, user))
        .collect();
    let started = Instant::now();
    let mut known = 0;
    for round in 0..12 {
        let before = count(&home, "memu.db", "items");
        let copy = format!("copy-{round}.db");
        let report = home.json(&["backup", &copy]);
        assert_eq!(report["broken_files"], serde_json::json!([]));
        let doctor = home.run(&["--db", &copy, "doctor"]);
        assert_eq!(doctor.code, Some(0), "{doctor:?}");
        let held = count(&home, &copy, "items");
        assert!(
            held >= before,
            "{held} of {before}: what was there before is in the copy"
        );
        known = known.max(held);
    }
    assert!(
        known > count(&home, "copy-0.db", "items"),
        "others wrote in the meantime"
    );
    assert!(started.elapsed() < Duration::from_mins(2));
    std::fs::remove_file(home.path("go")).unwrap();
    for mut writer in writers {
        assert!(writer.wait().unwrap().success(), "no writer saw an error");
    }
    let written: usize = ["ann", "ben"]
        .iter()
        .map(|user| {
            let text = std::fs::read_to_string(home.path(&format!("{user}.count"))).unwrap();
            text.trim().parse::<usize>().unwrap()
        })
        .sum();
    let kept = ["ann", "ben"].map(|user| {
        let list = home.json(&["list", "items", "--user", user, "--limit", "10000"]);
        list["items"].as_array().unwrap().len()
    });
    assert_eq!(kept.iter().sum::<usize>(), written, "no write was lost");
}

#[test]
fn a_copy_comes_back_with_its_large_files() {
    let home = Home::new();
    home.ok(&["add", "Ann likes tea", "--user", "ann"]);
    home.write("film.mp4", vec![7; (1 << 20) + 1]);
    home.ok(&[
        "memorize",
        "film.mp4",
        "--modality",
        "video",
        "--caption",
        "A film of tea",
        "--user",
        "ann",
    ]);
    let before = home.everything();
    let report = home.json(&["backup", "copies/first.db"]);
    assert_eq!(report["files"], 1);
    home.ok(&["forget", "--user", "ann", "--yes"]);
    home.ok(&["add", "Ben likes coffee", "--user", "ben"]);
    let after = home.everything();

    let refused = home.run(&["restore", "copies/first.db"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("--force"), "{refused:?}");
    assert_eq!(home.everything(), after);

    let report = home.json(&["restore", "copies/first.db", "--force"]);
    assert_eq!(report["files"], 1);
    assert_eq!(home.everything(), before);
    home.ok(&["doctor"]);
    let aside = report["replaced"].as_str().unwrap();
    assert_eq!(count(&home, aside, "items"), 1);
    // A copy is a memory itself.
    let answer = home.ok(&[
        "--db",
        "copies/first.db",
        "retrieve",
        "Who likes tea?",
        "--user",
        "ann",
    ]);
    assert!(answer.contains("Ann likes tea"), "{answer}");
}

#[test]
fn a_bad_copy_is_refused_and_changes_nothing() {
    let home = Home::new();
    home.ok(&["add", "Ann likes tea", "--user", "ann"]);
    home.ok(&["backup", "good.db"]);
    let before = home.everything();
    let good = std::fs::read(home.path("good.db")).unwrap();
    home.write("text.db", "no database at all");
    home.write("empty.db", "");
    home.write("half.db", &good[..good.len() / 2]);
    let mut torn = good.clone();
    let middle = torn.len() / 2;
    torn[middle..middle + 8192].fill(0x5a);
    home.write("torn.db", torn);
    let mut newer = good.clone();
    newer[60..64].copy_from_slice(&99_u32.to_be_bytes());
    home.write("newer.db", newer);
    let mut stranger = good;
    stranger[68..72].fill(0);
    home.write("stranger.db", stranger);
    for (name, says) in [
        ("text.db", "not a SQLite database"),
        ("empty.db", "has no tables"),
        ("half.db", "damaged"),
        ("torn.db", "damaged"),
        ("newer.db", "newer version"),
        ("stranger.db", "belongs to another program"),
        ("missing.db", "no such file"),
        (".", "folder"),
    ] {
        let run = home.run(&["restore", name, "--force"]);
        assert!(matches!(run.code, Some(1 | 3)), "{name}: {run:?}");
        assert!(run.stderr.contains(says), "{name}: {run:?}");
        assert_eq!(home.everything(), before, "{name}");
        // Nor is it overwritten by a copy.
        if !matches!(
            name,
            "missing.db" | "." | "newer.db" | "half.db" | "torn.db"
        ) {
            let bytes = std::fs::read(home.path(name)).unwrap();
            let run = home.run(&["backup", name]);
            assert_eq!(run.code, Some(1), "{name}: {run:?}");
            assert!(std::fs::read(home.path(name)).unwrap() == bytes, "{name}");
        }
    }
    let left: Vec<String> = std::fs::read_dir(home.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("unfinished") || name.contains("replaced"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn a_copy_never_overwrites_the_memory_itself() {
    let home = Home::new();
    home.ok(&["add", "Ann likes tea", "--user", "ann"]);
    let before = home.everything();
    for verb in ["backup", "restore"] {
        let run = home.run(&[verb, "./memu.db"]);
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(run.stderr.contains("itself"), "{run:?}");
    }
    assert_eq!(home.everything(), before);
    let run = home.run(&["--db", "missing.db", "backup", "copy.db"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(!home.path("missing.db").exists() && !home.path("copy.db").exists());
}

#[test]
#[cfg(unix)]
fn copies_rotate_until_ctrl_c() {
    let home = Home::new();
    home.ok(&["add", "Ann likes tea", "--user", "ann"]);
    let mut child = home
        .command(&["backup", "copies", "--every", "1s", "--keep", "2"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let copies = || -> Vec<String> {
        let entries = std::fs::read_dir(home.path("copies")).into_iter().flatten();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.ends_with("Z.db")).collect();
        names.sort();
        names
    };
    let deadline = Instant::now() + Duration::from_mins(1);
    let mut first = None;
    // Until the first copy has made room.
    while first.as_ref().is_none_or(|name| copies().contains(name)) {
        assert!(Instant::now() < deadline, "{:?}", copies());
        std::thread::sleep(Duration::from_millis(50));
        if first.is_none() {
            first = copies().first().cloned();
        }
    }
    let sent = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    assert_eq!(
        child.wait().unwrap().code(),
        Some(0),
        "Ctrl-C is how it ends"
    );
    let left = copies();
    assert!((1..=2).contains(&left.len()), "{left:?}");
    for copy in left {
        assert_eq!(count(&home, &format!("copies/{copy}"), "items"), 1);
    }
}

#[test]
#[cfg(unix)]
fn a_kill_in_the_middle_leaves_the_old_copy_or_the_new_one() {
    let home = Home::new();
    home.write("long.json", long_conversation(3_000));
    home.ok(&["memorize", "long.json", "--user", "nora"]);
    home.ok(&["backup", "copy.db"]);
    let items = count(&home, "copy.db", "items");
    for round in 0..8 {
        let mut child = home
            .command(&["backup", "copy.db"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(round * 12));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(count(&home, "copy.db", "items"), items);
        home.ok(&["--db", "copy.db", "doctor"]);
    }
    home.ok(&["backup", "copy.db"]);
}

//! Data goes to stdout, everything else to stderr, and neither to where it is not
//! wanted.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod support;

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use support::{Home, long_conversation};

#[test]
fn what_succeeds_says_nothing_on_stderr_when_nobody_watches() {
    let home = Home::new();
    home.write("chat.json", long_conversation(30));
    for arguments in [
        &["memorize", "chat.json", "--user", "alice"][..],
        &["retrieve", "Who bought the kayak?", "--user", "alice"],
        &["list", "items", "--user", "alice"],
        &["doctor"],
    ] {
        for extra in [&[][..], &["--json"], &["--quiet"]] {
            let arguments = [arguments, extra].concat();
            let run = home.run(&arguments);
            assert_eq!(run.code, Some(0), "{arguments:?}: {run:?}");
            assert_eq!(run.stderr, "", "{arguments:?}");
            assert!(!run.stdout.is_empty(), "{arguments:?}");
            if extra == ["--json"] {
                let parsed: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
                assert!(parsed.is_object(), "{arguments:?}");
            }
        }
    }
}

#[test]
fn remarks_go_to_stderr_and_quiet_silences_them() {
    let home = Home::new();
    home.write("chat.json", long_conversation(30));
    home.ok(&["memorize", "chat.json", "--user", "alice"]);
    let arguments = ["list", "items", "--user", "alice", "-n", "2"];
    let run = home.run(&arguments);
    assert!(
        run.stderr.starts_with("There are more: --cursor "),
        "{run:?}"
    );
    let quiet = home.run(&[&arguments[..], &["-q"]].concat());
    assert_eq!((quiet.stdout, quiet.stderr.as_str()), (run.stdout, ""));
}

#[test]
fn pages_follow_each_other_without_gaps() {
    let home = Home::new();
    home.write("chat.json", long_conversation(30));
    home.ok(&["memorize", "chat.json", "--user", "alice"]);
    let all = home.json(&["list", "items", "--user", "alice"]);
    let mut paged = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut arguments = vec!["list", "items", "--user", "alice", "-n", "7"];
        if let Some(cursor) = &cursor {
            arguments.extend(["--cursor", cursor]);
        }
        let page = home.json(&arguments);
        paged.extend(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    assert!(paged.len() >= 30);
    assert_eq!(&paged, all["items"].as_array().unwrap());
}

#[test]
fn colour_is_used_when_it_is_asked_for_only() {
    let home = Home::new();
    home.ok(&["add", "Ann likes tea", "--user", "alice"]);
    let list = |color: &str, plain_terminal: bool| {
        let mut command = home.command(&["list", "items", "--user", "alice", "--color", color]);
        if !plain_terminal {
            command.env_remove("NO_COLOR");
        }
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(list("always", true).contains("\u{1b}["));
    // Not a terminal.
    assert!(!list("auto", false).contains('\u{1b}'));
    assert!(!list("never", false).contains('\u{1b}'));
}

#[test]
fn stored_text_cannot_steer_the_terminal() {
    let home = Home::new();
    home.ok(&["add", "Ann likes \u{1b}[2Jtea\u{7}", "--user", "alice"]);
    let shown = home.ok(&["list", "items", "--user", "alice"]);
    assert!(
        !shown.contains('\u{1b}') && !shown.contains('\u{7}'),
        "{shown:?}"
    );
    let json = home.json(&["list", "items", "--user", "alice"]);
    let summary = json["items"][0]["summary"].as_str().unwrap();
    assert_eq!(
        summary, "Ann likes \u{1b}[2Jtea\u{7}",
        "the data is as it was given"
    );
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let home = Home::new();
    home.write("chat.json", long_conversation(2_000));
    home.ok(&["memorize", "chat.json", "--user", "alice"]);
    let mut child = home
        .command(&["list", "items", "--user", "alice", "-n", "10000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut first).unwrap();
    drop(reader);
    let mut errors = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut errors)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{errors}");
    assert_eq!(errors, "");
    assert!(first.contains("event"), "{first}");
}

#[test]
fn what_comes_on_stdin_is_memorized_like_a_file() {
    let home = Home::new();
    let run = home.run_with_input(
        &["memorize", "-", "--user", "alice", "--json"],
        b"Nora: I bought a kayak in Porto last week.\nTheo: Lovely!\n",
    );
    assert_eq!(run.code, Some(0), "{run:?}");
    let response: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(response["status"], "created");
    assert_eq!(response["new_segments"], 2);
}

//! Completion scripts.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod support;

use std::process::Command;

use support::Home;

const VERBS: [&str; 11] = [
    "memorize", "retrieve", "list", "show", "add", "edit", "delete", "forget", "doctor", "demo",
    "eval",
];

#[test]
fn every_shell_gets_every_verb() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = home.ok(&["completions", shell]);
        for verb in VERBS {
            assert!(script.contains(verb), "{shell}: {verb}");
        }
    }
}

#[test]
fn bash_completes_a_verb() {
    if Command::new("bash").arg("--version").output().is_err() {
        memu_testkit::skip("completions::bash_completes_a_verb", "there is no bash");
        return;
    }
    let home = Home::new();
    home.write("memu.bash", home.ok(&["completions", "bash"]));
    let script = "source memu.bash; COMP_WORDS=(memu retr); COMP_CWORD=1; \
                  _memu memu retr memu; echo \"${COMPREPLY[@]}\"";
    let output = Command::new("bash")
        .args(["--norc", "-c", script])
        .current_dir(home.folder.path())
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "retrieve\n",
        "{:?}",
        output.stderr
    );
}

//! Skips as `scripts/test` meets them: from a test that runs in its own process.

use std::env;
use std::fs;
use std::process::Command;

use memu_testkit::{SKIP_LOG, skip_unless_set};

const TEST: &str = "a_skip_is_told_and_logged";
const INNER: &str = "MEMU_TESTKIT_INNER";

/// Runs itself once more, as the test that is skipped.
#[test]
fn a_skip_is_told_and_logged() {
    if env::var_os(INNER).is_some() {
        assert_eq!(skip_unless_set("MEMU_TESTKIT_NEVER_SET", TEST), None);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("skips");
    let run = Command::new(env::current_exe().unwrap())
        .args(["--exact", TEST, "--nocapture"])
        .env(INNER, "1")
        .env(SKIP_LOG, &log)
        .output()
        .unwrap();
    let told = String::from_utf8(run.stderr).unwrap();
    assert!(run.status.success(), "{told}");
    assert!(
        told.contains("SKIPPED a_skip_is_told_and_logged: MEMU_TESTKIT_NEVER_SET is not set"),
        "{told}"
    );
    assert_eq!(
        fs::read_to_string(&log).unwrap(),
        "a_skip_is_told_and_logged\tMEMU_TESTKIT_NEVER_SET is not set\n"
    );
}

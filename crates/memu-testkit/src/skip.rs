use std::env;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The variable that names the file to which skips are appended, one a line:
/// the test's name, a tab, the reason. `scripts/test` sets it and reads the file.
pub const SKIP_LOG: &str = "MEMU_SKIP_LOG";

/// The file or folder that `variable` names, or `None` after recording that
/// `test` is skipped, when the variable is unset or empty. The test then returns:
///
/// ```no_run
/// # use memu_testkit::skip_unless_set;
/// # fn recall_holds_on_development_data() {
/// let Some(folder) = skip_unless_set("MEMU_EVAL_DATA", "recall_holds_on_development_data") else {
///     return;
/// };
/// # }
/// ```
///
/// `test` is the name that the test runner prints, module path included.
///
/// # Panics
/// When the variable names something that does not exist: a mistyped place is a
/// failure, not a reason to skip.
pub fn skip_unless_set(variable: &str, test: &str) -> Option<PathBuf> {
    let place = set_place(variable, env::var_os(variable));
    if place.is_none() {
        skip(test, &format!("{variable} is not set"));
    }
    place
}

/// Records that `test`, or a named case of it, is skipped and why: on standard
/// error, and in the file that [`SKIP_LOG`] names. The caller then returns.
///
/// # Panics
/// When that file cannot be written, because a skip must never go uncounted.
pub fn skip(test: &str, reason: &str) {
    announce(test, reason);
    if let Some(log) = env::var_os(SKIP_LOG).filter(|log| !log.is_empty()) {
        let written = append(Path::new(&log), test, reason);
        assert!(
            written.is_ok(),
            "{test} is skipped, but {} cannot be written: {written:?}",
            log.display()
        );
    }
}

#[expect(clippy::print_stderr, reason = "a test reports to who runs it")]
fn announce(test: &str, reason: &str) {
    eprintln!("SKIPPED {test}: {reason}");
}

fn set_place(variable: &str, value: Option<OsString>) -> Option<PathBuf> {
    let place = PathBuf::from(value.filter(|value| !value.is_empty())?);
    assert!(
        place.exists(),
        "{variable} names {}, which does not exist",
        place.display()
    );
    Some(place)
}

/// One write of one whole line, so that the lines of tests that run at the same
/// time, each in its own process, do not mix.
fn append(log: &Path, test: &str, reason: &str) -> std::io::Result<()> {
    let line = format!("{test}\t{reason}\n");
    let mut file = OpenOptions::new().create(true).append(true).open(log)?;
    file.write_all(line.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unset_or_empty_variable_names_no_place() {
        assert_eq!(set_place("PLACE", None), None);
        assert_eq!(set_place("PLACE", Some(OsString::new())), None);
    }

    #[test]
    fn a_set_variable_names_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let value = folder.path().as_os_str().to_owned();
        assert_eq!(
            set_place("PLACE", Some(value)).as_deref(),
            Some(folder.path())
        );
    }

    #[test]
    #[should_panic(expected = "PLACE names /nowhere/at/all, which does not exist")]
    fn a_place_that_does_not_exist_is_a_failure() {
        set_place("PLACE", Some("/nowhere/at/all".into()));
    }

    #[test]
    fn skips_add_up_in_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("skips");
        append(&log, "first", "A is not set").unwrap();
        append(&log, "second", "B is not set").unwrap();
        assert_eq!(
            std::fs::read_to_string(&log).unwrap(),
            "first\tA is not set\nsecond\tB is not set\n"
        );
    }
}

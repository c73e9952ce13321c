use std::fmt::{self, Debug};

use crate::error::{Error, ErrorKind, Result};
use crate::records::Id;
use crate::scope::Scope;
use crate::store::VectorHit;

/// What was expected and what was found instead.
pub struct Failure(String);

/// The end of a case.
pub type Verdict = std::result::Result<(), Failure>;

impl Failure {
    /// A failure that says this.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(format!("unexpected error: {error:?}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Fails unless the two are equal, and then shows where they first differ.
pub(super) fn same<T: PartialEq + Debug>(what: &str, found: &T, expected: &T) -> Verdict {
    if found == expected {
        return Ok(());
    }
    let (found, expected) = (format!("{found:#?}"), format!("{expected:#?}"));
    let equal = found
        .lines()
        .zip(expected.lines())
        .take_while(|(found, expected)| found == expected)
        .count();
    let around = |text: &str| {
        text.lines()
            .skip(equal.saturating_sub(4))
            .take(10)
            .map(|line| (200..204).find_map(|end| line.get(..end)).unwrap_or(line))
            .flat_map(|line| ["    ", line, "\n"])
            .collect::<String>()
    };
    Err(Failure(format!(
        "{what} differs from line {} on\n  found ({} lines):\n{}  expected ({} lines):\n{}",
        equal + 1,
        found.lines().count(),
        around(&found),
        expected.lines().count(),
        around(&expected),
    )))
}

/// Fails unless the same was found, but for its places, of which each store has its own.
pub(super) fn same_hits(what: &str, found: &[VectorHit], expected: &[VectorHit]) -> Verdict {
    let told = |hits: &[VectorHit]| -> Vec<(Scope, Id, f32)> {
        let told = hits.iter();
        told.map(|hit| (hit.scope.clone(), hit.id.clone(), hit.score))
            .collect()
    };
    same(what, &told(found), &told(expected))
}

/// Fails with `message` unless `condition` holds.
pub(super) fn ensure(condition: bool, message: impl FnOnce() -> String) -> Verdict {
    if condition {
        Ok(())
    } else {
        Err(Failure(message()))
    }
}

/// Fails unless the result is an error of one of these kinds, and returns it.
pub(super) fn refused<T: Debug>(
    what: &str,
    result: Result<T>,
    kinds: &[ErrorKind],
) -> std::result::Result<Error, Failure> {
    match result {
        Err(error) if kinds.contains(&error.kind()) => Ok(error),
        Err(error) => Err(Failure(format!(
            "{what}: expected an error of kind {kinds:?}, found {error:?}"
        ))),
        Ok(value) => {
            let value: String = format!("{value:?}").chars().take(300).collect();
            Err(Failure(format!(
                "{what}: expected an error of kind {kinds:?}, but it succeeded with {value}"
            )))
        }
    }
}

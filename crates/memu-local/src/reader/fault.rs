use std::fmt::Display;

use memu_core::Error;

/// What is wrong with an input, and where; becomes an
/// [`ErrorKind::Input`](memu_core::ErrorKind::Input) error once the file is known.
#[derive(Debug)]
pub(super) struct Fault {
    message: String,
    place: Vec<(&'static str, String)>,
}

pub(super) type Fallible<T> = Result<T, Fault>;

impl Fault {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            place: Vec::new(),
        }
    }

    /// Adds a coordinate, such as the line; inner coordinates come later.
    pub(super) fn at(mut self, key: &'static str, value: impl Display) -> Self {
        self.place.push((key, value.to_string()));
        self
    }

    /// Puts the line of a JSON Lines file before the coordinates within the line.
    pub(super) fn in_line(mut self, line: usize) -> Self {
        self.place.retain(|(key, _)| *key != "line");
        self.place.insert(0, ("line", line.to_string()));
        self
    }

    pub(super) fn into_error(self, file: &str) -> Error {
        self.place.into_iter().fold(
            Error::input(self.message).with("file", file),
            |error, (key, value)| error.with(key, value),
        )
    }
}

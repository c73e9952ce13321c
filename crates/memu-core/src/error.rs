//! One error type for every crate of MemU.
//!
//! An error says what happened, to what, and what the reader can do. Its
//! [`ErrorKind`] is stable: surfaces map it to an exit code, an HTTP status or a
//! Python exception, and programs may match on it.

use std::borrow::Cow;
use std::fmt;

/// The result of every fallible operation in MemU.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync + 'static>;

/// What went wrong, in terms a program can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting is missing, unknown or out of range.
    Config,
    /// The scope is ambiguous, incomplete or does not fit the store.
    Scope,
    /// A filter names an unknown field or operator, or has an unusable value.
    Filter,
    /// The input handed over cannot be used as it is.
    Input,
    /// Something that was named does not exist in the scope.
    NotFound,
    /// The record changed since it was read.
    Conflict,
    /// The operation or modality is not available with this configuration.
    Unsupported,
    /// A model failed, or answered something unusable.
    Model,
    /// The store failed to read or write.
    Storage,
    /// The store stayed locked for longer than the configured wait.
    Busy,
    /// Stored data fails its own checks.
    Corrupt,
    /// The store was written by a newer version.
    TooNew,
    /// The operating system denied access.
    Permission,
    /// The caller gave up.
    Cancelled,
    /// A defect in MemU itself.
    Internal,
}

impl ErrorKind {
    /// Every kind, in documentation order.
    pub const ALL: [Self; 15] = [
        Self::Config,
        Self::Scope,
        Self::Filter,
        Self::Input,
        Self::NotFound,
        Self::Conflict,
        Self::Unsupported,
        Self::Model,
        Self::Storage,
        Self::Busy,
        Self::Corrupt,
        Self::TooNew,
        Self::Permission,
        Self::Cancelled,
        Self::Internal,
    ];

    /// The stable code, as it appears in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Scope => "scope",
            Self::Filter => "filter",
            Self::Input => "input",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Unsupported => "unsupported",
            Self::Model => "model",
            Self::Storage => "storage",
            Self::Busy => "busy",
            Self::Corrupt => "corrupt",
            Self::TooNew => "too_new",
            Self::Permission => "permission",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }

    /// Whether the same call may succeed when it is simply made again.
    fn is_retryable_by_nature(self) -> bool {
        matches!(self, Self::Busy | Self::Conflict)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error with its kind, its circumstances and its cause.
///
/// The value is one pointer wide, so that `Result`s stay small.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    context: Vec<(&'static str, String)>,
    source: Option<Source>,
    retryable: bool,
}

impl Error {
    /// An error of `kind`. The message is a full sentence without a final stop.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            context: Vec::new(),
            source: None,
            retryable: kind.is_retryable_by_nature(),
        }))
    }

    /// Adds a circumstance, such as the file or the JSON pointer, unless it is known already.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        let circumstance = (key, value.to_string());
        if !self.0.context.contains(&circumstance) {
            self.0.context.push(circumstance);
        }
        self
    }

    /// As [`Self::with`], unless the name is empty: content that was handed over may have none.
    #[must_use]
    pub(crate) fn with_name(self, key: &'static str, name: impl fmt::Display) -> Self {
        let name = name.to_string();
        if name.is_empty() {
            self
        } else {
            self.with(key, name)
        }
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Says whether the same call may succeed when made again.
    #[must_use]
    pub fn retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable;
        self
    }

    /// The same without what nobody may read: `redact` gives the text that stands in place of
    /// another, if one must. A cause of which a text is replaced becomes text itself.
    #[must_use]
    pub fn redacted(mut self, redact: impl Fn(&str) -> Option<String>) -> Self {
        if let Some(message) = redact(&self.0.message) {
            self.0.message = message.into();
        }
        for (_, value) in &mut self.0.context {
            if let Some(clean) = redact(value) {
                *value = clean;
            }
        }
        let mut causes = Vec::new();
        let mut cause = std::error::Error::source(&self);
        while let Some(error) = cause {
            let text = error.to_string();
            // Wrappers that only pass on what is below them are told once.
            if causes.last() != Some(&text) {
                causes.push(text);
            }
            cause = error.source();
        }
        if causes.iter().any(|cause| redact(cause).is_some()) {
            let clean = causes.into_iter().map(|text| redact(&text).unwrap_or(text));
            self.0.source = Some(clean.collect::<Vec<_>>().join(": ").into());
        }
        self
    }

    /// The stable kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What happened, without context and cause.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The circumstances, in the order in which they were added.
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.0.context
    }

    /// Whether the same call may succeed when made again.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// The machine-readable form: `{kind, message, context, source, retryable}`.
    pub fn to_json(&self) -> serde_json::Value {
        let context: serde_json::Map<_, _> = self
            .0
            .context
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone().into()))
            .collect();
        serde_json::json!({
            "kind": self.0.kind.as_str(),
            "message": self.0.message,
            "context": context,
            "source": self.0.source.as_ref().map(ToString::to_string),
            "retryable": self.0.retryable,
        })
    }
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)*) => {
        impl Error {
            $(
                $(#[$doc])*
                pub fn $name(message: impl Into<Cow<'static, str>>) -> Self {
                    Self::new(ErrorKind::$kind, message)
                }
            )*
        }
    };
}

constructors! {
    /// An [`ErrorKind::Config`] error.
    config => Config;
    /// An [`ErrorKind::Scope`] error.
    scope => Scope;
    /// An [`ErrorKind::Filter`] error.
    filter => Filter;
    /// An [`ErrorKind::Input`] error.
    input => Input;
    /// An [`ErrorKind::NotFound`] error.
    not_found => NotFound;
    /// An [`ErrorKind::Conflict`] error, retryable.
    conflict => Conflict;
    /// An [`ErrorKind::Unsupported`] error.
    unsupported => Unsupported;
    /// An [`ErrorKind::Model`] error.
    model => Model;
    /// An [`ErrorKind::Storage`] error.
    storage => Storage;
    /// An [`ErrorKind::Busy`] error, retryable.
    busy => Busy;
    /// An [`ErrorKind::Corrupt`] error.
    corrupt => Corrupt;
    /// An [`ErrorKind::TooNew`] error.
    too_new => TooNew;
    /// An [`ErrorKind::Permission`] error.
    permission => Permission;
    /// An [`ErrorKind::Cancelled`] error.
    cancelled => Cancelled;
    /// An [`ErrorKind::Internal`] error.
    internal => Internal;
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if !self.0.context.is_empty() {
            f.write_str(" (")?;
            for (index, (key, value)) in self.0.context.iter().enumerate() {
                let separator = if index == 0 { "" } else { ", " };
                write!(f, "{separator}{key}: {value}")?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.0.kind)?;
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_message_and_context_and_keeps_the_cause() {
        let error = Error::input("the file is empty")
            .with("file", "chat.json")
            .with("pointer", "/content/3")
            .caused_by(std::io::Error::other("disk"));
        assert_eq!(
            error.to_string(),
            "the file is empty (file: chat.json, pointer: /content/3)"
        );
        assert_eq!(
            format!("{error:?}"),
            "input: the file is empty (file: chat.json, pointer: /content/3): disk"
        );
        assert_eq!(
            error.to_json(),
            serde_json::json!({
                "kind": "input",
                "message": "the file is empty",
                "context": {"file": "chat.json", "pointer": "/content/3"},
                "source": "disk",
                "retryable": false,
            })
        );
    }

    #[test]
    fn what_has_no_name_is_not_named() {
        let error = |name| Error::input("the content is empty").with_name("file", name);
        assert_eq!(error("").to_string(), "the content is empty");
        assert_eq!(
            error("a.json").to_string(),
            "the content is empty (file: a.json)"
        );
    }

    #[test]
    fn what_several_callers_add_is_told_once() {
        let error = Error::model("no answer came");
        let error = error.with("model", "one").with("step", "rank");
        let error = error.with("model", "one").with("model", "two");
        let expected = "no answer came (model: one, step: rank, model: two)";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn busy_and_conflict_are_retryable_and_nothing_else_is() {
        let retryable: Vec<_> = ErrorKind::ALL
            .into_iter()
            .filter(|kind| Error::new(*kind, "x").is_retryable())
            .collect();
        assert_eq!(retryable, [ErrorKind::Conflict, ErrorKind::Busy]);
    }
}

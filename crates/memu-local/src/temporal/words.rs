//! Sets of words that rules look up.

use std::sync::LazyLock;

use rustc_hash::FxHashSet;

/// A fixed set of lower-case words, read from a list on first use.
pub(crate) struct Words(LazyLock<FxHashSet<&'static str>>);

impl Words {
    /// The set that `read` yields; see [`words!`].
    pub(crate) const fn new(read: fn() -> FxHashSet<&'static str>) -> Self {
        Self(LazyLock::new(read))
    }

    /// Whether `word`, in lower case, is one of them.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.0.contains(word)
    }
}

/// The set of the words in a literal, which white space separates.
macro_rules! words {
    ($list:literal) => {
        $crate::temporal::words::Words::new(|| $list.split_whitespace().collect())
    };
}

pub(crate) use words;

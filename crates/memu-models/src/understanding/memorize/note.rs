use std::fmt;

/// What was not taken from a reply as it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// A memory was cut off and left out.
    CutOff,
    /// A memory without text was left out.
    Empty,
    /// An example out of the prompt, which none of the messages says, was left out.
    Echo,
    /// A memory of a type that was not asked for, or, without a name, of none, was taken for one
    /// of another type.
    UnknownType(Option<String>),
    /// A category that is not in the list was left out.
    UnknownCategory(String),
    /// A message number that is not in the segment was left out.
    NumberOutside(u64),
    /// A time that cannot be read was left out.
    UnknownTime(String),
    /// A memory that was there before was merged with it.
    Duplicate,
    /// A memory named none of the messages, and was placed by its words.
    Located,
    /// A memory named none of the messages, nor do its words: it cites all of them.
    Unplaced,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutOff => f.write_str("a memory was cut off and left out"),
            Self::Empty => f.write_str("a memory without text was left out"),
            Self::Echo => f.write_str("an example out of the prompt was left out"),
            Self::UnknownType(Some(name)) => {
                write!(f, "a memory of the unknown type {name:?} was given another")
            }
            Self::UnknownType(None) => f.write_str("a memory without a type was given one"),
            Self::UnknownCategory(name) => {
                write!(f, "the unknown category {name:?} was left out")
            }
            Self::NumberOutside(number) => {
                write!(
                    f,
                    "message {number}, which is not in the segment, was left out"
                )
            }
            Self::UnknownTime(text) => write!(f, "the unreadable time {text:?} was left out"),
            Self::Duplicate => f.write_str("a repeated memory was merged"),
            Self::Located => {
                f.write_str("a memory without message numbers was placed by its words")
            }
            Self::Unplaced => {
                f.write_str("a memory without message numbers cites the whole segment")
            }
        }
    }
}

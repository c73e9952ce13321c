use std::collections::BTreeMap;
use std::fmt;

/// One way in which a text missed its format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Repair {
    /// It ended in the middle of a value.
    CutOff,
    /// A place made no sense; what was around it ended there.
    Malformed,
    /// Values lay deeper than 128 levels.
    TooDeep,
    /// A byte order mark or NUL characters.
    StrayCharacters,
    /// The model's thoughts before the answer.
    Thoughts,
    /// Text around the values.
    Prose,
    /// Code fences.
    Fence,
    /// JSON inside a JSON string.
    Quoted,
    /// XML in place of JSON.
    Xml,
    /// A comma before a closing bracket, or one too many.
    StrayComma,
    /// A comma that was missing.
    MissingComma,
    /// A closing bracket or tag that was missing, or one too many.
    Unbalanced,
    /// A comment.
    Comment,
    /// An ellipsis in place of values.
    Ellipsis,
    /// Quotation marks other than `"` around a string.
    QuotationMarks,
    /// A quotation mark inside a string, without a backslash.
    InnerQuote,
    /// A line break or another control character inside a string.
    ControlCharacter,
    /// An escape that JSON does not have.
    Escape,
    /// A key or value without quotation marks.
    Unquoted,
    /// `True`, `None`, `NaN` and the like.
    ForeignLiteral,
    /// A key twice in one object.
    DuplicateKey,
    /// A key without a value.
    MissingValue,
    /// An `&` in XML that is not one of its entities.
    Ampersand,
}

impl Repair {
    fn phrase(self) -> &'static str {
        match self {
            Self::CutOff => "cut off",
            Self::Malformed => "malformed",
            Self::TooDeep => "nested too deeply",
            Self::StrayCharacters => "byte order marks or NUL characters",
            Self::Thoughts => "thoughts before the answer",
            Self::Prose => "text around the values",
            Self::Fence => "code fences",
            Self::Quoted => "JSON inside a string",
            Self::Xml => "XML",
            Self::StrayComma => "stray commas",
            Self::MissingComma => "missing commas",
            Self::Unbalanced => "unbalanced brackets or tags",
            Self::Comment => "comments",
            Self::Ellipsis => "ellipses in place of values",
            Self::QuotationMarks => "other quotation marks",
            Self::InnerQuote => "quotation marks inside strings",
            Self::ControlCharacter => "control characters inside strings",
            Self::Escape => "unknown escapes",
            Self::Unquoted => "unquoted keys or words",
            Self::ForeignLiteral => "literals of other languages",
            Self::DuplicateKey => "duplicate keys",
            Self::MissingValue => "keys without values",
            Self::Ampersand => "unescaped ampersands",
        }
    }
}

/// What was repaired, and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repairs(BTreeMap<Repair, usize>);

impl Repairs {
    /// Whether the text was as it should be.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How often something was repaired.
    pub fn count(&self, repair: Repair) -> usize {
        self.0.get(&repair).copied().unwrap_or_default()
    }

    /// Whether something is missing that the text should have held: it was cut off, or a
    /// part made no sense.
    pub fn is_lossy(&self) -> bool {
        [Repair::CutOff, Repair::Malformed, Repair::TooDeep]
            .into_iter()
            .any(|repair| self.count(repair) > 0)
    }

    /// Every repair with its number, the gravest first.
    pub fn iter(&self) -> impl Iterator<Item = (Repair, usize)> + '_ {
        self.0.iter().map(|(repair, count)| (*repair, *count))
    }

    pub(super) fn note(&mut self, repair: Repair) {
        *self.0.entry(repair).or_default() += 1;
    }

    pub(super) fn add(&mut self, others: &Self) {
        for (repair, count) in others.iter() {
            *self.0.entry(repair).or_default() += count;
        }
    }
}

impl fmt::Display for Repairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing was repaired");
        }
        for (index, (repair, count)) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{}", repair.phrase())?;
            if count > 1 {
                write!(f, " ({count})")?;
            }
        }
        Ok(())
    }
}

use memu_core::analysis::{Analyzer, Hashed, KnownWord, KnownWords, for_each_word};
use rustc_hash::{FxHashMap, FxHashSet};

/// The most words of a text that are read; what it is about is said by then.
const MAX_WORDS: usize = 400;

/// The words of a memory or of a cue, stop words included: cues such as "wants
/// to" need them.
#[derive(Debug, Default)]
pub(super) struct Tokens(Vec<Token>);

/// A word and its stem.
#[derive(Clone, Debug)]
pub(super) enum Token {
    Short(KnownWord<()>),
    /// One that is too long to be remembered.
    Long {
        word: Box<str>,
        /// `None` for a stop word.
        stem: Option<Box<str>>,
    },
}

impl Token {
    pub(super) fn word(&self) -> &str {
        match self {
            Self::Short(known) => known.word(),
            Self::Long { word, .. } => word,
        }
    }

    /// The stem of the word; the word itself for a stop word.
    fn stem(&self) -> &str {
        self.term().unwrap_or_else(|| self.word())
    }

    /// The stem of a word that is no stop word.
    fn term(&self) -> Option<&str> {
        match self {
            Self::Short(known) => known.term(),
            Self::Long { stem, .. } => stem.as_deref(),
        }
    }
}

/// How many words are remembered, which is more than a person uses; then all are forgotten. One
/// takes 128 to 256 bytes.
const REMEMBERED: usize = 1 << 16;

/// Words that were met, with their stems: memories mostly talk in the same words, and to find a
/// stem takes much longer than to look it up.
#[derive(Debug, Default)]
pub(super) struct Stems {
    analyzer: Analyzer,
    known: KnownWords<()>,
    /// The words of the last text, one after the other, and where each ends.
    words: String,
    ends: Vec<usize>,
}

impl Stems {
    pub(super) fn tokens(&mut self, text: &str) -> Tokens {
        let Self { words, ends, .. } = self;
        words.clear();
        ends.clear();
        for_each_word(text, |word| {
            if ends.len() < MAX_WORDS {
                words.push_str(word);
                ends.push(words.len());
            }
        });
        let starts = std::iter::once(&0).chain(&*ends);
        let words = starts.zip(&*ends).filter_map(|(start, end)| {
            let word = words.get(*start..*end)?;
            Some(Hashed::new(word))
        });
        let words: Vec<Hashed<'_>> = words.collect();
        self.known.bring_near(&words);
        let (known, analyzer) = (&mut self.known, &self.analyzer);
        Tokens(
            words
                .into_iter()
                .map(|word| token(word, known, analyzer))
                .collect(),
        )
    }
}

fn token(word: Hashed<'_>, known: &mut KnownWords<()>, analyzer: &Analyzer) -> Token {
    if let Some(found) = known.get(word) {
        return Token::Short(*found);
    }
    let stem = analyzer.term(word.text());
    match KnownWord::new(word, stem.as_deref(), ()) {
        Some(found) => {
            if known.len() >= REMEMBERED {
                *known = KnownWords::default();
            }
            known.insert(found);
            Token::Short(found)
        }
        None => Token::Long {
            word: word.text().into(),
            stem: stem.map(|stem| (*stem).into()),
        },
    }
}

impl Tokens {
    pub(super) fn of(text: &str) -> Self {
        Stems::default().tokens(text)
    }

    pub(super) fn as_slice(&self) -> &[Token] {
        &self.0
    }

    /// The distinct stems of words that are not stop words, in order.
    pub(super) fn terms(&self) -> Vec<&str> {
        let mut seen = FxHashSet::default();
        seen.reserve(self.0.len());
        let stems = self.0.iter().filter_map(Token::term);
        stems.filter(|stem| seen.insert(*stem)).collect()
    }
}

/// A phrase and what it is worth to a category.
#[derive(Debug)]
struct Cue<C> {
    phrase: Vec<Token>,
    /// Whether the words must be these very ones, not others of the same stem.
    exact: bool,
    worth: Vec<(C, i32)>,
}

impl<C: PartialEq> Cue<C> {
    fn begins(&self, tokens: &[Token]) -> bool {
        tokens.len() >= self.phrase.len()
            && self.phrase.iter().zip(tokens).all(|(wanted, token)| {
                if self.exact {
                    wanted.word() == token.word()
                } else {
                    wanted.stem() == token.stem()
                }
            })
    }

    /// Two spellings of one stem are worth what the better one is.
    fn value(&mut self, category: C, points: i32) {
        match self.worth.iter_mut().find(|(known, _)| *known == category) {
            Some((_, known)) => *known = points.max(*known),
            None => self.worth.push((category, points)),
        }
    }

    fn is(&self, phrase: &[Token], exact: bool) -> bool {
        self.exact == exact && self.phrase.len() == phrase.len() && self.begins(phrase)
    }
}

/// Phrases that tell categories, by their first stem; longer ones first.
#[derive(Debug)]
pub(super) struct CueBook<C>(FxHashMap<String, Vec<Cue<C>>>);

impl<C: Copy + PartialEq> CueBook<C> {
    /// Compiles phrases with their worth. A phrase matches by the stems of its
    /// words; one that begins with `=` by the very words. A phrase that occurs
    /// repeatedly is worth something to each of its categories.
    pub(super) fn new<'a>(phrases: impl IntoIterator<Item = (&'a str, C, i32)>) -> Self {
        let mut book: FxHashMap<String, Vec<Cue<C>>> = FxHashMap::default();
        let mut stems = Stems::default();
        for (text, category, points) in phrases {
            let exact = text.starts_with('=');
            let Tokens(phrase) = stems.tokens(text);
            let Some(first) = phrase.first() else {
                continue;
            };
            let cues = book.entry(first.stem().to_owned()).or_default();
            match cues.iter_mut().find(|cue| cue.is(&phrase, exact)) {
                Some(cue) => cue.value(category, points),
                None => cues.push(Cue {
                    phrase,
                    exact,
                    worth: vec![(category, points)],
                }),
            }
        }
        for cues in book.values_mut() {
            cues.sort_by_key(|cue| (std::cmp::Reverse(cue.phrase.len()), !cue.exact));
        }
        Self(book)
    }

    /// Calls `visit` with the worth of each phrase in `tokens`, from left to
    /// right, the longest first; phrases do not overlap, and one that recurs counts
    /// once.
    pub(super) fn for_each_match(&self, tokens: &Tokens, mut visit: impl FnMut(C, i32)) {
        let mut seen: Vec<&Cue<C>> = Vec::new();
        let mut rest = tokens.as_slice();
        while let Some(first) = rest.first() {
            let cues = self.0.get(first.stem()).map_or(&[][..], Vec::as_slice);
            let found = cues.iter().find(|cue| cue.begins(rest));
            let step = found.map_or(1, |cue| cue.phrase.len());
            if let Some(cue) = found
                && !seen.iter().any(|other| std::ptr::eq(*other, cue))
            {
                seen.push(cue);
                for (category, points) in &cue.worth {
                    visit(*category, *points);
                }
            }
            rest = rest.get(step..).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(text: &str) -> Vec<(char, i32)> {
        let book = CueBook::new([
            ("work", 'w', 2),
            ("works", 'w', 3),
            ("work out", 'a', 4),
            ("=likes", 'p', 5),
            ("likes to work", 'p', 6),
            ("", 'x', 9),
        ]);
        let mut found = Vec::new();
        book.for_each_match(&Tokens::of(text), |category, points| {
            found.push((category, points));
        });
        found
    }

    #[test]
    fn the_longest_phrase_counts_and_only_once() {
        assert_eq!(
            matches("He worked, then worked out, then worked."),
            [('w', 3), ('a', 4)]
        );
        assert_eq!(matches("She likes to work out."), [('p', 6)]);
    }

    #[test]
    fn exact_phrases_match_their_very_words() {
        assert_eq!(matches("He likes it."), [('p', 5)]);
        assert_eq!(matches("It is like it."), []);
        assert_eq!(matches(""), []);
    }

    #[test]
    fn only_the_beginning_of_an_endless_text_is_read() {
        let text = "stone ".repeat(MAX_WORDS) + "works";
        assert_eq!(matches(&text), []);
    }
}

//! Text into words, numbers and marks, with their places. One lower-cased copy of
//! the text serves all look-ups, so that no token allocates.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Letters, or letters and digits; inner apostrophes belong to it.
    Word,
    /// ASCII digits only.
    Number,
    /// A single character of punctuation, or a symbol.
    Mark,
}

/// A token's place and nature.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    /// Its first byte.
    pub(crate) start: usize,
    /// One past its last byte.
    pub(crate) end: usize,
    /// What it is.
    pub(crate) kind: Kind,
}

/// A text and its tokens. Look-ups beyond either end yield the empty string, which
/// no rule matches.
#[derive(Debug)]
pub(crate) struct Tokens<'t> {
    text: &'t str,
    lower: String,
    list: Vec<Token>,
}

impl<'t> Tokens<'t> {
    /// Reads `text`.
    pub(crate) fn of(text: &'t str) -> Self {
        let mut list = Vec::with_capacity(text.len() / 4 + 1);
        let mut characters = text.char_indices().peekable();
        while let Some((start, character)) = characters.next() {
            if character.is_whitespace() {
                continue;
            }
            let mut end = start + character.len_utf8();
            let kind = if character.is_alphanumeric() {
                let mut digits = character.is_ascii_digit();
                while let Some(&(at, next)) = characters.peek() {
                    let inside = next.is_alphanumeric()
                        || is_apostrophe(next) && letter_follows(text, at + next.len_utf8());
                    if !inside {
                        break;
                    }
                    digits &= next.is_ascii_digit();
                    end = at + next.len_utf8();
                    characters.next();
                }
                if digits { Kind::Number } else { Kind::Word }
            } else {
                Kind::Mark
            };
            list.push(Token { start, end, kind });
        }
        Self {
            text,
            lower: text.to_ascii_lowercase(),
            list,
        }
    }

    /// How many tokens there are.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// The token at `index`.
    pub(crate) fn get(&self, index: usize) -> Option<Token> {
        self.list.get(index).copied()
    }

    /// The token at `index` in lower case.
    pub(crate) fn word(&self, index: usize) -> &str {
        self.list
            .get(index)
            .and_then(|token| self.lower.get(token.start..token.end))
            .unwrap_or_default()
    }

    /// The token before `index` in lower case.
    pub(crate) fn before(&self, index: usize) -> &str {
        self.word(index.wrapping_sub(1))
    }

    /// The token at `index` as written.
    pub(crate) fn raw(&self, index: usize) -> &'t str {
        self.list
            .get(index)
            .and_then(|token| self.text.get(token.start..token.end))
            .unwrap_or_default()
    }

    /// The whole text.
    pub(crate) fn text(&self) -> &'t str {
        self.text
    }

    /// Whether the token at `index` is a word or a number.
    pub(crate) fn is_word(&self, index: usize) -> bool {
        self.list
            .get(index)
            .is_some_and(|token| token.kind != Kind::Mark)
    }

    /// Whether the token at `index` begins with a capital letter.
    pub(crate) fn is_capital(&self, index: usize) -> bool {
        self.raw(index).starts_with(char::is_uppercase)
    }

    /// Whether nothing stands between the tokens at `index` and `index + 1`.
    pub(crate) fn touches_next(&self, index: usize) -> bool {
        match (self.get(index), self.get(index + 1)) {
            (Some(token), Some(next)) => token.end == next.start,
            _ => false,
        }
    }

    /// The number at `index`, if it is one.
    pub(crate) fn number(&self, index: usize) -> Option<i64> {
        self.get(index)
            .filter(|token| token.kind == Kind::Number && token.end - token.start <= 9)?;
        self.raw(index).parse().ok()
    }
}

fn is_apostrophe(character: char) -> bool {
    matches!(character, '\'' | '\u{2019}')
}

fn letter_follows(text: &str, at: usize) -> bool {
    text.get(at..)
        .is_some_and(|rest| rest.starts_with(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_apostrophes_and_numbers_stand_alone() {
        let tokens = Tokens::of("I'm 5, 'tis 7th—Zoë’s!");
        let raws: Vec<_> = (0..tokens.len()).map(|i| tokens.raw(i)).collect();
        assert_eq!(
            raws,
            ["I'm", "5", ",", "'", "tis", "7th", "—", "Zoë’s", "!"]
        );
        assert_eq!(tokens.word(0), "i'm");
        assert_eq!(tokens.number(1), Some(5));
        assert_eq!(tokens.number(5), None);
        assert_eq!(tokens.before(0), "");
        assert!(tokens.touches_next(1) && !tokens.touches_next(0));
    }
}

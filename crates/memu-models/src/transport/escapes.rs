//! Texts with their escapes undone, and where in the text each part came from.

/// Where escapes begin.
const SIGNS: [char; 3] = ['\\', '%', '&'];
/// The longest name of a character in HTML that is known here, with `&` and `;`.
const LONGEST_ENTITY: usize = 12;
/// What HTML calls characters that keys may hold.
const ENTITIES: [(&str, char); 24] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("sol", '/'),
    ("bsol", '\\'),
    ("plus", '+'),
    ("equals", '='),
    ("colon", ':'),
    ("semi", ';'),
    ("comma", ','),
    ("period", '.'),
    ("lowbar", '_'),
    ("hyphen", '-'),
    ("dash", '-'),
    ("excl", '!'),
    ("num", '#'),
    ("dollar", '$'),
    ("percnt", '%'),
    ("ast", '*'),
    ("quest", '?'),
    ("commat", '@'),
    ("verbar", '|'),
];

/// Which escapes are undone.
#[derive(Clone, Copy)]
pub(super) enum Escapes {
    /// Those of a text in JSON.
    Json,
    /// Those of JSON, URLs, HTML and programs.
    All,
}

/// A text with one layer of escapes undone.
pub(super) struct Unescaped {
    pub(super) text: String,
    /// Where in this text and where in the original a stretch begins in which both are the same.
    places: Vec<(usize, usize)>,
}

impl Unescaped {
    /// Undoes the escapes of a text; `None` where it has none.
    pub(super) fn of(original: &str, escapes: Escapes) -> Option<Self> {
        let signs = match escapes {
            Escapes::Json => SIGNS.get(..1)?,
            Escapes::All => &SIGNS,
        };
        // One by one, as this is much faster than for all at once.
        if !signs.iter().any(|sign| original.contains(*sign)) {
            return None;
        }
        let mut undone = Self {
            text: String::with_capacity(original.len()),
            places: vec![(0, 0)],
        };
        let mut rest = original;
        while let Some((before, escape)) = rest.find(signs).and_then(|at| rest.split_at_checked(at))
        {
            undone.text.push_str(before);
            let start = original.len() - escape.len();
            undone.places.push((undone.text.len(), start));
            let (character, length) = character(escape, escapes);
            undone.text.push(character);
            undone.places.push((undone.text.len(), start + length));
            rest = escape.get(length..).unwrap_or_default();
        }
        undone.text.push_str(rest);
        Some(undone)
    }

    /// Where in the original a place of this text is.
    pub(super) fn origin(&self, place: usize) -> usize {
        let after = self.places.partition_point(|(here, _)| *here <= place);
        let stretch = after.checked_sub(1).and_then(|at| self.places.get(at));
        stretch.map_or(place, |(here, there)| there + (place - here))
    }
}

/// The character that stands at the beginning of a text, and how many bytes of it say so.
fn character(text: &str, escapes: Escapes) -> (char, usize) {
    let all = matches!(escapes, Escapes::All);
    let found = match text.chars().next() {
        Some('\\') => backslashed(text, all),
        Some('%') if all => coded(text, 1..3),
        Some('&') if all => entity(text),
        _ => None,
    };
    found.unwrap_or_else(|| {
        let first = text.chars().next().unwrap_or_default();
        (first, first.len_utf8())
    })
}

/// `\/`, `\n`, `\u002f` and, outside of JSON, `\x2f`.
fn backslashed(text: &str, all: bool) -> Option<(char, usize)> {
    let next = text.chars().nth(1)?;
    let coded = match next {
        'u' => coded(text, 2..6),
        'x' if all => coded(text, 2..4),
        _ => None,
    };
    let plain = match next {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'b' => '\u{8}',
        'f' => '\u{c}',
        other => other,
    };
    Some(coded.unwrap_or((plain, 1 + next.len_utf8())))
}

/// A character by its number in hexadecimal digits. Keys have none that takes two numbers.
fn coded(text: &str, digits: std::ops::Range<usize>) -> Option<(char, usize)> {
    let end = digits.end;
    let digits = text.get(digits)?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_number)?;
    Some((char::from_u32(number).unwrap_or('\u{fffd}'), end))
}

/// `&#47;`, `&#x2f;`, `&sol;`.
fn entity(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(LONGEST_ENTITY).position(|b| b == b';')?;
    let name = text.get(1..end)?;
    let Some(number) = name.strip_prefix('#') else {
        let named = ENTITIES.iter().find(|(known, _)| *known == name);
        return named.map(|(_, character)| (*character, end + 1));
    };
    let number = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    Some((char::from_u32(number.ok()?)?, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_escape_is_undone_and_found_again() {
        for (text, expected) in [
            (r"a\/b", "a/b"),
            (r"\u002Fb\u002f", "/b/"),
            (r"\x2f", "/"),
            ("%2fb%2F", "/b/"),
            ("&#47;&#x2F;&sol;", "///"),
            (
                r"100 % & more; \uzz %zz &no; &#; &#x; \",
                r"100 % & more; uzz %zz &no; &#; &#x; \",
            ),
            (r"ü\u00fcü", "üüü"),
        ] {
            let undone = Unescaped::of(text, Escapes::All).unwrap();
            assert_eq!(undone.text, expected, "{text}");
            assert_eq!(undone.origin(expected.len()), text.len());
            for (place, _) in expected.char_indices() {
                assert!(text.is_char_boundary(undone.origin(place)), "{text}");
            }
        }
        let json = Unescaped::of(r"%2f\/", Escapes::Json).unwrap();
        assert_eq!(json.text, "%2f/");
        assert_eq!((json.origin(3), json.origin(4)), (3, 5));
        assert!(Unescaped::of("%2f", Escapes::Json).is_none());
    }
}

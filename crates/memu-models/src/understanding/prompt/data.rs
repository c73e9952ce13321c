use memu_core::records::ContentHash;

/// A code for the tags around material, which none of the material holds: so no text can
/// close the tag that it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Code(String);

impl Code {
    /// The code for these texts; the same for the same texts, so that equal requests stay
    /// equal.
    pub(crate) fn of(texts: &[&str]) -> Self {
        let mut hash = ContentHash::of(texts.join("\0").as_bytes());
        loop {
            let code: String = hash.to_string().chars().take(8).collect();
            if !texts.iter().any(|text| contains_ignoring_case(text, &code)) {
                return Self(code);
            }
            hash = ContentHash::of(hash.as_bytes());
        }
    }

    /// The text between the tags of this code.
    pub(crate) fn around(&self, name: &str, text: &str) -> String {
        let code = &self.0;
        let text = text.trim_matches('\n');
        format!("<{name}-{code}>\n{text}\n</{name}-{code}>")
    }
}

fn contains_ignoring_case(text: &str, code: &str) -> bool {
    text.as_bytes()
        .windows(code.len())
        .any(|window| window.eq_ignore_ascii_case(code.as_bytes()))
}

/// A text whose further lines are indented, so that none looks like the beginning of
/// another message.
pub(crate) fn indented(text: &str) -> String {
    let breaks = |c: char| {
        c == '\n'
            || c == '\r'
            || matches!(c, '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
    };
    let text = text.replace("\r\n", "\n");
    let lines: Vec<&str> = text.trim().split(breaks).collect();
    lines.join("\n    ")
}

/// Texts as the entries of a list, each on lines of its own.
pub(crate) fn bullets<'t>(texts: impl IntoIterator<Item = &'t String>) -> String {
    let mut list = String::new();
    for text in texts {
        list.push_str("- ");
        list.push_str(&indented(text));
        list.push('\n');
    }
    list
}

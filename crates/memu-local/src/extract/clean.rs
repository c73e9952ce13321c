//! What a message says, without what only decorates it: stage directions, tags,
//! Markdown, code, emoji.

/// A message's words.
#[derive(Debug, Default)]
pub(super) struct Clean {
    /// The text, one line per line or list entry.
    pub(super) text: String,
    /// What an attached picture shows, where the text itself says so:
    /// `[image: a photo of a dog]`.
    pub(super) picture: Option<String>,
}

/// Takes the decoration off.
pub(super) fn clean(text: &str) -> Clean {
    let mut clean = Clean {
        text: String::with_capacity(text.len()),
        picture: None,
    };
    let mut fenced = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            fenced = !fenced;
        } else if !fenced && !is_scaffold(trimmed) {
            inline(without_marker(trimmed), &mut clean);
            end_line(&mut clean.text);
        }
    }
    if clean.text.contains("..") || clean.text.contains('…') {
        clean.text = without_pauses(&clean.text);
    }
    clean
}

/// Turns dots that only stand for a pause into a dash, so that they do not end the
/// sentence: "they are... odd".
fn without_pauses(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("..").into_iter().chain(rest.find('…')).min() {
        let (before, dots) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let after = dots.trim_start_matches(['.', '…']);
        out.push_str(before);
        let continues = after
            .strip_prefix(' ')
            .is_some_and(|next| next.starts_with(char::is_lowercase));
        out.push_str(if continues { " –" } else { "…" });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Headings, tables and rules carry structure, not statements.
fn is_scaffold(line: &str) -> bool {
    line.starts_with('#')
        || line.starts_with('|')
        || line.starts_with("---")
        || line.starts_with("===")
        || line.starts_with("\\[")
        || line.starts_with("$$")
}

/// The line without the bullet, number or quotation mark that leads it.
fn without_marker(line: &str) -> &str {
    let line = line.trim_start_matches(['>', ' ']);
    for bullet in ["- ", "* ", "+ ", "• "] {
        if let Some(rest) = line.strip_prefix(bullet) {
            return rest.trim_start();
        }
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    if (1..=2).contains(&digits) {
        let rest = line.get(digits..).unwrap_or_default();
        if let Some(rest) = rest.strip_prefix(". ").or_else(|| rest.strip_prefix(") ")) {
            return rest.trim_start();
        }
    }
    line
}

fn end_line(text: &mut String) {
    while text.ends_with(' ') {
        text.pop();
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

/// Copies a line without its inline decoration.
fn inline(line: &str, clean: &mut Clean) {
    let mut rest = line;
    while let Some(character) = rest.chars().next() {
        let after = rest.get(character.len_utf8()..).unwrap_or_default();
        rest = match character {
            '(' if at_sentence_start(&clean.text) => stage_direction(after),
            '[' => bracket(after, clean),
            '<' => tag(after),
            // The brackets of formulas: \\( x \\).
            '\\' => after.strip_prefix(['(', ')', '[', ']']),
            '*' if at_sentence_start(&clean.text) => acted(after),
            '`' => quoted_code(after, &mut clean.text),
            _ => None,
        }
        .unwrap_or_else(|| {
            copy(character, after, &mut clean.text);
            after
        });
    }
}

fn copy(character: char, after: &str, text: &mut String) {
    match character {
        '\u{2018}' | '\u{2019}' => text.push('\''),
        '\u{201c}' | '\u{201d}' => text.push('"'),
        '`' => {}
        // Emphasis hugs a word; a product stands free.
        '*' if !(text.ends_with(' ') && after.starts_with(' ')) => {}
        _ if is_pictograph(character) => {
            // A picture between two sentences stands for the full stop.
            let new_sentence = after.trim_start().starts_with(char::is_uppercase);
            if new_sentence && !text.is_empty() {
                end_line(text);
            }
        }
        _ if character.is_whitespace() || character.is_control() => {
            if !text.is_empty() && !text.ends_with([' ', '\n']) {
                text.push(' ');
            }
        }
        _ => text.push(character),
    }
}

fn at_sentence_start(text: &str) -> bool {
    let text = text.trim_end_matches(' ');
    text.is_empty() || text.ends_with(['.', '!', '?', '\n', '…'])
}

/// What follows "(teasing)", "(audio:gentle)" or "(sticker) head pat".
fn stage_direction(after: &str) -> Option<&str> {
    let (inside, rest) = after
        .split_once(')')
        .filter(|(inside, _)| inside.len() <= 30)?;
    let plain = inside
        .chars()
        .all(|c| c.is_ascii_lowercase() || matches!(c, ' ' | ':' | '-' | '_'));
    if !plain || inside.split(' ').count() > 3 || inside.is_empty() {
        return None;
    }
    if inside != "sticker" {
        return Some(rest.trim_start());
    }
    // The sticker's name is glued to the bracket, or is all that is left.
    match rest.split_once(' ') {
        Some(("", name)) if !name.contains(['.', '!', '?']) => Some(""),
        Some((_, said)) => Some(said.trim_start()),
        None => Some(""),
    }
}

/// What follows an action such as "*smiles softly*".
fn acted(after: &str) -> Option<&str> {
    let (inside, rest) = after
        .split_once('*')
        .filter(|(inside, _)| inside.len() <= 40)?;
    let is_action = inside.starts_with(|c: char| c.is_ascii_lowercase()) && !rest.starts_with('*');
    is_action.then(|| rest.trim_start())
}

/// Takes over a code span as it is; what follows it.
fn quoted_code<'l>(after: &'l str, text: &mut String) -> Option<&'l str> {
    let (inside, rest) = after
        .split_once('`')
        .filter(|(inside, _)| inside.len() <= 80)?;
    text.push_str(inside);
    Some(rest)
}

/// `[image: …]` is a picture, `[text](url)` is its text.
fn bracket<'l>(after: &'l str, clean: &mut Clean) -> Option<&'l str> {
    let (inside, rest) = after
        .split_once(']')
        .filter(|(inside, _)| inside.len() <= 400)?;
    if let Some((kind, shown)) = inside.split_once(':')
        && matches!(
            kind.trim().to_ascii_lowercase().as_str(),
            "image" | "photo" | "picture"
        )
    {
        clean.picture = Some(shown.trim().to_owned());
        return Some(rest);
    }
    let (url, rest) = rest.strip_prefix('(')?.split_once(')')?;
    if url.contains(' ') {
        return None;
    }
    clean.text.push_str(inside);
    Some(rest)
}

/// What follows `<action>…</action>` or a lone tag.
fn tag(after: &str) -> Option<&str> {
    let (inside, rest) = after
        .split_once('>')
        .filter(|(inside, _)| inside.len() <= 60)?;
    let name = inside.trim_start_matches('/').split(' ').next()?;
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let limit = rest.len().min(300);
    let close = format!("</{name}>");
    let near = rest.get(..limit).unwrap_or(rest);
    match near.find(&close) {
        Some(end) if !inside.starts_with('/') => rest.get(end + close.len()..),
        _ => Some(rest),
    }
}

/// Emoji, and the invisible characters that join them.
fn is_pictograph(character: char) -> bool {
    matches!(character,
        '\u{1F000}'..='\u{1FAFF}'
        | '\u{2600}'..='\u{27BF}'
        | '\u{2B00}'..='\u{2BFF}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{200D}'
        | '\u{20E3}'
        | '\u{E0020}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoration_goes_and_words_stay() {
        let cases = [
            ("(teasing) You again?", "You again?"),
            ("Fine. (audio:gentle) Sleep well.", "Fine. Sleep well."),
            ("(sticker) head pat", ""),
            ("(sticker)happy Who is that?", "Who is that?"),
            ("I told you. <action>play audio</action>", "I told you."),
            ("*waves* hello there", "hello there"),
            (
                "I like **bold** moves and 2 * 3",
                "I like bold moves and 2 * 3",
            ),
            (
                "My sister (the tall one) came",
                "My sister (the tall one) came",
            ),
            ("see [the page](https://x.org/a) now", "see the page now"),
            ("I love it 😍👩‍🚀!", "I love it !"),
            ("- one\n- two\n\n1. three", "one\ntwo\nthree"),
            ("# Title\ntext\n```rust\nlet a = 1;\n```\nend", "text\nend"),
            ("it’s “fine”", "it's \"fine\""),
            ("if a < b and c > d", "if a < b and c > d"),
            ("a {x} b", "a {x} b"),
            ("🎉🎉", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(clean(text).text.trim_end(), expected, "{text}");
        }
    }

    #[test]
    fn a_picture_in_brackets_becomes_the_caption() {
        let clean = clean("Look at this! [image: a photo of a red kite]");
        assert_eq!(clean.text.trim_end(), "Look at this!");
        assert_eq!(clean.picture.as_deref(), Some("a photo of a red kite"));
    }
}

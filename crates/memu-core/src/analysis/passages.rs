use std::ops::Range;

/// Words that end in a full stop without ending a sentence.
const ABBREVIATIONS: [&str; 20] = [
    "mr", "mrs", "ms", "dr", "prof", "st", "vs", "etc", "e.g", "i.e", "jr", "sr", "no", "fig",
    "approx", "dept", "est", "inc", "ltd", "a.m",
];

/// The byte ranges of the sentences and lines of `text`, without surrounding white
/// space, in order. A sentence ends at `.`, `!`, `?` or their full-width forms,
/// followed by white space; a line break ends one too, unless the next line goes on with
/// a small letter.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = 0;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        let ends = match character {
            '\n' => !continues_below(text, at),
            '。' | '！' | '？' => true,
            '!' | '?' | '…' => next.is_none_or(char::is_whitespace),
            '.' => {
                next.is_none_or(char::is_whitespace)
                    && !ends_in_abbreviation(text.get(start..at).unwrap_or_default())
            }
            _ => false,
        };
        if ends {
            let end = at + character.len_utf8();
            push_trimmed(text, start..end, &mut ranges);
            start = end;
        }
    }
    push_trimmed(text, start..text.len(), &mut ranges);
    ranges
}

/// Whether the line that breaks at `at` goes on in the next one: prose that was wrapped
/// to a width goes on with a small letter.
fn continues_below(text: &str, at: usize) -> bool {
    let (above, below) = text.split_at(at);
    let below = below.strip_prefix('\n').unwrap_or(below);
    below.chars().next().is_some_and(char::is_lowercase)
        && above
            .trim_end_matches('\r')
            .ends_with(|c: char| c.is_alphanumeric() || c == ',' || c == ';')
}

fn ends_in_abbreviation(before: &str) -> bool {
    let word = before
        .rsplit(|c: char| c.is_whitespace() || c == '(')
        .next()
        .unwrap_or_default()
        .to_lowercase();
    // A single letter is an initial ("J. Smith"); a lone digit numbers a list.
    word.chars().count() == 1 && word.chars().all(char::is_alphanumeric) && word != "i"
        || ABBREVIATIONS.contains(&word.as_str())
}

fn push_trimmed(text: &str, range: Range<usize>, ranges: &mut Vec<Range<usize>>) {
    let Some(part) = text.get(range.clone()) else {
        return;
    };
    let start = range.start + (part.len() - part.trim_start().len());
    let end = range.start + part.trim_end().len();
    if start < end {
        ranges.push(start..end);
    }
}

/// Groups the sentences and lines of `text` into passages of about `target` words:
/// a passage is closed when the next sentence would take it further from the
/// target. A sentence is never split, however long.
pub fn passages(text: &str, target: usize) -> Vec<Range<usize>> {
    let mut grouped: Vec<Range<usize>> = Vec::new();
    let mut words_in_last = 0;
    for sentence in sentences(text) {
        let words = text
            .get(sentence.clone())
            .map_or(0, |part| part.split_whitespace().count());
        match grouped.last_mut() {
            Some(last) if words_in_last + words / 2 <= target => {
                last.end = sentence.end;
                words_in_last += words;
            }
            _ => {
                grouped.push(sentence);
                words_in_last = words;
            }
        }
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        sentences(text)
            .into_iter()
            .map(|range| text.get(range).unwrap())
            .collect()
    }

    #[test]
    fn sentences_end_at_stops_and_lines_but_not_at_abbreviations() {
        assert_eq!(
            split("I saw Dr. Smith at 3.5 km. Really?! Yes…\n- one\n- two\n\nJ. Doe left。好的！"),
            [
                "I saw Dr. Smith at 3.5 km.",
                "Really?!",
                "Yes…",
                "- one",
                "- two",
                "J. Doe left。",
                "好的！"
            ]
        );
        assert_eq!(
            split("Meat stays\nout, because of the rats.\nTurn it."),
            ["Meat stays\nout, because of the rats.", "Turn it."]
        );
        assert!(split("  \n ").is_empty());
        assert_eq!(split("no stop"), ["no stop"]);
    }

    #[test]
    fn passages_cover_all_sentences_at_about_the_target() {
        let text = "one two three four five. six seven eight. nine ten eleven twelve. end.";
        let parts: Vec<_> = passages(text, 8)
            .into_iter()
            .map(|r| text.get(r).unwrap())
            .collect();
        assert_eq!(
            parts,
            [
                "one two three four five. six seven eight.",
                "nine ten eleven twelve. end."
            ]
        );
        assert_eq!(passages("", 8), []);
    }
}

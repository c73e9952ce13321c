//! What a reply is when it is not what was asked for: plain text, a refusal, an echo.

use std::collections::HashSet;

use memu_core::analysis;

use super::salvage::after_thoughts;

/// How models begin when they will not do it. Summaries and captions are about others, so
/// none begins like this.
const REFUSALS: [&str; 24] = [
    "i'm sorry",
    "i am sorry",
    "sorry,",
    "sorry, but",
    "i apologize",
    "i apologise",
    "i can't",
    "i cannot",
    "i can not",
    "i won't",
    "i will not",
    "i'm unable",
    "i am unable",
    "i'm not able",
    "i am not able",
    "i don't have access",
    "as an ai",
    "unfortunately, i",
    "es tut mir leid",
    "lo siento",
    "je suis désolé",
    "抱歉",
    "对不起",
    "申し訳",
];

/// How many words in a row a text must share with the instructions to be an echo of them.
const ECHO_WORDS: usize = 8;

/// Whether a text declines to answer.
pub(super) fn is_refusal(text: &str) -> bool {
    let beginning: String = text
        .trim_start_matches(|c: char| !c.is_alphanumeric())
        .chars()
        .take(24)
        .flat_map(char::to_lowercase)
        .map(|c| if c == '’' { '\'' } else { c })
        .collect();
    REFUSALS
        .iter()
        .any(|refusal| beginning.starts_with(refusal))
}

/// The instructions that a request was made of, to be told from an answer.
pub(super) struct Instructions(HashSet<String>);

impl Instructions {
    pub(super) fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let texts = texts.into_iter().map(analysis::words);
        Self(texts.flat_map(|words| runs(&words)).collect())
    }

    /// Whether a third of a text or more repeats the instructions.
    pub(super) fn are_echoed_by(&self, text: &str) -> bool {
        let runs = runs(&analysis::words(text));
        let repeated = runs.iter().filter(|run| self.0.contains(*run)).count();
        repeated > 0 && repeated * 3 >= runs.len()
    }
}

/// All runs of [`ECHO_WORDS`] words.
fn runs(words: &[String]) -> Vec<String> {
    words.windows(ECHO_WORDS).map(|run| run.join(" ")).collect()
}

/// A reply as text, without the model's thoughts and without a fence around all of it; `None`
/// when it is empty or looks like something structured.
pub(super) fn plain(reply: &str) -> Option<&str> {
    let text = unfenced(after_thoughts(reply).trim());
    let structured = text.starts_with(['{', '[', '<', '"']);
    (!text.is_empty() && !structured).then_some(text)
}

fn unfenced(text: &str) -> &str {
    let inside = text.strip_prefix("```").and_then(|rest| {
        let (_, body) = rest.split_once('\n')?;
        body.trim_end().strip_suffix("```")
    });
    inside.map_or(text, str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_from_what_is_about_somebody() {
        for text in [
            "I'm sorry, but I can't help with that.",
            "I’m sorry",
            "**As an AI** language model, I cannot",
            "抱歉，我无法",
        ] {
            assert!(is_refusal(text), "{text}");
        }
        for text in [
            "Ines is sorry that she left.",
            "- Ines cannot swim",
            "",
            "I",
        ] {
            assert!(!is_refusal(text), "{text}");
        }
    }

    #[test]
    fn an_echo_repeats_the_instructions() {
        let instructions = Instructions::of([
            "Write Markdown: short statements in lists, under a few headings of level two.",
        ]);
        let echo = "Write markdown, short statements in lists under a few headings.";
        assert!(instructions.are_echoed_by(echo));
        assert!(!instructions.are_echoed_by("Ines writes {{names}} in templates."));
        assert!(!instructions.are_echoed_by("Ines writes short statements in lists."));
        assert!(!instructions.are_echoed_by(""));
    }

    #[test]
    fn plain_text_comes_without_thoughts_and_fences() {
        assert_eq!(
            plain("<think>hm</think>\n```markdown\n# Ines\n- rows\n```\n"),
            Some("# Ines\n- rows")
        );
        assert_eq!(plain(" - rows "), Some("- rows"));
        assert_eq!(plain("{\"summary\": \"cut"), None);
        assert_eq!(plain("``` "), Some("```"));
        assert_eq!(plain(" "), None);
    }
}

//! From a sentence to the words of a memory.

use std::ops::Range;

use super::rewrite::{Told, Voice, third_person};
use super::sentence::Sentence;
use crate::temporal;
use crate::temporal::words::{Words, words};

/// The sentence told about who said it, with a full stop. `follows` says that it
/// comes after another of the same speaker in the same memory.
pub(super) fn tell(sentence: &Sentence<'_>, voice: Voice<'_>, follows: Option<Follows>) -> String {
    // What an agent writes without a subject is a sample or advice, not its deed.
    let sample = voice.speaker.is_agent && sentence.shape.elided.is_some();
    if sentence.foreign || sample {
        return quote(sentence, voice);
    }
    if let Some(order) = instruction(sentence, voice) {
        return finished(order);
    }
    let told = Told {
        tokens: &sentence.tokens,
        range: sentence.range.clone(),
        mentions: &sentence.mentions,
        shape: sentence.shape,
        follows_we: follows.is_some_and(|follows| follows.plural),
        prefix: None,
    };
    let Some(text) = third_person(&told, voice) else {
        return quote(sentence, voice);
    };
    if sentence.shape.own || sentence.shape.elided.is_some() || follows.is_some() || voice.restates
    {
        return finished(text);
    }
    if sentence.shape.finite && opens_lower(sentence) {
        let lead = voice.speaker.lead();
        return finished(format!("{lead} said that {}", lower_first(&text)));
    }
    quote(sentence, voice)
}

/// That a sentence follows another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Follows {
    /// Whether the other speaks of several people.
    pub(super) plural: bool,
}

/// `Caroline said: "…"`, with the day where the words depend on it.
pub(super) fn quote(sentence: &Sentence<'_>, voice: Voice<'_>) -> String {
    let day = voice
        .day
        .filter(|_| sentence.is_relative())
        .map_or(String::new(), |day| format!(" on {}", temporal::day(day)));
    let verb = if sentence.shape.imperative {
        "advised"
    } else {
        "said"
    };
    format!(
        "{} {verb}{day}: \"{}.\"",
        voice.speaker.lead(),
        super::rewrite::capitalised(&quotable(sentence.text()))
    )
}

/// The words as they can stand between quotation marks.
pub(super) fn quotable(text: &str) -> String {
    text.trim_end_matches(['.', ',', ';', ' '])
        .replace('"', "'")
}

/// The text with one full stop at its end.
pub(super) fn finished(text: String) -> String {
    let mut text = text;
    while text.ends_with(['.', ',', ';', ':', '!', '?', ' ', '-', '–', '—', '…']) {
        text.pop();
    }
    text.push('.');
    text
}

/// Words that open a statement and are no names.
static OPENERS: Words = words!(
    "
    a after all an another any as at because before between both by during each every few for
    from he her here his how if in it it's its many most much no on one our several she since
    some that the their then there there's these they this those though to two under until what
    when where which while with without
    "
);

/// Whether the first word can lose its capital: it is no name.
fn opens_lower(sentence: &Sentence<'_>) -> bool {
    let first = sentence.word(0);
    let labelled = (0..6).any(|at| sentence.word(at) == ":");
    OPENERS.has(first) && !labelled && !sentence.shape.imperative
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}

/// "Always answer in bullet points": what an agent is asked to do from now on.
fn instruction(sentence: &Sentence<'_>, voice: Voice<'_>) -> Option<String> {
    let (negation, rest) = standing_order(sentence)?;
    let agent = match voice.other {
        Some(other) if other.is_agent => other.name.as_str(),
        None if !voice.speaker.is_agent => "the assistant",
        _ => return None,
    };
    let lead = voice.speaker.lead();
    let told = Told {
        tokens: &sentence.tokens,
        range: rest,
        mentions: &sentence.mentions,
        shape: super::shape::Shape {
            elided: None,
            ..sentence.shape
        },
        follows_we: false,
        prefix: Some(format!("{lead} asked {agent} {negation}")),
    };
    third_person(&told, voice)
}

/// Whether the sentence is a standing order: how it goes on in reported speech, and
/// with which tokens.
pub(super) fn standing_order(sentence: &Sentence<'_>) -> Option<(&'static str, Range<usize>)> {
    let range = &sentence.range;
    let please = usize::from(sentence.word(0) == "please");
    let from_now =
        usize::from(sentence.word(please) == "from" && sentence.word(please + 1) == "now") * 3;
    let comma = usize::from(from_now > 0 && sentence.word(please + from_now) == ",");
    let at = please + from_now + comma;
    let lasting = from_now > 0 || sentence.shape.imperative && has_lasting_word(sentence);
    let rest = |offset: usize| range.start + at + offset..range.end;
    match sentence.word(at) {
        "always" => Some(("to always", rest(1))),
        "never"
            if !super::lexicon::AUXILIARIES.has(sentence.word(at + 1))
                && super::lexicon::COMMON.has(sentence.word(at + 1)) =>
        {
            Some(("to never", rest(1)))
        }
        "don't" if sentence.word(at + 1) == "ever" => Some(("to never", rest(2))),
        "don't" if please > 0 || lasting => Some(("not to", rest(1))),
        _ if lasting => Some(("to", rest(0))),
        _ => None,
    }
}

/// "Whenever I ask", "when I ask", "in future".
fn has_lasting_word(sentence: &Sentence<'_>) -> bool {
    (0..sentence.range.len()).any(|at| {
        matches!(sentence.word(at), "whenever" | "always" | "never")
            || sentence.word(at) == "when"
                && sentence.word(at + 1) == "i"
                && sentence.word(at + 2) == "ask"
            || sentence.word(at) == "from"
                && sentence.word(at + 1) == "now"
                && sentence.word(at + 2) == "on"
    })
}

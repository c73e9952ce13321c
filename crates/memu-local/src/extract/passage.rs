//! What a passage of running text gives to remember: of a document, or of a long
//! answer of an agent, a few of the most informative sentences.

use std::ops::Range;

use memu_core::analysis::sentences;

use super::drawn::{Drawn, best};
use super::kind::{MemoryKind, happened, kind};
use super::message::Message;
use super::party::{Parties, Party};
use super::rewrite::{Told, Voice, capitalised, third_person};
use super::sentence::Sentence;
use super::telling::{finished, quotable, quote, tell};

/// A passage of a document yields at most this many memories.
const MOST_OF_PASSAGE: usize = 3;

/// A long answer yields at most this many, one for each so many bytes.
const MOST_OF_ANSWER: usize = 6;
const BYTES_PER_ITEM: usize = 600;

/// From this many bytes on, an agent's answer counts as long.
const LONG_ANSWER: usize = 450;

/// Whether the message is an agent's long answer.
pub(super) fn is_long_answer(message: &Message<'_>) -> bool {
    message.party.is_agent && message.text().len() > LONG_ANSWER
}

/// The most informative statements of a long answer.
pub(super) fn of_answer(message: &Message<'_>, parties: &Parties) -> Vec<Drawn> {
    let most = (1 + message.text().len() / BYTES_PER_ITEM).min(MOST_OF_ANSWER);
    let voice = Voice {
        speaker: &message.party,
        other: parties.other_than(&message.party),
        day: message.day(),
        restates: false,
    };
    let mut drawn: Vec<Drawn> = candidates(message.text(), most * 2)
        .into_iter()
        .filter_map(|(score, text)| {
            let sentence = Sentence::read(text, message.segment.happened_at, parties);
            let fit =
                is_fit(&sentence) && !sentence.shape.own_subject && !sentence.shape.opens_with_you;
            let told = if sentence.shape.own {
                quote(&sentence, voice)
            } else {
                tell(&sentence, voice, None)
            };
            fit.then(|| Drawn {
                kind: MemoryKind::Knowledge,
                summary: told,
                happened: None,
                segments: vec![message.index],
                worth: score,
            })
        })
        .collect();
    drawn.dedup_by(|a, b| a.summary == b.summary);
    best(&mut drawn, most);
    drawn
}

/// The facts, definitions and steps of a passage.
pub(super) fn of_document(message: &Message<'_>, parties: &Parties) -> Vec<Drawn> {
    let author = Party {
        name: "the author".to_owned(),
        is_agent: false,
    };
    let mut drawn: Vec<Drawn> = candidates(message.text(), MOST_OF_PASSAGE * 2)
        .into_iter()
        .filter_map(|(score, text)| {
            let sentence = Sentence::read(text, message.segment.happened_at, parties);
            is_fit(&sentence).then(|| of_sentence(&sentence, score, message, &author))
        })
        .collect();
    best(&mut drawn, MOST_OF_PASSAGE);
    drawn
}

fn is_fit(sentence: &Sentence<'_>) -> bool {
    sentence.foreign && sentence.worth > 0
        || !sentence.range.is_empty()
            && !sentence.asks
            && !sentence.shape.dangling
            && sentence.content() >= 3
            && sentence.words() >= 5
            && (sentence.shape.finite || sentence.shape.imperative)
}

fn of_sentence(
    sentence: &Sentence<'_>,
    score: i32,
    message: &Message<'_>,
    author: &Party,
) -> Drawn {
    let voice = Voice {
        speaker: author,
        other: None,
        day: message.day(),
        restates: false,
    };
    let told = Told {
        tokens: &sentence.tokens,
        range: sentence.range.clone(),
        mentions: &sentence.mentions,
        shape: sentence.shape,
        follows_we: false,
        prefix: None,
    };
    let as_written = sentence.foreign || !sentence.shape.own;
    let summary = if as_written {
        None
    } else {
        third_person(&told, voice)
    }
    .unwrap_or_else(|| capitalised(&quotable(sentence.text())));
    let found = kind(
        &sentence.tokens,
        sentence.range.clone(),
        &sentence.shape,
        &sentence.mentions,
    );
    let kind = match found {
        _ if sentence.shape.imperative => MemoryKind::Skill,
        MemoryKind::Event if sentence.mentions.is_empty() => MemoryKind::Knowledge,
        MemoryKind::Profile if !sentence.shape.own => MemoryKind::Knowledge,
        found => found,
    };
    Drawn {
        kind,
        summary: finished(summary),
        happened: sentence.mentions.first().and_then(|_| {
            happened(
                &sentence.tokens,
                sentence.range.clone(),
                &sentence.shape,
                &sentence.mentions,
                None,
            )
        }),
        segments: vec![message.index],
        worth: score,
    }
}

/// The sentences that look most informative, in their order: only these are read
/// closely.
pub(super) fn candidates(text: &str, most: usize) -> Vec<(i32, &str)> {
    let ranges: Vec<Range<usize>> = sentences(text);
    let mut scored: Vec<(i32, usize)> = ranges
        .iter()
        .enumerate()
        .filter_map(|(at, range)| Some((-score(text.get(range.clone())?, at), at)))
        .filter(|(score, _)| *score < 0)
        .collect();
    if scored.len() > most {
        scored.select_nth_unstable(most);
        scored.truncate(most);
    }
    scored.sort_unstable_by_key(|(_, at)| *at);
    scored
        .into_iter()
        .filter_map(|(score, at)| Some((-score, text.get(ranges.get(at)?.clone())?)))
        .collect()
}

/// How informative a sentence looks from afar; 0 and less for what is none. The
/// first sentences of a text (`place`) tell what it is about.
fn score(sentence: &str, place: usize) -> i32 {
    let words = sentence.bytes().filter(|byte| *byte == b' ').count() + 1;
    let last = sentence.bytes().next_back().unwrap_or_default();
    let dense = sentence.len() > words * 20;
    if !dense && !(5..=60).contains(&words) || matches!(last, b':' | b'?' | b'{' | b';' | b',') {
        return 0;
    }
    if is_announcement(sentence) || looks_like_code(sentence) {
        return 0;
    }
    // "Step 1" and "Task 2" are no figures.
    let digits = i32::from(sentence.bytes().skip(10).any(|byte| byte.is_ascii_digit()));
    let defines = [
        " is a ",
        " is an ",
        " are ",
        " means ",
        " refers to ",
        " is the ",
        " was ",
        " is called ",
    ]
    .iter()
    .any(|phrase| sentence.contains(phrase));
    let decides = [
        "recommend",
        "should",
        "best ",
        "important",
        "must ",
        "need to",
        "ensure",
        "deadline",
        "because",
    ]
    .iter()
    .any(|word| sentence.contains(word));
    let length = if (8..=35).contains(&words) || dense {
        2
    } else {
        0
    };
    let stops = i32::from(matches!(last, b'.' | b'!') || dense);
    let early = if place < 3 { 3 } else { 0 };
    1 + 2 * digits + 2 * i32::from(defines) + 2 * i32::from(decides) + length + stops + early
}

/// Sentences that only introduce what follows, or close politely.
fn is_announcement(sentence: &str) -> bool {
    [
        "Certainly",
        "Sure",
        "Of course",
        "Absolutely",
        "Great",
        "Here",
        "Let's",
        "Let me",
        "I hope",
        "Feel free",
        "If you have",
        "If you need",
        "By following",
        "Below",
        "Congratulations",
        "Thank",
        "I'd be happy",
        "Got it",
        "Yes",
        "No problem",
        "You're",
        "That's",
        "Good luck",
        "This will",
        "In this example",
        "Happy to",
        "Would you",
        "Do you",
        "I'm glad",
        "Task ",
        "Step ",
        "Phase ",
        "Note:",
        "Example",
        "Output",
        "Sounds",
    ]
    .iter()
    .any(|opening| sentence.starts_with(opening))
}

fn looks_like_code(sentence: &str) -> bool {
    let marks = sentence
        .bytes()
        .filter(|byte| {
            matches!(
                byte,
                b'{' | b'}' | b'=' | b';' | b'<' | b'>' | b'|' | b'\\' | b'_' | b'$'
            )
        })
        .count();
    marks > 3 && marks * 12 > sentence.len()
}

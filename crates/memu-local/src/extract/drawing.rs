//! What one message gives to remember.

use memu_core::analysis::sentences;
use memu_core::time::When;

use super::answers::{self, Asked};
use super::drawn::{Drawn, best};
use super::kind::{MemoryKind, happened, kind};
use super::message::Message;
use super::party::Parties;
use super::rewrite::Voice;
use super::sentence::Sentence;
use super::telling::{Follows, quotable, quote, standing_order, tell};
use super::worth::KEPT;
use super::{passage, picture};

/// At most this many memories come from a message of a person, and at most one for
/// each so many words beyond the first.
const MOST: usize = 12;
const WORDS_PER_ITEM: usize = 30;

/// More text than this, in bytes, is not read sentence by sentence.
const LONG_TEXT: usize = 64 * 1024;

/// Sentences joined into one memory have at most this many words together.
const JOINED_WORDS: usize = 45;

impl Message<'_> {
    /// What the message gives to remember, in order. `asked` is the question that
    /// it may answer.
    pub(super) fn draw(&self, asked: Option<&Asked>, parties: &Parties) -> Vec<Drawn> {
        let texts: Vec<&str> = if self.text().len() > LONG_TEXT {
            // What was pasted is read where it looks informative only.
            passage::candidates(self.text(), MOST * 4)
                .into_iter()
                .map(|(_, text)| text)
                .collect()
        } else {
            sentences(self.text())
                .into_iter()
                .filter_map(|range| self.text().get(range))
                .collect()
        };
        let read: Vec<Sentence<'_>> = texts
            .into_iter()
            .map(|text| Sentence::read(text, self.segment.happened_at, parties))
            .collect();
        let mut drawn = Vec::new();
        let answer = asked.and_then(|asked| self.answer(asked, &read, &mut drawn));
        let mut groups = Groups::new(self, parties, answer);
        for (at, sentence) in read.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|before| read.get(before));
            groups.take(at, sentence, before);
        }
        drawn.extend(groups.finish());
        let words: usize = read.iter().map(Sentence::words).sum();
        best(&mut drawn, (2 + words / WORDS_PER_ITEM).clamp(4, MOST));
        drawn.extend(picture::shared(self));
        drawn
    }

    /// Takes the answer to `asked` from the first sentence that says anything; its
    /// place.
    fn answer(
        &self,
        asked: &Asked,
        read: &[Sentence<'_>],
        drawn: &mut Vec<Drawn>,
    ) -> Option<usize> {
        let opening = read.first().map_or("", |sentence| sentence.tokens.word(0));
        let first = read
            .iter()
            .position(|sentence| sentence.asks || !sentence.range.is_empty());
        let Some(at) = first else {
            drawn.extend(answers::bare(asked, self, opening));
            return None;
        };
        let sentence = read.get(at)?;
        drawn.push(answers::joined(asked, self, sentence, opening)?);
        Some(at)
    }
}

/// Sentences on their way to memories: those that point back join the one before.
struct Groups<'g, 's> {
    message: &'g Message<'s>,
    voice: Voice<'g>,
    /// The sentence that was already taken as an answer.
    answer: Option<usize>,
    drawn: Vec<Drawn>,
    /// The place of the last sentence of the last memory, its words so far, and
    /// whether it speaks of several people.
    open: Option<(usize, usize, bool)>,
}

impl<'g, 's> Groups<'g, 's> {
    fn new(message: &'g Message<'s>, parties: &'g Parties, answer: Option<usize>) -> Self {
        Self {
            message,
            voice: message.voice(parties),
            answer,
            drawn: Vec::new(),
            open: None,
        }
    }

    fn take(&mut self, at: usize, sentence: &Sentence<'_>, before: Option<&Sentence<'_>>) {
        if self.answer == Some(at) || sentence.range.is_empty() {
            return;
        }
        if self.voice.speaker.is_agent {
            self.take_from_agent(sentence, before);
        } else if sentence.shape.dangling && !sentence.foreign {
            self.take_dangling(at, sentence);
        } else if self.is_order(sentence) || sentence.worth >= KEPT && !sentence.shape.imperative {
            self.start(at, sentence);
        }
    }

    /// Whether an agent is told how to behave from now on.
    fn is_order(&self, sentence: &Sentence<'_>) -> bool {
        let to_agent = self
            .voice
            .other
            .map_or(self.message.segment.role.is_some(), |other| other.is_agent);
        to_agent && standing_order(sentence).is_some()
    }

    fn start(&mut self, at: usize, sentence: &Sentence<'_>) {
        self.open = Some((at, sentence.words(), sentence.shape.plural));
        let summary = tell(sentence, self.voice, None);
        self.push(sentence, summary);
    }

    fn push(&mut self, sentence: &Sentence<'_>, summary: String) {
        let range = sentence.range.clone();
        let kind = if self.is_order(sentence) && !self.voice.speaker.is_agent {
            MemoryKind::Behavior
        } else {
            kind(
                &sentence.tokens,
                range.clone(),
                &sentence.shape,
                &sentence.mentions,
            )
        };
        let when = match kind {
            MemoryKind::Event => happened(
                &sentence.tokens,
                range,
                &sentence.shape,
                &sentence.mentions,
                self.message.day(),
            ),
            _ => sentence.mentions.first().map(|mention| mention.when),
        };
        self.keep(kind, when, sentence.worth, summary);
    }

    fn keep(&mut self, kind: MemoryKind, happened: Option<When>, worth: i32, summary: String) {
        self.drawn.push(Drawn {
            kind,
            summary,
            happened,
            segments: vec![self.message.index],
            worth,
        });
    }

    /// A sentence that points back goes with the one it points to, or goes.
    fn take_dangling(&mut self, at: usize, sentence: &Sentence<'_>) {
        let joinable = self
            .open
            .filter(|(last, words, _)| last + 1 == at && words + sentence.words() <= JOINED_WORDS);
        let says_something = sentence.content() > 0 && !sentence.is_addressed();
        match joinable {
            Some((_, words, plural)) if says_something => {
                let follows = Some(Follows { plural });
                let told = tell(sentence, self.voice, follows);
                if let Some(last) = self.drawn.last_mut() {
                    last.summary.push(' ');
                    last.summary.push_str(&told);
                    last.happened = last.happened.or(sentence.mentions.first().map(|m| m.when));
                    last.worth += 1;
                }
                self.open = Some((at, words + sentence.words(), plural));
            }
            // Too much to be lost, too little to be told without its context.
            _ if sentence.worth > KEPT + 1 || sentence.worth >= KEPT && sentence.shape.single => {
                self.open = Some((at, sentence.words(), sentence.shape.plural));
                let summary = quote(sentence, self.voice);
                self.push(sentence, summary);
            }
            _ => {}
        }
    }

    /// Of what an agent says in passing, only what it knows about the user or
    /// promises is kept.
    fn take_from_agent(&mut self, sentence: &Sentence<'_>, before: Option<&Sentence<'_>>) {
        if let Some(skip) = restating(sentence) {
            let summary = self.restated(sentence, skip, before);
            return self.keep(MemoryKind::Profile, None, sentence.worth.max(KEPT), summary);
        }
        let dated = sentence.mentions.iter().any(|mention| mention.relative);
        let promised = dated && sentence.text().contains("I'll") && !offers_help(sentence);
        let tells = sentence.worth > KEPT + 2
            && is_concrete(sentence)
            && !sentence.shape.dangling
            && !sentence.shape.imperative;
        if promised || tells {
            let summary = tell(sentence, self.voice, None);
            self.push(sentence, summary);
        }
    }

    /// What the user once said, in the third person, or in the agent's own words
    /// where it points back.
    fn restated(
        &self,
        sentence: &Sentence<'_>,
        skip: usize,
        before: Option<&Sentence<'_>>,
    ) -> String {
        let points_back = matches!(
            sentence.word(sentence.range.len().saturating_sub(1)),
            "them" | "it" | "that" | "those" | "this" | "too"
        );
        if points_back && let Some(before) = before {
            return format!(
                "{} said: \"{} {}.\"",
                self.voice.speaker.lead(),
                quotable(before.tokens.text()),
                quotable(sentence.text())
            );
        }
        let restated = sentence.starting_at(sentence.range.start + skip);
        let voice = Voice {
            restates: true,
            ..self.voice
        };
        tell(&restated, voice, None)
    }

    fn finish(self) -> Vec<Drawn> {
        self.drawn
    }
}

/// Whether it names somebody or something, or a number.
fn is_concrete(sentence: &Sentence<'_>) -> bool {
    let tokens = &sentence.tokens;
    sentence.text().bytes().any(|byte| byte.is_ascii_digit())
        || (sentence.range.start + 1..sentence.range.end)
            .any(|at| tokens.is_capital(at) && !tokens.word(at).starts_with('i'))
}

fn offers_help(sentence: &Sentence<'_>) -> bool {
    (0..6).any(|at| {
        matches!(
            sentence.word(at),
            "help"
                | "guide"
                | "walk"
                | "show"
                | "explain"
                | "provide"
                | "break"
                | "start"
                | "use"
                | "need"
                | "be"
        )
    })
}

/// "(I remember) you said …": how many tokens to skip before the "you".
fn restating(sentence: &Sentence<'_>) -> Option<usize> {
    let you = (0..5).find(|&at| sentence.word(at).starts_with("you"))?;
    let introduced = (0..you).all(|at| {
        matches!(
            sentence.word(at),
            "i" | "remember" | "that" | "as" | "since" | "because" | "know" | "recall"
        )
    });
    let verb = sentence.word(you + 1);
    let states = matches!(
        verb,
        "said"
            | "told"
            | "mentioned"
            | "like"
            | "liked"
            | "love"
            | "loved"
            | "prefer"
            | "preferred"
            | "wanted"
            | "asked"
            | "hate"
            | "enjoy"
            | "live"
            | "work"
            | "have"
            | "want"
            | "chose"
            | "decided"
    ) || you + 1 > 1 && matches!(verb, "were" | "are");
    (introduced && states && sentence.word(you) == "you").then_some(you)
}

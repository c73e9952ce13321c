//! Answers that mean something only with their question.

use memu_core::analysis::sentences;
use memu_core::time::When;

use super::drawn::Drawn;
use super::kind::MemoryKind;
use super::message::Message;
use super::party::Parties;
use super::rewrite::capitalised;
use super::sentence::Sentence;
use super::telling::quotable;
use super::{lead, question, worth};
use crate::temporal;
use crate::temporal::tokens::Tokens;

/// A question that waits for its answer.
#[derive(Debug)]
pub(super) struct Asked {
    /// The segment.
    pub(super) index: usize,
    /// The question, without greeting.
    text: String,
    /// Whether it asks about the one who asks.
    about_self: bool,
    /// Whether yes or no answers it.
    is_closed: bool,
    /// The time it speaks of, where it names one relative to the day it is asked.
    when: Option<When>,
    /// The open question to which it guesses the answer: "What did I drink?" – "Was
    /// it tea?"
    guesses: Option<Box<Asked>>,
}

impl Asked {
    /// Puts it after the question `before`, which was put to the one who asks this.
    pub(super) fn after(mut self, before: Option<Self>) -> Self {
        let guesses =
            before.filter(|before| !before.is_closed && self.is_closed && self.is_guess());
        self.guesses = guesses.map(Box::new);
        self
    }

    /// Whether it offers an answer to something asked before.
    fn is_guess(&self) -> bool {
        self.text.split(|c: char| !c.is_alphanumeric()).any(|word| {
            word == "it" || word == "that" || word.starts_with(|c: char| c.is_ascii_digit())
        })
    }

    /// The segments that ask, in order.
    fn segments(&self) -> Vec<usize> {
        let open = self.guesses.as_ref().map(|open| open.index);
        open.into_iter().chain([self.index]).collect()
    }
}

/// More words than this, and it is no question that a few words answer.
const LONGEST_QUESTION: usize = 25;

/// The last question of a message, if it asks for something to be known.
pub(super) fn asked(message: &Message<'_>, parties: &Parties) -> Option<Asked> {
    let text = message.text();
    let last = sentences(text)
        .into_iter()
        .rev()
        .filter_map(|range| text.get(range))
        .take(3)
        .find(|sentence| sentence.ends_with('?'))?;
    let tokens = Tokens::of(last);
    let core = lead::core(&tokens, 0..tokens.len(), parties);
    let stated = question::statement(&tokens, core.clone());
    let core = if stated.is_empty() {
        core
    } else {
        lead::core(&tokens, stated.end..core.end, parties)
    };
    let words = core.clone().filter(|&at| tokens.is_word(at)).count();
    let start = tokens.get(core.start)?.start;
    let first = tokens.word(core.start);
    let offers = matches!(
        first,
        "want" | "wanna" | "need" | "shall" | "care" | "really" | "right" | "okay"
    ) || matches!(first, "can" | "could" | "would" | "will" | "may")
        || first == "how" && tokens.word(core.start + 1) == "about"
        || matches!(tokens.word(core.start + 1), "like" | "about");
    if !(2..=LONGEST_QUESTION).contains(&words) || offers {
        return None;
    }
    if !has_content(&tokens, core.clone()) {
        return None;
    }
    Some(Asked {
        index: message.index,
        text: capitalised(&quotable(last.get(start..)?)),
        about_self: core
            .clone()
            .any(|at| matches!(tokens.word(at), "i" | "my" | "me")),
        is_closed: is_closed(first) || words <= 3 && !opens_with_wh(first),
        when: temporal::find_in(&tokens, message.segment.happened_at)
            .first()
            .map(|mention| mention.when),
        guesses: None,
    })
}

fn has_content(tokens: &Tokens<'_>, core: std::ops::Range<usize>) -> bool {
    worth::content_words(tokens, core.clone()) > 0
        || core.clone().any(|at| {
            matches!(
                tokens.word(at),
                "when" | "where" | "who" | "time" | "day" | "work" | "eat" | "old" | "far" | "many"
            )
        })
}

fn is_closed(first: &str) -> bool {
    matches!(
        first,
        "is" | "are"
            | "was"
            | "were"
            | "do"
            | "does"
            | "did"
            | "have"
            | "has"
            | "am"
            | "aren't"
            | "isn't"
            | "don't"
            | "didn't"
            | "so"
            | "because"
    )
}

fn opens_with_wh(first: &str) -> bool {
    first.starts_with("wh") || first.starts_with("how")
}

/// What the beginning of an answer is.
enum Reply {
    Yes,
    No,
    Other,
}

fn reply(first: &str) -> Reply {
    match first {
        "yes" | "yeah" | "yep" | "yup" | "yea" | "definitely" | "exactly" | "absolutely"
        | "correct" | "totally" | "sure" => Reply::Yes,
        "no" | "nope" | "nah" => Reply::No,
        _ => Reply::Other,
    }
}

/// The memory that `sentence`, the first that says anything in its message, makes
/// together with the question before it; `None` where it stands alone.
pub(super) fn joined(
    asked: &Asked,
    message: &Message<'_>,
    sentence: &Sentence<'_>,
    opening: &str,
) -> Option<Drawn> {
    let name = &message.party.name;
    let told_back = message.party.is_agent && asked.about_self && sentence.content() > 1;
    let needs_question = sentence.shape.dangling || is_fragment(sentence) || told_back;
    let talk = sentence.is_addressed() || sentence.is_small_talk() && !sentence.shape.dangling;
    let asked_for = !talk && (has_number(sentence) || sentence.content() > 0);
    if !needs_question || sentence.asks || !asked_for || sentence.words() > 30 {
        return None;
    }
    let said = capitalised(&quotable(sentence.text()));
    let day = message
        .day()
        .filter(|_| sentence.is_relative())
        .map_or(String::new(), |day| format!(" on {}", temporal::day(day)));
    let summary = match (reply(opening), &asked.guesses) {
        (Reply::Yes, Some(open)) => format!(
            "{} and confirmed \"{}\": \"{said}.\"",
            asking(open, message),
            asked.text
        ),
        (Reply::No, Some(open)) => format!(
            "{} and said no to \"{}\": \"{said}.\"",
            asking(open, message),
            asked.text
        ),
        (Reply::Yes, None) if asked.is_closed => {
            format!(
                "Asked{day} \"{}\", {name} confirmed: \"{said}.\"",
                asked.text
            )
        }
        (Reply::No, None) if asked.is_closed => {
            format!("Asked{day} \"{}\", {name} said no: \"{said}.\"", asked.text)
        }
        _ => format!("Asked{day} \"{}\", {name} said: \"{said}.\"", asked.text),
    };
    Some(drawn(
        asked,
        message,
        summary,
        sentence.mentions.first().map(|m| m.when),
    ))
}

/// The beginning of a memory of one who asked something and was offered a guess.
fn asking(open: &Asked, message: &Message<'_>) -> String {
    let day = message
        .day()
        .filter(|_| open.when.is_some())
        .map_or(String::new(), |day| format!(" on {}", temporal::day(day)));
    format!("{} asked{day} \"{}\"", message.party.lead(), open.text)
}

/// The memory that a bare "yes" or "no" makes with its question.
pub(super) fn bare(asked: &Asked, message: &Message<'_>, opening: &str) -> Option<Drawn> {
    if let (Some(open), Reply::Yes) = (&asked.guesses, reply(opening)) {
        let summary = format!("{} and confirmed \"{}\"", asking(open, message), asked.text);
        return Some(drawn(asked, message, summary, None));
    }
    if !asked.is_closed || !asked.text.to_lowercase().contains("you") {
        return None;
    }
    let said = match reply(opening) {
        Reply::Yes => "yes",
        Reply::No => "no",
        Reply::Other => return None,
    };
    let summary = format!(
        "Asked \"{}\", {} said {said}.",
        asked.text, message.party.name
    );
    Some(drawn(asked, message, summary, None))
}

fn drawn(asked: &Asked, message: &Message<'_>, summary: String, happened: Option<When>) -> Drawn {
    let open = asked.guesses.as_deref();
    let happened = happened.or(asked.when).or(open.and_then(|open| open.when));
    let lower = open.unwrap_or(asked).text.to_lowercase();
    let kind = if lower.contains("usually") || lower.contains("how often") {
        MemoryKind::Behavior
    } else if lower.contains(" did ") || lower.starts_with("did ") || happened.is_some() {
        MemoryKind::Event
    } else {
        MemoryKind::Profile
    };
    Drawn {
        kind,
        summary,
        happened,
        segments: asked
            .segments()
            .into_iter()
            .chain([message.index])
            .collect(),
        worth: worth::KEPT + 1,
    }
}

/// Whether the sentence lacks a verb of its own.
fn is_fragment(sentence: &Sentence<'_>) -> bool {
    !sentence.shape.finite && !sentence.shape.imperative && !sentence.foreign
}

fn has_number(sentence: &Sentence<'_>) -> bool {
    sentence.text().bytes().any(|byte| byte.is_ascii_digit())
}

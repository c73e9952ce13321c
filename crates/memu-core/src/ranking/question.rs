use jiff::civil;

use super::guidance::asks_for_help;
use super::several::asks_for_several;
use crate::analysis::{Analyzer, for_each_word, words};
use crate::config::RankingConfig;
use crate::records::Role;

/// The months, in order, as words.
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A word of a question.
#[derive(Clone, Debug, PartialEq)]
pub struct QuestionWord {
    /// As [`for_each_word`] yields it.
    pub word: String,
    /// Its term.
    pub term: String,
    /// How much it counts: 1, or less when it was said before the question.
    pub weight: f32,
}

/// What a question asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Question {
    /// Its words without stop words and the names of speakers, in order, each term
    /// once.
    pub words: Vec<QuestionWord>,
    /// The one speaker it names, as a position in the list that was given.
    pub named_speaker: Option<usize>,
    /// The role it names ("the user"), among speakers without a name.
    pub named_role: Option<Role>,
    /// Whether it asks for help rather than for what happened.
    pub asks_for_help: bool,
    /// Whether it asks for several things.
    pub asks_for_several: bool,
    /// The month it names, 1 to 12.
    pub month: Option<i8>,
    /// The day of that month it names.
    pub day: Option<i8>,
}

impl Question {
    /// Understands a question about conversations between these speakers. A speaker
    /// is named by the first word of the name; those without a name by their role.
    pub fn new(text: &str, speakers: &[&str], roles: &[Role], analyzer: &Analyzer) -> Self {
        let words = words(text);
        let named: Vec<usize> = speakers
            .iter()
            .enumerate()
            .filter(|(_, speaker)| first_word(speaker).is_some_and(|name| words.contains(&name)))
            .map(|(position, _)| position)
            .collect();
        let role_names = roles.iter().map(|role| role.as_str().to_owned());
        let names: Vec<String> = speakers
            .iter()
            .filter_map(|name| first_word(name))
            .chain(role_names)
            .collect();
        let mut question = Self {
            words: Vec::new(),
            named_speaker: match named.as_slice() {
                [one] => Some(*one),
                _ => None,
            },
            named_role: named_role(roles, &words),
            asks_for_help: asks_for_help(&words),
            asks_for_several: asks_for_several(&words),
            month: None,
            day: None,
        };
        for word in words.iter().filter(|word| !names.contains(word)) {
            question.add_word(word, analyzer);
        }
        // A question about nobody's words but a name still finds that name.
        if question.words.is_empty() {
            for word in &words {
                question.add_word(word, analyzer);
            }
        }
        question.find_date(text, &words);
        question
    }

    fn add_word(&mut self, word: &str, analyzer: &Analyzer) {
        if let Some(term) = analyzer.term(word)
            && !self.words.iter().any(|known| known.term == term)
        {
            self.words.push(QuestionWord {
                word: word.to_owned(),
                term: term.into_owned(),
                weight: 1.0,
            });
        }
    }

    /// The question when it refers to an earlier one, whose words count `weight`. Whom
    /// and when the earlier one names, this one means too, unless it names others.
    #[must_use]
    pub fn referring_to(mut self, earlier: Self, weight: f32) -> Self {
        for word in earlier.words {
            if !self.words.iter().any(|known| known.term == word.term) {
                self.words.push(QuestionWord { weight, ..word });
            }
        }
        self.named_speaker = self.named_speaker.or(earlier.named_speaker);
        self.named_role = self.named_role.or(earlier.named_role);
        if self.month.is_none() {
            (self.month, self.day) = (earlier.month, earlier.day);
        }
        self
    }

    /// A month by name, with the day of the month that stands beside it. "May" and
    /// "march" are months only when they are written with a capital letter.
    fn find_date(&mut self, text: &str, words: &[String]) {
        let found = words.iter().enumerate().find_map(|(at, word)| {
            let month = MONTHS.iter().position(|name| name == word)?;
            let ambiguous = matches!(word.as_str(), "may" | "march");
            (!ambiguous || is_capitalised_inside(text, word)).then_some((at, month))
        });
        let Some((at, month)) = found else { return };
        self.month = i8::try_from(month + 1).ok();
        self.day = [at.checked_sub(1), at.checked_add(1)]
            .into_iter()
            .flatten()
            .filter_map(|beside| words.get(beside))
            .find_map(|word| day_number(word));
    }

    /// What the date adds to the factor 1 for something said at `time`: `named_day`
    /// within three days of the named day, `named_month` in the named month.
    pub fn date_bonus(&self, time: Option<civil::DateTime>, config: &RankingConfig) -> f32 {
        let (Some(month), Some(time)) = (self.month, time) else {
            return 0.0;
        };
        let near = self.day.is_some_and(|day| {
            civil::Date::new(time.year(), month, day).is_ok_and(|named| {
                named.duration_since(time.date()).as_hours().unsigned_abs() <= 3 * 24
            })
        });
        if near {
            config.named_day
        } else if time.month() == month {
            config.named_month
        } else {
            0.0
        }
    }
}

/// The role that is named when exactly one is; the user's, when the question is about
/// the one who asks.
fn named_role(roles: &[Role], words: &[String]) -> Option<Role> {
    let mut named = roles
        .iter()
        .filter(|role| words.iter().any(|word| word == role.as_str()));
    match (named.next(), named.next()) {
        (Some(role), None) => Some(*role),
        (None, _) if is_about_oneself(words) && roles.contains(&Role::User) => Some(Role::User),
        _ => None,
    }
}

/// "What is my brother's name?", but not "What did you tell me?".
fn is_about_oneself(words: &[String]) -> bool {
    let any = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    any(&["i", "my", "me", "mine", "myself", "im", "ive"]) && !any(&["you", "your", "yours"])
}

fn first_word(name: &str) -> Option<String> {
    let mut first = None;
    for_each_word(name, |word| {
        if first.is_none() {
            first = Some(word.to_owned());
        }
    });
    first
}

/// Whether `text` holds `word` with a capital letter, not as its first word.
fn is_capitalised_inside(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|part| !part.is_empty())
        .skip(1)
        .any(|part| {
            part.to_lowercase() == word && part.chars().next().is_some_and(char::is_uppercase)
        })
}

fn day_number(word: &str) -> Option<i8> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    digits
        .parse::<i8>()
        .ok()
        .filter(|day| (1..=31).contains(day))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(text: &str, speakers: &[&str]) -> Question {
        Question::new(text, speakers, &[Role::User], &Analyzer::default())
    }

    fn terms(question: &Question) -> Vec<&str> {
        question.words.iter().map(|word| &*word.term).collect()
    }

    #[test]
    fn names_of_speakers_are_taken_out_and_remembered() {
        let question = ask("What did Anna's brother paint?", &["Anna Lee", "Ben"]);
        assert_eq!(terms(&question), ["brother", "paint"]);
        assert_eq!(question.named_speaker, Some(0));
        let both = ask("Did Anna and Ben travel?", &["Anna Lee", "Ben"]);
        assert_eq!((both.named_speaker, terms(&both)), (None, vec!["travel"]));
        assert_eq!(terms(&ask("Anna?", &["Anna"])), ["anna"]);
    }

    #[test]
    fn the_user_is_a_speaker_and_not_a_word_to_look_for() {
        let question = ask("What did the user's brother paint?", &[]);
        assert_eq!(terms(&question), ["brother", "paint"]);
        assert_eq!(question.named_role, Some(Role::User));
        assert_eq!(ask("Is that assistant good?", &[]).named_role, None);
    }

    #[test]
    fn questions_about_oneself_name_the_user() {
        let role = |text| ask(text, &[]).named_role;
        assert_eq!(role("What is my brother's name?"), Some(Role::User));
        assert_eq!(role("What did you tell me?"), None);
        assert_eq!(role("What is the name?"), None);
    }

    #[test]
    fn a_follow_up_means_whom_the_question_before_it_names() {
        let speakers = ["Anna", "Ben"];
        let earlier = ask("Did Anna paint in May?", &speakers);
        let question = ask("And where did she travel?", &speakers).referring_to(earlier, 0.5);
        let weights: Vec<f32> = question.words.iter().map(|word| word.weight).collect();
        assert_eq!(
            (terms(&question), weights),
            (vec!["travel", "paint", "may"], vec![1.0, 0.5, 0.5])
        );
        assert_eq!((question.named_speaker, question.month), (Some(0), Some(5)));
    }

    #[test]
    fn months_and_days_are_recognised_but_not_the_verb_may() {
        let question = ask("What happened on 7 May?", &[]);
        assert_eq!((question.month, question.day), (Some(5), Some(7)));
        let question = ask("What happened on July 3rd, 2023?", &[]);
        assert_eq!((question.month, question.day), (Some(7), Some(3)));
        assert_eq!(ask("may we march?", &[]).month, None);
    }

    #[test]
    fn near_days_and_months_add_to_the_factor() {
        let question = ask("What happened on 1 May?", &[]);
        let config = RankingConfig::default();
        let at = |month, day| Some(civil::date(2023, month, day).at(9, 0, 0, 0));
        assert_eq!(question.date_bonus(at(4, 29), &config), 1.0);
        assert_eq!(question.date_bonus(at(5, 20), &config), 0.5);
        assert_eq!(question.date_bonus(at(4, 20), &config), 0.0);
        assert_eq!(question.date_bonus(None, &config), 0.0);
    }
}

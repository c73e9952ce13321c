//! What the ten default categories know: words and phrases with their worth in
//! points, and what the type of a memory says before its words are read.

mod doing;
mod life;
mod person;
mod taste;

use std::sync::LazyLock;

use super::cues::{CueBook, Tokens};

/// A worth in points, and the phrases that have it, parted by commas.
type Worth = (i32, &'static str);

/// A default category, with the name and description of memU 1.x.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DefaultCategory {
    PersonalInfo,
    Preferences,
    Relationships,
    Activities,
    Goals,
    Experiences,
    Knowledge,
    Opinions,
    Habits,
    WorkLife,
}

use DefaultCategory::{
    Activities, Experiences, Goals, Habits, Knowledge, Opinions, PersonalInfo, Preferences,
    Relationships, WorkLife,
};

impl DefaultCategory {
    const ALL: [Self; 10] = [
        PersonalInfo,
        Preferences,
        Relationships,
        Activities,
        Goals,
        Experiences,
        Knowledge,
        Opinions,
        Habits,
        WorkLife,
    ];

    /// The default category with this name, in lower-case words joined by `_`.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|category| category.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            PersonalInfo => "personal_info",
            Preferences => "preferences",
            Relationships => "relationships",
            Activities => "activities",
            Goals => "goals",
            Experiences => "experiences",
            Knowledge => "knowledge",
            Opinions => "opinions",
            Habits => "habits",
            WorkLife => "work_life",
        }
    }

    /// The description that says no more than the lexicon knows.
    pub(super) fn description(self) -> &'static str {
        match self {
            PersonalInfo => "Personal information about the user",
            Preferences => "User preferences, likes and dislikes",
            Relationships => "Information about relationships with others",
            Activities => "Activities, hobbies, and interests",
            Goals => "Goals, aspirations, and objectives",
            Experiences => "Past experiences and events",
            Knowledge => "Knowledge, facts, and learned information",
            Opinions => "Opinions, viewpoints, and perspectives",
            Habits => "Habits, routines, and patterns",
            WorkLife => "Work-related information and professional life",
        }
    }

    fn lexicon(self) -> &'static [Worth] {
        match self {
            PersonalInfo => person::PERSONAL_INFO,
            Preferences => taste::PREFERENCES,
            Relationships => person::RELATIONSHIPS,
            Activities => doing::ACTIVITIES,
            Goals => life::GOALS,
            Experiences => life::EXPERIENCES,
            Knowledge => life::KNOWLEDGE,
            Opinions => taste::OPINIONS,
            Habits => doing::HABITS,
            WorkLife => doing::WORK_LIFE,
        }
    }
}

/// The points of an item for each default category.
#[derive(Clone, Debug, Default)]
pub(super) struct DefaultPoints([i32; 10]);

impl DefaultPoints {
    pub(super) fn get(&self, category: DefaultCategory) -> i32 {
        self.0.get(category as usize).copied().unwrap_or_default()
    }

    fn add(&mut self, category: DefaultCategory, points: i32) {
        if let Some(sum) = self.0.get_mut(category as usize) {
            *sum += points;
        }
    }

    fn scale(&mut self, category: DefaultCategory, numerator: i32, denominator: i32) {
        if let Some(sum) = self.0.get_mut(category as usize) {
            *sum = *sum * numerator / denominator;
        }
    }
}

static CUES: LazyLock<CueBook<DefaultCategory>> = LazyLock::new(|| {
    CueBook::new(DefaultCategory::ALL.into_iter().flat_map(|category| {
        category
            .lexicon()
            .iter()
            .flat_map(move |(points, phrases)| {
                phrases
                    .split(", ")
                    .map(move |phrase| (phrase, category, *points))
            })
    }))
});

/// From this many words on, a word found by chance is worth less and less.
const TYPICAL_WORDS: i32 = 30;

/// What the words and the type of an item are worth to the default categories.
pub(super) fn points(memory_type: &str, tokens: &Tokens) -> DefaultPoints {
    let mut points = DefaultPoints::default();
    CUES.for_each_match(tokens, |category, worth| points.add(category, worth));
    if tokens.as_slice().iter().any(|token| is_year(token.word())) {
        points.add(Experiences, 2);
    }
    dampen(&mut points, tokens);
    for (category, worth) in prior(memory_type) {
        points.add(*category, *worth);
    }
    points
}

/// What the type of a memory says by itself.
fn prior(memory_type: &str) -> &'static [(DefaultCategory, i32)] {
    match memory_type {
        "event" => &[(Experiences, 3)],
        "profile" => &[(PersonalInfo, 1)],
        "behavior" => &[(Habits, 3)],
        "knowledge" => &[(Knowledge, 3)],
        "skill" => &[(Activities, 2), (Knowledge, 2)],
        _ => &[],
    }
}

/// Long texts hit more words by chance; and what an assistant says in general is
/// weak evidence about the life of its user.
fn dampen(points: &mut DefaultPoints, tokens: &Tokens) {
    let tokens = tokens.as_slice();
    let words = i32::try_from(tokens.len()).unwrap_or(i32::MAX);
    let words = words.max(TYPICAL_WORDS);
    let by_assistant = tokens
        .iter()
        .take(2)
        .any(|token| token.word() == "assistant");
    for category in DefaultCategory::ALL {
        points.scale(category, TYPICAL_WORDS, words);
        if by_assistant && category != Knowledge {
            points.scale(category, 1, 3);
        }
    }
}

fn is_year(word: &str) -> bool {
    word.len() == 4
        && (word.starts_with("19") || word.starts_with("20"))
        && word.bytes().all(|byte| byte.is_ascii_digit())
}

use memu_core::provider::CategoryTopic;

use super::DefaultCategory;
use super::cues::{Token, Tokens};
use super::fields::{self, Field};
use super::lexicon::DefaultPoints;

/// What a word of the category's name is worth.
const NAME_POINTS: i32 = 4;
/// What a word of a field of life that the name mentions is worth.
const NAMED_FIELD_POINTS: i32 = 3;
/// What a word of the description, or of a field that it mentions, is worth.
const DESCRIPTION_POINTS: i32 = 2;

/// Words that say that something is a category, not which one.
const EMPTY_WORDS: &str = "user person people information info data detail fact memory note \
    thing stuff topic category item related relating regarding concerning including include \
    various general misc miscellaneous other personal everything anything something want like \
    important current past future new get make use also etc e.g life about someone day time \
    kind type list all way mention say talk";

/// A category, prepared for matching.
#[derive(Debug)]
pub(super) struct Topic {
    default: Option<DefaultCategory>,
    /// The name in lower case, where it has letters beyond ASCII: scripts without
    /// spaces have no words to compare.
    foreign_name: Option<String>,
    /// Stems of the name and the description with their worth; the highest first.
    terms: Vec<(String, i32)>,
    fields: Vec<(&'static Field, i32)>,
}

impl Topic {
    pub(super) fn new(category: &CategoryTopic) -> Self {
        let name = Tokens::of(&spaced(&category.name));
        let joined: Vec<&str> = name.as_slice().iter().map(Token::word).collect();
        let default = DefaultCategory::from_name(&joined.join("_"));
        let known = Tokens::of(default.map_or("", DefaultCategory::description));
        let description = Tokens::of(&category.description);
        let mut topic = Self {
            default,
            foreign_name: (!category.name.is_ascii()).then(|| category.name.to_lowercase()),
            terms: Vec::new(),
            fields: Vec::new(),
        };
        if default.is_none() {
            topic.learn(&name, &known, NAME_POINTS, NAMED_FIELD_POINTS);
        }
        topic.learn(&description, &known, DESCRIPTION_POINTS, DESCRIPTION_POINTS);
        topic
    }

    /// Adds the words of a text, but for those that say nothing or are `known`.
    fn learn(&mut self, text: &Tokens, known: &Tokens, points: i32, field_points: i32) {
        let (empty, known) = (Tokens::of(EMPTY_WORDS), known.terms());
        let empty = empty.terms();
        for term in text.terms() {
            if empty.contains(&term) || known.contains(&term) {
                continue;
            }
            if !self.terms.iter().any(|(known, _)| known == term) {
                self.terms.push((term.to_owned(), points));
            }
            for field in fields::named(term) {
                if !self
                    .fields
                    .iter()
                    .any(|(known, _)| std::ptr::eq(*known, field))
                {
                    self.fields.push((field, field_points));
                }
            }
        }
    }

    /// What an item of these [terms](Tokens::terms) is worth to this category.
    pub(super) fn points(&self, summary: &str, terms: &[&str], defaults: &DefaultPoints) -> i32 {
        let known = self.default.map_or(0, |default| defaults.get(default));
        let foreign = self
            .foreign_name
            .as_ref()
            .is_some_and(|name| summary.to_lowercase().contains(name));
        let own: i32 = terms.iter().map(|term| self.term_points(term)).sum();
        known + own + if foreign { NAME_POINTS } else { 0 }
    }

    /// The worth of a term of an item: as a word of the category, or else of one of
    /// its fields.
    fn term_points(&self, term: &str) -> i32 {
        let own = self.terms.iter().find(|(known, _)| known == term);
        let field = || self.fields.iter().find(|(field, _)| field.knows(term));
        own.map(|(_, points)| *points)
            .or_else(|| field().map(|(_, points)| *points))
            .unwrap_or_default()
    }
}

/// The words of a name such as `foodAndDrink` or `WorkLife`, apart.
fn spaced(name: &str) -> String {
    let mut spaced = String::with_capacity(name.len() + 4);
    let mut after_lower_case = false;
    for letter in name.chars() {
        if after_lower_case && letter.is_uppercase() {
            spaced.push(' ');
        }
        after_lower_case = letter.is_lowercase();
        spaced.push(letter);
    }
    spaced
}

use memu_core::analysis::{Analyzer, for_each_word};
use memu_core::provider::SummaryItem;
use rustc_hash::FxHashMap;

/// The terms from which on a memory says enough; fewer terms make it count less.
const ENOUGH_TERMS: usize = 8;
/// The terms below which a memory says hardly anything, and what it loses for that.
const FEW_TERMS: usize = 3;
const FEW_TERMS_LOSS: f64 = 0.3;
/// What a memory loses for being quoted word by word, told by the assistant, or the
/// caption of a picture: true, but rarely what a category is about.
const SECOND_HAND_LOSS: f64 = 0.3;
/// How much an item that happened last gains over one that happened first, where
/// the most central item has 1.
const RECENCY_WEIGHT: f64 = 0.15;
/// How much an item that was met very often gains over one met once.
const REINFORCEMENT_WEIGHT: f64 = 0.3;

/// Words that turn a statement into its opposite; they are stop words otherwise.
const NEGATIONS: [&str; 12] = [
    "not", "no", "never", "cannot", "cant", "dont", "doesnt", "didnt", "isnt", "wasnt", "wont",
    "hasnt",
];

/// A memory, as the choice sees it.
#[derive(Debug)]
pub(super) struct Profile {
    /// Its position in the request.
    pub(super) place: usize,
    /// How much it deserves to be told, before looking at the others chosen.
    pub(super) score: f64,
    /// The characters of its text.
    pub(super) length: usize,
    /// Its distinct terms with their distinctiveness, by number.
    pub(super) terms: Vec<Term>,
    /// The square root of the sum of the terms' distinctiveness.
    pub(super) norm: f64,
    /// Whether it denies something.
    pub(super) negated: bool,
}

/// A term of a memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Term {
    /// Its number among the terms of the request.
    pub(super) number: u32,
    /// One over the number of memories that have it.
    pub(super) rarity: f64,
    /// Whether it has a digit.
    pub(super) numeric: bool,
}

/// The profiles of all items with a text, in the order in which they happened; an
/// item without a time happened right after the one stored before it.
pub(super) fn profiles(items: &[SummaryItem], texts: &[String]) -> Vec<Profile> {
    let mut terms = Terms::default();
    let bags: Vec<Bag> = texts.iter().map(|text| terms.bag(text)).collect();
    let order: Vec<usize> = in_order(items)
        .into_iter()
        .filter(|place| texts.get(*place).is_some_and(|text| !text.is_empty()))
        .collect();
    let mut profiles: Vec<Profile> = order
        .iter()
        .filter_map(|place| Some(terms.profile(*place, bags.get(*place)?, texts.get(*place)?)))
        .collect();
    rate(&mut profiles, items);
    profiles
}

fn in_order(items: &[SummaryItem]) -> Vec<usize> {
    let mut latest = None;
    let mut order: Vec<_> = items
        .iter()
        .enumerate()
        .map(|(place, item)| {
            latest = item.happened.map(|when| when.start).or(latest);
            (latest, place)
        })
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(_, place)| place).collect()
}

/// Scales centrality to at most 1 and adds recency and reinforcement.
fn rate(profiles: &mut [Profile], items: &[SummaryItem]) {
    let most = profiles
        .iter()
        .map(|profile| profile.score)
        .fold(0.0, f64::max);
    let steps = profiles.len().saturating_sub(1).max(1) as f64;
    for (rank, profile) in profiles.iter_mut().enumerate() {
        if most > 0.0 {
            profile.score /= most;
        }
        let item = items.get(profile.place);
        if item.is_some_and(|item| is_second_hand(&item.summary)) {
            profile.score -= SECOND_HAND_LOSS;
        }
        if profile.terms.len() < FEW_TERMS {
            profile.score -= FEW_TERMS_LOSS;
        }
        let count = item.map_or(1, |item| item.reinforcement_count.max(1));
        profile.score += RECENCY_WEIGHT * (rank as f64 / steps)
            + REINFORCEMENT_WEIGHT * (1.0 - 1.0 / count as f64);
    }
}

fn is_second_hand(summary: &str) -> bool {
    summary.starts_with("The assistant ")
        || summary.contains(": \"")
        || summary.contains("shared a picture")
}

/// The distinct terms of a text, by number.
#[derive(Default)]
struct Bag {
    numbers: Vec<u32>,
    negated: bool,
}

/// All terms of a request. Each distinct word is stemmed once.
#[derive(Default)]
struct Terms {
    by_word: FxHashMap<String, Option<u32>>,
    by_stem: FxHashMap<String, u32>,
    seen: Vec<Seen>,
    texts: usize,
}

struct Seen {
    texts: u32,
    numeric: bool,
}

impl Terms {
    fn bag(&mut self, text: &str) -> Bag {
        let analyzer = Analyzer::default();
        let mut bag = Bag::default();
        for_each_word(text, |word| {
            bag.negated |= NEGATIONS.contains(&word);
            bag.numbers.extend(self.number(&analyzer, word));
        });
        bag.numbers.sort_unstable();
        bag.numbers.dedup();
        for number in &bag.numbers {
            if let Some(seen) = self.seen.get_mut(*number as usize) {
                seen.texts += 1;
            }
        }
        self.texts += 1;
        bag
    }

    fn number(&mut self, analyzer: &Analyzer, word: &str) -> Option<u32> {
        if let Some(known) = self.by_word.get(word) {
            return *known;
        }
        let number = analyzer.term(word).map(|stem| {
            let next = self.seen.len() as u32;
            let number = *self.by_stem.entry(stem.into_owned()).or_insert(next);
            if number == next {
                self.seen.push(Seen {
                    texts: 0,
                    numeric: word.contains(|c: char| c.is_numeric()),
                });
            }
            number
        });
        self.by_word.insert(word.to_owned(), number);
        number
    }

    /// The profile with centrality as its score: the mean weight of its terms. A term weighs most when half of the texts have
    /// it; one that all have tells nothing about any of them.
    fn profile(&self, place: usize, bag: &Bag, text: &str) -> Profile {
        let texts = self.texts as f64;
        let mut centrality = 0.0;
        let mut rarities = 0.0;
        let mut terms = Vec::with_capacity(bag.numbers.len());
        for number in &bag.numbers {
            let Some(seen) = self.seen.get(*number as usize) else {
                continue;
            };
            let share = f64::from(seen.texts) / texts;
            centrality += (share * (1.0 - share)).sqrt();
            let rarity = 1.0 / f64::from(seen.texts);
            rarities += rarity;
            terms.push(Term {
                number: *number,
                rarity,
                numeric: seen.numeric,
            });
        }
        Profile {
            place,
            score: centrality / (terms.len().max(ENOUGH_TERMS) as f64),
            length: text.chars().count(),
            terms,
            norm: rarities.sqrt(),
            negated: bag.negated,
        }
    }
}

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::vocabulary::{GAP, Term, Vocabulary};

/// At most so many words or pairs of words make a caption.
const PHRASES: usize = 5;

/// With so many phrases, what is said only once adds nothing.
const ENOUGH: usize = 3;

/// With so many topics, a term that is in most of them is not shown.
const SEVERAL: usize = 4;

/// The greatest share of the topics that a shown term may be in.
const MOST_OF_TOPICS: f64 = 0.6;

/// The longest word a caption shows, in characters: runs of a script without
/// spaces are sentences, not words.
const LONGEST_WORD: usize = 20;

/// A draft counts a term at most so often: one long list must not name the topic.
const MOST_PER_DRAFT: u32 = 3;

/// For each topic, the words that tell it from the others, in the order of their
/// first appearance; `None` where there are none.
pub(super) fn captions(
    topics: &[Range<usize>],
    vocabulary: &Vocabulary<'_>,
) -> Vec<Option<String>> {
    let profiles: Vec<_> = topics
        .iter()
        .map(|topic| Profile::of(topic, vocabulary))
        .collect();
    let mut spread = vec![0_u32; vocabulary.len()];
    for count in profiles.iter().flat_map(|profile| &profile.terms) {
        if let Some(spread) = spread.get_mut(count.phrase.0 as usize) {
            *spread += 1;
        }
    }
    let surfaces = vocabulary.surfaces();
    let captioner = Captioner {
        least_rarity: if topics.len() < SEVERAL {
            0.0
        } else {
            (1.0 + 1.0 / MOST_OF_TOPICS).ln()
        },
        rarity: spread
            .iter()
            .map(|spread| (1.0 + topics.len() as f64 / f64::from(*spread).max(1.0)).ln())
            .collect(),
        surfaces,
    };
    profiles
        .iter()
        .map(|profile| captioner.caption(profile))
        .collect()
}

/// A term, or two neighbouring ones; a single term has no second.
type Phrase = (Term, Term);

/// How often a phrase occurs in a topic, and where first.
#[derive(Clone, Copy, Debug)]
struct Count {
    phrase: Phrase,
    times: u32,
    first: usize,
}

impl Count {
    fn overlaps(&self, other: &Self) -> bool {
        let (a, b) = other.phrase;
        [self.phrase.0, self.phrase.1]
            .iter()
            .any(|term| *term != GAP && (*term == a || *term == b))
    }
}

/// What a topic's drafts say, counted.
#[derive(Debug)]
struct Profile {
    terms: Vec<Count>,
    pairs: Counter,
}

impl Profile {
    fn of(topic: &Range<usize>, vocabulary: &Vocabulary<'_>) -> Self {
        let mut terms = Counter::default();
        let mut pairs = Counter::default();
        let mut place = 0;
        for draft in topic.clone() {
            let mut before = GAP;
            for term in vocabulary.tokens(draft) {
                place += 1;
                if *term != GAP {
                    terms.add((*term, GAP), place, draft);
                    if before != GAP && before != *term {
                        pairs.add((before, *term), place - 1, draft);
                    }
                }
                before = *term;
            }
        }
        Self {
            terms: terms.counts,
            pairs,
        }
    }
}

/// Counts phrases and lists them in the order of their first appearance.
#[derive(Debug, Default)]
struct Counter {
    /// Where each phrase is listed, the draft that counted it last, how often.
    places: FxHashMap<Phrase, (usize, usize, u32)>,
    counts: Vec<Count>,
}

impl Counter {
    /// The pair that two single terms are somewhere in the topic.
    fn joining(&self, first: &Count, second: &Count) -> Option<&Count> {
        if first.phrase.1 != GAP || second.phrase.1 != GAP {
            return None;
        }
        let (a, b) = (first.phrase.0, second.phrase.0);
        let place = self
            .places
            .get(&(a, b))
            .or_else(|| self.places.get(&(b, a)));
        self.counts.get(place?.0)
    }

    fn add(&mut self, phrase: Phrase, first: usize, draft: usize) {
        let next = self.counts.len();
        let (listed, last_draft, in_draft) = self.places.entry(phrase).or_insert((next, draft, 0));
        if *last_draft != draft {
            (*last_draft, *in_draft) = (draft, 0);
        }
        *in_draft += 1;
        if *in_draft > MOST_PER_DRAFT {
            return;
        }
        match self.counts.get_mut(*listed) {
            Some(count) => count.times += 1,
            None => self.counts.push(Count {
                phrase,
                times: 1,
                first,
            }),
        }
    }
}

struct Captioner<'t> {
    /// By term: greater for those of few topics.
    rarity: Vec<f64>,
    /// What nearly every topic mentions tells none of them apart: in a
    /// conversation of several topics, terms below this are not shown.
    least_rarity: f64,
    surfaces: Vec<&'t str>,
}

impl Captioner<'_> {
    fn caption(&self, profile: &Profile) -> Option<String> {
        let pairs = &profile.pairs;
        let repeated = pairs.counts.iter().filter(|pair| pair.times >= 2);
        let mut scored: Vec<(f64, &Count)> = profile
            .terms
            .iter()
            .chain(repeated)
            .filter(|count| self.is_showable(count.phrase))
            .map(|count| (self.score(count), count))
            .collect();
        scored.sort_unstable_by(|(a, first), (b, second)| {
            b.total_cmp(a)
                .then_with(|| first.first.cmp(&second.first))
                .then_with(|| first.phrase.cmp(&second.phrase))
        });
        let mut chosen: Vec<&Count> = Vec::new();
        for (_, candidate) in scored {
            if chosen.len() == PHRASES {
                break;
            }
            let in_passing = candidate.times < 2 && chosen.len() >= ENOUGH;
            if in_passing || chosen.iter().any(|known| known.overlaps(candidate)) {
                continue;
            }
            let joined = chosen
                .iter_mut()
                .find_map(|known| pairs.joining(known, candidate).map(|pair| (known, pair)));
            match joined {
                Some((known, pair)) => *known = pair,
                None => chosen.push(candidate),
            }
        }
        chosen.sort_by_key(|count| count.first);
        let phrases: Vec<_> = chosen
            .iter()
            .map(|count| self.shown(count.phrase))
            .collect();
        (!phrases.is_empty()).then(|| phrases.join(", "))
    }

    /// What is said once may be said in passing: it counts half.
    fn score(&self, count: &Count) -> f64 {
        let (first, second) = count.phrase;
        let often = f64::from(count.times) - 0.5;
        often * (self.rarity(first) + self.rarity(second))
    }

    fn rarity(&self, term: Term) -> f64 {
        self.rarity.get(term as usize).copied().unwrap_or_default()
    }

    fn surface(&self, term: Term) -> &str {
        self.surfaces
            .get(term as usize)
            .copied()
            .unwrap_or_default()
    }

    fn is_showable(&self, (first, second): Phrase) -> bool {
        [first, second]
            .iter()
            .filter(|term| **term != GAP)
            .all(|term| {
                let fits = self.surface(*term).chars().nth(LONGEST_WORD).is_none();
                fits && self.rarity(*term) >= self.least_rarity
            })
    }

    fn shown(&self, (first, second): Phrase) -> String {
        let first = self.surface(first);
        if second == GAP {
            return first.to_owned();
        }
        format!("{first} {}", self.surface(second))
    }
}

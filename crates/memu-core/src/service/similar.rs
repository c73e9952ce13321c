//! Recognises a memory that is known already in other words.
//!
//! Two memories are the same when their terms overlap by at least the configured
//! share (Jaccard), while their numbers, their negations and their days agree
//! exactly. Candidates come from prefix filtering (Chaudhuri, Ganti and Kaushik,
//! *A Primitive Operator for Similarity Joins in Data Cleaning*, 2006): sets that
//! overlap by a share t have a term in common among the |x| − ⌈t·|x|⌉ + 1 rarest
//! of either.

use rustc_hash::{FxHashMap, FxHasher};
use std::hash::{Hash, Hasher};

use crate::analysis::{Analyzer, for_each_word};
use crate::records::{Id, MemoryItem};

/// What a memory says, in a form that can be compared.
#[derive(Clone, Debug, Default, PartialEq)]
struct Signature {
    /// Hashes of the terms, sorted, each once.
    terms: Vec<u64>,
    /// Words with digits, and how often something is denied; sorted.
    exact: Vec<String>,
    /// The beginning of the event.
    day: Option<jiff::civil::Date>,
}

impl Signature {
    /// That of an item whose words `told` tells.
    fn of(item: &MemoryItem, mut told: impl FnMut(&str) -> Told) -> Self {
        let mut signature = Self {
            day: item.happened.map(|when| when.start.date()),
            ..Self::default()
        };
        for_each_word(&item.summary, |word| match told(word) {
            Told::Denial => signature.exact.push("not".to_owned()),
            Told::Number => signature.exact.push(word.to_owned()),
            Told::Term(hash) => signature.terms.push(hash),
            Told::Nothing => {}
        });
        signature.terms.sort_unstable();
        signature.terms.dedup();
        signature.exact.sort_unstable();
        signature
    }

    /// The share of common terms, 0 when the numbers or days differ.
    fn similarity(&self, other: &Self) -> f32 {
        if self.exact != other.exact || self.day != other.day {
            return 0.0;
        }
        let common = common_count(&self.terms, &other.terms);
        let union = self.terms.len() + other.terms.len() - common;
        if union == 0 {
            return 0.0;
        }
        common as f32 / union as f32
    }
}

/// What a word tells.
#[derive(Clone, Copy, Debug)]
enum Told {
    Denial,
    /// It has digits.
    Number,
    /// The hash of its term.
    Term(u64),
    Nothing,
}

impl Told {
    fn by(word: &str, analyzer: &Analyzer) -> Self {
        if is_negation(word) {
            return Self::Denial;
        }
        if word.chars().any(char::is_numeric) {
            return Self::Number;
        }
        analyzer.term(word).map_or(Self::Nothing, |term| {
            let mut hasher = FxHasher::default();
            term.hash(&mut hasher);
            Self::Term(hasher.finish())
        })
    }
}

/// How many values two sorted lists share.
fn common_count(a: &[u64], b: &[u64]) -> usize {
    let mut rest = b;
    a.iter()
        .filter(|value| {
            let at = rest.partition_point(|other| other < value);
            rest = rest.get(at..).unwrap_or_default();
            rest.first() == Some(value)
        })
        .count()
}

/// Items that can be recognised.
#[derive(Debug, Default)]
pub(super) struct SimilarItems {
    analyzer: Analyzer,
    /// Of words that occur: most do so again and again.
    words: FxHashMap<Box<str>, Told>,
    known: Vec<(Id, Signature)>,
    by_hash: FxHashMap<String, u32>,
    postings: FxHashMap<u64, Vec<u32>>,
}

impl SimilarItems {
    /// Indexes these items, in order.
    pub(super) fn build<'a>(items: impl IntoIterator<Item = &'a MemoryItem>) -> Self {
        let mut index = Self::default();
        for item in items {
            index.push(item);
        }
        index
    }

    /// Indexes one more item.
    pub(super) fn push(&mut self, item: &MemoryItem) {
        let position = self.known.len() as u32;
        let (words, analyzer) = (&mut self.words, &self.analyzer);
        let signature = Signature::of(item, |word| {
            if let Some(told) = words.get(word) {
                return *told;
            }
            let told = Told::by(word, analyzer);
            // Of numbers there is no end, and they are told at once.
            if !matches!(told, Told::Number) {
                words.insert(word.into(), told);
            }
            told
        });
        for term in &signature.terms {
            self.postings.entry(*term).or_default().push(position);
        }
        self.by_hash.entry(item.content_hash()).or_insert(position);
        self.known.push((item.meta.id.clone(), signature));
    }

    /// The known item that says the same: equal in content, or the most similar one
    /// at `threshold` or above. The first of several.
    pub(super) fn find(&self, item: &MemoryItem, threshold: f32) -> Option<&Id> {
        let position = match self.by_hash.get(&item.content_hash()) {
            Some(position) => *position,
            None => self.most_similar(item, threshold)?,
        };
        self.known.get(position as usize).map(|(id, _)| id)
    }

    fn most_similar(&self, item: &MemoryItem, threshold: f32) -> Option<u32> {
        let signature = Signature::of(item, |word| Told::by(word, &self.analyzer));
        let mut rarest = signature.terms.clone();
        rarest.sort_by_key(|term| (self.posting(*term).len(), *term));
        let needed = (threshold * rarest.len() as f32).ceil() as usize;
        rarest.truncate((rarest.len() + 1).saturating_sub(needed.max(1)));
        let mut best: Option<(f32, u32)> = None;
        for candidate in rarest.iter().flat_map(|term| self.posting(*term)) {
            let Some((_, other)) = self.known.get(*candidate as usize) else {
                continue;
            };
            let similarity = signature.similarity(other);
            let better = best.is_none_or(|(score, position)| {
                similarity > score || (similarity == score && *candidate < position)
            });
            if similarity >= threshold && better {
                best = Some((similarity, *candidate));
            }
        }
        best.map(|(_, position)| position)
    }

    fn posting(&self, term: u64) -> &[u32] {
        self.postings.get(&term).map_or(&[], Vec::as_slice)
    }
}

fn is_negation(word: &str) -> bool {
    matches!(
        word,
        "not" | "no" | "never" | "none" | "nobody" | "nothing" | "without" | "cannot"
    ) || word.ends_with("nt") && crate::analysis::is_stop_word(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{Id, Meta};
    use crate::scope::ScopeSchema;
    use crate::time::{Timestamp, When};

    fn item(summary: &str) -> MemoryItem {
        let scope = ScopeSchema::default().empty_scope();
        MemoryItem {
            meta: Meta::new(Id::from(summary), scope, Timestamp::from_micros(0)),
            resource_id: None,
            memory_type: "profile".to_owned(),
            summary: summary.to_owned(),
            happened: None,
            extra: serde_json::Map::new(),
            segment_ids: Vec::new(),
        }
    }

    fn found(known: &[&str], asked: &str) -> Option<String> {
        let known: Vec<_> = known.iter().map(|summary| item(summary)).collect();
        let known = SimilarItems::build(&known);
        known.find(&item(asked), 0.85).map(ToString::to_string)
    }

    #[test]
    fn the_same_in_other_words_is_found() {
        let known = ["Ann has a dog.", "Ann loves painting sunsets by the lake."];
        let asked = "Ann loved to paint the sunset by a lake";
        assert_eq!(found(&known, asked).as_deref(), Some(known[1]));
        assert_eq!(found(&known, "ann  HAS a dog.").as_deref(), Some(known[0]));
        assert_eq!(found(&known, "Ann has dogs").as_deref(), Some(known[0]));
        assert_eq!(
            found(&known, "Ann loves painting portraits by the lake."),
            None
        );
    }

    #[test]
    fn numbers_denials_and_days_must_agree() {
        assert_eq!(
            found(&["Ann ran 5 km in Oslo"], "Ann ran 7 km in Oslo"),
            None
        );
        assert_eq!(found(&["Ann likes cats"], "Ann doesn't like cats"), None);
        assert!(found(&["Ann never likes cats"], "Ann does not like cats").is_some());
        let mut first = item("Ann went hiking in the hills");
        let mut second = item("Ann went hiking on the hills");
        first.happened = Some(When::day(jiff::civil::date(2023, 5, 7)));
        second.happened = Some(When::day(jiff::civil::date(2023, 6, 7)));
        let known = SimilarItems::build([&first]);
        assert_eq!(known.find(&second, 0.85), None);
        second.happened = first.happened;
        assert_eq!(known.find(&second, 0.85), Some(&first.meta.id));
    }
}

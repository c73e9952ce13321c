use super::field::Field;
use super::scoring::Alternatives;
use crate::config::RankingConfig;

/// What each word of a question may match in an [`Index`](super::Index).
#[derive(Clone, Debug, Default)]
pub(super) struct QuestionMatches {
    pub(super) words: Vec<WordMatches>,
    /// The sum of the words' vectors, each weighing its rarity.
    pub(super) vector: Vec<f32>,
}

#[derive(Clone, Debug)]
pub(super) struct WordMatches {
    /// The word's own term, where it occurs.
    pub(super) term: Option<u32>,
    /// Terms that mean nearly the same, with their cosine.
    pub(super) near: Vec<(u32, f32)>,
    /// How much the word counts.
    pub(super) weight: f32,
}

impl QuestionMatches {
    /// The terms that it may match, each once, in any order.
    pub(super) fn terms(&self) -> Vec<u32> {
        let words = self.words.iter();
        let terms = words.flat_map(|word| {
            let near = word.near.iter().map(|(term, _)| *term);
            word.term.into_iter().chain(near)
        });
        let mut terms: Vec<u32> = terms.collect();
        terms.sort_unstable();
        terms.dedup();
        terms
    }

    /// The same with terms by their places among these, which are sorted and all that occur.
    pub(super) fn renumbered(&self, terms: &[u32]) -> Self {
        let place = |term: u32| terms.binary_search(&term).map_or(u32::MAX, |at| at as u32);
        let words = self.words.iter().map(|word| WordMatches {
            term: word.term.map(place),
            near: word
                .near
                .iter()
                .map(|(term, near)| (place(*term), *near))
                .collect(),
            weight: word.weight,
        });
        Self {
            words: words.collect(),
            vector: self.vector.clone(),
        }
    }

    /// Only the words themselves.
    pub(super) fn exact(&self, field: &Field) -> Vec<Alternatives> {
        let words = self.words.iter();
        words
            .map(|word| {
                word.term
                    .iter()
                    .map(|term| (*term, word.weight * field.idf(*term)))
                    .collect()
            })
            .collect()
    }

    /// The words and those near to them. A similar term is worth at most what the
    /// word itself is worth, and at most what it is worth itself.
    pub(super) fn similar(&self, field: &Field, config: &RankingConfig) -> Vec<Alternatives> {
        let words = self.words.iter();
        words
            .map(|word| {
                let own = word.term.map(|term| (term, field.idf(term)));
                let most = own.map_or(f32::INFINITY, |(_, idf)| idf);
                let near = word.near.iter().map(|(term, cosine)| {
                    let idf = field.idf(*term).min(most);
                    (*term, word.weight * config.similar_weight * cosine * idf)
                });
                let own = own.map(|(term, idf)| (term, word.weight * idf));
                own.into_iter().chain(near).collect()
            })
            .collect()
    }
}

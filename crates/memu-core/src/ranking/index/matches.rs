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

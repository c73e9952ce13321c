use super::normalise;
use super::texts::Texts;
use super::vectors::Vectors;
use super::vocabulary::Vocabulary;
use super::words::{Meanings, Words};
use crate::config::RankingConfig;

/// How many times as many words as are wanted are gathered before the farther ones go.
const AT_ONCE: usize = 4;

/// What words and texts mean, as vectors.
#[derive(Clone, Debug, Default)]
pub(super) struct Meaning {
    /// By number.
    words: Meanings,
    /// By term: the word that stands for it.
    standing: Vec<Option<u32>>,
    /// By text: the sum of its words' vectors.
    texts: Vectors,
}

/// A word or its term that is near to another, with the cosine of their vectors.
type Near = (u32, f32);

impl Meaning {
    /// The meaning of nothing yet, by vectors with so many numbers.
    pub(super) fn new(dimension: usize) -> Self {
        Self {
            words: Meanings::new(dimension),
            standing: Vec::new(),
            texts: Vectors::new(dimension),
        }
    }

    /// Takes the words that are new.
    pub(super) fn add_words(&mut self, vocabulary: &Vocabulary, words: &Words) {
        if words.dimension() == 0 {
            return;
        }
        let first = self.words.count();
        words.mean(vocabulary.from(first), &mut self.words);
        for word in first as u32..self.words.count() as u32 {
            if let Some(term) = vocabulary.term_of(word) {
                self.let_stand(word, term as usize, vocabulary);
            }
        }
    }

    /// Lets a word stand for its term if none is more frequent in the language: rarer forms mean
    /// little by themselves. Of equally rare ones it is the first by alphabet.
    fn let_stand(&mut self, word: u32, term: usize, vocabulary: &Vocabulary) {
        if term >= self.standing.len() {
            self.standing.resize(term + 1, None);
        }
        let Some(standing) = self.standing.get_mut(term) else {
            return;
        };
        let rarity = |word: u32| self.words.rarity.get(word as usize);
        let is_before = |other: u32| {
            let by_rarity = rarity(word).partial_cmp(&rarity(other));
            let text = |word: u32| vocabulary.text(word);
            by_rarity.is_some_and(|by| by.then_with(|| text(word).cmp(&text(other))).is_lt())
        };
        if standing.is_none_or(is_before) {
            *standing = Some(word);
        }
    }

    /// Whether a word stands for a term.
    fn stands(&self, word: u32, term: u32) -> bool {
        self.standing.get(term as usize) == Some(&Some(word))
    }

    /// Adds texts. A word weighs in a text as its rarity · √tf of each passage, so that what a
    /// text means depends on nothing else.
    pub(super) fn add_texts(&mut self, texts: &Texts) {
        let dimension = self.texts.dimension();
        if dimension == 0 {
            return;
        }
        let Meanings { vectors, rarity } = &self.words;
        let mut sum = vec![0.0; dimension];
        // The widest instructions that this processor has; each number is added up on
        // its own, so that all of them get the same sums.
        pulp::Arch::new().dispatch(|| {
            for words in texts.iter() {
                for (word, count) in words {
                    let rarity = rarity.get(*word as usize).copied().unwrap_or_default();
                    vectors.add(*word, rarity * (*count as f32).sqrt(), &mut sum);
                }
                self.texts.push(&sum);
                sum.fill(0.0);
            }
        });
    }

    /// For the vector of each of some words: the terms nearest to it, but for the word's
    /// own term, nearest first with their cosine; at most as many and at least as near as
    /// configured. A term is as near as the word that stands for it.
    pub(super) fn nearest(
        &self,
        words: &[(&[f32], Option<u32>)],
        vocabulary: &Vocabulary,
        config: &RankingConfig,
    ) -> Vec<Vec<Near>> {
        let mut nearest = vec![Vec::new(); words.len()];
        let Some(last) = config.similar_words.checked_sub(1) else {
            return nearest;
        };
        let vectors: Vec<&[f32]> = words.iter().map(|(vector, _)| *vector).collect();
        let mut least = vec![config.similar_least; words.len()];
        let visit = |sought: usize, word: u32, cosine: f32| {
            let known = (nearest.get_mut(sought), least.get_mut(sought));
            let (Some(near), Some(least)) = known else {
                return config.similar_least;
            };
            let own = words.get(sought).and_then(|(_, own)| *own);
            let term = vocabulary
                .term_of(word)
                .filter(|term| self.stands(word, *term));
            if cosine >= *least && term.is_some() && term != own {
                near.push((word, cosine));
                if near.len() >= AT_ONCE * (last + 1) {
                    keep_best(near, vocabulary, last + 1);
                    *least = match near.get(last) {
                        Some((_, cosine)) => *cosine,
                        None => *least,
                    };
                }
            }
            *least
        };
        let vectors_of_words = &self.words.vectors;
        vectors_of_words.for_each_near(&vectors, config.similar_least, visit);
        for near in &mut nearest {
            keep_best(near, vocabulary, last + 1);
            for (word, _) in near {
                // They are no stop words.
                *word = vocabulary.term_of(*word).unwrap_or_default();
            }
        }
        nearest
    }

    /// By text: how much nearer it is to a vector than an average, where that is nearer; divided
    /// by the most of all, 0 to 1.
    pub(super) fn nearness(&self, vector: &[f32], average: f32) -> Vec<f32> {
        let mut near = self.texts.cosines(vector);
        for cosine in &mut near {
            *cosine = (*cosine - average).max(0.0);
        }
        normalise(&mut near);
        near
    }

    /// The same of the texts at these places, with 0 for the others.
    pub(super) fn nearness_at(&self, vector: &[f32], places: &[usize], average: f32) -> Vec<f32> {
        let mut near = vec![0.0; self.texts.count()];
        for (place, cosine) in places.iter().zip(self.texts.cosines_at(vector, places)) {
            if let Some(near) = near.get_mut(*place) {
                *near = (cosine - average).max(0.0);
            }
        }
        normalise(&mut near);
        near
    }

    /// The average of the cosines of so many of the newest texts with a vector; 0 for none.
    pub(super) fn average(&self, vector: &[f32], of: usize) -> f32 {
        let count = self.texts.count();
        let newest: Vec<usize> = (count.saturating_sub(of)..count).collect();
        let cosines = self.texts.cosines_at(vector, &newest);
        cosines.iter().sum::<f32>() / cosines.len().max(1) as f32
    }
}

/// Keeps the nearest, nearest first, at most so many: of equally near ones the first by
/// alphabet, for numbers depend on the order in which words were met.
fn keep_best(near: &mut Vec<Near>, vocabulary: &Vocabulary, most: usize) {
    let text = |word: u32| vocabulary.text(word);
    near.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then_with(|| text(a.0).cmp(&text(b.0))));
    near.truncate(most);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::provider::WordVectors;

    /// Words on a circle, by their angle in degrees.
    #[derive(Debug)]
    struct Circle;

    impl WordVectors for Circle {
        fn dimension(&self) -> usize {
            2
        }

        fn write(&self, word: &str, vector: &mut [f32]) -> bool {
            word.parse::<f32>().is_ok_and(|degrees| {
                let (y, x) = degrees.to_radians().sin_cos();
                vector.copy_from_slice(&[x, y]);
                true
            })
        }
    }

    /// Two forms of one word, of which one means something else, and a rarer word.
    #[derive(Debug)]
    struct Forms;

    impl WordVectors for Forms {
        fn dimension(&self) -> usize {
            2
        }

        fn write(&self, word: &str, vector: &mut [f32]) -> bool {
            let meaning = if word == "walking" {
                [0.0, 1.0]
            } else {
                [1.0, 0.0]
            };
            vector.copy_from_slice(&meaning);
            true
        }

        fn rarity(&self, word: &str) -> f32 {
            match word {
                "walking" => 1.0,
                "walked" => 2.0,
                _ => 3.0,
            }
        }
    }

    fn circle() -> Words {
        Words::new(Arc::new(Circle))
    }

    fn meaning_by(words: &[&str], by: &Words) -> (Meaning, Vocabulary) {
        let mut vocabulary = Vocabulary::default();
        for word in words {
            vocabulary.word(word);
        }
        let mut meaning = Meaning::new(by.dimension());
        meaning.add_words(&vocabulary, by);
        (meaning, vocabulary)
    }

    fn meaning(words: &[&str]) -> (Meaning, Vocabulary) {
        meaning_by(words, &circle())
    }

    #[test]
    fn the_nearest_terms_come_first_and_far_or_unknown_ones_not_at_all() {
        let (meaning, vocabulary) = meaning(&["0", "80", "x", "30", "20", "340"]);
        let config = RankingConfig {
            similar_words: 3,
            similar_least: 0.3,
            ..RankingConfig::default()
        };
        let nearest = |word: &str, own| {
            let vector = circle().vector(word);
            let mut nearest = meaning.nearest(&[(&vector, own)], &vocabulary, &config);
            nearest.remove(0)
        };
        let near = nearest("0", Some(0));
        let numbers: Vec<u32> = near.iter().map(|(term, _)| *term).collect();
        assert_eq!(
            numbers,
            [4, 5, 3],
            "of equally near ones the first by alphabet"
        );
        assert!((near[2].1 - 30_f32.to_radians().cos()).abs() < 0.01);
        assert!(nearest("y", None).is_empty());
    }

    #[test]
    fn the_most_frequent_form_stands_for_a_term_and_rare_words_weigh_more() {
        let by = Words::new(Arc::new(Forms));
        for words in [["walked", "boat", "walking"], ["walking", "boat", "walked"]] {
            let (mut meaning, vocabulary) = meaning_by(&words, &by);
            let near = |vector: &[f32]| {
                let asked = [(vector, None)];
                let near = meaning.nearest(&asked, &vocabulary, &RankingConfig::default());
                near.concat()
            };
            assert_eq!(near(&[0.0, 1.0])[0].0, 0, "walking is more frequent");
            assert_eq!(near(&[1.0, 0.0]).len(), 1, "walked does not stand for it");
            let mut texts = Texts::default();
            let walking = words.iter().position(|word| *word == "walking").unwrap();
            texts.push(&[(1, 1), (walking as u32, 1)]);
            texts.end();
            meaning.add_texts(&texts);
            let cosine = meaning.texts.cosines(&[1.0, 0.0])[0];
            assert!((cosine - 3.0 / 10_f32.sqrt()).abs() < 0.01, "{cosine}");
        }
    }

    #[test]
    fn a_text_means_what_its_words_mean_together() {
        let mut texts = Texts::default();
        for text in [&[(0, 1), (0, 2)][..], &[(1, 1)]] {
            texts.push(text);
            texts.end();
        }
        let (mut meaning, _) = meaning(&["0", "90"]);
        meaning.add_texts(&texts);
        let ten = circle().vector("10");
        let average = meaning.average(&ten, 9);
        assert_eq!(meaning.nearness(&ten, average), [1.0, 0.0]);
        assert!(
            meaning.average(&ten, 1) < average,
            "the last one is the farther one"
        );
        let at = |places: &[usize]| meaning.nearness_at(&ten, places, average);
        assert_eq!(at(&[0, 1]), [1.0, 0.0]);
        assert_eq!(at(&[1]), [0.0, 0.0], "what is not asked for is not near");
        let nothing = meaning.nearness(&[0.0, 0.0], 0.0);
        assert!(nothing.iter().all(|near| *near == 0.0));
    }

    #[test]
    fn without_word_vectors_nothing_is_near() {
        let none = Words::new(Arc::new(crate::provider::NoWordVectors));
        let (meaning, vocabulary) = meaning_by(&["boat"], &none);
        let config = RankingConfig::default();
        assert!(meaning.nearest(&[(&[], None)], &vocabulary, &config)[0].is_empty());
        assert!(meaning.nearness(&[], 0.0).is_empty());
    }
}

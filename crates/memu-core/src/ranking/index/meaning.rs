use super::embedded::sampling_step;
use super::normalise;
use super::texts::{Rarity, Texts};
use super::vectors::Vectors;
use super::vocabulary::Vocabulary;
use super::words::Words;
use crate::config::RankingConfig;

/// How many times as many terms as are wanted are gathered before the farther ones go.
const AT_ONCE: usize = 4;

/// What terms and texts mean, as vectors made of word vectors.
#[derive(Clone, Debug, Default)]
pub(super) struct Meaning {
    /// By term: the vector of the word that stands for it.
    terms: Vectors,
    /// By text: the mean of its terms' vectors.
    texts: Vectors,
    /// How much each term counts in a text.
    rarity: Rarity,
}

impl Meaning {
    /// The meaning of nothing yet.
    pub(super) fn new(words: &Words, rarity: Rarity) -> Self {
        Self {
            terms: Vectors::new(words.dimension()),
            texts: Vectors::new(words.dimension()),
            rarity,
        }
    }

    /// Takes terms anew for which another word stands.
    pub(super) fn renew_terms(&mut self, terms: &[u32], vocabulary: &Vocabulary, words: &Words) {
        if words.dimension() == 0 {
            return;
        }
        let standing = terms.iter().map(|term| vocabulary.remembered_for(*term));
        let vectors = words.vectors(standing.map(Option::unwrap_or_default));
        // Those of the first words are there already.
        let follow = self.terms.count() == 0 && terms.iter().copied().eq(0..terms.len() as u32);
        if follow {
            self.terms = vectors;
            return;
        }
        for (place, term) in terms.iter().enumerate() {
            self.terms.put(*term as usize, &vectors, place);
        }
    }

    /// Adds texts. A term weighs in a text as idf · √tf of each passage.
    pub(super) fn add_texts(&mut self, texts: &Texts) {
        let dimension = self.texts.dimension();
        if dimension == 0 {
            return;
        }
        let mut sum = vec![0.0; dimension];
        // The widest instructions that this processor has; each number is added up on
        // its own, so that all of them get the same sums.
        pulp::Arch::new().dispatch(|| {
            for passages in texts.iter() {
                for (term, count) in passages.flatten() {
                    let weight = self.rarity.of(*term) * (*count as f32).sqrt();
                    self.terms.add(*term, weight, &mut sum);
                }
                self.texts.push(&sum);
                sum.fill(0.0);
            }
        });
    }

    /// For the vector of each of some words: the terms nearest to it, but for the word's
    /// own term, nearest first with their cosine; at most as many and at least as near as
    /// configured.
    pub(super) fn nearest(
        &self,
        words: &[(&[f32], Option<u32>)],
        vocabulary: &Vocabulary,
        config: &RankingConfig,
    ) -> Vec<Vec<(u32, f32)>> {
        // Numbers of terms depend on the order in which they were met.
        let order = |a: &(u32, f32), b: &(u32, f32)| {
            let standing = |term: u32| vocabulary.standing_for(term);
            b.1.total_cmp(&a.1)
                .then_with(|| standing(a.0).cmp(&standing(b.0)))
        };
        let mut nearest = vec![Vec::new(); words.len()];
        let Some(last) = config.similar_words.checked_sub(1) else {
            return nearest;
        };
        let keep_best = |near: &mut Vec<(u32, f32)>| {
            if near.len() > last {
                near.select_nth_unstable_by(last, order);
                near.truncate(last + 1);
            }
        };
        let vectors: Vec<&[f32]> = words.iter().map(|(vector, _)| *vector).collect();
        let mut least = vec![config.similar_least; words.len()];
        self.terms
            .for_each_near(&vectors, config.similar_least, |word, term, cosine| {
                let known = (nearest.get_mut(word), least.get_mut(word), words.get(word));
                let (Some(near), Some(least), Some((_, own))) = known else {
                    return config.similar_least;
                };
                if cosine >= *least && *own != Some(term) {
                    near.push((term, cosine));
                    if near.len() >= AT_ONCE * (last + 1) {
                        keep_best(near);
                        *least = near.last().map_or(*least, |(_, cosine)| *cosine);
                    }
                }
                *least
            });
        for near in &mut nearest {
            keep_best(near);
            near.sort_unstable_by(order);
        }
        nearest
    }

    /// By text: how much nearer it is to a vector than texts are on average, where
    /// that is nearer; divided by the most of all, 0 to 1.
    pub(super) fn nearness(&self, vector: &[f32]) -> Vec<f32> {
        let mut near = self.texts.cosines(vector);
        let average = mean(&near);
        for cosine in &mut near {
            *cosine = (*cosine - average).max(0.0);
        }
        normalise(&mut near);
        near
    }

    /// The same of the texts at these places, with 0 for the others; what texts are on average
    /// is told by one in so many.
    pub(super) fn nearness_at(&self, vector: &[f32], places: &[usize]) -> Vec<f32> {
        let count = self.texts.count();
        let sample: Vec<usize> = (0..count).step_by(sampling_step(count)).collect();
        let average = mean(&self.texts.cosines_at(vector, &sample));
        let mut near = vec![0.0; count];
        for (place, cosine) in places.iter().zip(self.texts.cosines_at(vector, places)) {
            if let Some(near) = near.get_mut(*place) {
                *near = (cosine - average).max(0.0);
            }
        }
        normalise(&mut near);
        near
    }
}

/// 0 for none.
fn mean(numbers: &[f32]) -> f32 {
    numbers.iter().sum::<f32>() / numbers.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::vocabulary::Occurs;
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

    fn circle() -> Words {
        Words::new(Arc::new(Circle))
    }

    /// A vocabulary of these words, each its own term.
    fn vocabulary(words: &[&str]) -> (Vocabulary, Vec<u32>) {
        let mut vocabulary = Vocabulary::default();
        for word in words {
            let number = vocabulary.word(word);
            vocabulary.note(number, 1, Occurs::Counted);
        }
        let terms = vocabulary.take_changed();
        (vocabulary, terms)
    }

    fn meaning(words: &[&str]) -> (Meaning, Vocabulary) {
        let (vocabulary, terms) = vocabulary(words);
        let mut meaning = Meaning::new(&circle(), Rarity::default());
        meaning.renew_terms(&terms, &vocabulary, &circle());
        (meaning, vocabulary)
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
    fn a_text_means_what_its_terms_mean_together() {
        let mut texts = Texts::default();
        for text in [&[&[(0, 1)][..], &[(0, 2)]][..], &[&[(1, 1)]]] {
            for passage in text {
                texts.push_passage(passage);
            }
            texts.end_text();
        }
        let (mut meaning, _) = meaning(&["0", "90"]);
        meaning.rarity = texts.rarity(2);
        meaning.add_texts(&texts);
        let nearness = meaning.nearness(&circle().vector("10"));
        assert_eq!(nearness, [1.0, 0.0]);
        let at = |places: &[usize]| meaning.nearness_at(&circle().vector("10"), places);
        assert_eq!(at(&[0, 1]), [1.0, 0.0]);
        assert_eq!(at(&[1]), [0.0, 0.0], "what is not asked for is not near");
        let nothing = meaning.nearness(&[0.0, 0.0]);
        assert!(nothing.iter().all(|near| *near == 0.0));
    }

    #[test]
    fn without_word_vectors_nothing_is_near() {
        let (vocabulary, terms) = vocabulary(&["boat"]);
        let none = Words::new(Arc::new(crate::provider::NoWordVectors));
        let mut meaning = Meaning::new(&none, Rarity::default());
        meaning.renew_terms(&terms, &vocabulary, &none);
        let config = RankingConfig::default();
        assert!(meaning.nearest(&[(&[], None)], &vocabulary, &config)[0].is_empty());
        assert!(meaning.nearness(&[]).is_empty());
    }
}

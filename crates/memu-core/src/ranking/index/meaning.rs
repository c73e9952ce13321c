use super::above_average;
use super::field::{Documents, Field};
use super::vectors::Vectors;
use super::words::Words;
use crate::config::RankingConfig;

/// What terms and texts mean, as vectors made of word vectors.
#[derive(Debug, Default)]
pub(super) struct Meaning {
    /// By term: the vector of the word that stands for it.
    terms: Vectors,
    /// By text: the mean of its terms' vectors.
    texts: Vectors,
}

impl Meaning {
    /// The vectors of `terms`, each given by the word that stands for it, and of the
    /// texts that own the documents (`None`: no text does), which come text by text. A
    /// term weighs in a text as idf · √tf.
    pub(super) fn build(
        terms: &[&str],
        documents: &Documents,
        field: &Field,
        owners: &[Option<u32>],
        words: &Words,
    ) -> Self {
        let dimension = words.dimension();
        if dimension == 0 {
            return Self::default();
        }
        let mut meaning = Self {
            terms: words.vectors(terms),
            texts: Vectors::new(dimension),
        };
        let idf: Vec<f32> = (0..terms.len() as u32)
            .map(|term| field.idf(term))
            .collect();
        let mut sum = vec![0.0; dimension];
        let mut current = None;
        // The widest instructions that this processor has; each number is added up on
        // its own, so that all of them get the same sums.
        pulp::Arch::new().dispatch(|| {
            for (owner, terms) in owners.iter().zip(documents.iter()) {
                if owner.is_none() {
                    continue;
                }
                if current.is_some() && current != *owner {
                    meaning.texts.push(&sum);
                    sum.fill(0.0);
                }
                current = *owner;
                for (term, count) in terms {
                    let idf = idf.get(*term as usize).copied().unwrap_or_default();
                    let weight = idf * (*count as f32).sqrt();
                    meaning.terms.add(*term, weight, &mut sum);
                }
            }
        });
        if current.is_some() {
            meaning.texts.push(&sum);
        }
        meaning
    }

    /// For the vector of each of some words: the terms nearest to it, but for the word's
    /// own term, nearest first with their cosine; at most as many and at least as near as
    /// configured.
    pub(super) fn nearest(
        &self,
        words: &[(&[f32], Option<u32>)],
        config: &RankingConfig,
    ) -> Vec<Vec<(u32, f32)>> {
        let vectors: Vec<&[f32]> = words.iter().map(|(vector, _)| *vector).collect();
        let cosines = self.terms.cosines_of(&vectors);
        let words = cosines.into_iter().zip(words);
        words
            .map(|(cosines, (_, own))| {
                let mut near: Vec<(u32, f32)> = (0..)
                    .zip(cosines)
                    .filter(|(term, cosine)| *own != Some(*term) && *cosine >= config.similar_least)
                    .collect();
                let order =
                    |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
                if near.len() > config.similar_words && config.similar_words > 0 {
                    near.select_nth_unstable_by(config.similar_words - 1, order);
                }
                near.truncate(config.similar_words);
                near.sort_unstable_by(order);
                near
            })
            .collect()
    }

    /// By text: how much nearer it is to a vector than texts are on average, where
    /// that is nearer; divided by the most of all, 0 to 1.
    pub(super) fn nearness(&self, vector: &[f32]) -> Vec<f32> {
        above_average(self.texts.cosines(vector))
    }
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

    fn circle() -> Words {
        Words::new(Arc::new(Circle))
    }

    #[test]
    fn the_nearest_terms_come_first_and_far_or_unknown_ones_not_at_all() {
        let terms = ["0", "80", "x", "30", "20", "-10"];
        let (documents, field) = (Documents::default(), Field::default());
        let meaning = Meaning::build(&terms, &documents, &field, &[], &circle());
        let config = RankingConfig {
            similar_words: 3,
            similar_least: 0.3,
            ..RankingConfig::default()
        };
        let nearest = |word: &str, own| {
            let vector = circle().vector(word);
            meaning.nearest(&[(&vector, own)], &config).remove(0)
        };
        let near = nearest("0", Some(0));
        let numbers: Vec<u32> = near.iter().map(|(term, _)| *term).collect();
        assert_eq!(numbers, [5, 4, 3]);
        assert!((near[1].1 - 20_f32.to_radians().cos()).abs() < 0.01);
        assert!(nearest("y", None).is_empty());
    }

    #[test]
    fn a_text_means_what_its_terms_mean_together() {
        let mut documents = Documents::default();
        // The first two documents are one text, the last is nobody's.
        for document in [&[(0_u32, 1_u32)][..], &[(0, 2)], &[(1, 1)], &[(1, 1)]] {
            documents.push(&mut document.to_vec());
        }
        let owners = [Some(0), Some(0), Some(1), None];
        let field = documents.invert();
        let meaning = Meaning::build(&["0", "90"], &documents, &field, &owners, &circle());
        let nearness = meaning.nearness(&circle().vector("10"));
        assert_eq!(nearness, [1.0, 0.0]);
        assert!(
            meaning
                .nearness(&[0.0, 0.0])
                .iter()
                .all(|near| *near == 0.0)
        );
    }

    #[test]
    fn without_word_vectors_nothing_is_near() {
        let meaning = Meaning::default();
        let config = RankingConfig::default();
        assert!(meaning.nearest(&[(&[], None)], &config)[0].is_empty());
        assert!(meaning.nearness(&[]).is_empty());
    }
}

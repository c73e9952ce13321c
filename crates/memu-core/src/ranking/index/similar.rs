use std::fmt;

use crate::config::RankingConfig;
use crate::provider::WordVectors;

/// The vectors of a vocabulary, to find the terms nearest to a word.
///
/// Vectors have length 1 and are kept as signed bytes with one scale each: integer
/// sums do not depend on their order, so every machine finds the same terms.
#[derive(Default)]
pub(super) struct TermVectors {
    dimension: usize,
    codes: Vec<i8>,
    /// By term; 0 for a term without a vector.
    scales: Vec<f32>,
}

impl TermVectors {
    /// The vectors of terms, each by the word that stands for it.
    pub(super) fn build(terms: &[&str], words: &dyn WordVectors) -> Self {
        let dimension = words.dimension();
        let mut vectors = Self {
            dimension,
            codes: Vec::with_capacity(terms.len() * dimension),
            scales: Vec::with_capacity(terms.len()),
        };
        if dimension == 0 {
            return vectors;
        }
        let mut vector = vec![0.0; dimension];
        for word in terms {
            if !words.write(word, &mut vector) {
                vector.fill(0.0);
            }
            let scale = quantise(&vector, &mut vectors.codes);
            vectors.scales.push(scale);
        }
        vectors
    }

    /// The terms nearest to a word, but for the word's own term, nearest first with
    /// their cosine; at most as many and at least as near as configured.
    pub(super) fn nearest(
        &self,
        word: &str,
        own: Option<u32>,
        words: &dyn WordVectors,
        config: &RankingConfig,
    ) -> Vec<(u32, f32)> {
        let mut vector = vec![0.0; self.dimension];
        if self.scales.is_empty() || !words.write(word, &mut vector) {
            return Vec::new();
        }
        let mut query = Vec::with_capacity(self.dimension);
        let query_scale = quantise(&vector, &mut query);
        let mut near: Vec<(u32, f32)> = self
            .codes
            .chunks_exact(self.dimension)
            .zip(&self.scales)
            .enumerate()
            .filter(|(term, _)| own != Some(*term as u32))
            .map(|(term, (codes, scale))| {
                (term as u32, dot(codes, &query) as f32 * scale * query_scale)
            })
            .filter(|(_, cosine)| *cosine >= config.similar_least)
            .collect();
        near.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        near.truncate(config.similar_words);
        near
    }
}

impl fmt::Debug for TermVectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TermVectors")
            .field("dimension", &self.dimension)
            .field("terms", &self.scales.len())
            .finish_non_exhaustive()
    }
}

/// Appends a vector's codes and returns their scale; 0 for the zero vector.
fn quantise(vector: &[f32], codes: &mut Vec<i8>) -> f32 {
    let greatest = vector.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let factor = if greatest > 0.0 {
        127.0 / greatest
    } else {
        0.0
    };
    codes.extend(vector.iter().map(|x| (x * factor).round() as i8));
    greatest / 127.0
}

fn dot(a: &[i8], b: &[i8]) -> i32 {
    a.iter()
        .zip(b)
        .map(|(a, b)| i32::from(*a) * i32::from(*b))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn the_nearest_terms_come_first_and_far_or_unknown_ones_not_at_all() {
        let vectors = TermVectors::build(&["0", "80", "x", "30", "20", "-10"], &Circle);
        let config = RankingConfig {
            similar_words: 3,
            similar_least: 0.3,
            ..RankingConfig::default()
        };
        let near = vectors.nearest("0", Some(0), &Circle, &config);
        let terms: Vec<u32> = near.iter().map(|(term, _)| *term).collect();
        assert_eq!(terms, [5, 4, 3]);
        assert!((near[1].1 - 20_f32.to_radians().cos()).abs() < 0.01);
        assert!(vectors.nearest("y", None, &Circle, &config).is_empty());
    }
}

use super::field::{Field, Posting};

/// How much shorter the documents that are left must be than the postings of a term for
/// looking them up to be faster than reading all of these.
const LOOK_UP: usize = 16;

/// A bound times this stays one when sums are rounded in another order.
const ROUNDED: f32 = 1.0001;

/// The terms that a word of the question may match, with how much each is worth;
/// a document counts the best of them.
pub(super) type Alternatives = Vec<(u32, f32)>;

/// BM25's constants.
#[derive(Clone, Copy, Debug)]
pub(super) struct Saturation {
    pub(super) k1: f32,
    pub(super) b: f32,
}

impl Field {
    /// BM25 of the documents by number: the sum over the question's words of the best of
    /// each word's alternatives. All but the `most` best have 0.
    ///
    /// Words are taken in the order of how much they can give. Once those that are left
    /// cannot bring another document among the best, only those met already are looked
    /// at, and of those only the ones that still can be: MaxScore (Turtle and Flood,
    /// *Query Evaluation: Strategies and Optimizations*, 1995), a term at a time.
    pub(super) fn scores(
        &self,
        words: &[Alternatives],
        saturation: Saturation,
        most: usize,
    ) -> Vec<f32> {
        let mut scoring = Scoring::new(self, saturation);
        let mut words: Vec<(f32, &Alternatives)> = words
            .iter()
            .map(|word| (scoring.bound(word), word))
            .collect();
        words.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (place, (_, word)) in words.iter().enumerate() {
            let left = words.iter().skip(place).map(|(bound, _)| bound);
            scoring.drop_hopeless(most, left.sum::<f32>() * ROUNDED);
            scoring.add(word);
        }
        scoring.drop_hopeless(most, 0.0);
        scoring.scores
    }
}

/// The documents of a field while a question's words are added up.
struct Scoring<'f> {
    field: &'f Field,
    saturation: Saturation,
    average: f32,
    /// By document.
    scores: Vec<f32>,
    /// What the word at hand gives each document so far.
    best: Vec<f32>,
    /// The documents that scored; once `closed`, in order.
    met: Vec<u32>,
    /// Whether no more documents are let in.
    closed: bool,
    touched: Vec<u32>,
}

impl<'f> Scoring<'f> {
    fn new(field: &'f Field, saturation: Saturation) -> Self {
        let average = field.total_length as f32 / field.documents.max(1) as f32;
        Self {
            field,
            saturation,
            average: average.max(1.0),
            scores: vec![0.0; field.lengths.len()],
            best: vec![0.0; field.lengths.len()],
            met: Vec::new(),
            closed: false,
            touched: Vec::new(),
        }
    }

    /// What one term gives a document of this length that holds it so often.
    fn part(&self, weight: f32, count: u32, length: u32) -> f32 {
        let Saturation { k1, b } = self.saturation;
        let norm = k1 * (1.0 - b + b * length as f32 / self.average);
        let count = count as f32;
        weight * count * (k1 + 1.0) / (count + norm)
    }

    /// The most that a word can give.
    fn bound(&self, word: &Alternatives) -> f32 {
        let parts = word.iter().filter_map(|(term, weight)| {
            let term = self.field.term(*term)?;
            Some(self.part(*weight, term.most, term.shortest))
        });
        parts.fold(0.0, f32::max)
    }

    /// Drops those that cannot be among the `most` best, now that the words that are left
    /// give at most `left`.
    fn drop_hopeless(&mut self, most: usize, left: f32) {
        let Some(last) = most.checked_sub(1).filter(|last| *last < self.met.len()) else {
            return;
        };
        let mut scores: Vec<f32> = self.met.iter().map(|at| self.score(*at)).collect();
        let (_, threshold, _) = scores.select_nth_unstable_by(last, |a, b| b.total_cmp(a));
        let threshold = *threshold;
        // What was never met has 0 so far.
        if left >= threshold {
            return;
        }
        if !self.closed {
            self.closed = true;
            self.met.sort_unstable();
        }
        let Self { met, scores, .. } = self;
        met.retain(|at| {
            let Some(score) = scores.get_mut(*at as usize) else {
                return false;
            };
            let stays = *score + left >= threshold;
            if !stays {
                *score = 0.0;
            }
            stays
        });
    }

    fn score(&self, document: u32) -> f32 {
        let score = self.scores.get(document as usize);
        score.copied().unwrap_or_default()
    }

    /// Adds the best of a word's alternatives to each document that holds one.
    fn add(&mut self, word: &Alternatives) {
        for (term, weight) in word {
            let Some(term) = self.field.term(*term) else {
                continue;
            };
            let looks_up = self.closed && self.met.len() < term.count() / LOOK_UP;
            for postings in term.pieces {
                if looks_up {
                    self.look_up(postings, *weight);
                } else {
                    self.read(postings, *weight);
                }
            }
        }
        for at in self.touched.drain(..) {
            let index = at as usize;
            if let (Some(score), Some(best)) =
                (self.scores.get_mut(index), self.best.get_mut(index))
            {
                if *score == 0.0 && !self.closed {
                    self.met.push(at);
                }
                *score += std::mem::take(best);
            }
        }
    }

    fn read(&mut self, postings: &[Posting], weight: f32) {
        for (document, count) in postings {
            if !self.closed || self.score(*document) > 0.0 {
                self.raise(*document, *count, weight);
            }
        }
    }

    fn look_up(&mut self, postings: &[Posting], weight: f32) {
        let mut rest = postings;
        let met = std::mem::take(&mut self.met);
        for document in &met {
            let before = rest.partition_point(|(other, _)| other < document);
            rest = rest.get(before..).unwrap_or_default();
            match rest.first() {
                Some((found, count)) if found == document => self.raise(*document, *count, weight),
                Some(_) => {}
                None => break,
            }
        }
        self.met = met;
    }

    fn raise(&mut self, document: u32, count: u32, weight: f32) {
        let length = self.field.lengths.get(document as usize);
        let part = self.part(weight, count, length.copied().unwrap_or_default());
        // What counts nothing is not met, for 0 tells who has not been.
        if part <= 0.0 {
            return;
        }
        if let Some(best) = self.best.get_mut(document as usize) {
            if *best == 0.0 {
                self.touched.push(document);
            }
            *best = best.max(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::field::{field, merge};
    use super::*;
    use crate::random::SplitMix;

    const PLAIN: Saturation = Saturation { k1: 0.9, b: 0.0 };
    const USUAL: Saturation = Saturation { k1: 0.9, b: 0.4 };

    fn all(field: &Field, words: &[Alternatives], saturation: Saturation) -> Vec<f32> {
        field.scores(words, saturation, usize::MAX)
    }

    #[test]
    fn a_document_counts_the_best_alternative_of_a_word_not_their_sum() {
        let field = field(&[&[0, 1], &[0], &[1], &[2]]);
        let one = all(&field, &[vec![(0, 1.0)]], PLAIN);
        let both = all(&field, &[vec![(0, 1.0), (1, 0.5)]], PLAIN);
        assert_eq!(both[0], one[0], "the weaker alternative adds nothing");
        assert_eq!(both[2], one[1] * 0.5, "but stands in where the word is not");
        let words = all(&field, &[vec![(0, 1.0)], vec![(1, 0.5)]], PLAIN);
        assert_eq!(words[0], one[0] * 1.5, "two words of the question add up");
        assert_eq!(both[3], 0.0);
    }

    #[test]
    fn rare_terms_weigh_more_and_long_documents_less() {
        let field = field(&[&[0, 1], &[0, 2, 3, 4], &[0]]);
        assert!(field.idf(1) > field.idf(0));
        let scores = all(&field, &[vec![(0, 1.0)]], USUAL);
        assert!(scores[2] > scores[0] && scores[0] > scores[1]);
    }

    /// Terms as in texts: each half as common as the one before.
    fn random_field(random: &mut SplitMix, documents: usize) -> Field {
        let mut field = Field::default();
        for _ in 0..documents {
            let length = 1 + random.below(30);
            let term = |random: &mut SplitMix| {
                let rank = u64::from(random.number().trailing_zeros()).min(20);
                (rank * 3 + random.below(3)) as u32
            };
            let mut terms = (0..length).map(|_| (term(random), 1)).collect();
            merge(&mut terms);
            field.push(&terms);
        }
        field.settle();
        field
    }

    fn random_word(random: &mut SplitMix, field: &Field) -> Alternatives {
        (0..=random.below(3))
            .map(|_| {
                let term = random.below(70) as u32;
                (term, field.idf(term) * random.below(9) as f32)
            })
            .collect()
    }

    #[test]
    fn the_best_are_those_of_reading_everything() {
        let mut random = SplitMix::new(11);
        let mut dropped = 0;
        for round in 0..60 {
            let field = random_field(&mut random, 1 + round * 40);
            let words: Vec<_> = (0..=random.below(6))
                .map(|_| random_word(&mut random, &field))
                .collect();
            let exhaustive = all(&field, &words, USUAL);
            let mut sorted = exhaustive.clone();
            sorted.sort_by(|a, b| b.total_cmp(a));
            for most in [1, 10, 100] {
                let last = sorted.get(most - 1).copied().unwrap_or_default();
                let bounded = field.scores(&words, USUAL, most);
                for (whole, some) in exhaustive.iter().zip(&bounded) {
                    assert!(if *whole >= last {
                        whole == some
                    } else {
                        *some == 0.0
                    });
                    dropped += usize::from(whole != some);
                }
            }
        }
        assert!(dropped > 10_000, "{dropped}");
    }
}

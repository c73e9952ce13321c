/// A document that holds a term, and how often.
type Posting = (u32, u32);

/// How much shorter the documents that are left must be than the postings of a term for
/// looking them up to be faster than reading all of these.
const LOOK_UP: usize = 16;

/// A bound times this stays one when sums are rounded in another order.
const ROUNDED: f32 = 1.0001;

/// One kind of document with its postings and lengths, scored by BM25.
#[derive(Clone, Debug, Default)]
pub(super) struct Field {
    /// By number.
    terms: Vec<Term>,
    /// By document with postings: how many words it has.
    lengths: Vec<u32>,
    /// How many documents there are, those without postings among them.
    documents: u32,
    total_length: u64,
}

#[derive(Clone, Debug, Default)]
struct Term {
    /// The documents that hold it, in order, with how often.
    postings: Vec<Posting>,
    /// How many documents hold it, those without postings among them.
    holding: u32,
    /// How often it occurs where it occurs most.
    most: u32,
    /// How many words the shortest document has that holds it.
    shortest: u32,
}

/// The terms that a word of the question may match, with how much each is worth;
/// a document counts the best of them.
pub(super) type Alternatives = Vec<(u32, f32)>;

/// BM25's constants.
#[derive(Clone, Copy, Debug)]
pub(super) struct Saturation {
    pub(super) k1: f32,
    pub(super) b: f32,
}

/// Brings terms into order, each once with how often it occurs in all.
pub(super) fn merge(terms: &mut Vec<Posting>) {
    terms.sort_unstable();
    terms.dedup_by(|next, first| {
        let same = next.0 == first.0;
        if same {
            first.1 += next.1;
        }
        same
    });
}

impl Field {
    /// Adds a document of these terms, as [`merge`] leaves them.
    pub(super) fn push(&mut self, terms: &[Posting]) {
        let document = self.lengths.len() as u32;
        let length = self.count(terms);
        self.lengths.push(length);
        for (term, count) in terms {
            if let Some(term) = self.terms.get_mut(*term as usize) {
                term.shortest = if term.postings.is_empty() {
                    length
                } else {
                    term.shortest.min(length)
                };
                term.most = term.most.max(*count);
                term.postings.push((document, *count));
            }
        }
    }

    /// Counts a document that nobody looks for; returns its length.
    pub(super) fn count(&mut self, terms: &[Posting]) -> u32 {
        let needed = terms.last().map_or(0, |(last, _)| *last as usize + 1);
        if needed > self.terms.len() {
            self.terms.resize_with(needed, Term::default);
        }
        let mut length = 0;
        for (term, count) in terms {
            length += count;
            if let Some(term) = self.terms.get_mut(*term as usize) {
                term.holding += 1;
            }
        }
        self.documents += 1;
        self.total_length += u64::from(length);
        length
    }

    /// How many documents there are.
    pub(super) fn document_count(&self) -> u32 {
        self.documents
    }

    /// The inverse document frequency of a term among these documents.
    pub(super) fn idf(&self, term: u32) -> f32 {
        let known = self.terms.get(term as usize);
        idf(known.map_or(0, |term| term.holding), self.documents)
    }

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

/// ln(1 + (N − df + ½)/(df + ½)).
pub(super) fn idf(holding: u32, all: u32) -> f32 {
    let (holding, all) = (holding as f32, all as f32);
    ((all - holding + 0.5) / (holding + 0.5)).ln_1p()
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
            let term = self.field.terms.get(*term as usize)?;
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
            let Some(term) = self.field.terms.get(*term as usize) else {
                continue;
            };
            if self.closed && self.met.len() < term.postings.len() / LOOK_UP {
                self.look_up(&term.postings, *weight);
            } else {
                self.read(&term.postings, *weight);
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
    use super::*;

    const PLAIN: Saturation = Saturation { k1: 0.9, b: 0.0 };
    const USUAL: Saturation = Saturation { k1: 0.9, b: 0.4 };

    fn field(documents: &[&[u32]]) -> Field {
        let mut field = Field::default();
        for document in documents {
            let mut terms = document.iter().map(|term| (*term, 1)).collect();
            merge(&mut terms);
            field.push(&terms);
        }
        field
    }

    fn postings(field: &Field, term: usize) -> &[Posting] {
        field.terms.get(term).map_or(&[], |term| &term.postings)
    }

    fn all(field: &Field, words: &[Alternatives], saturation: Saturation) -> Vec<f32> {
        field.scores(words, saturation, usize::MAX)
    }

    #[test]
    fn postings_name_each_document_once_with_its_count() {
        let field = field(&[&[3, 1, 3], &[], &[1]]);
        assert_eq!(postings(&field, 3), [(0, 2)]);
        assert_eq!(postings(&field, 1), [(0, 1), (2, 1)]);
        assert!(postings(&field, 0).is_empty() && postings(&field, 9).is_empty());
        assert_eq!(field.lengths, [3, 0, 1]);
    }

    #[test]
    fn what_is_only_counted_makes_terms_commoner_and_is_not_found() {
        let mut some = field(&[&[0], &[1]]);
        let all_found = field(&[&[0], &[1], &[0]]);
        assert_eq!(some.count(&[(0, 1)]), 1);
        assert_eq!(some.idf(0), all_found.idf(0));
        assert_eq!(some.document_count(), 3);
        assert_eq!(all(&some, &[vec![(0, 1.0)]], USUAL).len(), 2);
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

    /// Numbers that look random (Marsaglia's xorshift), the same in every run.
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }

        fn below(&mut self, end: u64) -> u32 {
            (self.next() % end) as u32
        }

        /// Terms as in texts: each half as common as the one before.
        fn field(&mut self, documents: usize) -> Field {
            let mut field = Field::default();
            for _ in 0..documents {
                let length = 1 + self.below(30);
                let mut terms = (0..length)
                    .map(|_| (self.next().trailing_zeros().min(20) * 3 + self.below(3), 1))
                    .collect();
                merge(&mut terms);
                field.push(&terms);
            }
            field
        }

        fn word(&mut self, field: &Field) -> Alternatives {
            let terms: Vec<u32> = (0..=self.below(3)).map(|_| self.below(70)).collect();
            let worth = |term| field.idf(term) * (1.0 + self.below(9) as f32);
            terms
                .iter()
                .copied()
                .zip(terms.iter().copied().map(worth))
                .collect()
        }
    }

    #[test]
    fn the_best_are_those_of_reading_everything() {
        let mut random = Random(11);
        let mut dropped = 0;
        for round in 0..60 {
            let field = random.field(1 + round * 40);
            let words: Vec<_> = (0..=random.below(6)).map(|_| random.word(&field)).collect();
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

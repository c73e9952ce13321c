use std::ops::Range;

/// Documents of one kind that are being collected, with the terms of each.
#[derive(Debug, Default)]
pub(super) struct Documents {
    /// Document after document: its terms in order, with how often each occurs.
    terms: Vec<(u32, u32)>,
    /// By document: where its terms end.
    ends: Vec<u32>,
    /// By document: how many words it has.
    lengths: Vec<u32>,
}

impl Documents {
    /// Adds a document of these terms, which get sorted; a term may come repeatedly.
    pub(super) fn push(&mut self, terms: &mut [(u32, u32)]) {
        terms.sort_unstable();
        let start = self.terms.len();
        let mut length = 0;
        for (term, count) in terms {
            length += *count;
            match self.terms.get_mut(start..).and_then(<[_]>::last_mut) {
                Some((last, total)) if last == term => *total += *count,
                _ => self.terms.push((*term, *count)),
            }
        }
        self.ends.push(self.terms.len() as u32);
        self.lengths.push(length);
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.ends.len()
    }

    /// The terms of each document, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[(u32, u32)]> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts.zip(&self.ends).map(|(start, end)| {
            let range = *start as usize..*end as usize;
            self.terms.get(range).unwrap_or_default()
        })
    }

    /// The postings of these documents.
    pub(super) fn invert(&self) -> Field {
        let terms = self.terms.iter().map(|(term, _)| *term as usize + 1).max();
        // A counting sort: where the postings of each term begin, then each in turn.
        let mut starts = vec![0_u32; terms.unwrap_or_default() + 1];
        for (term, _) in &self.terms {
            if let Some(count) = starts.get_mut(*term as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut postings = vec![(0, 0); self.terms.len()];
        for (document, terms) in (0..).zip(self.iter()) {
            for (term, count) in terms {
                let Some(next) = next.get_mut(*term as usize) else {
                    continue;
                };
                if let Some(posting) = postings.get_mut(*next as usize) {
                    *posting = (document, *count);
                }
                *next += 1;
            }
        }
        Field {
            starts,
            postings,
            total_length: self.lengths.iter().map(|length| u64::from(*length)).sum(),
            lengths: self.lengths.clone(),
        }
    }
}

/// One kind of document with its postings and lengths, scored by BM25.
#[derive(Debug, Default)]
pub(super) struct Field {
    /// By term: where its postings begin; then where the last ones end.
    starts: Vec<u32>,
    /// Term by term: the documents that hold it, in order, with how often.
    postings: Vec<(u32, u32)>,
    lengths: Vec<u32>,
    total_length: u64,
}

/// The terms that a word of the question may match, with how much each is worth;
/// a document counts the best of them.
pub(super) type Alternatives = Vec<(u32, f32)>;

impl Field {
    pub(super) fn document_count(&self) -> usize {
        self.lengths.len()
    }

    fn range(&self, term: u32) -> Range<usize> {
        let at = |place: usize| self.starts.get(place).map(|start| *start as usize);
        let term = term as usize;
        match (at(term), at(term + 1)) {
            (Some(start), Some(end)) => start..end,
            _ => 0..0,
        }
    }

    fn postings(&self, term: u32) -> &[(u32, u32)] {
        self.postings.get(self.range(term)).unwrap_or_default()
    }

    /// The inverse document frequency of a term among these documents.
    pub(super) fn idf(&self, term: u32) -> f32 {
        let holding = self.range(term).len() as f32;
        let all = self.lengths.len() as f32;
        ((all - holding + 0.5) / (holding + 0.5)).ln_1p()
    }

    /// BM25 of every document: the sum over the question's words of the best of
    /// each word's alternatives.
    pub(super) fn scores(&self, words: &[Alternatives], k1: f32, b: f32) -> Vec<f32> {
        let average = (self.total_length as f32 / self.lengths.len().max(1) as f32).max(1.0);
        let norms: Vec<f32> = self
            .lengths
            .iter()
            .map(|length| k1 * (1.0 - b + b * *length as f32 / average))
            .collect();
        let mut scores = vec![0.0; self.lengths.len()];
        // What the word at hand gives each document so far.
        let mut best = vec![0.0_f32; self.lengths.len()];
        let mut touched = Vec::new();
        for alternatives in words {
            for (term, weight) in alternatives {
                for (document, frequency) in self.postings(*term) {
                    let at = *document as usize;
                    let (Some(best), Some(norm)) = (best.get_mut(at), norms.get(at)) else {
                        continue;
                    };
                    let frequency = *frequency as f32;
                    let score = weight * frequency * (k1 + 1.0) / (frequency + norm);
                    if *best == 0.0 {
                        touched.push(at);
                    }
                    *best = best.max(score);
                }
            }
            for at in touched.drain(..) {
                if let (Some(score), Some(best)) = (scores.get_mut(at), best.get_mut(at)) {
                    *score += std::mem::take(best);
                }
            }
        }
        scores
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(documents: &[&[u32]]) -> Field {
        let mut collected = Documents::default();
        for document in documents {
            let mut terms: Vec<_> = document.iter().map(|term| (*term, 1)).collect();
            collected.push(&mut terms);
        }
        collected.invert()
    }

    #[test]
    fn postings_name_each_document_once_with_its_count() {
        let field = field(&[&[3, 1, 3], &[], &[1]]);
        assert_eq!(field.postings(3), [(0, 2)]);
        assert_eq!(field.postings(1), [(0, 1), (2, 1)]);
        assert!(field.postings(0).is_empty() && field.postings(9).is_empty());
        assert_eq!(field.lengths, [3, 0, 1]);
    }

    #[test]
    fn a_document_counts_the_best_alternative_of_a_word_not_their_sum() {
        let field = field(&[&[0, 1], &[0], &[1], &[2]]);
        let one = field.scores(&[vec![(0, 1.0)]], 0.9, 0.0);
        let both = field.scores(&[vec![(0, 1.0), (1, 0.5)]], 0.9, 0.0);
        assert_eq!(both[0], one[0], "the weaker alternative adds nothing");
        assert_eq!(both[2], one[1] * 0.5, "but stands in where the word is not");
        let words = field.scores(&[vec![(0, 1.0)], vec![(1, 0.5)]], 0.9, 0.0);
        assert_eq!(words[0], one[0] * 1.5, "two words of the question add up");
        assert_eq!(both[3], 0.0);
    }

    #[test]
    fn rare_terms_weigh_more_and_long_documents_less() {
        let field = field(&[&[0, 1], &[0, 2, 3, 4], &[0]]);
        assert!(field.idf(1) > field.idf(0));
        let scores = field.scores(&[vec![(0, 1.0)]], 0.9, 0.4);
        assert!(scores[2] > scores[0] && scores[0] > scores[1]);
    }
}

/// One kind of document with its postings and lengths, scored by BM25.
#[derive(Debug, Default)]
pub(super) struct Field {
    /// By term: the documents that hold it, in order, with how often.
    postings: Vec<Vec<(u32, u32)>>,
    lengths: Vec<u32>,
    total_length: u64,
}

/// The terms that a word of the question may match, with how much each is worth;
/// a document counts the best of them.
pub(super) type Alternatives = Vec<(u32, f32)>;

impl Field {
    /// Adds a document of these terms, which get sorted.
    pub(super) fn push(&mut self, terms: &mut [u32]) {
        let document = self.lengths.len() as u32;
        terms.sort_unstable();
        for run in terms.chunk_by(|a, b| a == b) {
            let Some(term) = run.first() else { continue };
            let term = *term as usize;
            if self.postings.len() <= term {
                self.postings.resize_with(term + 1, Vec::new);
            }
            if let Some(postings) = self.postings.get_mut(term) {
                postings.push((document, run.len() as u32));
            }
        }
        self.lengths.push(terms.len() as u32);
        self.total_length += terms.len() as u64;
    }

    /// Every term in every document that holds it, document by document: the term's
    /// number and idf, the document, and how often.
    pub(super) fn occurrences(&self) -> Vec<(u32, f32, u32, u32)> {
        let mut occurrences: Vec<(u32, f32, u32, u32)> = (0..)
            .zip(&self.postings)
            .flat_map(|(term, postings)| {
                let idf = self.idf(term);
                let documents = postings.iter();
                documents.map(move |(document, frequency)| (term, idf, *document, *frequency))
            })
            .collect();
        occurrences.sort_unstable_by_key(|(term, _, document, _)| (*document, *term));
        occurrences
    }

    pub(super) fn document_count(&self) -> usize {
        self.lengths.len()
    }

    fn postings(&self, term: u32) -> &[(u32, u32)] {
        self.postings.get(term as usize).map_or(&[], Vec::as_slice)
    }

    /// The inverse document frequency of a term among these documents.
    pub(super) fn idf(&self, term: u32) -> f32 {
        let holding = self.postings(term).len() as f32;
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
        let mut field = Field::default();
        for document in documents {
            field.push(&mut document.to_vec());
        }
        field
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

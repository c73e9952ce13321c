/// A document that holds a term, and how often.
pub(super) type Posting = (u32, u32);

/// One kind of document with its postings and lengths, scored by BM25.
#[derive(Clone, Debug, Default)]
pub(super) struct Field {
    /// By number.
    pub(super) terms: Vec<Term>,
    /// By document with postings: how many words it has.
    pub(super) lengths: Vec<u32>,
    /// How many documents there are, those without postings among them.
    pub(super) documents: u32,
    pub(super) total_length: u64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Term {
    /// The documents that hold it, in order, with how often.
    pub(super) postings: Vec<Posting>,
    /// How many documents hold it, those without postings among them.
    holding: u32,
    /// How often it occurs where it occurs most.
    pub(super) most: u32,
    /// How many words the shortest document has that holds it.
    pub(super) shortest: u32,
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
}

/// ln(1 + (N − df + ½)/(df + ½)).
pub(super) fn idf(holding: u32, all: u32) -> f32 {
    let (holding, all) = (holding as f32, all as f32);
    ((all - holding + 0.5) / (holding + 0.5)).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(some.lengths, [1, 1]);
    }
}

use std::mem::take;
use std::ops::Range;

/// A document that holds a term, and how often.
pub(super) type Posting = (u32, u32);

/// One kind of document with its postings and lengths, scored by BM25.
#[derive(Clone, Debug, Default)]
pub(super) struct Field {
    /// By number.
    terms: Vec<Term>,
    /// The postings of the first documents, term after term.
    postings: Vec<Posting>,
    /// By term, as far as there are any: its postings in the documents that were added later.
    later: Vec<Vec<Posting>>,
    /// The terms of documents whose postings are not made yet, document after document.
    pushed: Vec<Posting>,
    /// By document with postings: how many words it has.
    pub(super) lengths: Vec<u32>,
    /// By document whose postings are not made yet: where its terms end.
    ends: Vec<usize>,
    /// How many documents there are, those without postings among them.
    pub(super) documents: u32,
    pub(super) total_length: u64,
}

#[derive(Clone, Debug, Default)]
struct Term {
    /// Where its postings in those of the first documents are.
    first: Range<usize>,
    /// How many documents hold it, those without postings among them.
    holding: u32,
    /// How often it occurs where it occurs most.
    most: u32,
    /// How many words the shortest document has that holds it.
    shortest: u32,
}

/// A term of a field with its postings.
#[derive(Clone, Copy, Debug)]
pub(super) struct TermPostings<'f> {
    /// The documents that hold it, in order, with how often: those in the first piece come
    /// before those in the second.
    pub(super) pieces: [&'f [Posting]; 2],
    /// How often it occurs where it occurs most.
    pub(super) most: u32,
    /// How many words the shortest document has that holds it.
    pub(super) shortest: u32,
}

impl TermPostings<'_> {
    /// How many documents hold it.
    pub(super) fn count(&self) -> usize {
        self.pieces.iter().map(|piece| piece.len()).sum()
    }
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
    /// Adds a document of these terms, as [`merge`] leaves them, and returns its length; it is
    /// found after [`Self::settle`].
    pub(super) fn push(&mut self, terms: &[Posting]) -> u32 {
        let length = self.count(terms);
        self.lengths.push(length);
        self.pushed.extend_from_slice(terms);
        self.ends.push(self.pushed.len());
        length
    }

    /// A field of which only these terms are known, each with how many documents hold it, those
    /// without postings among them, and its postings by document; of the documents, how many
    /// words those have that have postings.
    pub(super) fn of_lists(
        documents: u64,
        total_length: u64,
        lengths: Vec<u32>,
        lists: Vec<(u32, Vec<Posting>)>,
    ) -> Self {
        let mut field = Self {
            lengths,
            documents: u32::try_from(documents).unwrap_or(u32::MAX),
            total_length,
            ..Self::default()
        };
        for (holding, postings) in lists {
            let start = field.postings.len();
            field.postings.extend(postings);
            let mut term = Term {
                first: start..field.postings.len(),
                holding,
                ..Term::default()
            };
            for (document, count) in field.postings.get(start..).unwrap_or_default() {
                let length = field.lengths.get(*document as usize);
                term.note(*count, length.copied().unwrap_or_default());
            }
            field.terms.push(term);
        }
        field
    }

    /// Makes room for so many more terms.
    pub(super) fn reserve(&mut self, terms: usize) {
        self.terms.reserve(terms);
    }

    /// How many postings [`Self::settle`] will make.
    pub(super) fn pushed_count(&self) -> usize {
        self.pushed.len()
    }

    /// Makes the postings of the documents that were pushed.
    pub(super) fn settle(&mut self) {
        let (pushed, ends) = (take(&mut self.pushed), take(&mut self.ends));
        if ends.is_empty() {
            return;
        }
        let first_document = self.lengths.len().saturating_sub(ends.len());
        let is_first = first_document == 0;
        if is_first {
            self.make_room(&pushed);
        }
        let lengths = self.lengths.get(first_document..).unwrap_or_default();
        let mut start = 0;
        for ((document, end), length) in (first_document as u32..).zip(ends).zip(lengths) {
            let terms = pushed.get(start..end).unwrap_or_default();
            start = end;
            for (number, count) in terms {
                let Some(term) = self.terms.get_mut(*number as usize) else {
                    continue;
                };
                term.note(*count, *length);
                if is_first {
                    if let Some(posting) = self.postings.get_mut(term.first.end) {
                        *posting = (document, *count);
                        term.first.end += 1;
                    }
                } else if let Some(later) = later_of(&mut self.later, *number) {
                    later.push((document, *count));
                }
            }
        }
    }

    /// Gives each term as much room for postings as it takes for these.
    fn make_room(&mut self, pushed: &[Posting]) {
        let mut counts = vec![0_usize; self.terms.len()];
        for (term, _) in pushed {
            if let Some(count) = counts.get_mut(*term as usize) {
                *count += 1;
            }
        }
        let mut start = 0;
        for (term, count) in self.terms.iter_mut().zip(counts) {
            term.first = start..start;
            start += count;
        }
        self.postings = vec![(0, 0); pushed.len()];
    }

    /// A term with its postings.
    pub(super) fn term(&self, number: u32) -> Option<TermPostings<'_>> {
        let term = self.terms.get(number as usize)?;
        let first = self.postings.get(term.first.clone()).unwrap_or_default();
        let later = self.later.get(number as usize);
        Some(TermPostings {
            pieces: [first, later.map_or(&[], Vec::as_slice)],
            most: term.most,
            shortest: term.shortest,
        })
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

    /// How many documents hold a term, those without postings among them.
    pub(super) fn holding(&self, term: u32) -> u32 {
        self.terms.get(term as usize).map_or(0, |term| term.holding)
    }

    /// How many documents there are.
    pub(super) fn document_count(&self) -> u32 {
        self.documents
    }

    /// The inverse document frequency of a term among these documents.
    pub(super) fn idf(&self, term: u32) -> f32 {
        idf(self.holding(term), self.documents)
    }
}

/// The later postings of a term, with room for them.
fn later_of(later: &mut Vec<Vec<Posting>>, term: u32) -> Option<&mut Vec<Posting>> {
    let place = term as usize;
    if place >= later.len() {
        later.resize_with(place + 1, Vec::new);
    }
    later.get_mut(place)
}

impl Term {
    /// Notes that a document of this length holds it so often.
    fn note(&mut self, count: u32, length: u32) {
        // A term that occurs does so at least once.
        self.shortest = match self.most {
            0 => length,
            _ => self.shortest.min(length),
        };
        self.most = self.most.max(count);
    }
}

/// ln(1 + (N − df + ½)/(df + ½)).
pub(super) fn idf(holding: u32, all: u32) -> f32 {
    let (holding, all) = (holding as f32, all as f32);
    ((all - holding + 0.5) / (holding + 0.5)).ln_1p()
}

/// A field of these documents, given by their terms.
#[cfg(test)]
pub(super) fn field(documents: &[&[u32]]) -> Field {
    let mut field = Field::default();
    for document in documents {
        let mut terms = document.iter().map(|term| (*term, 1)).collect();
        merge(&mut terms);
        field.push(&terms);
    }
    field.settle();
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    fn postings(field: &Field, term: u32) -> Vec<Posting> {
        let term = field.term(term);
        term.map_or_else(Vec::new, |term| term.pieces.concat())
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
    fn documents_that_come_later_are_found_after_the_first() {
        let documents: [&[u32]; 4] = [&[3, 1, 3], &[1], &[3, 0], &[1, 1]];
        let all = field(&documents);
        let mut grown = field(&documents[..2]);
        for document in [[(0, 1), (3, 1)].as_slice(), &[(1, 2)]] {
            grown.push(document);
        }
        grown.settle();
        for term in 0..4 {
            assert_eq!(postings(&grown, term), postings(&all, term));
            let bounds = |field: &Field| {
                let term = field.term(term).unwrap();
                (term.most, term.shortest, term.count())
            };
            assert_eq!(bounds(&grown), bounds(&all));
        }
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

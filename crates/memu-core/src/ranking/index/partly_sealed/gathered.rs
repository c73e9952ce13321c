//! Fields of what is not sealed and of what is, of the terms of one question.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::super::field::{Field, Posting as Occurs};
use super::{PartOfScope, PartlySealed, ReadBucket, SealedQuestion, Standing};
use crate::error::Result;
use crate::ranking::sealed::{Bucket, PartName, Posting};
use crate::records::OwnerKind;

/// The postings of a question's terms by the number of their part: by place among the terms.
pub(super) type SealedLists = BTreeMap<usize, Vec<Vec<Posting>>>;

impl PartlySealed {
    /// The postings of the question's terms by part: by place among the terms, in order.
    pub(super) fn lists(
        &self,
        asked: &SealedQuestion,
        buckets: &[ReadBucket],
    ) -> Result<SealedLists> {
        let parts = self.parts.iter().enumerate();
        let numbers: FxHashMap<(usize, PartName), usize> = parts
            .map(|(at, one)| ((one.scope, one.part.name), at))
            .collect();
        let words = self.open.vocabulary.words_of(&asked.terms);
        let mut lists = SealedLists::new();
        for bucket in buckets {
            let which = (bucket.which.scope, bucket.which.part);
            let Some(part) = numbers.get(&which) else {
                continue;
            };
            let choose = |word: &str| words.get(word).copied();
            let read = Bucket::read(&bucket.words, &bucket.lists, choose)?;
            let lists = lists.entry(*part);
            let lists = lists.or_insert_with(|| vec![Vec::new(); asked.terms.len()]);
            for (term, postings) in read {
                if let Some(list) = lists.get_mut(term) {
                    join(list, postings);
                }
            }
        }
        Ok(lists)
    }

    pub(super) fn parts_of(&self, kind: OwnerKind) -> impl Iterator<Item = (usize, &PartOfScope)> {
        let parts = self.parts.iter().enumerate();
        parts.filter(move |(_, one)| one.part.name.kind == kind)
    }

    /// The passages that hold one of these terms, and the segments that they are of.
    pub(super) fn passages_of(
        &self,
        terms: &[u32],
        sealed: &SealedLists,
    ) -> (Field, Vec<Standing>) {
        let field = &self.open.passages;
        let owners = self.open.passage_owner.iter();
        let standing = owners.map(|owner| self.open_segment(*owner));
        let mut gathered = Gathered::new(field, standing.collect(), terms);
        for (at, one) in self.parts_of(OwnerKind::Segment) {
            gathered.documents += one.part.summary.documents;
            gathered.words += one.part.summary.words;
            if let Some(lists) = sealed.get(&at) {
                gathered.add(one.scope, lists);
            }
        }
        // The texts of items that cite nothing are counted, not found.
        for (at, one) in self.parts_of(OwnerKind::Item) {
            gathered.documents += one.part.summary.uncited;
            gathered.words += one.part.summary.uncited_words;
            for (term, list) in sealed.get(&at).into_iter().flatten().enumerate() {
                let uncited = list.iter().filter(|posting| posting.which == 0).count();
                gathered.count(term, uncited);
            }
        }
        gathered.finish()
    }

    pub(super) fn items_of(&self, terms: &[u32], sealed: &SealedLists) -> (Field, Vec<Standing>) {
        let mut gathered = Gathered::new(&self.open.items, self.items.clone(), terms);
        for (at, one) in self.parts_of(OwnerKind::Item) {
            gathered.documents += one.part.summary.documents;
            gathered.words += one.part.summary.words;
            if let Some(lists) = sealed.get(&at) {
                gathered.add(one.scope, lists);
            }
        }
        gathered.finish()
    }

    /// The sessions by number: those that are not sealed first.
    pub(super) fn sessions_of(&self, terms: &[u32], sealed: &SealedLists) -> Field {
        let field = &self.open.sessions;
        let mut gathered = Gathered::new(field, Vec::new(), terms);
        for (at, one) in self.parts_of(OwnerKind::Segment) {
            let summary = &one.part.summary;
            gathered.documents += summary.sessions.len() as u64;
            gathered.words += summary.words;
            let lengths = summary.sessions.iter().map(|session| session.words);
            let lengths = lengths.map(|words| u32::try_from(words).unwrap_or(u32::MAX));
            gathered.lengths.extend(lengths);
            for (term, list) in sealed.get(&at).into_iter().flatten().enumerate() {
                let mut found: Vec<Occurs> = Vec::new();
                for posting in list {
                    let Some(session) = summary.session_of(posting.place) else {
                        continue;
                    };
                    let number = one.first_session + session as u32;
                    match found.last_mut() {
                        Some((last, count)) if *last == number => *count += posting.count,
                        _ => found.push((number, posting.count)),
                    }
                }
                gathered.count(term, found.len());
                gathered.extend(term, found);
            }
        }
        gathered.finish().0
    }
}

/// Adds postings of another word of the same term.
fn join(list: &mut Vec<Posting>, postings: Vec<Posting>) {
    if list.is_empty() {
        *list = postings;
        return;
    }
    list.extend(postings);
    list.sort_unstable_by_key(|one| (one.place, one.which));
    list.dedup_by(|next, first| {
        let same = (next.place, next.which) == (first.place, first.which);
        if same {
            first.count += next.count;
        }
        same
    });
}

/// The postings of some terms, from what is not sealed and from parts.
struct Gathered {
    documents: u64,
    words: u64,
    lengths: Vec<u32>,
    /// By document: where it stands.
    standing: Vec<Standing>,
    /// By term: how many documents hold it, and which.
    lists: Vec<(u32, Vec<Occurs>)>,
}

impl Gathered {
    fn new(field: &Field, standing: Vec<Standing>, terms: &[u32]) -> Self {
        let list = |term: &u32| {
            let postings = field.term(*term).map(|term| term.pieces.concat());
            (field.holding(*term), postings.unwrap_or_default())
        };
        Self {
            documents: u64::from(field.document_count()),
            words: field.total_length,
            lengths: field.lengths.clone(),
            standing,
            lists: terms.iter().map(list).collect(),
        }
    }

    fn count(&mut self, term: usize, documents: usize) {
        if let Some((holding, _)) = self.lists.get_mut(term) {
            *holding += documents as u32;
        }
    }

    fn extend(&mut self, term: usize, postings: Vec<Occurs>) {
        if let Some((_, list)) = self.lists.get_mut(term) {
            list.extend(postings);
        }
    }

    /// Adds the documents of a part that hold terms.
    fn add(&mut self, scope: usize, lists: &[Vec<Posting>]) {
        let most = lists.iter().map(Vec::len).sum();
        let mut numbers: FxHashMap<(u64, u32), u32> = FxHashMap::default();
        numbers.reserve(most);
        for (term, list) in lists.iter().enumerate() {
            let mut postings = Vec::with_capacity(list.len());
            for posting in list {
                let next = self.lengths.len() as u32;
                let number = *numbers
                    .entry((posting.place, posting.which))
                    .or_insert(next);
                if number == next {
                    self.lengths.push(posting.length);
                    self.standing.push((scope, posting.place));
                }
                postings.push((number, posting.count));
            }
            // Documents have the order in which they were met.
            postings.sort_unstable();
            self.count(term, postings.len());
            self.extend(term, postings);
        }
    }

    fn finish(self) -> (Field, Vec<Standing>) {
        let field = Field::of_lists(self.documents, self.words, self.lengths, self.lists);
        (field, self.standing)
    }
}

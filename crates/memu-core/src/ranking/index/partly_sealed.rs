//! An index of scopes of which most records are sealed.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::evidence::{Excerpt, FoundWords, SESSIONS, saturation};
use super::field::{Field, Posting as Occurs};
use super::matches::QuestionMatches;
use super::{Index, Words, normalise};
use crate::config::RankingConfig;
use crate::error::Result;
use crate::ranking::Question;
use crate::ranking::outline::{Growth, Outline};
use crate::ranking::sealed::{Bucket, PartName, Posting, SealedPart};
use crate::records::OwnerKind;

/// Where a record stands: the number of its scope, and its place there.
pub type Standing = (usize, u64);

/// An index of scopes of which parts are sealed: what is not sealed is in memory, and of the
/// parts what is known of them without their postings, which are asked for with each question.
#[derive(Clone, Debug)]
pub struct PartlySealed {
    /// What is not sealed, and all words that occur.
    open: Index,
    /// By number: where the items that are not sealed stand.
    items: Vec<Standing>,
    parts: Vec<PartOfScope>,
}

#[derive(Clone, Debug)]
struct PartOfScope {
    scope: usize,
    part: Arc<SealedPart>,
    /// The number of its first session among all.
    first_session: u32,
}

/// A question, and which terms it may match.
#[derive(Clone, Debug)]
pub struct SealedQuestion {
    question: Question,
    matches: QuestionMatches,
    terms: Vec<u32>,
}

/// A bucket that holds words of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WantedBucket {
    /// The number of its scope.
    pub scope: usize,
    /// Its part.
    pub part: PartName,
    /// Its number in that.
    pub bucket: u32,
}

/// A bucket that was read, as bytes.
#[derive(Clone, Debug)]
pub struct ReadBucket {
    /// Which it is.
    pub which: WantedBucket,
    /// Its words.
    pub words: Vec<u8>,
    /// Their postings.
    pub lists: Vec<u8>,
}

/// What the words of a question find.
#[derive(Clone, Debug)]
pub struct FoundPlaces {
    question: Question,
    meaning: Vec<f32>,
    average: f32,
    /// The segments that match: BM25 of the best passage divided by the best of all.
    segments: Vec<(Standing, f32)>,
    /// The items that match.
    items: Vec<(Standing, f32)>,
    /// By session.
    sessions: Vec<f32>,
}

impl PartlySealed {
    /// Indexes what is not sealed of these scopes, and takes the parts, each with the number of
    /// its scope.
    pub fn build(
        outlines: &[&Outline],
        parts: impl IntoIterator<Item = (usize, Arc<SealedPart>)>,
        words: Arc<Words>,
    ) -> Self {
        let mut open = Index::build(outlines, words);
        let mut sessions = open.sessions.document_count();
        let mut all = Vec::new();
        for (scope, part) in parts {
            let first_session = sessions;
            sessions += part.summary.sessions.len() as u32;
            for word in &part.words {
                open.vocabulary.word(word);
            }
            for (name, _) in &part.summary.speakers {
                open.speaker(name);
            }
            for (role, _) in &part.summary.nameless {
                open.nameless(*role);
            }
            all.push(PartOfScope {
                scope,
                part,
                first_session,
            });
        }
        open.meaning.add_words(&open.vocabulary, &open.words);
        Self {
            open,
            items: standing_items(outlines, &Growth::of_everything()),
            parts: all,
        }
    }

    /// The same with what the open records of its one scope are now, where its parts are the
    /// same; `None` when it must be built anew.
    #[must_use]
    pub fn grown(&self, old: &Outline, new: &Outline) -> Option<Self> {
        let growth = Growth::between(old, new)?;
        if !self.open.can_grow(new, &growth) {
            return None;
        }
        let mut grown = self.clone();
        grown.open.grow(new, &growth);
        grown.items.extend(standing_items(&[new], &growth));
        Some(grown)
    }

    /// How many segments are not sealed.
    pub fn open_segments(&self) -> usize {
        self.open.segment_count()
    }

    /// How many passages there are, those of sealed segments and the texts of items that cite
    /// none among them.
    pub fn passages(&self) -> u64 {
        let sealed = self.parts_of(OwnerKind::Segment);
        let sealed: u64 = sealed.map(|(_, one)| one.part.summary.documents).sum();
        self.open.passage_owner.len() as u64 + sealed
    }

    /// Whether any segment is sealed.
    pub fn seals_segments(&self) -> bool {
        self.parts_of(OwnerKind::Segment).next().is_some()
    }

    /// The names of those who speak here.
    pub fn speakers(&self) -> Vec<&str> {
        self.open.speakers()
    }

    /// Understands a question; see [`Index::find_words`].
    pub fn ask(&self, text: &str, carried: &str, config: &RankingConfig) -> SealedQuestion {
        let question = self.open.question(text, carried, config);
        let matches = self.open.matches(&question, config);
        SealedQuestion {
            terms: matches.terms(),
            question,
            matches,
        }
    }

    /// The buckets in which the words of a question lie.
    pub fn wanted(&self, asked: &SealedQuestion) -> Vec<WantedBucket> {
        let terms = asked.terms.iter();
        let terms: Vec<&str> = terms
            .filter_map(|term| self.open.vocabulary.term_text(*term))
            .collect();
        let mut wanted = Vec::new();
        for one in &self.parts {
            let buckets = one.part.summary.buckets;
            let numbers = terms.iter().map(|term| Bucket::of_term(term, buckets));
            let numbers: FxHashSet<u32> = numbers.collect();
            wanted.extend(numbers.into_iter().map(|bucket| WantedBucket {
                scope: one.scope,
                part: one.part.name,
                bucket,
            }));
        }
        wanted.sort_unstable();
        wanted
    }

    /// What a question finds, given the buckets that it wants, as far as there are any.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) when one is damaged.
    pub fn find(
        &self,
        asked: SealedQuestion,
        buckets: &[ReadBucket],
        config: &RankingConfig,
    ) -> Result<FoundPlaces> {
        let sealed = self.lists(&asked, buckets)?;
        let matches = asked.matches.renumbered(&asked.terms);
        let (passages, owners) = self.passages_of(&asked.terms, &sealed);
        let words = matches.similar(&passages, config);
        let scores = passages.scores(&words, saturation(config), config.candidates);
        let mut segments: FxHashMap<Standing, f32> = FxHashMap::default();
        for (owner, score) in owners.iter().zip(scores) {
            if score > 0.0 {
                let best = segments.entry(*owner).or_default();
                *best = best.max(score);
            }
        }
        let (items, standing) = self.items_of(&asked.terms, &sealed);
        let words = matches.similar(&items, config);
        let scores = items.scores(&words, saturation(config), config.candidates);
        let found = standing.into_iter().zip(scores);
        let sessions = self.sessions_of(&asked.terms, &sealed);
        let words = matches.exact(&sessions);
        let mut sessions = sessions.scores(&words, SESSIONS, usize::MAX);
        normalise(&mut sessions);
        Ok(FoundPlaces {
            average: self
                .open
                .meaning
                .average(&asked.matches.vector, config.average_of),
            meaning: asked.matches.vector,
            question: asked.question,
            segments: normalised(segments),
            items: normalised(found.filter(|(_, score)| *score > 0.0)),
            sessions,
        })
    }

    /// The postings of the question's terms by part: by place among the terms, in order.
    fn lists(
        &self,
        asked: &SealedQuestion,
        buckets: &[ReadBucket],
    ) -> Result<BTreeMap<usize, Vec<Vec<Posting>>>> {
        let parts = self.parts.iter().enumerate();
        let numbers: FxHashMap<(usize, PartName), usize> = parts
            .map(|(at, one)| ((one.scope, one.part.name), at))
            .collect();
        let mut lists: BTreeMap<usize, Vec<Vec<Posting>>> = BTreeMap::new();
        for bucket in buckets {
            let which = (bucket.which.scope, bucket.which.part);
            let Some(part) = numbers.get(&which) else {
                continue;
            };
            let read = Bucket::read(&bucket.words, &bucket.lists, |word| {
                let term = self.open.vocabulary.term_of_text(word)?;
                asked.terms.binary_search(&term).ok()
            })?;
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

    fn parts_of(&self, kind: OwnerKind) -> impl Iterator<Item = (usize, &PartOfScope)> {
        let parts = self.parts.iter().enumerate();
        parts.filter(move |(_, one)| one.part.name.kind == kind)
    }

    /// The passages that hold one of these terms, and the segments that they are of.
    fn passages_of(
        &self,
        terms: &[u32],
        sealed: &BTreeMap<usize, Vec<Vec<Posting>>>,
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

    fn items_of(
        &self,
        terms: &[u32],
        sealed: &BTreeMap<usize, Vec<Vec<Posting>>>,
    ) -> (Field, Vec<Standing>) {
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
    fn sessions_of(&self, terms: &[u32], sealed: &BTreeMap<usize, Vec<Vec<Posting>>>) -> Field {
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

    fn open_segment(&self, position: u32) -> Standing {
        let segment = self.open.segments.get(position as usize);
        segment.map_or((0, 0), |segment| (segment.scope as usize, segment.place))
    }

    /// The number of the session in which a segment lies.
    fn session_of(&self, (scope, place): Standing) -> Option<u32> {
        for (_, one) in self.parts_of(OwnerKind::Segment) {
            if one.scope == scope
                && let Some(session) = one.part.summary.session_of(place)
            {
                return Some(one.first_session + session as u32);
            }
        }
        let open = &self.open.segments;
        let at = open.binary_search_by_key(&(scope, place), |one| (one.scope as usize, one.place));
        Some(open.get(at.ok()?)?.session_index)
    }

    /// What was found, told of an index of an excerpt: of the records that were found, and some
    /// around them. `items` says where its items stand, by number.
    pub fn tell(
        &self,
        found: FoundPlaces,
        index: &Index,
        items: &[Standing],
        excerpt: Excerpt,
    ) -> FoundWords {
        let lexical: FxHashMap<Standing, f32> = found.segments.into_iter().collect();
        let score = |of: &FxHashMap<Standing, f32>, at: &Standing| of.get(at).copied();
        let mut segments = Vec::with_capacity(index.segments.len());
        let mut sessions = vec![0.0; index.sessions.document_count() as usize];
        for segment in &index.segments {
            let standing = (segment.scope as usize, segment.place);
            segments.push(score(&lexical, &standing).unwrap_or_default());
            let session = self.session_of(standing);
            let session = session.and_then(|number| found.sessions.get(number as usize));
            if let (Some(told), Some(score)) =
                (sessions.get_mut(segment.session_index as usize), session)
            {
                *told = *score;
            }
        }
        let own: FxHashMap<Standing, f32> = found.items.into_iter().collect();
        let items = items.iter();
        let items = items.map(|standing| score(&own, standing).unwrap_or_default());
        let named = found.question.named_speaker;
        let named = named.and_then(|number| self.open.speakers.get(number));
        let named = named.and_then(|name| index.speakers.iter().position(|one| one == name));
        FoundWords {
            question: Question {
                named_speaker: named,
                ..found.question
            },
            segments,
            sessions,
            items: items.collect(),
            meaning: found.meaning,
            excerpt: Some(excerpt.with_average(found.average)),
        }
    }
}

#[cfg(test)]
#[path = "partly_sealed_tests.rs"]
mod tests;

impl FoundPlaces {
    /// The question, understood.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// Where the segments stand that match.
    pub fn segments(&self) -> impl Iterator<Item = Standing> {
        self.segments.iter().map(|(standing, _)| *standing)
    }

    /// Where the items stand whose own text matches.
    pub fn items(&self) -> impl Iterator<Item = Standing> {
        self.items.iter().map(|(standing, _)| *standing)
    }
}

/// Where the items of outlines stand.
fn standing_items(outlines: &[&Outline], growth: &Growth) -> Vec<Standing> {
    let mut standing = Vec::new();
    for (scope, outline) in outlines.iter().enumerate() {
        let items = growth.items.onward(&outline.items);
        standing.extend(
            items
                .flat_map(|(_, items)| items)
                .map(|item| (scope, item.place)),
        );
    }
    standing
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

/// Scores divided by the best of all.
fn normalised(scores: impl IntoIterator<Item = (Standing, f32)>) -> Vec<(Standing, f32)> {
    let (standing, mut scores): (Vec<_>, Vec<f32>) = scores.into_iter().unzip();
    normalise(&mut scores);
    standing.into_iter().zip(scores).collect()
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
        let mut numbers: FxHashMap<(u64, u32), u32> = FxHashMap::default();
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

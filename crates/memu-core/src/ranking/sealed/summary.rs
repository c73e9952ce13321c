use serde::{Deserialize, Serialize};

use super::posting::Sealable;
use crate::error::Result;
use crate::ranking::framed::{damaged, framed, unframed};
use crate::ranking::outline::{Block, ItemOutline, SegmentOutline};
use crate::records::Role;

const VERSION: u8 = 1;

/// What is known of a whole [`Part`](super::Part).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The place of its last record when it was sealed; later ones are of other parts.
    pub last_place: u64,
    /// In how many buckets its postings lie, a power of two.
    pub buckets: u32,
    /// How many records there are.
    pub records: u64,
    /// How many documents they have: passages of segments, or items.
    pub documents: u64,
    /// How many words these have together.
    pub words: u64,
    /// How many of the items cite no segment.
    pub uncited: u64,
    /// How many words these have together.
    pub uncited_words: u64,
    /// The sessions of segments, in order.
    pub sessions: Vec<SealedSession>,
    /// Who speaks by name, with how many segments each.
    pub speakers: Vec<(String, u64)>,
    /// Who speaks without a name, by role, with how many segments each.
    pub nameless: Vec<(Role, u64)>,
}

/// A session of sealed segments, which lie side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedSession {
    /// The place of its resource.
    pub resource: u64,
    /// Its number within that.
    pub session: u32,
    /// The place of its first segment.
    pub first: u64,
    /// The place of its last segment.
    pub last: u64,
    /// How many segments it has.
    pub segments: u64,
    /// How many words these have together.
    pub words: u64,
}

impl Summary {
    /// The summary as bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) when it cannot be written, which has
    /// no known cause.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        framed(VERSION, self)
    }

    /// The summary of these bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) when they are damaged or of another
    /// version; it can be made anew from the records.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let body = unframed(VERSION, bytes)?;
        postcard::from_bytes(body).map_err(|cause| damaged().caused_by(cause))
    }

    /// The number of the session in which a segment lies.
    pub fn session_of(&self, place: u64) -> Option<usize> {
        let after = self.sessions.partition_point(|one| one.first <= place);
        let at = after.checked_sub(1)?;
        self.sessions.get(at).filter(|one| place <= one.last)?;
        Some(at)
    }

    /// Adds what is known of parts that come after this one. The number of buckets stays.
    pub(super) fn append(&mut self, other: Self) {
        self.last_place = other.last_place;
        self.records += other.records;
        self.documents += other.documents;
        self.words += other.words;
        self.uncited += other.uncited;
        self.uncited_words += other.uncited_words;
        self.sessions.extend(other.sessions);
        for (name, count) in other.speakers {
            count_one(&mut self.speakers, name, count);
        }
        for (role, count) in other.nameless {
            count_one(&mut self.nameless, role, count);
        }
    }
}

/// Adds to the count of one of these.
fn count_one<K: PartialEq>(counts: &mut Vec<(K, u64)>, key: K, more: u64) {
    match counts.iter_mut().find(|(known, _)| *known == key) {
        Some((_, count)) => *count += more,
        None => counts.push((key, more)),
    }
}

/// Takes one from the count of one of these, which goes with the last.
fn uncount_one<K: PartialEq>(counts: &mut Vec<(K, u64)>, key: &K) {
    for (known, count) in counts.iter_mut() {
        if known == key {
            *count = count.saturating_sub(1);
        }
    }
    counts.retain(|(_, count)| *count > 0);
}

/// A kind of record of which something is known in summary.
pub(super) trait Summed: Sealable {
    /// Adds a record, which comes after all others or was there before with other words.
    fn add_to(&self, block: &Block<Self>, summary: &mut Summary);

    /// Takes a record out.
    fn take_from(&self, block: &Block<Self>, summary: &mut Summary);
}

impl SegmentOutline {
    fn word_count(&self) -> u64 {
        let counts = self.passages.iter().flatten();
        counts.map(|(_, count)| u64::from(*count)).sum()
    }
}

impl Summed for SegmentOutline {
    fn add_to(&self, block: &Block<Self>, summary: &mut Summary) {
        let words = self.word_count();
        summary.records += 1;
        summary.documents += self.passages.len() as u64;
        summary.words += words;
        let at = summary.session_of(self.place);
        let at = at.unwrap_or_else(|| {
            let key = |one: &SealedSession| (one.resource, one.session);
            let goes_on = summary.sessions.last().map(key) == Some((self.resource, self.session));
            if !goes_on {
                summary.sessions.push(SealedSession {
                    resource: self.resource,
                    session: self.session,
                    first: self.place,
                    last: self.place,
                    segments: 0,
                    words: 0,
                });
            }
            summary.sessions.len() - 1
        });
        if let Some(session) = summary.sessions.get_mut(at) {
            session.last = session.last.max(self.place);
            session.segments += 1;
            session.words += words;
        }
        match (self.speaker.and_then(|name| block.text(name)), self.role()) {
            (Some(name), _) => count_one(&mut summary.speakers, name.to_owned(), 1),
            (None, Some(role)) => count_one(&mut summary.nameless, role, 1),
            (None, None) => {}
        }
    }

    fn take_from(&self, block: &Block<Self>, summary: &mut Summary) {
        let words = self.word_count();
        summary.records = summary.records.saturating_sub(1);
        summary.documents = summary.documents.saturating_sub(self.passages.len() as u64);
        summary.words = summary.words.saturating_sub(words);
        if let Some(at) = summary.session_of(self.place)
            && let Some(session) = summary.sessions.get_mut(at)
        {
            session.segments = session.segments.saturating_sub(1);
            session.words = session.words.saturating_sub(words);
            if session.segments == 0 {
                summary.sessions.remove(at);
            }
        }
        match (self.speaker.and_then(|name| block.text(name)), self.role()) {
            (Some(name), _) => uncount_one(&mut summary.speakers, &name.to_owned()),
            (None, Some(role)) => uncount_one(&mut summary.nameless, &role),
            (None, None) => {}
        }
    }
}

impl Summed for ItemOutline {
    fn add_to(&self, _: &Block<Self>, summary: &mut Summary) {
        let words: u64 = self.words.iter().map(|(_, count)| u64::from(*count)).sum();
        summary.records += 1;
        summary.documents += 1;
        summary.words += words;
        if self.segments.is_empty() {
            summary.uncited += 1;
            summary.uncited_words += words;
        }
    }

    fn take_from(&self, _: &Block<Self>, summary: &mut Summary) {
        let words: u64 = self.words.iter().map(|(_, count)| u64::from(*count)).sum();
        summary.records = summary.records.saturating_sub(1);
        summary.documents = summary.documents.saturating_sub(1);
        summary.words = summary.words.saturating_sub(words);
        if self.segments.is_empty() {
            summary.uncited = summary.uncited.saturating_sub(1);
            summary.uncited_words = summary.uncited_words.saturating_sub(words);
        }
    }
}

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::ranking::framed::{damaged, framed, unframed};
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
pub(super) fn count_one<K: PartialEq>(counts: &mut Vec<(K, u64)>, key: K, more: u64) {
    match counts.iter_mut().find(|(known, _)| *known == key) {
        Some((_, count)) => *count += more,
        None => counts.push((key, more)),
    }
}

/// Takes one from the count of one of these, which goes with the last.
pub(super) fn uncount_one<K: PartialEq>(counts: &mut Vec<(K, u64)>, key: &K) {
    for (known, count) in counts.iter_mut() {
        if known == key {
            *count = count.saturating_sub(1);
        }
    }
    counts.retain(|(_, count)| *count > 0);
}

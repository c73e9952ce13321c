use std::collections::BTreeMap;

use super::bucket::Bucket;
use super::sealable::Sealable;
use super::summary::{SealedSession, Summary};
use crate::analysis::Analyzer;
use crate::ranking::outline::Block;
use crate::records::OwnerKind;

/// About how many records share a bucket of their postings: it has some kilobyte, which PostgreSQL
/// keeps in the row.
const RECORDS_PER_BUCKET: u64 = 16;

const MOST_BUCKETS: u64 = 1 << 20;

/// Which part of a scope it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartName {
    /// The kind of its records: segments or items.
    pub kind: OwnerKind,
    /// The place of its first record when it was sealed.
    pub first_place: u64,
    /// The place of its last record when it was sealed; it tells a part from the one that it
    /// becomes a part of.
    pub last_place: u64,
}

/// A run of sealed records of a kind, by the words of their texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which it is.
    pub name: PartName,
    /// What is known of all of it.
    pub summary: Summary,
    /// By number; none is empty.
    pub buckets: BTreeMap<u32, Bucket>,
}

impl Part {
    /// Seals records that lie side by side; segments that do end with a session. `None` for none.
    pub fn of<'b, T: Sealable + 'b>(
        records: impl IntoIterator<Item = (&'b Block<T>, &'b T)>,
    ) -> Option<Self> {
        let mut part = None;
        for (block, record) in records {
            let place = record.place();
            let part: &mut Self = part.get_or_insert_with(|| Self {
                name: PartName {
                    kind: T::OWNER,
                    first_place: place,
                    last_place: place,
                },
                summary: Summary::default(),
                buckets: BTreeMap::from([(0, Bucket::default())]),
            });
            record.add_to(block, &mut part.summary);
            part.summary.last_place = place;
            part.name.last_place = place;
            let bucket = part.buckets.entry(0).or_default();
            record.for_each_posting(block, |word, posting| bucket.append(word, &[posting]));
        }
        part.map(Self::spread)
    }

    /// Parts that come one after the other as one.
    pub fn merged(parts: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut parts = parts.into_iter();
        let mut merged = parts.next()?;
        let buckets = std::mem::take(&mut merged.buckets);
        let mut all = Bucket::default();
        let mut add = |buckets: BTreeMap<u32, Bucket>| {
            for (word, postings) in buckets.into_values().flat_map(Bucket::into_lists) {
                all.append(&word, &postings);
            }
        };
        add(buckets);
        for part in parts {
            merged.summary.append(part.summary);
            add(part.buckets);
        }
        merged.buckets.insert(0, all);
        merged.name.last_place = merged.summary.last_place;
        Some(merged.spread())
    }

    /// Whether it says what another one says that was made of the same records: it does not matter
    /// how their postings are spread, which records were their first and last before some went,
    /// and in which order what is counted came.
    pub fn says_as(self, other: Self) -> bool {
        self.comparable() == other.comparable()
    }

    fn comparable(self) -> Option<Self> {
        let mut part = Self::merged([self])?;
        part.name.first_place = 0;
        part.name.last_place = 0;
        let summary = &mut part.summary;
        summary.last_place = 0;
        summary.speakers.sort_unstable();
        summary
            .nameless
            .sort_unstable_by_key(|(role, _)| role.as_str());
        let key = |one: &SealedSession| (one.resource, one.session);
        // Where a session between two of one name went, these are one in what is made anew.
        summary.sessions.dedup_by(|next, first| {
            let same = key(next) == key(first);
            if same {
                first.segments += next.segments;
                first.words += next.words;
            }
            same
        });
        for session in &mut summary.sessions {
            (session.first, session.last) = (0, 0);
        }
        Some(part)
    }

    /// Spreads all words over as many buckets as there should be.
    fn spread(mut self) -> Self {
        let wanted = (self.summary.records / RECORDS_PER_BUCKET).next_power_of_two();
        let buckets = wanted.min(MOST_BUCKETS) as u32;
        let analyzer = Analyzer::default();
        let all = std::mem::take(&mut self.buckets).into_values();
        for (word, postings) in all.flat_map(Bucket::into_lists) {
            let number = Bucket::of_word(&word, buckets, &analyzer);
            let bucket = self.buckets.entry(number).or_default();
            bucket.append(&word, &postings);
        }
        self.summary.buckets = buckets;
        self
    }
}

/// A part as it is known in memory: all but its postings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedPart {
    /// Which it is.
    pub name: PartName,
    /// What is known of all of it.
    pub summary: Summary,
    /// The words of its records.
    pub words: Vec<Box<str>>,
}

impl From<&Part> for SealedPart {
    fn from(part: &Part) -> Self {
        let words = part.buckets.values().flat_map(Bucket::words);
        Self {
            name: part.name,
            summary: part.summary.clone(),
            words: words.map(Into::into).collect(),
        }
    }
}

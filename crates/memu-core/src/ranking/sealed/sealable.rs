use super::posting::Posting;
use super::summary::{SealedSession, Summary, count_one, uncount_one};
use crate::ranking::outline::{Block, Entry, ItemOutline, Occurrence, SegmentOutline};
use crate::records::OwnerKind;

/// A kind of record that can be sealed.
pub trait Sealable: Entry {
    /// The kind.
    const OWNER: OwnerKind;

    /// Calls `visit` for every word of every document of a record of this block.
    fn for_each_posting(&self, block: &Block<Self>, visit: impl FnMut(&str, Posting));

    /// Adds a record of this block to what is known of a part; it comes after all others there, or
    /// was there before with other words.
    fn add_to(&self, block: &Block<Self>, summary: &mut Summary);

    /// Takes a record of this block out of what is known of a part.
    fn take_from(&self, block: &Block<Self>, summary: &mut Summary);

    /// Whether a part may end between this record and the next.
    fn may_part_from(&self, next: &Self) -> bool;

    /// Whether a part says the same of this record of `block` as of that one `of` another.
    fn says_as(&self, block: &Block<Self>, other: &Self, of: &Block<Self>) -> bool;
}

impl SegmentOutline {
    fn word_count(&self) -> u64 {
        let counts = self.passages.iter().flatten();
        counts.map(|(_, count)| u64::from(*count)).sum()
    }
}

impl Sealable for SegmentOutline {
    const OWNER: OwnerKind = OwnerKind::Segment;

    fn for_each_posting(&self, block: &Block<Self>, mut visit: impl FnMut(&str, Posting)) {
        for (which, passage) in (0..).zip(&self.passages) {
            let length = passage.iter().map(|(_, count)| count).sum();
            for (word, count) in passage {
                let posting = Posting {
                    place: self.place,
                    which,
                    count: *count,
                    length,
                };
                visit(block.text(*word).unwrap_or_default(), posting);
            }
        }
    }

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

    /// A session is sealed as a whole.
    fn may_part_from(&self, next: &Self) -> bool {
        (self.resource, self.session) != (next.resource, next.session)
    }

    /// Stored segments stay as they are, but for those that are written anew.
    fn says_as(&self, _: &Block<Self>, _: &Self, _: &Block<Self>) -> bool {
        false
    }
}

impl Sealable for ItemOutline {
    const OWNER: OwnerKind = OwnerKind::Item;

    fn for_each_posting(&self, block: &Block<Self>, mut visit: impl FnMut(&str, Posting)) {
        let posting = Posting {
            place: self.place,
            which: u32::from(!self.segments.is_empty()),
            count: 0,
            length: self.words.iter().map(|(_, count)| count).sum(),
        };
        for (word, count) in &self.words {
            let posting = Posting {
                count: *count,
                ..posting
            };
            visit(block.text(*word).unwrap_or_default(), posting);
        }
    }

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

    fn may_part_from(&self, _: &Self) -> bool {
        true
    }

    fn says_as(&self, block: &Block<Self>, other: &Self, of: &Block<Self>) -> bool {
        self.segments.is_empty() == other.segments.is_empty()
            && told(block, &self.words) == told(of, &other.words)
    }
}

/// Words as they are written, in alphabetical order.
fn told<'b>(block: &'b Block<ItemOutline>, words: &[Occurrence]) -> Vec<(Option<&'b str>, u32)> {
    let words = words.iter();
    let mut told: Vec<_> = words
        .map(|(number, count)| (block.text(*number), *count))
        .collect();
    told.sort_unstable();
    told
}

//! One message, cleaned, with who said it.

use jiff::civil::Date;
use memu_core::records::Segment;

use super::clean::{Clean, clean};
use super::party::{Parties, Party};
use super::rewrite::Voice;

/// A message, cleaned.
#[derive(Debug)]
pub(super) struct Message<'s> {
    /// Its place in the request.
    pub(super) index: usize,
    pub(super) segment: &'s Segment,
    pub(super) party: Party,
    pub(super) clean: Clean,
}

impl<'s> Message<'s> {
    pub(super) fn new(index: usize, segment: &'s Segment) -> Self {
        Self {
            index,
            segment,
            party: Party::of(segment),
            clean: clean(&segment.text),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.clean.text
    }

    /// The day on which it was said.
    pub(super) fn day(&self) -> Option<Date> {
        self.segment.happened_at.map(jiff::civil::DateTime::date)
    }

    pub(super) fn voice<'v>(&'v self, parties: &'v Parties) -> Voice<'v> {
        Voice {
            speaker: &self.party,
            other: parties.other_than(&self.party),
            day: self.day(),
            restates: false,
        }
    }
}

//! Topics: runs of segments on one subject, each with a caption of a few words.
//!
//! A topic ends with its session, at a pause, and where the words change
//! (TextTiling: Hearst, "Segmenting Text into Multi-paragraph Subtopic Passages",
//! Computational Linguistics 23(1), 1997). All of it is linear in the text, uses
//! integer sums, and gives the same topics every time.

mod boundaries;
mod captions;
mod chatter;
mod cohesion;
mod vocabulary;

use std::ops::Range;

use memu_core::provider::Draft;

use vocabulary::Vocabulary;

/// Numbers the topics of `drafts` from 0, and captions the first draft of each.
pub(crate) fn assign(drafts: &mut [Draft]) {
    let (topics, captions) = {
        let vocabulary = Vocabulary::of(drafts);
        let topics = boundaries::topics(drafts, &vocabulary);
        let captions = captions::captions(&topics, &vocabulary);
        (topics, captions)
    };
    for ((number, topic), caption) in (0..).zip(topics).zip(captions) {
        let Some(members) = drafts.get_mut(Range::clone(&topic)) else {
            continue;
        };
        for draft in &mut *members {
            draft.topic = number;
        }
        if let Some(first) = members.first_mut() {
            first.topic_caption = caption;
        }
    }
}

#[cfg(test)]
mod tests;

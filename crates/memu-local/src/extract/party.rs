//! Who speaks and who is spoken to.

use memu_core::records::{Role, Segment};

use super::rewrite::capitalised;

/// A speaker, as summaries name them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Party {
    /// The name in the middle of a sentence: "Caroline", "the user".
    pub(super) name: String,
    /// Whether it is an agent rather than a person.
    pub(super) is_agent: bool,
}

impl Party {
    pub(super) fn of(segment: &Segment) -> Self {
        Self {
            name: segment
                .attribution()
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .unwrap_or("the speaker")
                .to_owned(),
            is_agent: segment.role == Some(Role::Assistant),
        }
    }

    /// The name at the beginning of a sentence.
    pub(super) fn lead(&self) -> String {
        capitalised(&self.name)
    }

    /// Whether `word`, in lower case, addresses them: the name, one of its parts,
    /// or the beginning of it ("Mel").
    pub(super) fn answers_to(&self, word: &str) -> bool {
        if word.len() < 2 || self.name.starts_with("the ") {
            return false;
        }
        self.name.split_whitespace().any(|part| {
            let part = part.to_lowercase();
            part == word
                || word.len() >= 2 && part.starts_with(word) && part.len() <= word.len() + 6
        })
    }
}

/// The speakers of a conversation.
#[derive(Debug, Default)]
pub(super) struct Parties(Vec<Party>);

/// More speakers than this are a crowd, in which "you" is nobody in particular.
const CROWD: usize = 16;

impl Parties {
    /// Those who speak in `segments`.
    pub(super) fn of(segments: &[Segment]) -> Self {
        let mut parties: Vec<Party> = Vec::new();
        for segment in segments {
            if parties.len() == CROWD {
                break;
            }
            let known = parties
                .iter()
                .any(|party| Some(party.name.as_str()) == segment.attribution());
            let speaks = !matches!(segment.role, Some(Role::System | Role::Tool));
            if !known && speaks && segment.attribution().is_some() {
                parties.push(Party::of(segment));
            }
        }
        Self(parties)
    }

    /// The other one of two.
    pub(super) fn other_than(&self, speaker: &Party) -> Option<&Party> {
        match self.0.as_slice() {
            [a, b] if a == speaker => Some(b),
            [a, b] if b == speaker => Some(a),
            _ => None,
        }
    }

    /// Whether `word`, in lower case, addresses anyone here.
    pub(super) fn any_answers_to(&self, word: &str) -> bool {
        self.0.iter().any(|party| party.answers_to(word))
    }
}

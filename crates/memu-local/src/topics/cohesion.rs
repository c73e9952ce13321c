use std::ops::Range;

use super::vocabulary::{GAP, Vocabulary};

/// How many drafts on either side of a gap are compared.
const WINDOW: usize = 6;

/// Steps of the integer weights: enough to tell terms apart, and small enough for
/// sums that never overflow.
const WEIGHT_STEPS: f64 = 8.0;

/// Measures how alike the words before and after a gap between two drafts are.
///
/// Two windows slide over the drafts. Their dot product and norms follow each
/// term that enters or leaves, so that a draft costs the same whatever the
/// window; the sums are integers, so that no rounding piles up.
#[derive(Debug)]
pub(super) struct Cohesion<'v> {
    vocabulary: &'v Vocabulary<'v>,
    terms: Vec<TermState>,
    stamp: u64,
    dot: i64,
    left_norm: i64,
    right_norm: i64,
}

#[derive(Clone, Copy, Debug, Default)]
struct TermState {
    /// Rarer terms weigh more; squared.
    weight: i64,
    left: i64,
    right: i64,
    /// The last visit, so that a draft counts a term once.
    stamp: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Move {
    IntoRight,
    RightToLeft,
    OutOfLeft,
}

impl<'v> Cohesion<'v> {
    pub(super) fn new(vocabulary: &'v Vocabulary<'v>, drafts: usize) -> Self {
        let terms = vocabulary
            .draft_counts()
            .iter()
            .map(|count| {
                let rarity = ((drafts + 1) as f64 / f64::from(*count).max(1.0)).ln();
                let weight = (rarity * WEIGHT_STEPS).round().max(1.0) as i64;
                TermState {
                    weight: weight * weight,
                    ..TermState::default()
                }
            })
            .collect();
        Self {
            vocabulary,
            terms,
            stamp: 0,
            dot: 0,
            left_norm: 0,
            right_norm: 0,
        }
    }

    /// The likeness, from 0 to 1, at each gap within `block`: the first is that
    /// between its first two drafts.
    pub(super) fn within(&mut self, block: Range<usize>) -> Vec<f64> {
        let (start, end) = (block.start, block.end);
        for draft in block.clone().take(WINDOW) {
            self.shift(draft, Move::IntoRight);
        }
        let mut likeness = Vec::with_capacity(block.len().saturating_sub(1));
        for gap in start + 1..end {
            self.shift(gap - 1, Move::RightToLeft);
            if gap - 1 + WINDOW < end {
                self.shift(gap - 1 + WINDOW, Move::IntoRight);
            }
            if gap - start > WINDOW {
                self.shift(gap - 1 - WINDOW, Move::OutOfLeft);
            }
            likeness.push(self.likeness());
        }
        // Leave the windows empty for the next block.
        if let Some(last) = end.checked_sub(1).filter(|last| *last >= start) {
            self.shift(last, Move::RightToLeft);
        }
        for draft in end.saturating_sub(WINDOW + 1).max(start)..end {
            self.shift(draft, Move::OutOfLeft);
        }
        likeness
    }

    fn likeness(&self) -> f64 {
        let norms = (self.left_norm as f64 * self.right_norm as f64).sqrt();
        if norms > 0.0 {
            self.dot as f64 / norms
        } else {
            0.0
        }
    }

    fn shift(&mut self, draft: usize, step: Move) {
        self.stamp += 1;
        for term in self.vocabulary.tokens(draft) {
            if *term == GAP {
                continue;
            }
            let Some(state) = self.terms.get_mut(*term as usize) else {
                continue;
            };
            if std::mem::replace(&mut state.stamp, self.stamp) == self.stamp {
                continue;
            }
            let (left, right) = (state.left, state.right);
            match step {
                Move::IntoRight => state.right += 1,
                Move::RightToLeft => {
                    state.right -= 1;
                    state.left += 1;
                }
                Move::OutOfLeft => state.left -= 1,
            }
            self.dot += state.weight * (state.left * state.right - left * right);
            self.left_norm += state.weight * (state.left * state.left - left * left);
            self.right_norm += state.weight * (state.right * state.right - right * right);
        }
    }
}

#[cfg(test)]
mod tests {
    use memu_core::provider::Draft;

    use super::*;

    #[test]
    fn likeness_is_least_where_the_words_change_and_windows_end_empty() {
        let texts = [
            "red apple",
            "apple tree",
            "red tree",
            "fast car",
            "car engine",
            "fast engine",
        ];
        let drafts = texts.map(|text| Draft {
            text: text.to_owned(),
            ..Draft::default()
        });
        let vocabulary = Vocabulary::of(&drafts);
        let mut cohesion = Cohesion::new(&vocabulary, drafts.len());
        let likeness = cohesion.within(0..6);
        assert_eq!(likeness.len(), 5);
        assert_eq!(likeness[2], 0.0);
        assert!(likeness[1] > 0.0 && likeness[3] > 0.0);
        assert_eq!(cohesion.within(0..6), likeness);
        assert_eq!(
            (cohesion.dot, cohesion.left_norm, cohesion.right_norm),
            (0, 0, 0)
        );
    }
}

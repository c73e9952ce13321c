use std::ops::Range;

use memu_core::provider::Draft;
use memu_core::records::Role;

use super::cohesion::Cohesion;
use super::vocabulary::Vocabulary;
use crate::reader::seconds_between;

/// A pause that ends a topic, in seconds: half an hour.
const PAUSE: i64 = 30 * 60;

/// A topic that words part from another has at least so many segments, …
const SHORTEST: usize = 4;

/// … and at most so many, …
const LONGEST: usize = 20;

/// … and better so many than fewer.
const PREFERRED: usize = 6;

/// How far, in gaps, the peaks on either side of a valley may lie.
const REACH: usize = 8;

/// Openings that announce another subject.
const TURNS: [&str; 12] = [
    "by the way",
    "btw",
    "anyway",
    "anyways",
    "speaking of",
    "on another note",
    "on a different note",
    "changing the subject",
    "different topic",
    "one more thing",
    "moving on",
    "let's talk about",
];

/// The topics: adjoining ranges that cover all drafts.
pub(super) fn topics(drafts: &[Draft], vocabulary: &Vocabulary<'_>) -> Vec<Range<usize>> {
    let mut cohesion = Cohesion::new(vocabulary, drafts.len());
    let mut topics = Vec::new();
    for block in blocks(drafts) {
        if block.len() < 2 * SHORTEST {
            topics.push(block);
            continue;
        }
        let likeness = cohesion.within(block.clone());
        let members = drafts.get(block.clone()).unwrap_or_default();
        let lengths = best_lengths(&gains(&likeness, members));
        let mut start = block.start;
        for length in lengths {
            topics.push(start..start + length);
            start += length;
        }
    }
    topics
}

/// The runs of drafts without a pause between them.
fn blocks(drafts: &[Draft]) -> Vec<Range<usize>> {
    let mut blocks = Vec::new();
    let (mut start, mut last_time) = (0, None);
    for (index, (before, draft)) in drafts.iter().zip(drafts.iter().skip(1)).enumerate() {
        last_time = before.happened_at.or(last_time);
        let paused = last_time
            .zip(draft.happened_at)
            .is_some_and(|(before, now)| seconds_between(before, now) > PAUSE);
        if paused || before.session != draft.session {
            blocks.push(start..index + 1);
            start = index + 1;
        }
    }
    if start < drafts.len() {
        blocks.push(start..drafts.len());
    }
    blocks
}

/// What a boundary at each gap is worth: the depth of the valley of likeness, with
/// cues of dialogue, against the usual depth.
fn gains(likeness: &[f64], members: &[Draft]) -> Vec<f64> {
    let depths: Vec<f64> = (0..likeness.len())
        .map(|gap| depth(likeness, gap))
        .collect();
    let count = depths.len().max(1) as f64;
    let mean = depths.iter().sum::<f64>() / count;
    let variance = depths
        .iter()
        .map(|depth| (depth - mean).powi(2))
        .sum::<f64>()
        / count;
    let deviation = variance.sqrt().max(0.05);
    depths
        .iter()
        .zip(members.iter().zip(members.iter().skip(1)))
        .map(|(depth, (before, after))| depth - mean + deviation * (cue(before, after) - 0.5))
        .collect()
}

/// How far the likeness at `gap` lies below the peaks beside it.
fn depth(likeness: &[f64], gap: usize) -> f64 {
    let Some((before, after)) = likeness.split_at_checked(gap) else {
        return 0.0;
    };
    let Some((here, after)) = after.split_first() else {
        return 0.0;
    };
    let left = climb(*here, before.iter().rev());
    let right = climb(*here, after.iter());
    left + right - 2.0 * here
}

fn climb<'l>(from: f64, values: impl Iterator<Item = &'l f64>) -> f64 {
    let mut peak = from;
    for value in values.take(REACH) {
        if *value < peak {
            break;
        }
        peak = *value;
    }
    peak
}

/// Signs beside the words that a subject ends or goes on, in deviations.
fn cue(before: &Draft, after: &Draft) -> f64 {
    let asks = before.text.trim_end().ends_with(['?', '？']);
    let answers = matches!(after.role, Some(Role::Assistant | Role::Tool));
    let opening: String = after.text.trim_start().chars().take(32).collect();
    let opening = opening.to_lowercase();
    let turns = TURNS.iter().any(|turn| opening.starts_with(turn));
    f64::from(u8::from(turns)) - 0.5 * f64::from(u8::from(asks)) - f64::from(u8::from(answers))
}

/// The lengths of the topics with the greatest sum of gains, none shorter or
/// longer than allowed. `gains` are those of the gaps of one block, which is long
/// enough for two topics.
fn best_lengths(gains: &[f64]) -> Vec<usize> {
    let total = gains.len() + 1;
    // For each number of leading drafts: the best sum, and the last topic's length.
    let mut best: Vec<(f64, usize)> = vec![(f64::NEG_INFINITY, 0); total + 1];
    if let Some(none) = best.first_mut() {
        none.0 = 0.0;
    }
    for end in SHORTEST..=total {
        let gain = gains.get(end - 1).copied().unwrap_or_default();
        let mut chosen = (f64::NEG_INFINITY, 0);
        for length in SHORTEST..=LONGEST.min(end) {
            let before = best
                .get(end - length)
                .map_or(f64::NEG_INFINITY, |best| best.0);
            let shortness = PREFERRED.saturating_sub(length) as f64 * 0.02;
            let sum = before + gain - shortness;
            if sum > chosen.0 {
                chosen = (sum, length);
            }
        }
        if let Some(best) = best.get_mut(end) {
            *best = chosen;
        }
    }
    let mut lengths = Vec::new();
    let mut end = total;
    while let Some((_, length)) = best.get(end).filter(|(_, length)| *length > 0) {
        lengths.push(*length);
        end -= length;
    }
    lengths.reverse();
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_add_up_and_stay_within_bounds_whatever_the_gains() {
        for total in 2 * SHORTEST..100 {
            for slope in [-1.0, 0.0, 1.0] {
                let gains = vec![slope; total - 1];
                let lengths = best_lengths(&gains);
                assert_eq!(lengths.iter().sum::<usize>(), total);
                assert!(
                    lengths.iter().all(|l| (SHORTEST..=LONGEST).contains(l)),
                    "{lengths:?}"
                );
            }
        }
    }

    #[test]
    fn the_boundary_falls_where_it_gains_most() {
        let mut gains = vec![-0.1; 15];
        gains[8] = 0.7;
        assert_eq!(best_lengths(&gains), [9, 7]);
    }
}

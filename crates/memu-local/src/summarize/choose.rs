use super::line::LINE_OVERHEAD;
use super::profile::{Profile, Term};

/// The most memories that are looked at closely.
const POOL: usize = 512;
/// How much a memory loses for being like one that was chosen.
const REDUNDANCY_WEIGHT: f64 = 0.7;
/// How much a memory gains for fitting the category as well as can be.
const FIT_WEIGHT: f64 = 1.0;
/// How much a memory loses for taking all the room.
const ROOM_WEIGHT: f64 = 0.6;
/// The share of common terms from which on two memories say the same.
const SAME_SHARE: f64 = 0.75;

/// A memory that may be told.
struct Candidate<'p> {
    profile: &'p Profile,
    /// Its rank in time.
    rank: usize,
    /// Its score, its fit to the category and its need of room.
    worth: f64,
    /// Its likeness to the most similar memory chosen so far.
    likeness: f64,
}

/// The memories to tell, in the order of `profiles`, whose lines take at most
/// `room` characters together. `fit` tells how well each of some memories fits the
/// category, from 0 to 1. A pure function: ties go to the earlier one.
pub(super) fn choose(
    profiles: &[Profile],
    room: usize,
    fit: impl FnOnce(&[usize]) -> Vec<f32>,
) -> Vec<&Profile> {
    // The last line needs no line break.
    let mut room = room.saturating_add(1);
    let mut candidates = pool(profiles, room);
    let places: Vec<usize> = candidates.iter().map(|one| one.profile.place).collect();
    for (candidate, fit) in candidates.iter_mut().zip(fit(&places)) {
        candidate.worth += FIT_WEIGHT * f64::from(fit)
            - ROOM_WEIGHT * (candidate.profile.length as f64 / room as f64);
    }
    let mut chosen = Vec::new();
    while let Some(next) = best(&candidates) {
        let next = candidates.swap_remove(next);
        room -= next.profile.length + LINE_OVERHEAD;
        candidates.retain_mut(|candidate| {
            let likeness = likeness(candidate.profile, next.profile);
            candidate.likeness = candidate.likeness.max(likeness);
            fits(candidate.profile, room) && !says_the_same(candidate.profile, next.profile)
        });
        chosen.push((next.rank, next.profile));
    }
    chosen.sort_unstable_by_key(|(rank, _)| *rank);
    chosen.into_iter().map(|(_, profile)| profile).collect()
}

fn fits(profile: &Profile, room: usize) -> bool {
    profile.length + LINE_OVERHEAD <= room
}

/// The memories with the highest scores that fit, so that comparing them with each
/// other costs the same however many there are.
fn pool(profiles: &[Profile], room: usize) -> Vec<Candidate<'_>> {
    let mut candidates: Vec<Candidate<'_>> = profiles
        .iter()
        .enumerate()
        .filter(|(_, profile)| fits(profile, room))
        .map(|(rank, profile)| Candidate {
            profile,
            rank,
            worth: profile.score,
            likeness: 0.0,
        })
        .collect();
    if candidates.len() > POOL {
        candidates.select_nth_unstable_by(POOL, |one, other| {
            let by_score = other.profile.score.total_cmp(&one.profile.score);
            by_score.then(one.rank.cmp(&other.rank))
        });
        candidates.truncate(POOL);
    }
    candidates
}

fn best(candidates: &[Candidate<'_>]) -> Option<usize> {
    let worth =
        |candidate: &Candidate<'_>| candidate.worth - REDUNDANCY_WEIGHT * candidate.likeness;
    candidates
        .iter()
        .enumerate()
        .max_by(|(_, one), (_, other)| {
            let by_worth = worth(one).total_cmp(&worth(other));
            by_worth.then(other.rank.cmp(&one.rank))
        })
        .map(|(place, _)| place)
}

/// The cosine of two memories' terms, rare ones weighing more.
fn likeness(one: &Profile, other: &Profile) -> f64 {
    let norms = one.norm * other.norm;
    if norms == 0.0 {
        return 0.0;
    }
    let common: f64 = common(one, other).map(|term| term.rarity).sum();
    common / norms
}

/// Whether one memory adds nothing to the other: all of its terms are among the
/// other's, or nearly all terms are common, and neither denies what the other
/// says or gives another number.
fn says_the_same(one: &Profile, other: &Profile) -> bool {
    if one.negated != other.negated {
        return false;
    }
    let shared = common(one, other).count();
    let shared_numbers = common(one, other).filter(|term| term.numeric).count();
    let fewer = one.terms.len().min(other.terms.len());
    let all = one.terms.len() + other.terms.len() - shared;
    let numbers = |profile: &Profile| profile.terms.iter().filter(|term| term.numeric).count();
    let numbers_differ = numbers(one).min(numbers(other)) > shared_numbers;
    shared == fewer && (fewer >= 2 || all == shared)
        || shared as f64 >= SAME_SHARE * all as f64 && !numbers_differ
}

/// The terms that both have, in order.
fn common<'p>(one: &'p Profile, other: &'p Profile) -> impl Iterator<Item = Term> + 'p {
    let mut rest = other.terms.as_slice();
    one.terms.iter().copied().filter(move |term| {
        while let Some((first, after)) = rest.split_first() {
            if first.number > term.number {
                return false;
            }
            rest = after;
            if first.number == term.number {
                return true;
            }
        }
        false
    })
}

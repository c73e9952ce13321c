use memu::core::random::SplitMix;

/// How often the conversations are drawn anew.
const ROUNDS: usize = 10_000;

/// A mean difference with how sure it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub(crate) struct Difference {
    /// The mean before.
    pub(crate) before: f64,
    /// The mean after.
    pub(crate) after: f64,
    /// After minus before.
    pub(crate) change: f64,
    /// Between these lie 95 of 100 draws.
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// How often chance alone would make a difference as large, in either direction.
    pub(crate) p: f64,
}

/// Compares paired values, which come by conversation: `(before, after)` of each question.
///
/// A paired bootstrap that draws whole conversations (Efron and Tibshirani, *An
/// Introduction to the Bootstrap*, 1993): questions about one conversation are no
/// independent evidence. The draws are the same every time.
pub(crate) fn compare(conversations: &[Vec<(f64, f64)>]) -> Difference {
    let sums: Vec<(f64, f64)> = conversations
        .iter()
        .map(|pairs| {
            let difference: f64 = pairs.iter().map(|(before, after)| after - before).sum();
            (difference, pairs.len() as f64)
        })
        .collect();
    let count: f64 = sums.iter().map(|(_, count)| count).sum();
    if count == 0.0 {
        return Difference::default();
    }
    let all = || conversations.iter().flatten();
    let before = all().map(|(before, _)| before).sum::<f64>() / count;
    let after = all().map(|(_, after)| after).sum::<f64>() / count;
    let mut random = SplitMix::new(0x6D65_6D75);
    let mut drawn: Vec<f64> = (0..ROUNDS).map(|_| draw(&mut random, &sums)).collect();
    drawn.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = (ROUNDS as f64 * share) as usize;
        drawn
            .get(place.min(ROUNDS - 1))
            .copied()
            .unwrap_or_default()
    };
    let share = |holds: &dyn Fn(f64) -> bool| {
        let count = drawn
            .iter()
            .filter(|difference| holds(**difference))
            .count();
        (count + 1) as f64 / (ROUNDS + 1) as f64
    };
    let tail = share(&|drawn| drawn <= 0.0).min(share(&|drawn| drawn >= 0.0));
    Difference {
        before,
        after,
        change: after - before,
        low: at(0.025),
        high: at(0.975),
        p: (2.0 * tail).min(1.0),
    }
}

/// The mean difference over as many conversations, drawn with replacement.
fn draw(random: &mut SplitMix, sums: &[(f64, f64)]) -> f64 {
    let (mut difference, mut count) = (0.0, 0.0);
    for _ in 0..sums.len() {
        let place = random.below(sums.len() as u64) as usize;
        let (sum, questions) = sums.get(place).copied().unwrap_or_default();
        difference += sum;
        count += questions;
    }
    if count > 0.0 { difference / count } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_gain_is_sure_and_a_wavering_one_is_not() {
        let steady = vec![vec![(0.5, 0.6), (0.2, 0.4)]; 12];
        let sure = compare(&steady);
        assert!((sure.change - 0.15).abs() < 1e-9 && sure.low > 0.1 && sure.p < 0.01);
        let wavering: Vec<Vec<(f64, f64)>> = (0..12)
            .map(|at| vec![(0.5, if at % 2 == 0 { 0.9 } else { 0.15 })])
            .collect();
        let unsure = compare(&wavering);
        assert!(
            unsure.change > 0.0 && unsure.low < 0.0 && unsure.p > 0.2,
            "{unsure:?}"
        );
    }

    #[test]
    fn many_questions_about_one_conversation_prove_little() {
        let mut conversations = vec![vec![(0.0, 1.0); 50]];
        conversations.extend(vec![vec![(0.5, 0.4)]; 5]);
        let difference = compare(&conversations);
        assert!(
            difference.change > 0.5 && difference.p > 0.2,
            "{difference:?}"
        );
    }

    #[test]
    fn the_same_is_no_difference() {
        let same = compare(&[vec![(0.5, 0.5)], vec![(0.1, 0.1)]]);
        assert_eq!(
            (same.change, same.low, same.high, same.p),
            (0.0, 0.0, 0.0, 1.0)
        );
        assert_eq!(compare(&[]), Difference::default());
    }
}

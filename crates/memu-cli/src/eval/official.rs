use std::collections::BTreeMap;

use serde::Serialize;

use super::figures::Found;

/// LongMemEval's own figures, by their own names, as its evaluation code computes them:
/// `recall_any@k`, `recall_all@k` and `ndcg_any@k`, for sessions and for turns.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct LongMemEval {
    pub(crate) session: BTreeMap<String, f64>,
    pub(crate) turn: BTreeMap<String, f64>,
}

/// The depths that the benchmark's code evaluates.
const DEPTHS: [usize; 6] = [1, 3, 5, 10, 30, 50];

impl LongMemEval {
    /// Averages over questions, each with its sessions and turns; `None` when the corpus
    /// tells of no sessions.
    pub(crate) fn average<'f>(
        outcomes: impl Iterator<Item = (Option<&'f Found>, &'f Found)> + Clone,
    ) -> Option<Self> {
        let sessions: Vec<&Found> = outcomes.clone().filter_map(|(found, _)| found).collect();
        if sessions.is_empty() {
            return None;
        }
        let turns: Vec<&Found> = outcomes
            .filter(|(session, _)| session.is_some())
            .map(|(_, turn)| turn)
            .collect();
        Some(Self {
            session: figures(&sessions),
            turn: figures(&turns),
        })
    }
}

fn figures(found: &[&Found]) -> BTreeMap<String, f64> {
    let average = |figure: &dyn Fn(&Found) -> f64| {
        found.iter().map(|found| figure(found)).sum::<f64>() / found.len().max(1) as f64
    };
    let of_depth = |k: usize| {
        [
            (
                format!("recall_any@{k}"),
                average(&|found| f64::from(found.count(k) > 0)),
            ),
            (
                format!("recall_all@{k}"),
                average(&|found| f64::from(found.count(k) == found.evidence)),
            ),
            (format!("ndcg_any@{k}"), average(&|found| gain(found, k))),
        ]
    };
    DEPTHS.into_iter().flat_map(of_depth).collect()
}

/// The benchmark's normalised gain: unlike the usual one, the second place counts as much
/// as the first.
fn gain(found: &Found, k: usize) -> f64 {
    let discount = |place: usize| match place {
        0 => 1.0,
        place => 1.0 / ((place + 1) as f64).log2(),
    };
    let places = found.places.iter().copied();
    let gained: f64 = places.filter(|place| *place < k).map(discount).sum();
    let ideal: f64 = (0..found.evidence.min(k)).map(discount).sum();
    if ideal > 0.0 { gained / ideal } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_benchmarks_code() {
        // One session of two is first, the other fourth; one turn of one is second.
        let sessions = Found {
            places: vec![0, 3],
            evidence: 2,
        };
        let turn = Found {
            places: vec![1],
            evidence: 1,
        };
        let all = LongMemEval::average([(Some(&sessions), &turn)].into_iter()).unwrap();
        assert_eq!(all.session["recall_any@1"], 1.0);
        assert_eq!(all.session["recall_all@3"], 0.0);
        assert_eq!(all.session["recall_all@5"], 1.0);
        // (1 + 1/log2 4) / (1 + 1/log2 2)
        assert!((all.session["ndcg_any@5"] - 0.75).abs() < 1e-9);
        assert_eq!(all.turn["recall_any@1"], 0.0);
        assert_eq!(all.turn["ndcg_any@3"], 1.0);
        assert!(LongMemEval::average([(None, &turn)].into_iter()).is_none());
    }
}

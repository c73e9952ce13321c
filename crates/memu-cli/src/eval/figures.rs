use serde::{Deserialize, Serialize};

/// How well rankings find their evidence, averaged over questions: shares from 0 to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// How many questions were asked.
    pub(crate) questions: usize,
    /// The share of the evidence among the first k.
    pub(crate) recall: Recall,
    /// How often any of the evidence is among the first k.
    pub(crate) hit: AtTen,
    /// How often all of the evidence is among the first k.
    pub(crate) all: AtTen,
    /// One divided by the place of the first evidence.
    pub(crate) mrr: f64,
    /// Normalised discounted cumulative gain (Järvelin and Kekäläinen, 2002), every
    /// message of the evidence counting the same.
    pub(crate) ndcg: AtTen,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "recall at 5 reads as at_5")]
pub(crate) struct Recall {
    #[serde(rename = "5")]
    pub(crate) at_5: f64,
    #[serde(rename = "10")]
    pub(crate) at_10: f64,
    #[serde(rename = "20")]
    pub(crate) at_20: f64,
    #[serde(rename = "50")]
    pub(crate) at_50: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct AtTen {
    #[serde(rename = "10")]
    pub(crate) at_10: f64,
}

impl Figures {
    /// The average over rankings, each given as the places (from 0) at which its
    /// evidence was found, in order, with how much evidence there is.
    pub(crate) fn average<'p>(found: impl IntoIterator<Item = &'p Found>) -> Self {
        let mut sum = Self::default();
        for found in found {
            sum.questions += 1;
            sum.recall.at_5 += found.share(5);
            sum.recall.at_10 += found.share(10);
            sum.recall.at_20 += found.share(20);
            sum.recall.at_50 += found.share(50);
            sum.hit.at_10 += f64::from(found.count(10) > 0);
            sum.all.at_10 += f64::from(found.count(10) == found.evidence);
            sum.mrr += found
                .places
                .first()
                .map_or(0.0, |place| 1.0 / (*place + 1) as f64);
            sum.ndcg.at_10 += found.gain(10);
        }
        let count = sum.questions.max(1) as f64;
        for figure in [
            &mut sum.recall.at_5,
            &mut sum.recall.at_10,
            &mut sum.recall.at_20,
            &mut sum.recall.at_50,
            &mut sum.hit.at_10,
            &mut sum.all.at_10,
            &mut sum.mrr,
            &mut sum.ndcg.at_10,
        ] {
            *figure /= count;
        }
        sum
    }
}

/// Where a ranking has the evidence of one question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Places from 0, in order.
    pub(crate) places: Vec<usize>,
    /// How much evidence there is.
    pub(crate) evidence: usize,
}

impl Found {
    /// Looks for the evidence among distinct messages, best first.
    pub(crate) fn new<M: AsRef<str>>(ranking: &[M], evidence: &[String]) -> Self {
        let is_evidence = |message: &M| evidence.iter().any(|id| id == message.as_ref());
        let mut distinct = evidence.to_vec();
        distinct.sort();
        distinct.dedup();
        Self {
            places: (0..)
                .zip(ranking)
                .filter(|(_, m)| is_evidence(m))
                .map(|(at, _)| at)
                .collect(),
            evidence: distinct.len(),
        }
    }

    /// How much of the evidence is among the first `k`.
    pub(crate) fn count(&self, k: usize) -> usize {
        self.places.iter().filter(|place| **place < k).count()
    }

    pub(crate) fn share(&self, k: usize) -> f64 {
        self.count(k) as f64 / self.evidence.max(1) as f64
    }

    fn gain(&self, k: usize) -> f64 {
        let discount = |place: usize| 1.0 / ((place + 2) as f64).log2();
        let places = self.places.iter().copied();
        let gained: f64 = places.filter(|place| *place < k).map(discount).sum();
        let ideal: f64 = (0..self.evidence.min(k)).map(discount).sum();
        if ideal > 0.0 { gained / ideal } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(ranking: &[&str], evidence: &[&str]) -> Found {
        let evidence: Vec<String> = evidence.iter().map(|id| (*id).to_owned()).collect();
        Found::new(ranking, &evidence)
    }

    #[test]
    fn figures_of_one_question() {
        let found = found(&["x", "a", "y", "b"], &["a", "b", "c", "a"]);
        assert_eq!((found.places.as_slice(), found.evidence), (&[1, 3][..], 3));
        let figures = Figures::average([&found]);
        assert!((figures.recall.at_5 - 2.0 / 3.0).abs() < 1e-9);
        assert_eq!(
            (figures.hit.at_10, figures.all.at_10, figures.mrr),
            (1.0, 0.0, 0.5)
        );
        // (1/log2 3 + 1/log2 5) / (1 + 1/log2 3 + 1/2)
        assert!((figures.ndcg.at_10 - 0.498_1).abs() < 1e-3);
    }

    #[test]
    fn the_average_counts_every_question_the_same() {
        let all = [found(&["a"], &["a"]), found(&["x"], &["a", "b"])];
        let figures = Figures::average(&all);
        assert_eq!(
            (figures.questions, figures.recall.at_5, figures.mrr),
            (2, 0.5, 0.5)
        );
        assert_eq!(Figures::average([]).recall.at_5, 0.0);
    }
}

//! Reproducible texts.

use memu::core::random::SplitMix;

/// Some are forms of one word.
pub(crate) const WORDS: [&str; 24] = [
    "kayak",
    "violin",
    "lantern",
    "teapot",
    "bicycle",
    "bicycles",
    "telescope",
    "quilt",
    "drum",
    "drums",
    "anchor",
    "harbour",
    "attic",
    "market",
    "painted",
    "paints",
    "painting",
    "sold",
    "repaired",
    "found",
    "mountain",
    "mountains",
    "coffee",
    "garden",
];

/// Reproducible choices.
pub(crate) struct Dice(SplitMix);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(SplitMix::new(seed))
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0.below(end as u64) as usize
    }

    pub(crate) fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }

    pub(crate) fn text(&mut self) -> String {
        let words: Vec<&str> = (0..3 + self.below(5)).map(|_| self.pick(&WORDS)).collect();
        format!("I {} in number {}", words.join(" "), self.below(900))
    }
}

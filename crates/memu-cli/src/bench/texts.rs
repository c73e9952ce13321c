//! Messages of made-up words, by a seeded generator.

use std::collections::HashSet;

use memu::core::random::SplitMix;

/// Words there are. How often each comes follows Zipf's law.
const WORDS: usize = 50_000;
/// The fewest and most words of a message.
const LENGTH: std::ops::RangeInclusive<usize> = 12..=40;

/// Numbers that look random and are the same every time.
#[derive(Clone, Debug)]
pub(super) struct Random(SplitMix);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(SplitMix::new(seed))
    }

    pub(super) fn number(&mut self) -> u64 {
        self.0.number()
    }

    /// From 0 to below 1.
    pub(super) fn share(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.share() * limit as f64) as usize
    }

    /// Normally distributed, by the method of Box and Muller.
    pub(super) fn normal(&mut self) -> f32 {
        let radius = (-2.0 * (1.0 - self.share()).ln()).sqrt();
        (radius * (std::f64::consts::TAU * self.share()).cos()) as f32
    }
}

/// A language with its words and their frequencies.
#[derive(Debug)]
pub(super) struct Language {
    words: Vec<String>,
    /// By word: the share of all words up to it.
    shares: Vec<f64>,
}

impl Language {
    pub(super) fn new() -> Self {
        let mut random = Random::new(1);
        let mut sum = 0.0;
        let shares: Vec<f64> = (1..=WORDS)
            .map(|rank| {
                sum += 1.0 / rank as f64;
                sum
            })
            .collect();
        Self {
            words: words(&mut random),
            shares: shares.iter().map(|share| share / sum).collect(),
        }
    }

    fn word(&self, random: &mut Random) -> &str {
        let share = random.share();
        let rank = self.shares.partition_point(|known| *known < share);
        self.words.get(rank).map_or("", String::as_str)
    }

    /// A message of 12 to 40 words.
    pub(super) fn message(&self, random: &mut Random) -> String {
        let count = LENGTH.start() + random.below(LENGTH.end() - LENGTH.start() + 1);
        self.sentence(random, count) + "."
    }

    /// A question of four to eight words, of which none is among the most frequent: people
    /// ask about something.
    pub(super) fn question(&self, random: &mut Random) -> String {
        let count = 4 + random.below(5);
        let words: Vec<&str> = (0..count)
            .map(|_| {
                let rank = 50 + random.below(5_000);
                self.words.get(rank).map_or("", String::as_str)
            })
            .collect();
        format!("What about {}?", words.join(" "))
    }

    fn sentence(&self, random: &mut Random, count: usize) -> String {
        let words: Vec<&str> = (0..count).map(|_| self.word(random)).collect();
        words.join(" ")
    }
}

/// The frequent ones are short, as in any language (Zipf's law of abbreviation).
fn words(random: &mut Random) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut words = Vec::with_capacity(WORDS);
    while words.len() < WORDS {
        let word = word(random);
        if seen.insert(word.clone()) {
            words.push(word);
        }
    }
    words.sort_by_key(String::len);
    words
}

/// A word of one to four syllables.
fn word(random: &mut Random) -> String {
    const STARTS: [&str; 20] = [
        "b", "br", "d", "f", "g", "gr", "h", "k", "kl", "l", "m", "n", "p", "pr", "r", "s", "st",
        "t", "v", "w",
    ];
    const VOWELS: [&str; 7] = ["a", "e", "i", "o", "u", "ai", "ou"];
    const ENDS: [&str; 8] = ["", "", "", "n", "r", "l", "s", "nt"];
    let of = |random: &mut Random, parts: &[&'static str]| {
        parts.get(random.below(parts.len())).copied().unwrap_or("")
    };
    let syllables = 1 + random.below(4);
    (0..syllables)
        .map(|_| [of(random, &STARTS), of(random, &VOWELS), of(random, &ENDS)].concat())
        .collect()
}

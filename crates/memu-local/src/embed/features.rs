use memu_core::analysis::Analyzer;

use super::DIMENSION;

/// Tells features of one kind from those of another with the same bytes.
#[derive(Clone, Copy)]
enum Kind {
    Term = 1,
    Trigram = 2,
    Pair = 3,
}

/// What two neighbouring terms add together; a term by itself adds 24 to 72.
const PAIR_WEIGHT: i64 = 28;
/// What all trigrams of a term would add if they fell on one number.
const TRIGRAMS_WEIGHT: i64 = 110;
/// The most letters of a term whose trigrams are read.
const MAX_LETTERS: usize = 24;

/// The features of a text, summed by the number of the vector they fall on. Being
/// integers, the sums do not depend on the order of summation.
pub(super) struct FeatureSums([i64; DIMENSION as usize]);

impl FeatureSums {
    /// Reads all features of `text`.
    pub(super) fn of(text: &str) -> Self {
        let mut sums = Self([0; DIMENSION as usize]);
        let mut previous = None;
        Analyzer::default().for_each_term(text, |term| {
            let hash = hash(Kind::Term, term.as_bytes());
            sums.add(hash, term_weight(term));
            sums.add_trigrams(term);
            if let Some(previous) = previous.replace(hash) {
                sums.add(pair_hash(previous, hash), PAIR_WEIGHT);
            }
        });
        sums
    }

    /// The sums scaled to length 1; `None` when all are 0.
    pub(super) fn normalised(&self) -> Option<Vec<f32>> {
        let squares: f64 = self.0.iter().map(|sum| *sum as f64 * *sum as f64).sum();
        if squares == 0.0 {
            return None;
        }
        let length = squares.sqrt();
        Some(
            self.0
                .iter()
                .map(|sum| (*sum as f64 / length) as f32)
                .collect(),
        )
    }

    fn add(&mut self, hash: u64, weight: i64) {
        let place = (hash % u64::from(DIMENSION)) as usize;
        let signed = if hash >> 63 == 0 { weight } else { -weight };
        if let Some(sum) = self.0.get_mut(place) {
            *sum += signed;
        }
    }

    /// Adds the trigrams of the term between two boundary marks, so that its
    /// beginning and end count as such. Their worth is
    /// spread over them, so that in a vector's length they weigh less than the term.
    fn add_trigrams(&mut self, term: &str) {
        let mut letters = ['\0'; MAX_LETTERS + 2];
        let count = term.chars().take(MAX_LETTERS).count();
        for (place, letter) in letters.iter_mut().skip(1).zip(term.chars().take(count)) {
            *place = letter;
        }
        let weight = TRIGRAMS_WEIGHT / i64::try_from(count.max(3)).unwrap_or(i64::MAX);
        for trigram in letters.windows(3).take(count) {
            let bytes = trigram
                .iter()
                .flat_map(|letter| u32::from(*letter).to_le_bytes());
            self.add(hash_bytes(Kind::Trigram, bytes), weight);
        }
    }
}

/// Stems that nearly every conversation has, sorted.
const COMMON_TERMS: [&str; 60] = [
    "also", "alway", "back", "come", "day", "even", "feel", "get", "give", "go", "good", "got",
    "great", "happen", "hey", "hope", "keep", "kind", "know", "last", "like", "long", "look",
    "lot", "made", "make", "need", "new", "next", "now", "oh", "one", "peopl", "put", "realli",
    "right", "said", "say", "see", "someth", "start", "sure", "take", "talk", "tell", "thank",
    "thing", "think", "time", "tri", "use", "want", "way", "week", "well", "work", "wow", "yeah",
    "year", "yes",
];

/// What a term is worth: little for the commonest ones, less for short ones, which
/// are more often common.
fn term_weight(term: &str) -> i64 {
    if COMMON_TERMS.binary_search(&term).is_ok() {
        return 24;
    }
    match term.len() {
        0..=2 => 36,
        3..=4 => 50,
        _ => 72,
    }
}

fn hash(kind: Kind, bytes: &[u8]) -> u64 {
    hash_bytes(kind, bytes.iter().copied())
}

fn pair_hash(first: u64, second: u64) -> u64 {
    hash_bytes(
        Kind::Pair,
        first.to_le_bytes().into_iter().chain(second.to_le_bytes()),
    )
}

/// FNV-1a over the kind and the bytes, then the finaliser of SplitMix64: FNV alone
/// leaves the low and the high bits, which are the ones used, poorly mixed.
fn hash_bytes(kind: Kind, bytes: impl Iterator<Item = u8>) -> u64 {
    let bytes = std::iter::once(kind as u8).chain(bytes);
    let fnv = bytes.fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3)
    });
    let mixed = (fnv ^ (fnv >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_terms_are_sorted_stems() {
        assert!(COMMON_TERMS.is_sorted_by(|one, other| one < other));
        for word in ["always", "people", "really", "trying", "thinks"] {
            let terms = Analyzer::default().terms(word);
            assert_eq!(term_weight(&terms[0]), 24, "{word}");
        }
        assert_eq!(term_weight("lighthous"), 72);
    }
}

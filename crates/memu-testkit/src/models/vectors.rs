/// The vector that a [`FakeProvider`](super::FakeProvider) makes of a text: always the same,
/// at length 1, and the nearer to that of another the more words they share.
pub fn vector_of(text: &str, dimension: usize) -> Vec<f32> {
    let mut vector = vec![0.0_f32; dimension];
    let lower = text.to_lowercase();
    let words = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    for word in words {
        add(&mut vector, word);
    }
    if vector.iter().all(|value| *value == 0.0) {
        add(&mut vector, text);
    }
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    vector.iter().map(|value| value / length).collect()
}

/// Adds the numbers that follow from a word: SplitMix64, seeded with its FNV-1a hash.
fn add(vector: &mut [f32], word: &str) {
    let mut state = word.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    for value in vector {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        *value += (mixed >> 40) as f32 / (1_u32 << 23) as f32 - 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn texts_that_share_words_are_nearer_than_others() {
        let [tea, more_tea, chess] =
            ["Ann likes tea", "tea for Ann", "chess openings"].map(|text| vector_of(text, 64));
        assert!(dot(&tea, &more_tea) > dot(&tea, &chess) + 0.2);
        assert!((dot(&tea, &tea) - 1.0).abs() < 1e-5);
        assert_eq!(tea, vector_of("Ann likes tea", 64));
    }
}

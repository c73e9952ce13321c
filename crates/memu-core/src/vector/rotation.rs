//! A fixed rotation that spreads what a vector says evenly over its numbers, so that
//! each of them is worth about as much as any other.
//!
//! Signs are flipped by a seeded sequence, then fast Walsh–Hadamard transforms of the
//! greatest power of two that fits mix the first and the last numbers; several rounds
//! approach a random rotation (Ailon and Chazelle, *The Fast Johnson–Lindenstrauss
//! Transform*, 2009). Every step keeps lengths and angles.

use crate::random::SplitMix;

const ROUNDS: u64 = 3;

/// Rotates in place. Sums run in one order, so that every machine computes the same.
#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the wider instructions"
)]
#[inline(always)]
pub(super) fn rotate(vector: &mut [f32]) {
    let length = vector.len();
    if length == 0 {
        return;
    }
    let window = 1_usize << length.ilog2();
    for round in 0..ROUNDS {
        flip_signs(vector, round);
        if let Some(first) = vector.get_mut(..window) {
            transform(first);
        }
        if window < length
            && let Some(last) = vector.get_mut(length - window..)
        {
            transform(last);
        }
    }
}

/// Flips the signs that a SplitMix64 sequence says.
#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the wider instructions"
)]
#[inline(always)]
fn flip_signs(vector: &mut [f32], round: u64) {
    let mut sequence = SplitMix::new(0x6D65_6D75_0000_0000 ^ round);
    for chunk in vector.chunks_mut(64) {
        let bits = sequence.number();
        let halves = [bits as u32, (bits >> 32) as u32];
        for (half, bits) in chunk.chunks_mut(32).zip(halves) {
            for (place, x) in (0..).zip(half) {
                let sign = (bits >> place) << 31;
                *x = f32::from_bits(x.to_bits() ^ sign);
            }
        }
    }
}

/// The orthonormal Walsh–Hadamard transform of a power of two of numbers.
#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the wider instructions"
)]
#[inline(always)]
fn transform(vector: &mut [f32]) {
    // The first steps are between neighbours: eight numbers stay in a register meanwhile.
    let (eights, rest) = vector.as_chunks_mut::<8>();
    for eight in eights {
        add_within_eight(eight);
    }
    let mut half = if rest.is_empty() { 8 } else { 1 };
    while half < vector.len() {
        for pair in vector.chunks_exact_mut(2 * half) {
            let (low, high) = pair.split_at_mut(half);
            for (low, high) in low.iter_mut().zip(high) {
                (*low, *high) = (*low + *high, *low - *high);
            }
        }
        half *= 2;
    }
    let scale = 1.0 / (vector.len() as f32).sqrt();
    for x in vector {
        *x *= scale;
    }
}

/// The steps of a transform between numbers 1, 2 and 4 apart.
#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the wider instructions"
)]
#[inline(always)]
fn add_within_eight(numbers: &mut [f32; 8]) {
    let [n0, n1, n2, n3, n4, n5, n6, n7] = *numbers;
    let [n0, n1, n2, n3] = [n0 + n1, n0 - n1, n2 + n3, n2 - n3];
    let [n4, n5, n6, n7] = [n4 + n5, n4 - n5, n6 + n7, n6 - n7];
    let [n0, n1, n2, n3] = [n0 + n2, n1 + n3, n0 - n2, n1 - n3];
    let [n4, n5, n6, n7] = [n4 + n6, n5 + n7, n4 - n6, n5 - n7];
    *numbers = [
        n0 + n4,
        n1 + n5,
        n2 + n6,
        n3 + n7,
        n0 - n4,
        n1 - n5,
        n2 - n6,
        n3 - n7,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::dot;

    #[test]
    fn lengths_and_angles_stay() {
        for length in [1, 2, 3, 7, 64, 100, 256, 384, 1536] {
            let mut a: Vec<f32> = (0..length).map(|at| (at as f32 * 0.7).sin()).collect();
            let mut b: Vec<f32> = (0..length).map(|at| (at as f32 * 1.3).cos()).collect();
            let before = (dot(&a, &a), dot(&a, &b));
            rotate(&mut a);
            rotate(&mut b);
            let after = (dot(&a, &a), dot(&a, &b));
            let near = |a: f32, b: f32| (a - b).abs() < 1e-5 * length as f32;
            assert!(
                near(before.0, after.0) && near(before.1, after.1),
                "{length}"
            );
        }
    }

    #[test]
    fn one_number_is_spread_over_all() {
        for length in [64, 384, 1000] {
            let mut vector = vec![0.0; length];
            vector[5] = 1.0;
            rotate(&mut vector);
            let most = vector.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
            assert!(most < 8.0 / (length as f32).sqrt(), "{length}: {most}");
        }
    }
}

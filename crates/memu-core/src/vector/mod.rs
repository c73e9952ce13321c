//! Sums of products of vectors, in one fixed order, so that every CPU and every
//! store gives the same score.

mod at_least;
mod bits;
mod bytes;
mod certain;
mod codes;
mod encode;
mod likely;
mod most;
mod nearest;
mod parts;
mod piece;
mod planes;
mod query;
mod reaching;
mod rotation;
mod shares;
mod stored;
mod told;

pub use at_least::AtLeast;
pub(crate) use bytes::ByteQuery;
pub use certain::{Survey, Undecided};
pub use codes::{BLOCK_VECTORS, CodeBlock, LowBits, MOST_CODED};
pub use likely::Glance;
pub use nearest::{Candidate, Codes};
pub use piece::SideBySide;
pub use query::CodedQuery;

/// How many running sums there are. Enough for any vector unit, and fixed: the
/// order of additions is part of the result.
const LANES: usize = 16;

/// The inner product. Lane `i` adds the products at `i`, `i + 16`, `i + 32`, …,
/// and the lanes are then added pairwise (8, 4, 2, 1). Products and sums are
/// rounded separately (no fused multiply-add). What one vector has more than the
/// other is left out.
#[inline]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let length = a.len().min(b.len());
    let (a, b) = (
        a.get(..length).unwrap_or_default(),
        b.get(..length).unwrap_or_default(),
    );
    let mut lanes = [0.0_f32; LANES];
    let (whole_a, whole_b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = (whole_a.remainder(), whole_b.remainder());
    for (a, b) in whole_a.zip(whole_b).chain([rest]) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    for width in [8, 4, 2, 1] {
        let (low, high) = lanes.split_at_mut(width);
        for (low, high) in low.iter_mut().zip(high) {
            *low += *high;
        }
    }
    let [sum, ..] = lanes;
    sum
}

/// The cosine of the angle between two vectors, from -1 to 1; 0 when they differ
/// in length or one has no length.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    if a.len() != b.len() {
        return 0.0;
    }
    let norms = dot(a, a).sqrt() * dot(b, b).sqrt();
    if norms == 0.0 {
        return 0.0;
    }
    let cosine = dot(a, b) / norms;
    // Not a number: an unusable vector, which sorting would put before all others.
    if cosine.is_nan() {
        return -1.0;
    }
    cosine.clamp(-1.0, 1.0)
}

/// The vector brought to length 1; zeros stay zeros.
fn unit(vector: &[f32]) -> Vec<f32> {
    let length = dot(vector, vector).sqrt();
    let factor = if length > 0.0 { 1.0 / length } else { 0.0 };
    vector.iter().map(|x| x * factor).collect()
}

/// Appends a vector as bytes from -127 to 127, and returns what one step of them is worth.
#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the wider instructions"
)]
#[inline(always)]
pub(crate) fn push_signed_bytes(vector: &[f32], bytes: &mut Vec<i8>) -> f32 {
    let greatest = vector.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let factor = if greatest > 0.0 {
        127.0 / greatest
    } else {
        0.0
    };
    // Rounds half away from zero, as `round` does, without a call to a library.
    bytes.extend(vector.iter().map(|x| {
        let x = x * factor;
        (x + 0.5_f32.copysign(x)) as i8
    }));
    greatest / 127.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_tell_a_vector_up_to_half_a_step() {
        let mut bytes = vec![9];
        let vector = [0.5, -1.0, 0.0, 0.003];
        let step = push_signed_bytes(&vector, &mut bytes);
        assert_eq!(bytes, [9, 64, -127, 0, 0]);
        for (byte, x) in bytes[1..].iter().zip(vector) {
            assert!((f32::from(*byte) * step - x).abs() <= step / 2.0);
        }
        assert_eq!(push_signed_bytes(&[0.0, 0.0], &mut bytes), 0.0);
        assert_eq!(bytes[5..], [0, 0]);
    }

    #[test]
    fn the_inner_product_is_right_at_every_length_around_a_chunk() {
        for length in 0..70_usize {
            // Small whole numbers: every order of additions gives the same sum.
            let a: Vec<f32> = (0..length).map(|i| (i % 5) as f32).collect();
            let b: Vec<f32> = (0..length).map(|i| (i % 3) as f32 - 1.0).collect();
            let expected: f32 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
            assert_eq!(dot(&a, &b), expected, "{length}");
        }
    }

    #[test]
    fn the_order_of_additions_is_by_lane_then_pairwise() {
        // 1 in lane 0 and 1e8 in lane 8 meet first, where the 1 is lost; lane 4
        // then takes the 1e8 away. Left to right would give the same, so lane 1
        // keeps a 1 that only a lane order can keep.
        let mut a = vec![0.0_f32; 16];
        a[0] = 1.0;
        a[8] = 1e8;
        a[4] = -1e8;
        a[1] = 1.0;
        assert_eq!(dot(&a, &[1.0; 16]), 1.0);
        let left_to_right: f32 = a.iter().sum();
        assert_eq!(left_to_right, 0.0);
    }

    #[test]
    fn cosines_are_bounded_and_refuse_what_has_no_angle() {
        let a = [0.1_f32, 0.2, 0.3];
        assert!((cosine(&a, &a) - 1.0).abs() < 1e-6);
        assert!(cosine(&a, &a) <= 1.0);
        assert_eq!(cosine(&a, &[-0.1, -0.2, -0.3]), -cosine(&a, &a));
        assert_eq!(cosine(&a, &[0.0; 3]), 0.0);
        assert_eq!(cosine(&a, &[1.0; 4]), 0.0);
        assert_eq!(cosine(&[1.0, 0.0], &[0.0, 1.0]), 0.0);
    }
}

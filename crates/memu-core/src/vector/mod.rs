//! Sums of products of vectors, in one fixed order, so that every CPU and every
//! store gives the same score.

mod ahead;
mod at_least;
mod beyond;
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
mod side_by_side;
mod stored;
mod told;

pub use at_least::AtLeast;
pub(crate) use bytes::ByteQuery;
pub use certain::{Certain, Undecided};
pub use codes::{BLOCK_VECTORS, CodeBlock, LowBits, MOST_CODED};
pub use nearest::{Candidate, Codes};
pub use query::CodedQuery;
pub use side_by_side::{Block, SideBySide};

/// How many running sums there are. Enough for any vector unit, and fixed: the
/// order of additions is part of the result.
const LANES: usize = 16;

/// The inner product. Lane `i` adds the products at `i`, `i + 16`, `i + 32`, …,
/// and the lanes are then added pairwise (8, 4, 2, 1). Products and sums are
/// rounded separately (no fused multiply-add). What one vector has more than the
/// other is left out.
#[inline]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    dot_as(a, b, |x| x)
}

/// The same with numbers that are kept in another form.
#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the wider instructions"
)]
#[inline(always)]
fn dot_as<T: Copy>(a: &[f32], b: &[T], number: impl Fn(T) -> f32) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (whole_a, rest_a) = a.as_chunks::<LANES>();
    let (whole_b, rest_b) = b.as_chunks::<LANES>();
    for (a, b) in whole_a.iter().zip(whole_b) {
        add_products(&mut lanes, a, b, &number);
    }
    // What comes behind the last whole chunk of the shorter one.
    let whole = whole_a.len().min(whole_b.len());
    let rest_a = whole_a.get(whole).map_or(rest_a, <[f32; LANES]>::as_slice);
    let rest_b = whole_b.get(whole).map_or(rest_b, <[T; LANES]>::as_slice);
    add_products(&mut lanes, rest_a, rest_b, &number);
    for width in [8, 4, 2, 1] {
        let (low, high) = lanes.split_at_mut(width);
        for (low, high) in low.iter_mut().zip(high) {
            *low += *high;
        }
    }
    let [sum, ..] = lanes;
    sum
}

/// Adds the product at each place to the lane of that place.
#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the wider instructions"
)]
#[inline(always)]
fn add_products<T: Copy>(lanes: &mut [f32; LANES], a: &[f32], b: &[T], number: impl Fn(T) -> f32) {
    for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
        *lane += a * number(*b);
    }
}

/// The cosine of the angle between two vectors, from -1 to 1; 0 when they differ
/// in length or one has no length.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    if a.len() != b.len() {
        return 0.0;
    }
    by_lengths(dot(a, b), dot(a, a).sqrt() * dot(b, b).sqrt())
}

/// The cosine, by the inner product and the product of the lengths.
fn by_lengths(product: f32, lengths: f32) -> f32 {
    if lengths == 0.0 {
        return 0.0;
    }
    let cosine = product / lengths;
    // Not a number: an unusable vector, which sorting would put before all others.
    if cosine.is_nan() {
        return -1.0;
    }
    cosine.clamp(-1.0, 1.0)
}

/// One vector that many are compared with.
#[derive(Clone, Debug)]
pub struct CosineWith<'v> {
    vector: &'v [f32],
    length: f32,
}

impl<'v> CosineWith<'v> {
    /// What is needed of the vector for every comparison is computed once.
    pub fn new(vector: &'v [f32]) -> Self {
        Self {
            vector,
            length: dot(vector, vector).sqrt(),
        }
    }

    /// [`cosine`] with another vector, by the widest instructions of this processor.
    pub fn of(&self, other: &[f32]) -> f32 {
        if self.vector.len() != other.len() {
            return 0.0;
        }
        let (product, squared) = pulp::Arch::new().dispatch(
            #[inline(always)]
            || (dot(self.vector, other), dot(other, other)),
        );
        by_lengths(product, self.length * squared.sqrt())
    }
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
        assert_eq!(cosine(&a, &[f32::NAN; 3]), -1.0);
    }

    #[test]
    fn one_is_compared_with_many_as_each_with_each() {
        let mut random = crate::random::SplitMix::new(3);
        for length in [0, 1, 3, 16, 100, 384] {
            let mut vector = || -> Vec<f32> {
                let number = |_| random.below(1_000) as f32 / 999.0 - 0.5;
                (0..length).map(number).collect()
            };
            let (a, b) = (vector(), vector());
            let with = CosineWith::new(&a);
            for other in [&a, &b, &vec![0.0; length], &vec![f32::NAN; length]] {
                assert_eq!(with.of(other).to_bits(), cosine(&a, other).to_bits());
            }
            assert_eq!(with.of(&vec![1.0; length + 1]), 0.0);
        }
    }
}

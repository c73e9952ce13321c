#![expect(
    clippy::inline_always,
    reason = "it must be compiled for the wider instructions"
)]

use pulp::{Simd, WithSimd};

/// How many values are looked at together, and how many more closely.
const MANY: usize = 32;
const FEW: usize = 8;

/// The numbers of the values that are at least `bound`, in order.
pub(super) fn reaching(values: &[f32], bound: f32, numbers: &mut Vec<usize>) {
    numbers.clear();
    pulp::Arch::new().dispatch(Reaching {
        values,
        bound,
        numbers,
    });
}

struct Reaching<'v> {
    values: &'v [f32],
    bound: f32,
    numbers: &'v mut Vec<usize>,
}

impl WithSimd for Reaching<'_> {
    type Output = ();

    /// Most values are far below: whole groups are passed over by the widest instructions
    /// that this processor has.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (groups, rest) = self.values.as_chunks::<MANY>();
        for (group, values) in groups.iter().enumerate() {
            if !any_reaches(values, self.bound) {
                continue;
            }
            for (place, values) in values.as_chunks::<FEW>().0.iter().enumerate() {
                if any_reaches(values, self.bound) {
                    let first = group * MANY + place * FEW;
                    push(first, values, self.bound, self.numbers);
                }
            }
        }
        push(groups.len() * MANY, rest, self.bound, self.numbers);
    }
}

#[inline(always)]
fn any_reaches<const COUNT: usize>(values: &[f32; COUNT], bound: f32) -> bool {
    let mut any = 0_u32;
    for value in values {
        any |= u32::from(*value >= bound);
    }
    any != 0
}

/// Appends those of a group whose first number is `first`.
fn push(first: usize, values: &[f32], bound: f32, numbers: &mut Vec<usize>) {
    let found = (first..).zip(values).filter(|(_, value)| **value >= bound);
    numbers.extend(found.map(|(number, _)| number));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    #[test]
    fn all_that_reach_a_bound_are_found_wherever_they_are() {
        let mut random = SplitMix::new(3);
        for length in [0, 1, 7, 8, 31, 32, 33, 256, 300] {
            for share in [0, 2, 50, 100] {
                let value = |_| if random.below(100) < share { 0.5 } else { 0.4 };
                let mut values: Vec<f32> = (0..length).map(value).collect();
                if let Some(last) = values.last_mut() {
                    *last = f32::NAN;
                }
                let expected = (0..values.len()).filter(|place| values[*place] >= 0.5);
                let mut numbers = vec![9];
                reaching(&values, 0.5, &mut numbers);
                assert_eq!(numbers, expected.collect::<Vec<_>>(), "{length}");
            }
        }
    }
}

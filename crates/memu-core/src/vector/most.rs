//! What the cosines of the vectors of a block are at most.

#![expect(
    clippy::inline_always,
    reason = "it must be compiled for the wider instructions"
)]

use pulp::{Simd, WithSimd};

use super::bits::GROUP;
use super::codes::CodeBlock;
use super::query::CodedQuery;

/// By plane and table: the sums of every vector.
pub(super) type SumsByTable = [[Vec<u16>; 2]; 2];

/// By two bits, if their estimate is not off by more than a number of spreads.
pub(super) struct MostByTwoBits<'m> {
    pub(super) block: &'m CodeBlock,
    /// By plane.
    pub(super) sums: [&'m [u16]; 2],
    pub(super) base: f32,
    /// What one of the sums is worth, and by how much they are too great.
    pub(super) step: f32,
    pub(super) offset: f32,
    pub(super) per_spread: f32,
    /// In whole groups.
    pub(super) most: &'m mut [f32],
}

impl WithSimd for MostByTwoBits<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let [firsts, seconds] = [whole(self.sums[0]), whole(self.sums[1])];
        let known = groups(&self.block.factors).zip(groups(&self.block.spreads.steps));
        let sums = firsts.iter().zip(seconds);
        let out = self.most.as_chunks_mut::<GROUP>().0.iter_mut();
        for (out, ((firsts, seconds), (factors, spreads))) in out.zip(sums.zip(known)) {
            let known = factors.iter().zip(&spreads);
            let known = firsts.iter().zip(seconds).zip(known);
            for (most, ((first, second), (factor, spread))) in out.iter_mut().zip(known) {
                let sum = 2.0 * f32::from(*first) + f32::from(*second);
                let estimate = self.base + factor * (self.step * sum - self.offset);
                *most = estimate + self.per_spread * f32::from(*spread);
            }
        }
    }
}

/// By four bits, for certain.
pub(super) struct MostByFourBits<'m> {
    pub(super) block: &'m CodeBlock,
    pub(super) query: &'m CodedQuery,
    pub(super) base: f32,
    pub(super) sums: &'m SumsByTable,
    /// By vector: the product of the query's bytes with the third and fourth bits.
    pub(super) products: &'m [i32],
    /// In whole groups: the same with all four bits.
    pub(super) coded: &'m mut [i32],
    /// In whole groups.
    pub(super) most: &'m mut [f32],
}

impl WithSimd for MostByFourBits<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { block, query, .. } = self;
        let offset = query.exact_signs.offset;
        let [[first, first_low], [second, second_low]] = self.sums;
        let first = whole(first).iter().zip(whole(first_low));
        let sums = first.zip(whole(second).iter().zip(whole(second_low)));
        let out = self.coded.as_chunks_mut::<GROUP>().0.iter_mut();
        for (out, ((first, second), products)) in out.zip(sums.zip(groups(self.products))) {
            let first = first.0.iter().zip(first.1);
            let known = first.zip(second.0.iter().zip(second.1)).zip(&products);
            for (coded, ((first, second), product)) in out.iter_mut().zip(known) {
                let sum =
                    |(high, low): (&u16, &u16)| (i32::from(*high) << 5) + i32::from(*low) - offset;
                *coded = 8 * sum(first) + 4 * sum(second) + product;
            }
        }
        let fixed = query.byte_error * block.longest + query.slack;
        let share = query.length * block.errors.greatest / 255.0;
        let known = groups(&block.scales).zip(groups(&block.errors.steps));
        let coded = self.coded.as_chunks::<GROUP>().0.iter();
        let out = self.most.as_chunks_mut::<GROUP>().0.iter_mut();
        for (out, (coded, (scales, errors))) in out.zip(coded.zip(known)) {
            let known = coded.iter().zip(scales.iter().zip(&errors));
            for (most, (coded, (scale, error))) in out.iter_mut().zip(known) {
                let coded = 2 * coded - 15 * query.byte_sum;
                let cosine = self.base + 8.0 * scale * query.byte_scale * coded as f32;
                *most = cosine + share * f32::from(*error) + fixed;
            }
        }
    }
}

#[inline(always)]
fn whole(sums: &[u16]) -> &[[u16; GROUP]] {
    sums.as_chunks().0
}

/// Numbers in groups, the last one filled up with zeros: loops over arrays have no remainder.
#[inline(always)]
fn groups<T: Copy + Default>(numbers: &[T]) -> impl Iterator<Item = [T; GROUP]> {
    let (groups, left) = numbers.as_chunks::<GROUP>();
    let mut last = [T::default(); GROUP];
    for (last, number) in last.iter_mut().zip(left) {
        *last = *number;
    }
    groups.iter().copied().chain([last])
}

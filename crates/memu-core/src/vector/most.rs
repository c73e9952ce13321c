//! What the cosines of the vectors of a block are at most.

#![expect(
    clippy::inline_always,
    reason = "it must be compiled for the wider instructions"
)]

use pulp::{Simd, WithSimd};

use super::bits::GROUP;
use super::codes::CodeBlock;
use super::query::CodedQuery;

/// By two bits, if their estimate is not off by more than a number of spreads.
pub(super) struct MostByTwoBits<'m> {
    pub(super) block: &'m CodeBlock,
    /// In whole groups: the product of the query's bytes with each vector's first two bits.
    pub(super) products: &'m [i32],
    pub(super) base: f32,
    /// What one of the products is worth, and by how much twice of them is too great.
    pub(super) step: f32,
    pub(super) offset: i32,
    pub(super) per_spread: f32,
    /// In whole groups.
    pub(super) most: &'m mut [f32],
}

impl WithSimd for MostByTwoBits<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let known = groups(&self.block.factors.steps).zip(groups(&self.block.spreads.steps));
        let per_sum = self.step * self.block.factors.unit();
        let products = self.products.as_chunks::<GROUP>().0.iter();
        let out = self.most.as_chunks_mut::<GROUP>().0.iter_mut();
        for (out, (products, (factors, spreads))) in out.zip(products.zip(known)) {
            let known = products.iter().zip(factors.iter().zip(&spreads));
            for (most, (product, (factor, spread))) in out.iter_mut().zip(known) {
                // Each number from -3 to 3.
                let sum = (2 * product - self.offset) as f32;
                let estimate = self.base + f32::from(*factor) * (per_sum * sum);
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
    /// In whole groups: the product of the query's bytes with the first two bits.
    pub(super) first: &'m [i32],
    /// By vector: the same with the two bits after them.
    pub(super) middle: &'m [i32],
    /// In whole groups.
    pub(super) most: &'m mut [f32],
}

impl WithSimd for MostByFourBits<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { block, query, .. } = self;
        let fixed = query.byte_error * block.longest + query.slack;
        let share = query.length * block.errors.unit();
        let per_step = 8.0 * query.byte_scale * block.scales.unit();
        let known = groups(&block.scales.steps).zip(groups(&block.errors.steps));
        let first = self.first.as_chunks::<GROUP>().0.iter();
        let coded = first.zip(groups(self.middle));
        let out = self.most.as_chunks_mut::<GROUP>().0.iter_mut();
        for (out, ((first, middle), (scales, errors))) in out.zip(coded.zip(known)) {
            let coded = first.iter().zip(&middle);
            let known = coded.zip(scales.iter().zip(&errors));
            for (most, ((first, middle), (scale, error))) in out.iter_mut().zip(known) {
                let coded = 8 * first + 2 * middle - 15 * query.byte_sum;
                let cosine = self.base + f32::from(*scale) * (per_step * coded as f32);
                *most = cosine + share * f32::from(*error) + fixed;
            }
        }
    }
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

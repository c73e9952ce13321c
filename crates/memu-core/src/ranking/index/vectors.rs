use std::fmt;

use crate::vector::{ByteQuery, dot as dot_f32, push_signed_bytes};

/// How many vectors are compared with each of several others before the next ones: they
/// stay in the processor meanwhile.
const AT_A_TIME: usize = 64;

/// A bound times this stays one when it is rounded.
const ROUNDED: f32 = 1.0001;

/// Vectors of length 1, kept as signed bytes with one scale each: integer sums do
/// not depend on their order, so every machine computes the same cosines.
#[derive(Clone, Default)]
pub(super) struct Vectors {
    dimension: usize,
    codes: Vec<i8>,
    /// By vector; 0 for the zero vector.
    scales: Vec<f32>,
    /// By vector: the length of its codes after those of [`Self::beginning`].
    tails: Vec<f32>,
}

impl Vectors {
    pub(super) fn new(dimension: usize) -> Self {
        Self {
            dimension,
            ..Self::default()
        }
    }

    /// Appends a vector, which is brought to length 1.
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the wider instructions"
    )]
    #[inline(always)]
    pub(super) fn push(&mut self, vector: &[f32]) {
        let length = dot_f32(vector, vector).sqrt();
        let start = self.codes.len();
        let step = push_signed_bytes(vector, &mut self.codes);
        let scale = if length > 0.0 { step / length } else { 0.0 };
        self.scales.push(scale);
        let tail = self.codes.get(start + self.beginning()..);
        self.tails.push(length_of(tail.unwrap_or_default()));
    }

    /// How many numbers of a vector are multiplied first where most are too far away: the
    /// word table has the heavier ones first.
    fn beginning(&self) -> usize {
        (self.dimension / 2)
            .next_multiple_of(32)
            .min(self.dimension)
    }

    /// Appends the vector at a place of others.
    pub(super) fn push_from(&mut self, others: &Self, place: usize) {
        let range = place * self.dimension..(place + 1) * self.dimension;
        let numbers = (others.scales.get(place), others.tails.get(place));
        if let (Some(codes), (Some(scale), Some(tail))) = (others.codes.get(range), numbers) {
            self.codes.extend_from_slice(codes);
            self.scales.push(*scale);
            self.tails.push(*tail);
        }
    }

    /// Makes room for so many more.
    pub(super) fn reserve(&mut self, more: usize) {
        self.codes.reserve(more * self.dimension);
        self.scales.reserve(more);
        self.tails.reserve(more);
    }

    /// How many numbers a vector has.
    pub(super) fn dimension(&self) -> usize {
        self.dimension
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.scales.len()
    }

    /// Adds the vector at `place` times `weight` to `sum`.
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the wider instructions"
    )]
    #[inline(always)]
    pub(super) fn add(&self, place: u32, weight: f32, sum: &mut [f32]) {
        let (at, dimension) = (place as usize, self.dimension);
        let codes = self.codes.get(at * dimension..(at + 1) * dimension);
        let (Some(codes), Some(scale)) = (codes, self.scales.get(at)) else {
            return;
        };
        let weight = weight * scale;
        for (sum, code) in sum.iter_mut().zip(codes) {
            *sum += weight * f32::from(*code);
        }
    }

    /// The cosine of every vector with this one, in order.
    pub(super) fn cosines(&self, vector: &[f32]) -> Vec<f32> {
        self.cosines_of(&[vector]).pop().unwrap_or_default()
    }

    /// For each of these: the cosine of every vector with it, in order.
    pub(super) fn cosines_of(&self, others: &[&[f32]]) -> Vec<Vec<f32>> {
        let queries: Vec<_> = others.iter().map(|vector| self.query(vector)).collect();
        let mut cosines = vec![Vec::with_capacity(self.scales.len()); queries.len()];
        let mut products = Vec::with_capacity(AT_A_TIME);
        // No vectors, no dimension: chunks of 0 would be none of anything.
        let dimension = self.dimension.max(1);
        let parts = self.codes.chunks(dimension * AT_A_TIME);
        for (codes, scales) in parts.zip(self.scales.chunks(AT_A_TIME)) {
            for (query, cosines) in queries.iter().zip(&mut cosines) {
                products.clear();
                query
                    .codes
                    .products(codes.chunks_exact(dimension), &mut products);
                let pairs = products.iter().zip(scales);
                cosines.extend(pairs.map(|(product, own)| *product as f32 * own * query.scale));
            }
        }
        cosines
    }

    /// The cosine with this one of the vectors at these places, in their order; those that are
    /// not there are left out.
    pub(super) fn cosines_at(&self, vector: &[f32], places: &[usize]) -> Vec<f32> {
        let query = self.query(vector);
        // No vectors, no dimension: rows of 0 would be none of anything.
        let dimension = self.dimension.max(1);
        let rows = places.iter().filter_map(|place| {
            let start = place * dimension;
            self.codes.get(start..start + dimension)
        });
        let mut products = Vec::with_capacity(places.len());
        query.codes.products(rows, &mut products);
        let scales = places.iter().filter_map(|place| self.scales.get(*place));
        let pairs = products.iter().zip(scales);
        pairs
            .map(|(product, own)| *product as f32 * own * query.scale)
            .collect()
    }

    /// For each of these, calls `visit` with its place, and the place and cosine of every
    /// vector that is as near to it as the `least` cosine, and of some others; `visit` says
    /// what the least is from then on, which is not below 0.
    ///
    /// First the beginnings are multiplied. What the rest can add is at most the product of
    /// their lengths (Cauchy and Schwarz), so that most vectors need no more.
    pub(super) fn for_each_near(
        &self,
        others: &[&[f32]],
        least: f32,
        mut visit: impl FnMut(usize, u32, f32) -> f32,
    ) {
        let (dimension, beginning) = (self.dimension.max(1), self.beginning());
        let queries = others.iter().map(|vector| (self.query(vector), least));
        let mut queries: Vec<_> = queries.collect();
        let (mut products, mut bounds, mut near) = (Vec::new(), Vec::new(), Vec::new());
        for start in (0..self.count()).step_by(AT_A_TIME) {
            let end = (start + AT_A_TIME).min(self.count());
            let codes = self.codes.get(start * dimension..end * dimension);
            let (Some(codes), Some(scales), Some(tails)) = (
                codes,
                self.scales.get(start..end),
                self.tails.get(start..end),
            ) else {
                return;
            };
            for (number, (query, least)) in queries.iter_mut().enumerate() {
                products.clear();
                let beginnings = codes.chunks_exact(dimension);
                let beginnings = beginnings.filter_map(|row| row.get(..beginning));
                query.codes.products(beginnings, &mut products);
                let (tail, scale) = (query.tail * ROUNDED, query.scale * ROUNDED);
                bounds.clear();
                bounds.extend(products.iter().zip(scales).zip(tails).map(
                    |((product, own_scale), own_tail)| {
                        (*product as f32 + tail * own_tail + 1.0) * (scale * own_scale)
                    },
                ));
                near.clear();
                let bounds = bounds.iter().enumerate();
                near.extend(bounds.filter_map(|(at, bound)| (*bound >= *least).then_some(at)));
                products.clear();
                let rows = near.iter().filter_map(|at| {
                    let start = at * dimension;
                    codes.get(start..start + dimension)
                });
                query.codes.products(rows, &mut products);
                for (at, product) in near.iter().zip(&products) {
                    let scale = scales.get(*at).copied().unwrap_or_default();
                    let cosine = *product as f32 * scale * query.scale;
                    *least = visit(number, (start + at) as u32, cosine);
                }
            }
        }
    }

    fn query(&self, vector: &[f32]) -> Query {
        let mut other = Self::new(self.dimension);
        other.push(vector);
        Query {
            codes: ByteQuery::new(&other.codes),
            scale: other.scales.first().copied().unwrap_or_default(),
            tail: other.tails.first().copied().unwrap_or_default(),
        }
    }
}

/// A vector that others are compared with.
struct Query {
    codes: ByteQuery,
    scale: f32,
    tail: f32,
}

/// The length of a vector of whole numbers.
fn length_of(codes: &[i8]) -> f32 {
    let squares = codes.iter().map(|code| i32::from(*code).pow(2));
    (squares.sum::<i32>() as f32).sqrt()
}

impl fmt::Debug for Vectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vectors")
            .field("dimension", &self.dimension)
            .field("count", &self.scales.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    #[test]
    fn cosines_do_not_depend_on_lengths() {
        let mut vectors = Vectors::new(2);
        vectors.push(&[3.0, 0.0]);
        vectors.push(&[0.0, 0.1]);
        vectors.push(&[0.0, 0.0]);
        vectors.push(&[-1.0, 1.0]);
        let cosines = vectors.cosines(&[5.0, 5.0]);
        let half = 0.5_f32.sqrt();
        let expected = [half, half, 0.0, 0.0];
        for (cosine, expected) in cosines.iter().zip(expected) {
            assert!((cosine - expected).abs() < 0.01, "{cosines:?}");
        }
        assert_eq!(cosines.len(), 4);
        let some = vectors.cosines_at(&[5.0, 5.0], &[3, 0, 4]);
        assert_eq!(some, [cosines[3], cosines[0]]);
        assert!(Vectors::new(0).cosines_at(&[], &[0]).is_empty());
    }

    #[test]
    fn what_is_near_is_found_without_multiplying_all_of_it() {
        let mut random = SplitMix::new(5);
        let mut vector = |heavy: f32| -> Vec<f32> {
            let number = |at: usize| (random.below(2_001) as f32 - 1_000.0) * heavy.powf(at as f32);
            (0..96).map(number).collect()
        };
        let mut vectors = Vectors::new(96);
        for number in 0..500 {
            vectors.push(&vector(if number % 2 == 0 { 0.97 } else { 1.0 }));
        }
        vectors.push(&[0.0; 96]);
        let queries = [vector(0.97), vector(1.0), vec![0.0; 96]];
        let queries = queries.each_ref().map(Vec::as_slice);
        let all = vectors.cosines_of(&queries);
        for least in [0.0, 0.1, 0.25] {
            let mut near = vec![Vec::new(); 3];
            vectors.for_each_near(&queries, least, |query, place, cosine| {
                assert_eq!(all[query][place as usize], cosine);
                if cosine >= least {
                    near[query].push(place);
                }
                least
            });
            for (near, all) in near.iter().zip(&all) {
                let expected = (0..).zip(all).filter(|(_, cosine)| **cosine >= least);
                let expected: Vec<u32> = expected.map(|(place, _)| place).collect();
                assert_eq!(*near, expected);
            }
        }
    }

    #[test]
    fn a_sum_weighs_unit_vectors() {
        let mut vectors = Vectors::new(2);
        vectors.push(&[10.0, 0.0]);
        vectors.push(&[0.0, 0.5]);
        let mut sum = [0.0; 2];
        vectors.add(0, 2.0, &mut sum);
        vectors.add(1, 3.0, &mut sum);
        assert!((sum[0] - 2.0).abs() < 1e-5 && (sum[1] - 3.0).abs() < 1e-5);
    }
}

use std::fmt;

use crate::vector::{ByteQuery, dot as dot_f32, push_signed_bytes};

/// How many vectors are compared with each of several others before the next ones: they
/// stay in the processor meanwhile.
const AT_A_TIME: usize = 64;

/// Vectors of length 1, kept as signed bytes with one scale each: integer sums do
/// not depend on their order, so every machine computes the same cosines.
#[derive(Clone, Default)]
pub(super) struct Vectors {
    dimension: usize,
    codes: Vec<i8>,
    /// By vector; 0 for the zero vector.
    scales: Vec<f32>,
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
        let step = push_signed_bytes(vector, &mut self.codes);
        let scale = if length > 0.0 { step / length } else { 0.0 };
        self.scales.push(scale);
    }

    /// Appends a vector as [`Self::last`] gave it.
    pub(super) fn push_coded(&mut self, codes: &[i8], scale: f32) {
        self.codes.extend_from_slice(codes);
        self.scales.push(scale);
    }

    /// How many numbers a vector has.
    pub(super) fn dimension(&self) -> usize {
        self.dimension
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.scales.len()
    }

    /// Puts the vector at `from` of others at a place of these; what is missing before it
    /// becomes zero.
    pub(super) fn put(&mut self, place: usize, others: &Self, from: usize) {
        let dimension = self.dimension;
        if place >= self.scales.len() {
            self.codes.resize((place + 1) * dimension, 0);
            self.scales.resize(place + 1, 0.0);
        }
        let range = |at: usize| at * dimension..(at + 1) * dimension;
        if let (Some(to), Some(codes)) = (
            self.codes.get_mut(range(place)),
            others.codes.get(range(from)),
        ) {
            to.copy_from_slice(codes);
        }
        if let (Some(to), Some(scale)) = (self.scales.get_mut(place), others.scales.get(from)) {
            *to = *scale;
        }
    }

    /// The codes and scale of the last vector.
    pub(super) fn last(&self) -> Option<(&[i8], f32)> {
        let start = self.codes.len().checked_sub(self.dimension)?;
        Some((self.codes.get(start..)?, *self.scales.last()?))
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
        let queries: Vec<(ByteQuery, f32)> = others
            .iter()
            .map(|vector| {
                let mut other = Self::new(self.dimension);
                other.push(vector);
                let scale = other.scales.first().copied().unwrap_or_default();
                (ByteQuery::new(&other.codes), scale)
            })
            .collect();
        let mut cosines = vec![Vec::with_capacity(self.scales.len()); queries.len()];
        let mut products = Vec::with_capacity(AT_A_TIME);
        // No vectors, no dimension: chunks of 0 would be none of anything.
        let dimension = self.dimension.max(1);
        let parts = self.codes.chunks(dimension * AT_A_TIME);
        for (codes, scales) in parts.zip(self.scales.chunks(AT_A_TIME)) {
            for ((query, scale), cosines) in queries.iter().zip(&mut cosines) {
                products.clear();
                query.products(codes.chunks_exact(dimension), &mut products);
                let pairs = products.iter().zip(scales);
                cosines.extend(pairs.map(|(product, own)| *product as f32 * own * scale));
            }
        }
        cosines
    }
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

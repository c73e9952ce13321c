//! Codes of vectors, and what they tell of cosines with a query.

use super::dot;
use super::likely::DEVIATIONS;
use super::most::{MostByFourBits, MostByTwoBits};
use super::piece::Piece;
use super::planes::{low_bytes, middle_bytes};
use super::query::CodedQuery;
use super::shares::Shares;
use super::told::Here;

/// How many vectors a full block has.
pub const BLOCK_VECTORS: usize = 256;

/// Vectors of more numbers have no codes.
pub const MOST_CODED: usize = 8_192;

/// How many bytes a processor fetches at a time.
const CACHE_LINE: usize = 64;

/// Short codes of some vectors: enough to tell which of them may be near to another one.
///
/// Vectors are brought to length 1, rotated, and taken relative to the mean of the block.
/// Each number is then coded in 8 bits, evenly from the least to the greatest that the
/// vector could have. Bits are kept by how much they tell: the first two, of many vectors
/// side by side; the next two; and the last four apart, in [`LowBits`], for they are needed
/// for certainty only. From the first two bits, the inner product with a query is estimated
/// without bias (Gao and Long, *RaBitQ*, 2024, and its extension to several bits, 2025); from
/// four and from eight it is known up to an error that is known too.
#[derive(Clone, Debug, PartialEq)]
pub struct CodeBlock {
    /// The owners of the vectors, in order.
    pub owners: Vec<u64>,
    pub(super) dimension: usize,
    /// The mean of the rotated vectors.
    pub(super) centre: Piece<f32>,
    /// No coded vector is longer than this, in four or in eight bits.
    pub(super) longest: f32,
    /// By vector: what the sum over its first two bits is worth.
    pub(super) factors: Piece<f32>,
    /// By vector: what one step of its eight bits is worth.
    pub(super) scales: Vec<f32>,
    /// By vector: how far its estimates from two bits spread around the truth (standard
    /// deviation).
    pub(super) spreads: Shares,
    /// By vector: the length of what four bits leave out.
    pub(super) errors: Shares,
    /// The first two bits, laid out as [`super::bits`] says.
    pub(super) first: Piece<u8>,
    /// The two bits after them, laid out as [`super::planes`] says.
    pub(super) middle: Piece<u8>,
}

/// The last four bits of the numbers of a [`CodeBlock`].
#[derive(Clone, Debug, PartialEq)]
pub struct LowBits {
    /// By vector: the length of what all eight bits leave out.
    pub(super) errors: Shares,
    /// Laid out as [`super::planes`] says.
    pub(super) rows: Vec<u8>,
    pub(super) dimension: usize,
}

/// An inner product, and how much it may be wrong: for certain, or as a standard deviation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Estimate {
    pub(super) cosine: f32,
    pub(super) error: f32,
}

impl CodeBlock {
    /// How many numbers a vector has.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// What of the cosine with the query all vectors have in common.
    pub(super) fn base(&self, query: &CodedQuery) -> f32 {
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || dot(&query.rotated, &self.centre),
        )
    }

    /// Appends by vector what its cosine is not more than, if what the first two bits tell is
    /// not off by more than [`DEVIATIONS`]; and gives what of it all have in common.
    pub(super) fn by_two_bits(
        &self,
        query: &CodedQuery,
        products: &mut Vec<i32>,
        most: &mut Vec<f32>,
    ) -> f32 {
        query.groups.products(&self.first, products);
        let base = self.base(query);
        let start = most.len();
        most.resize(start + products.len(), 0.0);
        pulp::Arch::new().dispatch(MostByTwoBits {
            block: self,
            products,
            base,
            step: query.byte_scale,
            offset: 3 * query.byte_sum,
            per_spread: DEVIATIONS * self.spreads.greatest / 255.0,
            most: most.get_mut(start..).unwrap_or_default(),
        });
        most.truncate(start + self.owners.len());
        base
    }

    /// Appends what four bits tell of the cosines of some vectors, by number; errors are
    /// standard deviations.
    pub(super) fn closer(
        &self,
        numbers: &[usize],
        told: Here<'_>,
        query: &CodedQuery,
        products: &mut Vec<i32>,
        out: &mut Vec<Estimate>,
    ) {
        self.middle_products(numbers, query, products);
        let base = told.base;
        let of = |values: &[f32], number: usize| values.get(number).copied().unwrap_or_default();
        let per_deviation = 1.0 / (self.dimension.max(2) as f32 - 1.0).sqrt();
        out.extend(numbers.iter().zip(products).map(|(number, product)| {
            let factor = of(&self.factors, *number);
            let by_two_bits = of(told.most, *number) - DEVIATIONS * self.spreads.get(*number);
            // The sum over the first two bits, each number from -3 to 3.
            let first = (by_two_bits - base) / factor.max(f32::MIN_POSITIVE);
            let middle = query.byte_scale * *product as f32;
            let coded = 2.0 * first + middle - 1.5 * query.sum;
            Estimate {
                cosine: base + 16.0 * of(&self.scales, *number) * coded,
                error: self.errors.get(*number) * per_deviation,
            }
        }));
    }

    /// Makes estimates from four bits, of some vectors by number, into those from all eight.
    pub(super) fn closest(
        &self,
        low: &LowBits,
        numbers: &[usize],
        query: &CodedQuery,
        products: &mut Vec<i32>,
        estimates: &mut [Estimate],
    ) {
        products.clear();
        let rows = rows_of(&low.rows, low_bytes(self.dimension), numbers);
        query.planes.low(rows, products);
        let per_deviation = 1.0 / (self.dimension.max(2) as f32 - 1.0).sqrt();
        let known = numbers.iter().zip(products).zip(estimates);
        for ((number, product), estimate) in known {
            let scale = self.scales.get(*number).copied().unwrap_or_default();
            let coded = query.byte_scale * *product as f32 - 7.5 * query.sum;
            estimate.cosine += scale * coded;
            let left_out = low.errors.get(*number) * per_deviation;
            estimate.error = left_out.hypot(16.0 * scale * query.rounding);
        }
    }

    fn middle_products(&self, numbers: &[usize], query: &CodedQuery, products: &mut Vec<i32>) {
        let rows = rows_of(&self.middle, middle_bytes(self.dimension), numbers);
        products.clear();
        query.planes.middle(rows, products);
    }

    /// Appends by vector what its cosine is not more than for certain, by what four bits tell; and
    /// gives what of it all have in common.
    pub(super) fn by_four_bits(
        &self,
        query: &CodedQuery,
        [first, middle]: &mut [Vec<i32>; 2],
        most: &mut Vec<f32>,
    ) -> f32 {
        query.groups.products(&self.first, first);
        let rows = self
            .middle
            .chunks_exact(middle_bytes(self.dimension).max(1));
        middle.clear();
        query.planes.middle(rows, middle);
        let start = most.len();
        most.resize(start + first.len(), 0.0);
        let base = self.base(query);
        pulp::Arch::new().dispatch(MostByFourBits {
            block: self,
            query,
            base,
            first,
            middle,
            most: most.get_mut(start..).unwrap_or_default(),
        });
        most.truncate(start + self.owners.len());
        base
    }

    /// What four bits tell of the cosine of a vector, of which `most` is told by
    /// [`Self::by_four_bits`].
    pub(super) fn told_by_four_bits(&self, number: usize, most: f32, query: &CodedQuery) -> f32 {
        let error = query.length * self.errors.get(number);
        most - error - query.byte_error * self.longest - query.slack
    }

    /// What all eight bits tell of the cosines of some vectors for certain, by number; four bits
    /// tell `cosines`.
    pub(super) fn by_eight_bits(
        &self,
        low: &LowBits,
        numbers: &[usize],
        cosines: &[f32],
        query: &CodedQuery,
    ) -> Vec<Estimate> {
        let rows = rows_of(&low.rows, low_bytes(self.dimension), numbers);
        let mut products = Vec::with_capacity(numbers.len());
        query.planes.low(rows, &mut products);
        let fixed = query.byte_error * self.longest + query.slack;
        let numbers = numbers.iter().zip(cosines.iter().zip(products));
        numbers
            .map(|(number, (cosine, product))| {
                let coded = 2 * product - 15 * query.byte_sum;
                let scale = self.scales.get(*number).copied().unwrap_or_default();
                Estimate {
                    cosine: cosine + 0.5 * scale * query.byte_scale * coded as f32,
                    error: query.length * low.errors.get(*number) + fixed,
                }
            })
            .collect()
    }
}

/// Some of the rows of so many bytes.
fn rows_of<'r>(
    rows: &'r [u8],
    bytes: usize,
    numbers: &'r [usize],
) -> impl Iterator<Item = &'r [u8]> {
    let rows = numbers.iter().map(move |number| {
        let row = rows.get(number * bytes..(number + 1) * bytes);
        row.unwrap_or_default()
    });
    // They lie far apart: asking for all of them first lets the processor fetch many at a
    // time.
    let touched = rows.clone().map(|row| {
        let lines = row.iter().step_by(CACHE_LINE).chain(row.last());
        lines.fold(0, |all, byte| all ^ byte)
    });
    std::hint::black_box(touched.fold(0, |all, byte| all ^ byte));
    rows
}

//! Codes of vectors, and what they tell of cosines with a query.

use half::bf16;

use super::ahead::{ask_for, ask_for_all};
use super::beyond::Beyond;
use super::dot_as;
use super::likely::DEVIATIONS;
use super::most::{MostByFourBits, MostByTwoBits};
use super::piece::Piece;
use super::planes::{low_bytes, middle_bytes};
use super::query::CodedQuery;
use super::shares::Shares;
use super::told::Seen;

/// How many vectors a full block has.
pub const BLOCK_VECTORS: usize = 256;

/// Vectors of more numbers have no codes.
pub const MOST_CODED: usize = 8_192;

/// Short codes of some vectors: enough to tell which of them may be near to another one.
///
/// Vectors are brought to length 1, rotated, and taken relative to the mean of the block.
/// Each number is then coded in 8 bits, evenly over the range that most numbers of the
/// vector are in; what the others are beyond it is kept apart. Bits are kept by how much they
/// tell: the first two, of many vectors side by side; the next two; and the last four apart, in
/// [`LowBits`], for they are needed for certainty, and otherwise only save comparisons. From the
/// first two bits, the inner product with a query is estimated
/// without bias (Gao and Long, *RaBitQ*, 2024, and its extension to several bits, 2025); from
/// four and from eight it is known up to an error that is known too.
#[derive(Clone, Debug, PartialEq)]
pub struct CodeBlock {
    /// The owners of the vectors, in order.
    pub owners: Vec<u64>,
    pub(super) dimension: usize,
    /// The mean of the rotated vectors, as the bits of [`bf16`] numbers: what these leave out is in
    /// the codes of the vectors.
    pub(super) centre: Piece<u16>,
    /// No coded vector is longer than this, in four or in eight bits.
    pub(super) longest: f32,
    /// By vector: what the sum over its first two bits is worth.
    pub(super) factors: Shares<u16>,
    /// By vector: what one step of its eight bits is worth.
    pub(super) scales: Shares<u16>,
    /// By vector: how far its estimates from two bits spread around the truth (standard
    /// deviation).
    pub(super) spreads: Shares<u8>,
    /// By vector: the length of what four bits leave out.
    pub(super) errors: Shares<u8>,
    /// By vector: by what share of what four bits say of its direction they say too little, for
    /// they cut off what is beyond them.
    pub(super) cut_off: Shares<u8>,
    /// The first two bits, laid out as [`super::bits`] says.
    pub(super) first: Piece<u8>,
    /// The two bits after them, laid out as [`super::planes`] says.
    pub(super) middle: Piece<u8>,
}

/// The last four bits of the numbers of a [`CodeBlock`].
#[derive(Clone, Debug, PartialEq)]
pub struct LowBits {
    /// By vector: the length of what all eight bits leave out, and what of that is left out with
    /// `beyond`.
    pub(super) byte_errors: Shares<u8>,
    pub(super) errors: Shares<u8>,
    pub(super) beyond: Beyond,
    /// Laid out as [`super::planes`] says.
    pub(super) rows: Piece<u8>,
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
            || {
                dot_as(&query.rotated, &self.centre, |bits| {
                    bf16::from_bits(bits).to_f32()
                })
            },
        )
    }

    /// Appends by vector what its cosine is not more than, if what the first two bits tell is
    /// not off by more than [`DEVIATIONS`]. Memory is asked for what is looked at `then`.
    pub(super) fn by_two_bits(
        &self,
        query: &CodedQuery,
        (base, then): (f32, &[u8]),
        products: &mut Vec<i32>,
        most: &mut Vec<f32>,
    ) {
        query.groups.products(&self.first, then, products);
        let start = most.len();
        most.resize(start + products.len(), 0.0);
        pulp::Arch::new().dispatch(MostByTwoBits {
            block: self,
            products,
            base,
            step: query.byte_scale,
            offset: 3 * query.byte_sum,
            per_spread: DEVIATIONS * self.spreads.unit(),
            most: most.get_mut(start..).unwrap_or_default(),
        });
        most.truncate(start + self.owners.len());
    }

    /// The two bits of a vector's numbers that come after the first two.
    pub(super) fn middle_row(&self, number: usize) -> &[u8] {
        row(&self.middle, middle_bytes(self.dimension), number)
    }

    /// Asks memory for all that [`Seen::closer`] reads of a vector.
    pub(super) fn ask_for(&self, number: usize) {
        ask_for_all(self.middle_row(number));
        ask_for(self.factors.steps.get(number));
        ask_for(self.spreads.steps.get(number));
        ask_for(self.scales.steps.get(number));
        ask_for(self.cut_off.steps.get(number));
        self.ask_for_error(number);
    }

    /// Asks memory for all that [`Seen::told_by_four_bits`] reads of a vector.
    pub(super) fn ask_for_error(&self, number: usize) {
        ask_for(self.errors.steps.get(number));
    }

    /// Appends by vector what its cosine is not more than for certain, by what four bits tell.
    /// Memory is asked for what is looked at `then`.
    pub(super) fn by_four_bits(
        &self,
        query: &CodedQuery,
        (base, then): (f32, &[u8]),
        [first, middle]: &mut [Vec<i32>; 2],
        most: &mut Vec<f32>,
    ) {
        query.groups.products(&self.first, then, first);
        let rows = self
            .middle
            .chunks_exact(middle_bytes(self.dimension).max(1));
        middle.clear();
        query.planes.middle(rows, middle);
        let start = most.len();
        most.resize(start + first.len(), 0.0);
        pulp::Arch::new().dispatch(MostByFourBits {
            block: self,
            query,
            base,
            first,
            middle,
            most: most.get_mut(start..).unwrap_or_default(),
        });
        most.truncate(start + self.owners.len());
    }

    /// What the cosine of a vector is at most, by what all eight bits tell for certain; `None`
    /// where it does not reach `bound`. Given are the vector's number, what four bits tell, and the
    /// product of its low bits.
    pub(super) fn by_eight_bits(
        &self,
        low: &LowBits,
        (number, cosine, product): (usize, f32, i32),
        query: &CodedQuery,
        bound: f32,
    ) -> Option<f32> {
        let coded = 2 * product - 15 * query.byte_sum;
        let scale = self.scales.get(number);
        let cosine = cosine + 0.5 * scale * query.byte_scale * coded as f32;
        let fixed = query.byte_error * self.longest + query.slack;
        // What is beyond what bytes say is looked up for few only.
        if cosine + query.length * low.byte_errors.get(number) + fixed < bound {
            return None;
        }
        let cosine = cosine + scale * low.beyond.product(number, &query.rotated);
        let most = cosine + query.length * low.errors.get(number) + fixed;
        (most >= bound).then_some(most)
    }
}

impl Seen<'_> {
    /// What four bits tell of its cosine, where two have told what it is at most, and with the
    /// product of the next two; the error is a standard deviation.
    pub(super) fn closer(&self, product: i32, query: &CodedQuery) -> Estimate {
        let Self { block, number, .. } = *self;
        let factor = block.factors.get(number);
        let by_two_bits = self.most - DEVIATIONS * block.spreads.get(number);
        // The sum over the first two bits, each number from -3 to 3.
        let first = (by_two_bits - self.base) / factor.max(f32::MIN_POSITIVE);
        let middle = query.byte_scale * product as f32;
        let coded = 2.0 * first + middle - 1.5 * query.sum;
        let said = 16.0 * block.scales.get(number) * coded;
        Estimate {
            cosine: self.base + said * (1.0 + block.cut_off.get(number)),
            error: block.errors.get(number) * per_deviation(block.dimension),
        }
    }

    /// Makes an estimate from four bits into one from all eight.
    pub(super) fn closest(
        &self,
        low: &LowBits,
        product: i32,
        query: &CodedQuery,
        estimate: &mut Estimate,
    ) {
        let Self { block, number, .. } = *self;
        let scale = block.scales.get(number);
        let coded = query.byte_scale * product as f32 - 7.5 * query.sum;
        let said = (estimate.cosine - self.base) / (1.0 + block.cut_off.get(number));
        estimate.cosine =
            self.base + said + scale * (coded + low.beyond.product(number, &query.rotated));
        let left_out = low.errors.get(number) * per_deviation(block.dimension);
        estimate.error = left_out.hypot(16.0 * scale * query.rounding);
    }

    /// What four bits tell of its cosine, where they have told what it is at most.
    pub(super) fn told_by_four_bits(&self, query: &CodedQuery) -> f32 {
        let error = query.length * self.block.errors.get(self.number);
        self.most - error - query.byte_error * self.block.longest - query.slack
    }
}

/// What of the length of what is left out spreads along any direction.
fn per_deviation(dimension: usize) -> f32 {
    1.0 / (dimension.max(2) as f32 - 1.0).sqrt()
}

impl LowBits {
    /// The bits of a vector.
    pub(super) fn row(&self, number: usize) -> &[u8] {
        row(&self.rows, low_bytes(self.dimension), number)
    }

    /// Asks memory for all that is mostly read of a vector.
    pub(super) fn ask_for(&self, number: usize) {
        ask_for_all(self.row(number));
        ask_for(self.byte_errors.steps.get(number));
    }
}

/// A row of so many bytes.
fn row(rows: &[u8], bytes: usize, number: usize) -> &[u8] {
    rows.get(number * bytes..(number + 1) * bytes)
        .unwrap_or_default()
}

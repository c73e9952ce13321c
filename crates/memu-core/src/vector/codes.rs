use super::bits::{GROUP, QUAD, QUADS};
use super::planes::{low_bytes, middle_bytes, push_low, push_middle};
use super::query::CodedQuery;
use super::rotation::rotate;
use super::shares::Shares;
use super::{dot, unit};

/// How many vectors a full block has.
pub const BLOCK_VECTORS: usize = 256;

/// Vectors of more numbers have no codes: sums of their signs would not fit 16 bits.
pub const MOST_CODED: usize = 8_192;

/// Where the middle of what a byte can say is.
const MIDDLE: f32 = 127.5;

/// Short codes of some vectors: enough to tell which of them may be near to another one.
///
/// Vectors are brought to length 1, rotated, and taken relative to the mean of the block.
/// Each number is then coded in 8 bits, evenly from the least to the greatest that the
/// vector could have. Bits are kept by how much they tell: the first bits, which are the
/// signs, of many vectors side by side; the next three; and the last four apart, in
/// [`LowBits`], for they are needed for certainty only. From the signs, the inner product
/// with a query is estimated without bias (Gao and Long, *RaBitQ*, 2024); from four and
/// from eight bits it is known up to an error that is known too.
#[derive(Clone, Debug, PartialEq)]
pub struct CodeBlock {
    /// The owners of the vectors, in order.
    pub owners: Vec<u64>,
    pub(super) dimension: usize,
    /// The mean of the rotated vectors.
    pub(super) centre: Vec<f32>,
    /// No coded vector is longer than this, in four or in eight bits.
    pub(super) longest: f32,
    /// By vector: what the sum over its signs is worth.
    pub(super) factors: Vec<f32>,
    /// By vector: what one step of its eight bits is worth.
    pub(super) scales: Vec<f32>,
    /// By vector: how far its estimates from signs spread around the truth (standard
    /// deviation).
    pub(super) spreads: Shares,
    /// By vector: the length of what four bits leave out.
    pub(super) errors: Shares,
    /// The signs, laid out as [`super::bits`] says.
    pub(super) signs: Vec<u8>,
    /// The three bits after the signs, laid out as [`super::planes`] says.
    pub(super) middle: Vec<u8>,
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
    /// Codes vectors of one dimension, each with its owner.
    pub fn encode(vectors: &[(u64, &[f32])]) -> (Self, LowBits) {
        // Compiled for the widest instructions that this processor has. Sums run in one
        // order, and products and sums are rounded apart: all give the same.
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || encode(vectors),
        )
    }

    /// How many numbers a vector has.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// What of the cosine with the query all vectors have in common.
    pub(super) fn base(&self, query: &CodedQuery) -> f32 {
        dot(&query.rotated, &self.centre)
    }

    /// Appends the cosine of every vector with the query as the signs tell it.
    pub(super) fn by_signs(&self, query: &CodedQuery, sums: &mut Vec<u16>, out: &mut Vec<f32>) {
        sums.clear();
        query
            .signs
            .kernel
            .sums(&self.signs, &query.signs.table, sums);
        let base = self.base(query);
        let (step, offset) = (query.signs.step, query.signs.offset);
        let first = out.len();
        out.resize(first + self.owners.len(), 0.0);
        let out = out.get_mut(first..).unwrap_or_default();
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                for (out, (sum, factor)) in out.iter_mut().zip(sums.iter().zip(&self.factors)) {
                    *out = base + factor * (step * f32::from(*sum) - offset);
                }
            },
        );
    }

    /// What the cosine of every vector is at most, if its estimate from signs is not off by
    /// more than so many standard deviations.
    pub(super) fn at_most(&self, by_signs: &[f32], deviations: f32, most: &mut Vec<f32>) {
        most.clear();
        most.resize(by_signs.len(), 0.0);
        let step = deviations * self.spreads.greatest / 255.0;
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                let known = by_signs.iter().zip(&self.spreads.steps);
                for (most, (estimate, spread)) in most.iter_mut().zip(known) {
                    *most = estimate + step * f32::from(*spread);
                }
            },
        );
    }

    /// Appends what four bits tell of the cosines of some vectors, by number. `by_signs` are
    /// the estimates of the whole block; errors are standard deviations.
    pub(super) fn closer(
        &self,
        numbers: &[usize],
        by_signs: &[f32],
        query: &CodedQuery,
        products: &mut Vec<i32>,
        out: &mut Vec<Estimate>,
    ) {
        self.middle_products(numbers, query, products);
        let base = self.base(query);
        let of = |values: &[f32], number: usize| values.get(number).copied().unwrap_or_default();
        let per_deviation = 1.0 / (self.dimension.max(2) as f32 - 1.0).sqrt();
        out.extend(numbers.iter().zip(products).map(|(number, product)| {
            let factor = of(&self.factors, *number);
            let signed = (of(by_signs, *number) - base) / factor.max(f32::MIN_POSITIVE);
            // The sum over the numbers whose sign is plus.
            let positive = 0.5 * (signed + query.sum);
            let middle = query.byte_scale * *product as f32;
            let coded = 8.0 * positive + middle - 7.5 * query.sum;
            Estimate {
                cosine: base + 16.0 * of(&self.scales, *number) * coded,
                error: self.errors.get(*number) * per_deviation,
            }
        }));
    }

    fn middle_products(&self, numbers: &[usize], query: &CodedQuery, products: &mut Vec<i32>) {
        let bytes = middle_bytes(self.dimension);
        let rows = numbers.iter().map(|number| {
            let row = self.middle.get(number * bytes..(number + 1) * bytes);
            row.unwrap_or_default()
        });
        products.clear();
        query.planes.middle(rows, products);
    }

    /// What four bits tell of the cosine of every vector for certain.
    pub(super) fn by_four_bits(&self, query: &CodedQuery, work: &mut FourBits) {
        let exact = &query.exact_signs;
        exact.kernel.sums(&self.signs, &exact.high, &mut work.high);
        exact.kernel.sums(&self.signs, &exact.low, &mut work.low);
        let rows = self
            .middle
            .chunks_exact(middle_bytes(self.dimension).max(1));
        work.products.clear();
        query.planes.middle(rows, &mut work.products);
        let base = self.base(query);
        let fixed = query.byte_error * self.longest + query.slack;
        let count = self.owners.len();
        work.positive.clear();
        work.positive.resize(count, 0);
        work.most.clear();
        work.most.resize(count, 0.0);
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                let sums = work.high.iter().zip(&work.low);
                for (positive, (high, low)) in work.positive.iter_mut().zip(sums) {
                    *positive = (i32::from(*high) << 5) + i32::from(*low) - exact.offset;
                }
                let known = work.positive.iter().zip(&work.products);
                let known = known.zip(self.scales.iter().zip(&self.errors.steps));
                let share = query.length * self.errors.greatest / 255.0;
                for (most, ((positive, product), (scale, error))) in work.most.iter_mut().zip(known)
                {
                    let coded = 16 * positive + 2 * product - 15 * query.byte_sum;
                    let cosine = base + 8.0 * scale * query.byte_scale * coded as f32;
                    *most = cosine + share * f32::from(*error) + fixed;
                }
            },
        );
    }

    /// What all eight bits tell of the cosines of some vectors for certain, by number.
    pub(super) fn by_eight_bits(
        &self,
        low: &LowBits,
        numbers: &[usize],
        query: &CodedQuery,
        work: &FourBits,
    ) -> Vec<Estimate> {
        let bytes = low_bytes(self.dimension);
        let rows = numbers.iter().map(|number| {
            let row = low.rows.get(number * bytes..(number + 1) * bytes);
            row.unwrap_or_default()
        });
        let mut products = Vec::with_capacity(numbers.len());
        query.planes.low(rows, &mut products);
        let base = self.base(query);
        let fixed = query.byte_error * self.longest + query.slack;
        let of = |values: &[i32], number: usize| values.get(number).copied().unwrap_or_default();
        let numbers = numbers.iter().zip(products);
        numbers
            .map(|(number, product)| {
                let coded = 256 * of(&work.positive, *number)
                    + 32 * of(&work.products, *number)
                    + 2 * product
                    - 255 * query.byte_sum;
                let scale = self.scales.get(*number).copied().unwrap_or_default();
                Estimate {
                    cosine: base + 0.5 * scale * query.byte_scale * coded as f32,
                    error: query.length * low.errors.get(*number) + fixed,
                }
            })
            .collect()
    }
}

/// What is known of the vectors of a block by four bits, and room to find it out.
#[derive(Debug, Default)]
pub(super) struct FourBits {
    high: Vec<u16>,
    low: Vec<u16>,
    /// By vector: the sum of the query's bytes where the sign is plus.
    positive: Vec<i32>,
    /// By vector: the product of the query with the three bits after the sign.
    products: Vec<i32>,
    /// By vector: its cosine with the query is not more than this.
    pub(super) most: Vec<f32>,
}

#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the wider instructions"
)]
#[inline(always)]
fn encode(vectors: &[(u64, &[f32])]) -> (CodeBlock, LowBits) {
    let dimension = vectors.first().map_or(0, |(_, vector)| vector.len());
    let mut residuals: Vec<Vec<f32>> = vectors
        .iter()
        .map(|(_, vector)| {
            let mut vector = unit(vector);
            vector.resize(dimension, 0.0);
            rotate(&mut vector);
            vector
        })
        .collect();
    let centre = take_mean(&mut residuals, dimension);
    let coded: Vec<Coded> = residuals
        .iter()
        .map(|residual| Coded::new(residual))
        .collect();
    let all = |value: fn(&Coded) -> f32| coded.iter().map(value);
    let low = LowBits {
        errors: Shares::new(all(|coded| coded.errors[1])),
        rows: rows(&coded, low_bytes(dimension), push_low),
        dimension,
    };
    let block = CodeBlock {
        owners: vectors.iter().map(|(owner, _)| *owner).collect(),
        dimension,
        centre,
        longest: all(|coded| coded.longest).fold(0.0, f32::max),
        factors: residuals.iter().map(|residual| factor(residual)).collect(),
        scales: all(|coded| coded.scale).collect(),
        spreads: Shares::new(residuals.iter().map(|residual| spread(residual))),
        errors: Shares::new(all(|coded| coded.errors[0])),
        signs: signs(&coded, dimension),
        middle: rows(&coded, middle_bytes(dimension), |numbers, row| {
            let middle: Vec<u8> = numbers.iter().map(|number| number >> 4 & 7).collect();
            push_middle(&middle, row);
        }),
    };
    (block, low)
}

/// Takes their mean from vectors, and gives it back.
#[inline]
fn take_mean(vectors: &mut [Vec<f32>], dimension: usize) -> Vec<f32> {
    let mut mean = vec![0.0; dimension];
    for vector in vectors.iter() {
        for (sum, x) in mean.iter_mut().zip(vector) {
            *sum += x;
        }
    }
    for x in &mut mean {
        *x /= vectors.len().max(1) as f32;
    }
    for vector in vectors {
        for (x, mean) in vector.iter_mut().zip(&mean) {
            *x -= mean;
        }
    }
    mean
}

/// A vector in 8 bits a number.
struct Coded {
    numbers: Vec<u8>,
    scale: f32,
    /// The length of what four and eight bits leave out.
    errors: [f32; 2],
    /// The greater length of what four and eight bits say.
    longest: f32,
}

impl Coded {
    #[inline]
    fn new(residual: &[f32]) -> Self {
        let greatest = residual.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        let scale = greatest / MIDDLE;
        let factor = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        let numbers: Vec<u8> = residual
            .iter()
            .map(|x| (x * factor + 128.0) as u8)
            .collect();
        let four = difference(residual, &numbers, |number| {
            16.0 * scale * (f32::from(number >> 4) - 7.5)
        });
        let eight = difference(residual, &numbers, |number| {
            scale * (f32::from(number) - MIDDLE)
        });
        Self {
            numbers,
            scale,
            errors: [four.0, eight.0],
            longest: four.1.max(eight.1),
        }
    }
}

/// The length of the difference between a vector and what its numbers say, and the length of
/// that; both rather too great than too small, for a bound must not be too small.
#[inline]
fn difference(residual: &[f32], numbers: &[u8], said: impl Fn(u8) -> f32) -> (f32, f32) {
    let said: Vec<f32> = numbers.iter().map(|number| said(*number)).collect();
    let left: Vec<f32> = residual
        .iter()
        .zip(&said)
        .map(|(x, said)| x - said)
        .collect();
    // More than what rounding can take from such a sum.
    let margin = 1.0 + (residual.len() as f32 / 16.0 + 8.0) * f32::EPSILON;
    let length = |vector: &[f32]| dot(vector, vector).sqrt() * margin;
    (length(&left), length(&said))
}

fn rows(coded: &[Coded], bytes: usize, push: impl Fn(&[u8], &mut Vec<u8>)) -> Vec<u8> {
    let mut rows = Vec::with_capacity(coded.len() * bytes);
    for coded in coded {
        push(&coded.numbers, &mut rows);
    }
    rows
}

/// What the sum over the signs of a vector is worth: its squared length over the sum of
/// its numbers without their signs.
fn factor(residual: &[f32]) -> f32 {
    let sum = sum_without_signs(residual);
    if sum > 0.0 {
        dot(residual, residual) / sum
    } else {
        0.0
    }
}

/// How far the estimate for a vector spreads around its inner product with a query of
/// length 1: |r| · √((1 − a²) / a²) / √(d − 1), where a is the cosine of r and its signs
/// (theorem 3.2 of *RaBitQ*).
fn spread(residual: &[f32]) -> f32 {
    let sum = sum_without_signs(residual);
    let squared = dot(residual, residual);
    if sum <= 0.0 {
        return 0.0;
    }
    let dimension = residual.len() as f32;
    let a_squared = (sum * sum / (dimension * squared)).min(1.0);
    (squared * (1.0 - a_squared) / a_squared / (dimension - 1.0).max(1.0)).sqrt()
}

#[inline]
fn sum_without_signs(vector: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 16];
    for chunk in vector.chunks(16) {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += x.abs();
        }
    }
    lanes.iter().sum()
}

/// How many quads of bytes the signs of a group of vectors take.
pub(super) fn quads(dimension: usize) -> usize {
    dimension.div_ceil(4).next_multiple_of(QUADS)
}

fn signs(coded: &[Coded], dimension: usize) -> Vec<u8> {
    let bytes = quads(dimension) * QUAD;
    let mut signs = Vec::with_capacity(coded.len().div_ceil(GROUP) * bytes);
    for group in coded.chunks(GROUP) {
        let mut codes = vec![0_u8; bytes];
        for (vector, coded) in group.iter().enumerate() {
            let (at, shift) = (vector % QUAD, if vector < QUAD { 0 } else { 4 });
            let quads = codes.as_chunks_mut::<QUAD>().0.iter_mut();
            for (quad, numbers) in quads.zip(coded.numbers.chunks(4)) {
                let bits = (0..)
                    .zip(numbers)
                    .fold(0_u8, |bits, (place, number)| bits | (number >> 7) << place);
                if let Some(code) = quad.get_mut(at) {
                    *code |= bits << shift;
                }
            }
        }
        signs.extend(codes);
    }
    signs
}

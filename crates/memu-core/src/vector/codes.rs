use super::bits::{GROUP, Kernel, QUAD, QUADS};
use super::rotation::rotate;
use super::{ByteQuery, dot, unit};

/// How many vectors a full block has.
pub const BLOCK_VECTORS: usize = 256;

/// Short codes of some vectors: enough to tell which of them may be near to another one.
///
/// Vectors are brought to length 1, rotated, and taken relative to the mean of the block.
/// Of each number the sign is kept (1 bit), and a byte, in parts that can be read apart.
/// From the signs, the inner product with a query is estimated without bias (Gao and Long,
/// *RaBitQ*, 2024); from the bytes it is known up to an error that is known too.
#[derive(Clone, Debug, PartialEq)]
pub struct CodeBlock {
    /// The owners of the vectors, in order.
    pub owners: Vec<u64>,
    pub(super) dimension: usize,
    /// The mean of the rotated vectors.
    pub(super) centre: Vec<f32>,
    /// By vector: what the sum over its signs is worth.
    pub(super) factors: Vec<f32>,
    /// By vector: how far its estimates spread around the truth (standard deviation).
    pub(super) spreads: Vec<f32>,
    /// The signs, laid out as [`super::bits`] says.
    pub(super) signs: Vec<u8>,
}

/// The bytes of a [`CodeBlock`], one for each number of each vector.
#[derive(Clone, Debug, PartialEq)]
pub struct CodeBytes {
    pub(super) codes: Vec<i8>,
    /// By vector: what one step of a byte is worth.
    pub(super) scales: Vec<f32>,
    /// By vector: the length of what the bytes leave out.
    pub(super) errors: Vec<f32>,
    /// By vector: the length of what the bytes say.
    pub(super) lengths: Vec<f32>,
}

impl CodeBlock {
    /// Codes vectors of one dimension, each with its owner.
    pub fn encode(vectors: &[(u64, &[f32])]) -> (Self, CodeBytes) {
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
        let mut centre = vec![0.0; dimension];
        for vector in &residuals {
            for (sum, x) in centre.iter_mut().zip(vector) {
                *sum += x;
            }
        }
        for x in &mut centre {
            *x /= vectors.len().max(1) as f32;
        }
        for vector in &mut residuals {
            for (x, mean) in vector.iter_mut().zip(&centre) {
                *x -= mean;
            }
        }
        let block = Self {
            owners: vectors.iter().map(|(owner, _)| *owner).collect(),
            dimension,
            factors: residuals.iter().map(|residual| factor(residual)).collect(),
            spreads: residuals.iter().map(|residual| spread(residual)).collect(),
            signs: signs(&residuals, dimension),
            centre,
        };
        (block, CodeBytes::encode(&residuals))
    }

    /// How many numbers a vector has.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Appends the estimated cosine of every vector with the query, and `deviations`
    /// standard deviations more.
    pub(super) fn estimate(
        &self,
        query: &CodedQuery,
        deviations: f32,
        sums: &mut Vec<u16>,
        out: &mut Vec<f32>,
    ) {
        query.kernel.sums(&self.signs, &query.table, sums);
        let base = self.base(query);
        let first = out.len();
        out.resize(first + self.owners.len(), 0.0);
        let out = out.get_mut(first..).unwrap_or_default();
        // The widest instructions that this processor has; each estimate is computed on
        // its own, so that all of them get the same.
        pulp::Arch::new().dispatch(|| {
            let known = sums.iter().zip(&self.factors).zip(&self.spreads);
            for (out, ((sum, factor), spread)) in out.iter_mut().zip(known) {
                let estimate = base + factor * (query.step * f32::from(*sum) - query.offset);
                *out = estimate + deviations * spread;
            }
        });
    }

    /// By vector: how far its estimates spread around the truth (standard deviation).
    pub(super) fn spreads(&self) -> &[f32] {
        &self.spreads
    }

    /// What of the cosine with the query all vectors have in common.
    pub(super) fn base(&self, query: &CodedQuery) -> f32 {
        dot(&query.rotated, &self.centre)
    }
}

impl CodeBytes {
    /// The cosines of some vectors with the query, by number, as their bytes tell, and by
    /// how much they may be wrong. `base` is that of the block.
    pub(super) fn bounds(&self, numbers: &[usize], base: f32, query: &CodedQuery) -> Vec<Bound> {
        let dimension = query.dimension;
        let rows = numbers.iter().map(|number| {
            let codes = self.codes.get(number * dimension..(number + 1) * dimension);
            codes.unwrap_or_default()
        });
        let mut products = Vec::with_capacity(numbers.len());
        query.bytes.products(rows, &mut products);
        let of = |values: &[f32], number: usize| values.get(number).copied().unwrap_or_default();
        let slack = rounding_slack(dimension);
        let numbers = numbers.iter().zip(products);
        numbers
            .map(|(number, product)| Bound {
                cosine: base + of(&self.scales, *number) * query.byte_scale * product as f32,
                error: query.length * of(&self.errors, *number)
                    + query.byte_error * of(&self.lengths, *number)
                    + slack,
            })
            .collect()
    }

    /// The same for all vectors, in order: what each cosine is at most and at least.
    pub(super) fn all_bounds(&self, base: f32, query: &CodedQuery, found: &mut AllBounds) {
        let AllBounds {
            products,
            most,
            least,
        } = found;
        products.clear();
        let rows = self.codes.chunks_exact(query.dimension.max(1));
        query.bytes.products(rows, products);
        most.clear();
        most.resize(products.len(), 0.0);
        least.clear();
        least.resize(products.len(), 0.0);
        let slack = rounding_slack(query.dimension);
        // As for the estimates from signs.
        pulp::Arch::new().dispatch(|| {
            let known = self.scales.iter().zip(&self.errors).zip(&self.lengths);
            let known = known.zip(products.iter());
            let out = most.iter_mut().zip(least.iter_mut());
            for ((most, least), (((scale, error), length), product)) in out.zip(known) {
                let cosine = base + scale * query.byte_scale * *product as f32;
                let error = query.length * error + query.byte_error * length + slack;
                *most = cosine + error;
                *least = cosine - error;
            }
        });
    }
}

/// What the cosines of a block's vectors are at most and at least.
#[derive(Debug, Default)]
pub(super) struct AllBounds {
    products: Vec<i32>,
    pub(super) most: Vec<f32>,
    pub(super) least: Vec<f32>,
}

/// A cosine, and by how much it may be wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    pub(super) cosine: f32,
    pub(super) error: f32,
}

/// More than what rounding to f32 can add to a cosine, its estimate and the rotation of
/// numbers of length 1 together: each is a sum of at most `dimension / 16 + 64` steps.
fn rounding_slack(dimension: usize) -> f32 {
    (dimension as f32 / 16.0 + 64.0) * 4.0 * f32::EPSILON
}

/// What the sum over the signs of a vector is worth: its squared length over the sum of
/// its numbers without their signs.
fn factor(residual: &[f32]) -> f32 {
    let sum: f32 = residual.iter().map(|x| x.abs()).sum();
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
    let sum: f32 = residual.iter().map(|x| x.abs()).sum();
    let squared = dot(residual, residual);
    if sum <= 0.0 {
        return 0.0;
    }
    let dimension = residual.len() as f32;
    let a_squared = (sum * sum / (dimension * squared)).min(1.0);
    (squared * (1.0 - a_squared) / a_squared / (dimension - 1.0).max(1.0)).sqrt()
}

/// How many quads of bytes the signs of a group of vectors take.
pub(super) fn quads(dimension: usize) -> usize {
    dimension.div_ceil(4).next_multiple_of(QUADS)
}

fn signs(residuals: &[Vec<f32>], dimension: usize) -> Vec<u8> {
    let bytes = quads(dimension) * QUAD;
    let mut signs = Vec::with_capacity(residuals.len().div_ceil(GROUP) * bytes);
    for group in residuals.chunks(GROUP) {
        let mut codes = vec![0_u8; bytes];
        for (vector, residual) in group.iter().enumerate() {
            let (at, shift) = (vector % QUAD, if vector < QUAD { 0 } else { 4 });
            for (quad, numbers) in residual.chunks(4).enumerate() {
                let bits = (0..).zip(numbers).fold(0_u8, |bits, (place, x)| {
                    bits | (u8::from(*x >= 0.0) << place)
                });
                if let Some(code) = codes.get_mut(quad * QUAD + at) {
                    *code |= bits << shift;
                }
            }
        }
        signs.extend(codes);
    }
    signs
}

impl CodeBytes {
    fn encode(residuals: &[Vec<f32>]) -> Self {
        let mut bytes = Self {
            codes: Vec::new(),
            scales: Vec::new(),
            errors: Vec::new(),
            lengths: Vec::new(),
        };
        for residual in residuals {
            let (codes, scale) = to_bytes(residual);
            let (mut error, mut length) = (0.0_f64, 0.0_f64);
            for (code, x) in codes.iter().zip(residual) {
                let said = f64::from(*code) * f64::from(scale);
                error += (f64::from(*x) - said).powi(2);
                length += said.powi(2);
            }
            bytes.codes.extend(codes);
            bytes.scales.push(scale);
            // Rounded up: a bound must not be too small.
            bytes.errors.push((error.sqrt() as f32).next_up());
            bytes.lengths.push((length.sqrt() as f32).next_up());
        }
        bytes
    }
}

/// A vector as signed bytes, and what one step of them is worth.
fn to_bytes(vector: &[f32]) -> (Vec<i8>, f32) {
    let greatest = vector.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let scale = greatest / 127.0;
    let factor = if greatest > 0.0 {
        127.0 / greatest
    } else {
        0.0
    };
    let codes = vector.iter().map(|x| {
        let x = x * factor;
        (x + 0.5_f32.copysign(x)) as i8
    });
    (codes.collect(), scale)
}

/// A query in the forms that codes are compared with.
#[derive(Clone, Debug)]
pub struct CodedQuery {
    rotated: Vec<f32>,
    length: f32,
    kernel: Kernel,
    /// What each combination of four signs is worth, in steps.
    table: Vec<u8>,
    step: f32,
    offset: f32,
    dimension: usize,
    bytes: ByteQuery,
    byte_scale: f32,
    byte_error: f32,
}

impl CodedQuery {
    /// Prepares a query vector, of any length.
    pub fn new(vector: &[f32]) -> Self {
        let mut rotated = unit(vector);
        rotate(&mut rotated);
        let quads = quads(rotated.len());
        // Sums must fit 16 bits.
        let most = (usize::from(u16::MAX) / quads.max(1)).min(255) as f32;
        let weights: Vec<f32> = rotated
            .chunks(4)
            .map(|numbers| numbers.iter().map(|x| x.abs()).sum())
            .collect();
        let greatest = weights.iter().copied().fold(0.0_f32, f32::max);
        let step = 2.0 * greatest / most;
        let mut table = vec![0_u8; quads * QUAD];
        let entries = table.as_chunks_mut::<QUAD>().0.iter_mut();
        for ((entries, numbers), weight) in entries.zip(rotated.chunks(4)).zip(&weights) {
            for (signs, entry) in (0_u8..).zip(entries) {
                let worth: f32 = (0..)
                    .zip(numbers)
                    .map(|(place, x)| if signs >> place & 1 == 1 { *x } else { -*x })
                    .sum();
                if step > 0.0 {
                    *entry = ((worth + weight) / step + 0.5) as u8;
                }
            }
        }
        let (bytes, byte_scale) = to_bytes(&rotated);
        let error: f64 = bytes
            .iter()
            .zip(&rotated)
            .map(|(code, x)| (f64::from(*x) - f64::from(*code) * f64::from(byte_scale)).powi(2))
            .sum();
        Self {
            length: dot(&rotated, &rotated).sqrt().next_up(),
            kernel: Kernel::available().remove(0),
            table,
            step,
            offset: weights.iter().sum(),
            dimension: bytes.len(),
            bytes: ByteQuery::new(&bytes),
            byte_scale,
            byte_error: (error.sqrt() as f32).next_up(),
            rotated,
        }
    }
}

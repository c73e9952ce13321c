//! Vectors into codes.

#![expect(
    clippy::inline_always,
    reason = "it must be compiled for the wider instructions"
)]

use half::bf16;

use super::beyond::Beyond;
use super::bits::{GROUP, group_bytes, push_group};
use super::codes::{CodeBlock, LowBits};
use super::planes::{low_bytes, middle_bytes, push_low, push_middle};
use super::rotation::rotate;
use super::shares::Shares;
use super::{dot, unit};

/// Where the middle of what a byte can say is.
const MIDDLE: f32 = 127.5;

/// Bytes say numbers up to so many standard deviations. Two bits leave least out where they say 2,
/// four bits where they say 2.6, and each number beyond takes two bytes of the file: at 2.5, which
/// are five of 384, two bits leave half as many vectors to look at more closely as they would if
/// they said all numbers.
const SAID: f32 = 2.5;

impl CodeBlock {
    /// Codes vectors of one dimension, at most [`MOST_CODED`](super::MOST_CODED), each with its
    /// owner.
    pub fn encode(vectors: &[(u64, &[f32])]) -> (Self, LowBits) {
        // Compiled for the widest instructions that this processor has. Sums run in one
        // order, and products and sums are rounded apart: all give the same.
        pulp::Arch::new().dispatch(Encode(vectors))
    }
}

/// Not a closure: the compiler does not always take those into the function that calls them,
/// and what it leaves outside is compiled for any processor.
struct Encode<'v>(&'v [(u64, &'v [f32])]);

impl pulp::NullaryFnOnce for Encode<'_> {
    type Output = (CodeBlock, LowBits);

    #[inline(always)]
    fn call(self) -> Self::Output {
        encode(self.0)
    }
}

#[inline(always)]
fn encode(vectors: &[(u64, &[f32])]) -> (CodeBlock, LowBits) {
    let dimension = vectors.first().map_or(0, |(_, vector)| vector.len());
    // Loops: what iterators call for each vector is compiled for any processor.
    let mut residuals = Vec::with_capacity(vectors.len());
    for (_, vector) in vectors {
        let mut vector = unit(vector);
        vector.resize(dimension, 0.0);
        rotate(&mut vector);
        residuals.push(vector);
    }
    let centre = take_mean(&mut residuals, dimension);
    let scales = Shares::new(residuals.iter().map(|residual| scale(residual)));
    let mut coded = Vec::with_capacity(residuals.len());
    for (vector, residual) in residuals.iter().enumerate() {
        coded.push(Coded::new(residual, scales.get(vector)));
    }
    let mut beyond = Beyond::default();
    for coded in &coded {
        beyond.push(&coded.beyond);
    }
    let all = |value: fn(&Coded) -> f32| coded.iter().map(value);
    let low = LowBits {
        byte_errors: Shares::new(all(|coded| coded.errors[1])),
        errors: Shares::new(all(|coded| coded.errors[2])),
        beyond,
        rows: rows(&coded, low_bytes(dimension), push_low).into(),
        dimension,
    };
    let block = CodeBlock {
        owners: vectors.iter().map(|(owner, _)| *owner).collect(),
        dimension,
        centre: centre.into_iter().map(bf16::to_bits).collect(),
        longest: all(|coded| coded.longest).fold(0.0, f32::max),
        factors: Shares::new(all(|coded| coded.factor)),
        scales,
        spreads: Shares::new(all(|coded| coded.spread)),
        errors: Shares::new(all(|coded| coded.errors[0])),
        cut_off: Shares::new(all(|coded| coded.cut_off)),
        first: first_bits(&coded, dimension).into(),
        middle: rows(&coded, middle_bytes(dimension), |numbers, row| {
            let middle: Vec<u8> = numbers.iter().map(|number| number >> 4).collect();
            push_middle(&middle, row);
        })
        .into(),
    };
    (block, low)
}

/// Takes their mean from vectors, as exactly as it is kept, and gives it back.
#[inline]
fn take_mean(vectors: &mut [Vec<f32>], dimension: usize) -> Vec<bf16> {
    let mut mean = vec![0.0; dimension];
    for vector in vectors.iter() {
        for (sum, x) in mean.iter_mut().zip(vector) {
            *sum += x;
        }
    }
    let count = vectors.len().max(1) as f32;
    let mean = mean.into_iter().map(|sum| bf16::from_f32(sum / count));
    let mean: Vec<bf16> = mean.collect();
    for vector in vectors {
        for (x, mean) in vector.iter_mut().zip(&mean) {
            *x -= mean.to_f32();
        }
    }
    mean
}

/// What one step of a vector's bytes is worth.
#[inline]
fn scale(residual: &[f32]) -> f32 {
    let greatest = residual.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let deviation = (dot(residual, residual) / residual.len().max(1) as f32).sqrt();
    greatest.min(SAID * deviation) / MIDDLE
}

/// A vector in 8 bits a number.
struct Coded {
    numbers: Vec<u8>,
    beyond: Vec<(u16, i16)>,
    factor: f32,
    spread: f32,
    /// The length of what is left out by four bits, by all eight, and by those with `beyond`.
    errors: [f32; 3],
    cut_off: f32,
    /// The greater length of what four and eight bits say.
    longest: f32,
}

impl Coded {
    #[inline]
    fn new(residual: &[f32], scale: f32) -> Self {
        let factor = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        let numbers: Vec<u8> = residual
            .iter()
            .map(|x| (x * factor + 128.0) as u8)
            .collect();
        let said: Vec<f32> = numbers
            .iter()
            .map(|number| f32::from(number >> 6) * 2.0 - 3.0)
            .collect();
        let (worth, spread) = worth(residual, &said);
        let all = |said: &dyn Fn(u8) -> f32| -> Vec<f32> {
            numbers.iter().map(|number| said(*number)).collect()
        };
        let four = all(&|number| 16.0 * scale * (f32::from(number >> 4) - 7.5));
        let eight = all(&|number| scale * (f32::from(number) - MIDDLE));
        let longest = length(&four).max(length(&eight));
        let beyond = beyond(residual, &eight, factor);
        let mut errors = [left_out(residual, &four), left_out(residual, &eight), 0.0];
        let mut with_beyond = eight;
        for (place, steps) in &beyond {
            if let Some(said) = with_beyond.get_mut(usize::from(*place)) {
                *said += scale * f32::from(*steps);
            }
        }
        errors[2] = left_out(residual, &with_beyond);
        Self {
            beyond,
            factor: worth,
            spread,
            errors,
            cut_off: cut_off(residual, &four),
            longest,
            numbers,
        }
    }
}

/// The numbers that are beyond what bytes say, with their places.
#[inline]
fn beyond(residual: &[f32], said: &[f32], factor: f32) -> Vec<(u16, i16)> {
    let steps = residual
        .iter()
        .zip(said)
        .map(|(x, said)| (x - said) * factor);
    // There is no place above 16 bits, for longer vectors have no codes.
    let beyond = (0..=u16::MAX).zip(steps);
    let beyond = beyond.filter(|(_, steps)| steps.abs() > 0.75);
    beyond
        .map(|(place, steps)| (place, steps.round() as i16))
        .collect()
}

/// What is said of a vector's direction less than there is, as a share of what is said.
#[inline]
fn cut_off(residual: &[f32], said: &[f32]) -> f32 {
    let product = dot(residual, said);
    if product <= 0.0 {
        return 0.0;
    }
    (dot(residual, residual) / product - 1.0).max(0.0)
}

/// The length of what is left out of a vector where this is said.
#[inline]
fn left_out(residual: &[f32], said: &[f32]) -> f32 {
    let left = residual.iter().zip(said).map(|(x, said)| x - said);
    length(&left.collect::<Vec<f32>>())
}

/// The length of a vector, rather too great than too small, for a bound must not be too small.
#[inline]
fn length(vector: &[f32]) -> f32 {
    // More than what rounding can take from such a sum.
    let margin = 1.0 + (vector.len() as f32 / 16.0 + 8.0) * f32::EPSILON;
    dot(vector, vector).sqrt() * margin
}

fn rows(coded: &[Coded], bytes: usize, push: impl Fn(&[u8], &mut Vec<u8>)) -> Vec<u8> {
    let mut rows = Vec::with_capacity(coded.len() * bytes);
    for coded in coded {
        push(&coded.numbers, &mut rows);
    }
    rows
}

/// What a code `said` of a vector is worth in an estimate of its inner product with a query,
/// so that the estimate is right on average: |r|² / ⟨r, x⟩; and how far estimates spread
/// around the truth for a query of length 1: |r| · √((1 − a²) / a²) / √(d − 1), where a is the
/// cosine of r and x (theorem 3.2 of *RaBitQ*).
#[inline]
fn worth(residual: &[f32], said: &[f32]) -> (f32, f32) {
    let product = dot(residual, said);
    let squared = dot(residual, residual);
    if product <= 0.0 {
        return (0.0, squared.sqrt());
    }
    let a_squared = (product / squared * (product / dot(said, said))).min(1.0);
    let dimension = residual.len() as f32;
    let spread = squared * (1.0 - a_squared) / a_squared / (dimension - 1.0).max(1.0);
    (squared / product, spread.sqrt())
}

/// The first two bits of all numbers, laid out as [`super::bits`] says.
fn first_bits(coded: &[Coded], dimension: usize) -> Vec<u8> {
    let mut groups = Vec::with_capacity(coded.len().div_ceil(GROUP) * group_bytes(dimension));
    for group in coded.chunks(GROUP) {
        let numbers: Vec<Vec<u8>> = group
            .iter()
            .map(|coded| coded.numbers.iter().map(|number| number >> 6).collect())
            .collect();
        push_group(numbers.iter().map(Vec::as_slice), dimension, &mut groups);
    }
    groups
}

use super::bits::{GREATEST, Kernel, QUAD};
use super::encode::quads;
use super::planes::PlaneQuery;
use super::rotation::rotate;
use super::{dot, push_signed_bytes, unit};

/// A query in the forms that codes are compared with.
#[derive(Clone, Debug)]
pub struct CodedQuery {
    pub(super) rotated: Vec<f32>,
    pub(super) length: f32,
    /// The sum of its numbers.
    pub(super) sum: f32,
    pub(super) signs: SignTable,
    pub(super) exact_signs: ExactSignTables,
    pub(super) planes: PlaneQuery,
    /// What one step of its bytes is worth.
    pub(super) byte_scale: f32,
    pub(super) byte_sum: i32,
    /// The length of what its bytes leave out.
    pub(super) byte_error: f32,
    /// How far rounding in the tables of signs and in the bytes makes sums over four bits
    /// spread around the truth (standard deviation).
    pub(super) rounding: f32,
    /// More than what rounding to f32 can add to a cosine, its estimate and the rotation of
    /// numbers of length 1 together: each is a sum of at most `dimension / 16 + 64` steps.
    pub(super) slack: f32,
}

/// What each combination of four signs is worth, in steps.
#[derive(Clone, Debug)]
pub(super) struct SignTable {
    pub(super) kernel: Kernel,
    pub(super) table: Vec<u8>,
    pub(super) step: f32,
    pub(super) offset: f32,
}

/// What each combination of four signs is worth in bytes of the query where the sign is
/// plus: whole numbers, of which one table tells the last five bits and one those above.
#[derive(Clone, Debug)]
pub(super) struct ExactSignTables {
    pub(super) kernel: Kernel,
    pub(super) high: Vec<u8>,
    pub(super) low: Vec<u8>,
    /// By how much the tables tell too much, for they tell nothing negative.
    pub(super) offset: i32,
}

impl CodedQuery {
    /// Prepares a query vector, of any length.
    pub fn new(vector: &[f32]) -> Self {
        let mut rotated = unit(vector);
        rotate(&mut rotated);
        let kernel = Kernel::available().remove(0);
        let mut bytes = Vec::with_capacity(rotated.len());
        let byte_scale = push_signed_bytes(&rotated, &mut bytes);
        let error: f64 = bytes
            .iter()
            .zip(&rotated)
            .map(|(code, x)| (f64::from(*x) - f64::from(*code) * f64::from(byte_scale)).powi(2))
            .sum();
        let signs = SignTable::new(&rotated, kernel);
        let rounding = signs.rounding(quads(rotated.len()));
        Self {
            length: dot(&rotated, &rotated).sqrt() * (1.0 + 1e-5),
            sum: rotated.iter().sum(),
            // The last two bits are a number from -1.5 to 1.5, whose mean square is 1.25.
            rounding: rounding.hypot(byte_scale * (rotated.len() as f32 * 1.25 / 12.0).sqrt()),
            signs,
            exact_signs: ExactSignTables::new(&bytes, kernel),
            planes: PlaneQuery::new(&bytes),
            byte_scale,
            byte_sum: bytes.iter().copied().map(i32::from).sum(),
            byte_error: (error.sqrt() as f32).next_up(),
            slack: (rotated.len() as f32 / 16.0 + 64.0) * 4.0 * f32::EPSILON,
            rotated,
        }
    }
}

/// What sixteen combinations of four signs are worth: `plus` of the numbers whose sign is
/// plus, and `minus` of the others.
fn combinations<T: std::iter::Sum>(
    numbers: &[T],
    plus: fn(&T) -> T,
    minus: fn(&T) -> T,
) -> [T; QUAD] {
    std::array::from_fn(|signs| {
        let worth = (0..).zip(numbers);
        worth
            .map(|(place, x)| {
                if signs >> place & 1 == 1 {
                    plus(x)
                } else {
                    minus(x)
                }
            })
            .sum()
    })
}

impl SignTable {
    fn new(rotated: &[f32], kernel: Kernel) -> Self {
        let quads = quads(rotated.len());
        // Sums must fit 16 bits.
        let most = (usize::from(u16::MAX) / quads.max(1)).min(usize::from(GREATEST)) as f32;
        let weights: Vec<f32> = rotated
            .chunks(4)
            .map(|numbers| numbers.iter().map(|x| x.abs()).sum())
            .collect();
        let greatest = weights.iter().copied().fold(0.0_f32, f32::max);
        let step = 2.0 * greatest / most;
        let mut table = vec![0_u8; quads * QUAD];
        let entries = table.as_chunks_mut::<QUAD>().0.iter_mut();
        for ((entries, numbers), weight) in entries.zip(rotated.chunks(4)).zip(&weights) {
            let worth = combinations(numbers, |x| *x, |x| -*x);
            for (entry, worth) in entries.iter_mut().zip(worth) {
                if step > 0.0 {
                    *entry = ((worth + weight) / step + 0.5) as u8;
                }
            }
        }
        Self {
            kernel,
            table,
            step,
            offset: weights.iter().sum(),
        }
    }

    /// How far sums over the first two bits, counted in steps of the fourth, spread for the
    /// rounding of so many entries for each of them (standard deviation): that of a number
    /// rounded to whole ones is √(1/12).
    fn rounding(&self, quads: usize) -> f32 {
        let of_both_bits = (2.0 * 2.0 + 1.0) * quads as f32;
        2.0 * self.step * (of_both_bits / 12.0).sqrt()
    }
}

impl ExactSignTables {
    fn new(bytes: &[i8], kernel: Kernel) -> Self {
        let quads = quads(bytes.len());
        let (mut high, mut low) = (vec![0_u8; quads * QUAD], vec![0_u8; quads * QUAD]);
        let highs = high.as_chunks_mut::<QUAD>().0.iter_mut();
        let lows = low.as_chunks_mut::<QUAD>().0.iter_mut();
        let mut offset = 0;
        for ((highs, lows), bytes) in highs.zip(lows).zip(bytes.chunks(4)) {
            let bytes: Vec<i32> = bytes.iter().copied().map(i32::from).collect();
            let least: i32 = bytes.iter().map(|byte| (-byte).max(0)).sum();
            offset += least;
            let worth = combinations(&bytes, |byte| *byte, |_| 0);
            for ((high, low), worth) in highs.iter_mut().zip(lows).zip(worth) {
                // At most 4 × 127.
                *high = ((worth + least) >> 5) as u8;
                *low = ((worth + least) & 31) as u8;
            }
        }
        Self {
            kernel,
            high,
            low,
            offset,
        }
    }
}

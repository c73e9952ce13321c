//! Inner products of signed bytes with numbers of three or four bits.
//!
//! Rows are laid out so that a shift and a mask give 32 numbers that stand side by side in
//! the query. The products are whole numbers: every kernel gives the same.

/// How many numbers a step of every kernel takes.
const LANES: usize = 32;
/// Numbers of three bits come in chunks of so many: 32 bytes with the upper two bits of
/// each, then 16 with the last one.
const MIDDLE_CHUNK: usize = 128;
const MIDDLE_BYTES: usize = 48;
/// Numbers of four bits come in chunks of so many, two in a byte.
const LOW_CHUNK: usize = 64;
const LOW_BYTES: usize = 32;
/// How many steps fit sums of 16 bits: each adds two products of at most 15 × 127.
const STEPS: usize = 8;

/// How many bytes the numbers of three bits of a vector take.
pub(super) fn middle_bytes(dimension: usize) -> usize {
    dimension.div_ceil(MIDDLE_CHUNK) * MIDDLE_BYTES
}

/// How many bytes the numbers of four bits of a vector take.
pub(super) fn low_bytes(dimension: usize) -> usize {
    dimension.div_ceil(LOW_CHUNK) * LOW_BYTES
}

/// Appends a row of numbers from 0 to 7.
pub(super) fn push_middle(numbers: &[u8], row: &mut Vec<u8>) {
    for chunk in numbers.chunks(MIDDLE_CHUNK) {
        let (mut pairs, mut singles) = ([0_u8; 32], [0_u8; 16]);
        for (step, lanes) in chunk.chunks(LANES).enumerate() {
            for (pair, number) in pairs.iter_mut().zip(lanes) {
                *pair |= (number >> 1 & 3) << (2 * step);
            }
            for (half, lanes) in lanes.chunks(16).enumerate() {
                for (single, number) in singles.iter_mut().zip(lanes) {
                    *single |= (number & 1) << (2 * step + half);
                }
            }
        }
        row.extend(pairs);
        row.extend(singles);
    }
}

/// Appends a row of numbers from 0 to 15.
pub(super) fn push_low(numbers: &[u8], row: &mut Vec<u8>) {
    for chunk in numbers.chunks(LOW_CHUNK) {
        let mut bytes = [0_u8; LOW_BYTES];
        for (step, lanes) in chunk.chunks(LANES).enumerate() {
            for (byte, number) in bytes.iter_mut().zip(lanes) {
                *byte |= (number & 15) << (4 * step);
            }
        }
        row.extend(bytes);
    }
}

/// A way to compute the products.
#[derive(Clone, Copy, Debug)]
enum Kernel {
    #[cfg(target_arch = "x86_64")]
    Avx2(pulp::x86::V3),
    /// Plain Rust, compiled for the best instructions that the processor surely has.
    Portable,
}

impl Kernel {
    /// The kernels that this processor can run, the fastest first.
    fn available() -> Vec<Self> {
        let mut kernels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        kernels.extend(pulp::x86::V3::try_new().map(Self::Avx2));
        kernels.push(Self::Portable);
        kernels
    }
}

/// A vector of signed bytes from -127 to 127 that rows are multiplied with.
#[derive(Clone, Debug)]
pub(super) struct PlaneQuery {
    /// Filled up with zeros to whole chunks of both kinds.
    lanes: Vec<[i8; LANES]>,
    kernel: Kernel,
}

impl PlaneQuery {
    pub(super) fn new(bytes: &[i8]) -> Self {
        Self::with_kernel(bytes, Kernel::available().remove(0))
    }

    fn with_kernel(bytes: &[i8], kernel: Kernel) -> Self {
        let mut padded = bytes.to_vec();
        padded.resize(bytes.len().next_multiple_of(MIDDLE_CHUNK), 0);
        Self {
            lanes: padded.as_chunks().0.to_vec(),
            kernel,
        }
    }

    /// Appends the product with each row of numbers of three bits, in order.
    pub(super) fn middle<'r>(&self, rows: impl Iterator<Item = &'r [u8]>, out: &mut Vec<i32>) {
        match self.kernel {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2(simd) => simd.vectorize(
                #[inline(always)]
                || {
                    // A loop, for a closure inside would not be compiled for these
                    // instructions.
                    for row in rows {
                        out.push(avx2::middle(simd, row, &self.lanes));
                    }
                },
            ),
            Kernel::Portable => out.extend(rows.map(|row| portable::middle(row, &self.lanes))),
        }
    }

    /// Appends the product with each row of numbers of four bits, in order.
    pub(super) fn low<'r>(&self, rows: impl Iterator<Item = &'r [u8]>, out: &mut Vec<i32>) {
        match self.kernel {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2(simd) => simd.vectorize(
                #[inline(always)]
                || {
                    // A loop, for a closure inside would not be compiled for these
                    // instructions.
                    for row in rows {
                        out.push(avx2::low(simd, row, &self.lanes));
                    }
                },
            ),
            Kernel::Portable => out.extend(rows.map(|row| portable::low(row, &self.lanes))),
        }
    }
}

mod portable {
    use super::{LANES, LOW_BYTES, LOW_CHUNK, MIDDLE_BYTES, MIDDLE_CHUNK};

    pub(super) fn middle(row: &[u8], query: &[[i8; LANES]]) -> i32 {
        let chunks = row.as_chunks::<MIDDLE_BYTES>().0.iter();
        let query = query.chunks_exact(MIDDLE_CHUNK / LANES);
        let mut sum = 0;
        for (chunk, query) in chunks.zip(query) {
            let (pairs, singles) = chunk.split_at(32);
            for (step, query) in query.iter().enumerate() {
                let halves = [2 * step, 2 * step + 1].into_iter();
                let halves = halves
                    .zip(pairs.chunks_exact(16))
                    .zip(query.chunks_exact(16));
                for ((bit, pairs), query) in halves {
                    for ((pair, single), query) in pairs.iter().zip(singles).zip(query) {
                        let number = 2 * (pair >> (2 * step) & 3) + (single >> bit & 1);
                        sum += i32::from(number) * i32::from(*query);
                    }
                }
            }
        }
        sum
    }

    pub(super) fn low(row: &[u8], query: &[[i8; LANES]]) -> i32 {
        let chunks = row.as_chunks::<LOW_BYTES>().0.iter();
        let query = query.chunks_exact(LOW_CHUNK / LANES);
        let mut sum = 0;
        for (chunk, query) in chunks.zip(query) {
            for (step, query) in query.iter().enumerate() {
                for (byte, query) in chunk.iter().zip(query) {
                    sum += i32::from(byte >> (4 * step) & 15) * i32::from(*query);
                }
            }
        }
        sum
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the wider instructions"
)]
mod avx2 {
    use std::arch::x86_64::{__m128i, __m256i};

    use pulp::x86::V3;

    use super::{LANES, LOW_BYTES, LOW_CHUNK, MIDDLE_BYTES, MIDDLE_CHUNK, STEPS};

    #[inline(always)]
    pub(super) fn middle(simd: V3, row: &[u8], query: &[[i8; LANES]]) -> i32 {
        let (avx, avx2) = (simd.avx, simd.avx2);
        let three = avx._mm256_set1_epi8(3);
        let one = avx._mm256_set1_epi8(1);
        // The last bits of the second sixteen numbers of a step are one place further up.
        let shifts: __m256i = pulp::cast([0_u64, 0, 1, 1]);
        let mut sum = avx._mm256_setzero_si256();
        let chunks = row.as_chunks::<MIDDLE_BYTES>().0;
        let query = query.as_chunks::<{ MIDDLE_CHUNK / LANES }>().0;
        // Four steps a chunk.
        for (chunks, query) in chunks.chunks(STEPS / 4).zip(query.chunks(STEPS / 4)) {
            let mut short = avx._mm256_setzero_si256();
            for (chunk, query) in chunks.iter().zip(query) {
                let [a, b, c]: [__m128i; 3] = pulp::cast(*chunk);
                let mut pairs: __m256i = pulp::cast([a, b]);
                let singles: __m256i = pulp::cast([c, c]);
                let mut singles = avx2._mm256_srlv_epi64(singles, shifts);
                for query in query {
                    let query: __m256i = pulp::cast(*query);
                    let pair = avx2._mm256_and_si256(pairs, three);
                    let single = avx2._mm256_and_si256(singles, one);
                    let twice = avx2._mm256_add_epi8(pair, pair);
                    let number = avx2._mm256_add_epi8(twice, single);
                    let product = avx2._mm256_maddubs_epi16(number, query);
                    short = avx2._mm256_add_epi16(short, product);
                    pairs = avx2._mm256_srli_epi16::<2>(pairs);
                    singles = avx2._mm256_srli_epi16::<2>(singles);
                }
            }
            let ones = avx._mm256_set1_epi16(1);
            sum = avx2._mm256_add_epi32(sum, avx2._mm256_madd_epi16(short, ones));
        }
        added(sum)
    }

    #[inline(always)]
    pub(super) fn low(simd: V3, row: &[u8], query: &[[i8; LANES]]) -> i32 {
        let (avx, avx2) = (simd.avx, simd.avx2);
        let half = avx._mm256_set1_epi8(15);
        let ones = avx._mm256_set1_epi16(1);
        let mut sum = avx._mm256_setzero_si256();
        let chunks = row.as_chunks::<LOW_BYTES>().0;
        let query = query.as_chunks::<{ LOW_CHUNK / LANES }>().0;
        // Two steps a chunk.
        for (chunks, query) in chunks.chunks(STEPS / 2).zip(query.chunks(STEPS / 2)) {
            let mut short = avx._mm256_setzero_si256();
            for (chunk, [first, second]) in chunks.iter().zip(query) {
                let bytes: __m256i = pulp::cast(*chunk);
                let (first, second): (__m256i, __m256i) = (pulp::cast(*first), pulp::cast(*second));
                let low = avx2._mm256_and_si256(bytes, half);
                let high = avx2._mm256_and_si256(avx2._mm256_srli_epi16::<4>(bytes), half);
                short = avx2._mm256_add_epi16(short, avx2._mm256_maddubs_epi16(low, first));
                short = avx2._mm256_add_epi16(short, avx2._mm256_maddubs_epi16(high, second));
            }
            sum = avx2._mm256_add_epi32(sum, avx2._mm256_madd_epi16(short, ones));
        }
        added(sum)
    }

    #[inline(always)]
    fn added(sums: __m256i) -> i32 {
        pulp::cast::<__m256i, [i32; 8]>(sums).iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_gives_the_products_of_the_numbers() {
        let mut state = 7_u32;
        let mut byte = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        for length in [1, 31, 32, 33, 64, 127, 128, 129, 384, 1536 + 7] {
            // The first rows are as far from zero as they can be.
            let query: Vec<i8> = (0..length).map(|_| (byte() % 255).cast_signed()).collect();
            let greatest = vec![127_i8; length];
            for query in [query, greatest] {
                let rows: Vec<Vec<u8>> = (0..5)
                    .map(|row| {
                        (0..length)
                            .map(|_| if row == 0 { 255 } else { byte() })
                            .collect()
                    })
                    .collect();
                let products = |mask: u8| -> Vec<i32> {
                    let product = |row: &Vec<u8>| {
                        let pairs = row.iter().zip(&query);
                        pairs
                            .map(|(a, b)| i32::from(a & mask) * i32::from(*b))
                            .sum()
                    };
                    rows.iter().map(product).collect()
                };
                let (mut middle, mut low) = (Vec::new(), Vec::new());
                for row in &rows {
                    let numbers: Vec<u8> = row.iter().map(|number| number & 7).collect();
                    push_middle(&numbers, &mut middle);
                    push_low(row, &mut low);
                }
                assert_eq!(middle.len(), 5 * middle_bytes(length));
                assert_eq!(low.len(), 5 * low_bytes(length));
                for kernel in Kernel::available() {
                    let query = PlaneQuery::with_kernel(&query, kernel);
                    let (mut by_middle, mut by_low) = (Vec::new(), Vec::new());
                    query.middle(middle.chunks_exact(middle_bytes(length)), &mut by_middle);
                    query.low(low.chunks_exact(low_bytes(length)), &mut by_low);
                    assert_eq!(by_middle, products(7), "{kernel:?}, {length}");
                    assert_eq!(by_low, products(15), "{kernel:?}, {length}");
                }
            }
        }
    }
}

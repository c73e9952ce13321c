//! Inner products of signed bytes with numbers of two or four bits.
//!
//! Rows are laid out so that a shift and a mask give 32 numbers that stand side by side in
//! the query. The products are whole numbers: every kernel gives the same.

#[cfg(target_arch = "x86_64")]
use super::bytes::added_up;

/// How many numbers a step of every kernel takes.
const LANES: usize = 32;
/// How many bytes a step of every kernel reads.
const BYTES: usize = 32;
/// Numbers of two bits come in chunks of so many, four in a byte.
const MIDDLE_CHUNK: usize = 4 * LANES;
/// Numbers of four bits come in chunks of so many, two in a byte.
const LOW_CHUNK: usize = 2 * LANES;
/// Sums of 16 bits take this many chunks, divided by the bits of a number: eight chunks of four
/// steps of two products of at most 3 × 127, or four of two steps of at most 15 × 127.
#[cfg(target_arch = "x86_64")]
const SHORT_BITS: usize = 16;

/// How many bytes the numbers of two bits of a vector take.
pub(super) fn middle_bytes(dimension: usize) -> usize {
    dimension.div_ceil(MIDDLE_CHUNK) * BYTES
}

/// How many bytes the numbers of four bits of a vector take.
pub(super) fn low_bytes(dimension: usize) -> usize {
    dimension.div_ceil(LOW_CHUNK) * BYTES
}

/// Appends a row of numbers from 0 to 3.
pub(super) fn push_middle(numbers: &[u8], row: &mut Vec<u8>) {
    push(numbers, MIDDLE_CHUNK, 2, row);
}

/// Appends a row of numbers from 0 to 15.
pub(super) fn push_low(numbers: &[u8], row: &mut Vec<u8>) {
    push(numbers, LOW_CHUNK, 4, row);
}

/// Appends numbers of so many bits, each in one byte with those that are 32, 64, … later.
fn push(numbers: &[u8], chunk: usize, bits: usize, row: &mut Vec<u8>) {
    let mask = (1 << bits) - 1;
    for chunk in numbers.chunks(chunk) {
        let mut bytes = [0_u8; BYTES];
        for (step, lanes) in chunk.chunks(LANES).enumerate() {
            for (byte, number) in bytes.iter_mut().zip(lanes) {
                *byte |= (number & mask) << (bits * step);
            }
        }
        row.extend(bytes);
    }
}

/// A way to compute the products.
#[derive(Clone, Copy, Debug)]
enum Kernel {
    #[cfg(target_arch = "x86_64")]
    Avx512(pulp::x86::V4),
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
        {
            kernels.extend(pulp::x86::V4::try_new().map(Self::Avx512));
            kernels.extend(pulp::x86::V3::try_new().map(Self::Avx2));
        }
        kernels.push(Self::Portable);
        kernels
    }
}

/// A vector of signed bytes from -127 to 127 that rows are multiplied with.
#[derive(Clone, Debug)]
pub(super) struct PlaneQuery {
    /// Filled up with zeros to whole chunks of both kinds.
    lanes: Vec<[i8; LANES]>,
    /// For two chunks at a time: what stands beside each step of numbers of two and of four bits.
    wide: [Vec<[i8; 2 * LANES]>; 2],
    kernel: Kernel,
}

impl PlaneQuery {
    pub(super) fn new(bytes: &[i8]) -> Self {
        Self::with_kernel(bytes, Kernel::available().remove(0))
    }

    fn with_kernel(bytes: &[i8], kernel: Kernel) -> Self {
        let mut padded = bytes.to_vec();
        padded.resize(bytes.len().next_multiple_of(MIDDLE_CHUNK), 0);
        let lanes = padded.as_chunks().0;
        Self {
            lanes: lanes.to_vec(),
            wide: [
                side_by_side::<{ MIDDLE_CHUNK / LANES }>(lanes),
                side_by_side::<{ LOW_CHUNK / LANES }>(lanes),
            ],
            kernel,
        }
    }

    /// Appends the product with each row of numbers of two bits, in order.
    pub(super) fn middle<'r>(&self, rows: impl Iterator<Item = &'r [u8]>, out: &mut Vec<i32>) {
        self.products::<2, { MIDDLE_CHUNK / LANES }>(rows, &self.wide[0], out);
    }

    /// Appends the product with each row of numbers of four bits, in order.
    pub(super) fn low<'r>(&self, rows: impl Iterator<Item = &'r [u8]>, out: &mut Vec<i32>) {
        self.products::<4, { LOW_CHUNK / LANES }>(rows, &self.wide[1], out);
    }

    /// The same for numbers of `BITS` bits, which come in chunks of `STEPS` times 32.
    #[cfg_attr(
        not(target_arch = "x86_64"),
        expect(unused_variables, reason = "only AVX-512 takes the wide query")
    )]
    fn products<'r, const BITS: i32, const STEPS: usize>(
        &self,
        rows: impl Iterator<Item = &'r [u8]>,
        wide: &[[i8; 2 * LANES]],
        out: &mut Vec<i32>,
    ) {
        match self.kernel {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512(simd) => simd.vectorize(
                #[inline(always)]
                || {
                    let query = wide.as_chunks::<STEPS>().0;
                    let mut sums = [simd.avx._mm256_setzero_si256(); 4];
                    let mut count = 0;
                    for row in rows {
                        if let Some(sum) = sums.get_mut(count) {
                            *sum = avx512::product::<BITS, STEPS>(simd, row, query);
                        }
                        count += 1;
                        if count == sums.len() {
                            out.extend(added_up(*simd, sums, [0; 4]));
                            count = 0;
                        }
                    }
                    out.extend(added_up(*simd, sums, [0; 4]).into_iter().take(count));
                },
            ),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2(simd) => simd.vectorize(
                #[inline(always)]
                || {
                    // A loop, for a closure inside would not be compiled for these
                    // instructions. Four rows at a time, for adding up one takes as long as
                    // half of its products.
                    let mut sums = [simd.avx._mm256_setzero_si256(); 4];
                    let mut count = 0;
                    for row in rows {
                        if let Some(sum) = sums.get_mut(count) {
                            *sum = avx2::product::<BITS, STEPS>(simd, row, &self.lanes);
                        }
                        count += 1;
                        if count == sums.len() {
                            out.extend(added_up(simd, sums, [0; 4]));
                            count = 0;
                        }
                    }
                    out.extend(added_up(simd, sums, [0; 4]).into_iter().take(count));
                },
            ),
            Kernel::Portable => {
                out.extend(rows.map(|row| portable::product::<BITS, STEPS>(row, &self.lanes)));
            }
        }
    }
}

/// What stands beside two chunks of so many steps at a time, step by step.
fn side_by_side<const STEPS: usize>(lanes: &[[i8; LANES]]) -> Vec<[i8; 2 * LANES]> {
    let nothing = [[0; LANES]; STEPS];
    let chunks = lanes.as_chunks::<STEPS>().0;
    let both = chunks.chunks(2).flat_map(|chunks| {
        let second = chunks.get(1).unwrap_or(&nothing);
        chunks
            .iter()
            .take(1)
            .flat_map(move |first| first.iter().zip(second))
    });
    both.map(|(first, second)| pulp::cast([*first, *second]))
        .collect()
}

mod portable {
    use super::{BYTES, LANES};

    pub(super) fn product<const BITS: i32, const STEPS: usize>(
        row: &[u8],
        query: &[[i8; LANES]],
    ) -> i32 {
        let mut sum = 0;
        let chunks = row.as_chunks::<BYTES>().0;
        for (bytes, query) in chunks.iter().zip(query.as_chunks::<STEPS>().0) {
            for (step, query) in (0..).zip(query) {
                for (byte, query) in bytes.iter().zip(query) {
                    let number = byte >> (BITS * step) & ((1 << BITS) - 1);
                    sum += i32::from(number) * i32::from(*query);
                }
            }
        }
        sum
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::{__m256i, __m512i};

    use pulp::x86::V4;

    use super::{BYTES, LANES, SHORT_BITS};

    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the wider instructions"
    )]
    #[inline(always)]
    pub(super) fn product<const BITS: i32, const STEPS: usize>(
        simd: V4,
        row: &[u8],
        query: &[[[i8; 2 * LANES]; STEPS]],
    ) -> __m256i {
        let (f, bw) = (simd.avx512f, simd.avx512bw);
        let mask = f._mm512_set1_epi8((1 << BITS) - 1);
        let ones = f._mm512_set1_epi32(0x0001_0001);
        let zero = f._mm512_setzero_si512();
        let added = |mut short: __m512i, mut bytes: __m512i, query: &[[i8; 2 * LANES]; STEPS]| {
            for query in query {
                let numbers = f._mm512_and_si512(bytes, mask);
                let product = bw._mm512_maddubs_epi16(numbers, pulp::cast(*query));
                short = bw._mm512_add_epi16(short, product);
                bytes = if BITS == 2 {
                    bw._mm512_srli_epi16::<2>(bytes)
                } else {
                    bw._mm512_srli_epi16::<4>(bytes)
                };
            }
            short
        };
        let mut sum = zero;
        let at_once = SHORT_BITS / BITS.unsigned_abs() as usize;
        let (both, rest) = row.as_chunks::<{ 2 * BYTES }>();
        for (chunks, query) in both.chunks(at_once).zip(query.chunks(at_once)) {
            let mut short = zero;
            for (bytes, query) in chunks.iter().zip(query) {
                short = added(short, pulp::cast(*bytes), query);
            }
            sum = f._mm512_add_epi32(sum, bw._mm512_madd_epi16(short, ones));
        }
        if let (Some(rest), Some(query)) = (rest.first_chunk::<BYTES>(), query.get(both.len())) {
            let short = added(zero, f._mm512_zextsi256_si512(pulp::cast(*rest)), query);
            sum = f._mm512_add_epi32(sum, bw._mm512_madd_epi16(short, ones));
        }
        let high = f._mm512_extracti64x4_epi64::<1>(sum);
        let low = f._mm512_castsi512_si256(sum);
        simd.avx2._mm256_add_epi32(low, high)
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::__m256i;

    use pulp::x86::V3;

    use super::{BYTES, LANES, SHORT_BITS};

    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the wider instructions"
    )]
    #[inline(always)]
    pub(super) fn product<const BITS: i32, const STEPS: usize>(
        simd: V3,
        row: &[u8],
        query: &[[i8; LANES]],
    ) -> __m256i {
        let (avx, avx2) = (simd.avx, simd.avx2);
        let mask = avx._mm256_set1_epi8((1 << BITS) - 1);
        let ones = avx._mm256_set1_epi16(1);
        let mut sum = avx._mm256_setzero_si256();
        let chunks = row.as_chunks::<BYTES>().0;
        let query = query.as_chunks::<STEPS>().0;
        let at_once = SHORT_BITS / BITS.unsigned_abs() as usize;
        for (chunks, query) in chunks.chunks(at_once).zip(query.chunks(at_once)) {
            let mut short = avx._mm256_setzero_si256();
            for (chunk, query) in chunks.iter().zip(query) {
                let mut bytes: __m256i = pulp::cast(*chunk);
                for query in query {
                    let query: __m256i = pulp::cast(*query);
                    let numbers = avx2._mm256_and_si256(bytes, mask);
                    let product = avx2._mm256_maddubs_epi16(numbers, query);
                    short = avx2._mm256_add_epi16(short, product);
                    bytes = avx2._mm256_srli_epi16::<BITS>(bytes);
                }
            }
            sum = avx2._mm256_add_epi32(sum, avx2._mm256_madd_epi16(short, ones));
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    #[test]
    fn every_kernel_gives_the_products_of_the_numbers() {
        let mut random = SplitMix::new(7);
        let mut byte = || random.below(256) as u8;
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
                    let numbers: Vec<u8> = row.iter().map(|number| number & 3).collect();
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
                    assert_eq!(by_middle, products(3), "{kernel:?}, {length}");
                    assert_eq!(by_low, products(15), "{kernel:?}, {length}");
                }
            }
        }
    }
}

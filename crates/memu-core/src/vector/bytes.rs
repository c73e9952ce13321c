//! Inner products of signed bytes from -127 to 127. They are whole numbers: every kernel gives the same.

/// How many bytes a kernel takes at a time.
const CHUNK: usize = 32;

/// A vector of signed bytes that others are multiplied with.
#[derive(Clone, Debug)]
pub(crate) struct ByteQuery {
    /// Whole chunks, widened.
    chunks: Vec<[i16; CHUNK]>,
    /// Whole chunks, each with its numbers without their signs.
    #[cfg(target_arch = "x86_64")]
    signed: Vec<([i8; CHUNK], [u8; CHUNK])>,
    /// The rest.
    rest: Vec<i8>,
    kernel: Kernel,
}

/// A way to compute the products.
#[derive(Clone, Copy, Debug)]
enum Kernel {
    #[cfg(target_arch = "x86_64")]
    Avx512(pulp::x86::V4),
    #[cfg(target_arch = "x86_64")]
    Avx2(pulp::x86::V3),
    Portable,
}

impl Kernel {
    /// The kernels that this processor can run, the fastest first.
    fn available() -> impl Iterator<Item = Self> {
        let portable = std::iter::once(Self::Portable);
        #[cfg(target_arch = "x86_64")]
        {
            let wide = pulp::x86::V4::try_new().map(Self::Avx512);
            let less = pulp::x86::V3::try_new().map(Self::Avx2);
            wide.into_iter().chain(less).chain(portable)
        }
        #[cfg(not(target_arch = "x86_64"))]
        portable
    }
}

impl ByteQuery {
    pub(crate) fn new(bytes: &[i8]) -> Self {
        let fastest = Kernel::available().next();
        Self::with_kernel(bytes, fastest.unwrap_or(Kernel::Portable))
    }

    fn with_kernel(bytes: &[i8], kernel: Kernel) -> Self {
        let (chunks, rest) = bytes.as_chunks::<CHUNK>();
        Self {
            chunks: chunks.iter().map(|chunk| chunk.map(i16::from)).collect(),
            #[cfg(target_arch = "x86_64")]
            signed: chunks
                .iter()
                .map(|chunk| (*chunk, chunk.map(i8::unsigned_abs)))
                .collect(),
            rest: rest.to_vec(),
            kernel,
        }
    }

    /// Appends the inner product with each row, in order. Rows are as long as the query;
    /// the product with a shorter one is that with its beginning.
    pub(crate) fn products<'r>(&self, rows: impl Iterator<Item = &'r [i8]>, out: &mut Vec<i32>) {
        let whole = |row: &'r [i8]| {
            let (chunks, rest) = row.as_chunks::<CHUNK>();
            (chunks, self.product_of_rest(rest))
        };
        match self.kernel {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512(simd) => simd.vectorize(
                #[inline(always)]
                || {
                    for row in rows {
                        let (chunks, rest) = whole(row);
                        out.push(rest + avx512(simd, chunks, &self.chunks));
                    }
                },
            ),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2(simd) => simd.vectorize(
                #[inline(always)]
                || {
                    // Four rows at a time, for adding up one costs as much as multiplying it.
                    let (mut sums, mut rests) = ([simd.avx._mm256_setzero_si256(); 4], [0; 4]);
                    let mut count = 0;
                    for row in rows {
                        let (chunks, rest) = whole(row);
                        if let (Some(sum), Some(place)) =
                            (sums.get_mut(count), rests.get_mut(count))
                        {
                            *sum = avx2::product(simd, chunks, &self.signed);
                            *place = rest;
                        }
                        count += 1;
                        if count == 4 {
                            out.extend(added_up(simd, sums, rests));
                            count = 0;
                        }
                    }
                    out.extend(added_up(simd, sums, rests).into_iter().take(count));
                },
            ),
            Kernel::Portable => out.extend(rows.map(|row| {
                let (chunks, rest) = whole(row);
                rest + portable(chunks, &self.chunks)
            })),
        }
    }

    fn product_of_rest(&self, rest: &[i8]) -> i32 {
        let pairs = rest.iter().zip(&self.rest);
        pairs.map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()
    }
}

fn portable(row: &[[i8; CHUNK]], query: &[[i16; CHUNK]]) -> i32 {
    let chunks = row.iter().zip(query);
    chunks
        .map(|(row, query)| {
            let pairs = row.iter().zip(query);
            pairs
                .map(|(a, b)| i32::from(*a) * i32::from(*b))
                .sum::<i32>()
        })
        .sum()
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn avx512(simd: pulp::x86::V4, row: &[[i8; CHUNK]], query: &[[i16; CHUNK]]) -> i32 {
    use std::arch::x86_64::{__m256i, __m512i};

    let (f, bw) = (simd.avx512f, simd.avx512bw);
    let mut sum = f._mm512_setzero_si512();
    for (row, query) in row.iter().zip(query) {
        let row: __m256i = pulp::cast(*row);
        let query: __m512i = pulp::cast(*query);
        sum = f._mm512_add_epi32(
            sum,
            bw._mm512_madd_epi16(bw._mm512_cvtepi8_epi16(row), query),
        );
    }
    pulp::cast::<__m512i, [i32; 16]>(sum).iter().sum()
}

#[cfg(target_arch = "x86_64")]
pub(super) use avx2::added_up;

#[cfg(target_arch = "x86_64")]
#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the wider instructions"
)]
mod avx2 {
    use std::arch::x86_64::{__m128i, __m256i};

    use pulp::x86::V3;

    use super::CHUNK;

    /// Eight sums of products. The query's signs go over to the row, for one of two numbers has
    /// to be positive; two products of at most 127 × 127 fit 16 bits.
    #[inline(always)]
    pub(super) fn product(
        simd: V3,
        row: &[[i8; CHUNK]],
        query: &[([i8; CHUNK], [u8; CHUNK])],
    ) -> __m256i {
        let (avx, avx2) = (simd.avx, simd.avx2);
        let ones = avx._mm256_set1_epi16(1);
        let mut sum = avx._mm256_setzero_si256();
        for (row, (query, positive)) in row.iter().zip(query) {
            let row = avx2._mm256_sign_epi8(pulp::cast(*row), pulp::cast(*query));
            let pairs = avx2._mm256_maddubs_epi16(pulp::cast(*positive), row);
            sum = avx2._mm256_add_epi32(sum, avx2._mm256_madd_epi16(pairs, ones));
        }
        sum
    }

    /// What the sums of four rows add up to, each with its rest.
    #[inline(always)]
    pub(in crate::vector) fn added_up(simd: V3, sums: [__m256i; 4], rests: [i32; 4]) -> [i32; 4] {
        let (avx2, sse2) = (simd.avx2, simd.sse2);
        let [first, second, third, fourth] = sums;
        let sums = avx2._mm256_hadd_epi32(
            avx2._mm256_hadd_epi32(first, second),
            avx2._mm256_hadd_epi32(third, fourth),
        );
        let [low, high]: [__m128i; 2] = pulp::cast(sums);
        let sums = sse2._mm_add_epi32(sse2._mm_add_epi32(low, high), pulp::cast(rests));
        pulp::cast(sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    #[test]
    fn every_kernel_gives_the_same_products() {
        let mut random = SplitMix::new(7);
        let mut byte = || (random.below(255) as i16 - 127) as i8;
        for length in [0, 1, 31, 32, 33, 256, 384, 1536 + 7] {
            let query = (0..length).map(|at| if at < 64 { 127 } else { byte() });
            let query: Vec<i8> = query.collect();
            let rows: Vec<Vec<i8>> = (0..6)
                .map(|row| {
                    (0..length)
                        .map(|_| if row == 0 { -127 } else { byte() })
                        .collect()
                })
                .collect();
            let expected: Vec<i32> = rows
                .iter()
                .map(|row| {
                    let pairs = row.iter().zip(&query);
                    pairs.map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()
                })
                .collect();
            for kernel in Kernel::available() {
                let query = ByteQuery::with_kernel(&query, kernel);
                let mut products = Vec::new();
                query.products(rows.iter().map(Vec::as_slice), &mut products);
                assert_eq!(products, expected, "{kernel:?}, {length}");
            }
        }
    }
}

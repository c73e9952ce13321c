//! Products of a group with the instructions of AVX2.

#![expect(
    clippy::inline_always,
    reason = "it must be compiled for the wider instructions"
)]

use std::arch::x86_64::__m256i;

use pulp::x86::V3;

use super::super::ahead::ask_for;
use super::{GROUP, QueryChunk, SHORT_CHUNKS, WIDTH};

/// How many registers of a chunk are taken together: there are few to keep sums in.
const REGISTERS: usize = 2;
/// How many of their width a chunk has.
const PARTS: usize = WIDTH / (32 * REGISTERS);

/// The lines of `ahead` are asked for in the meantime.
#[inline(always)]
pub(super) fn products(
    simd: V3,
    (group, ahead): (&[u8], &[u8]),
    query: &[QueryChunk],
) -> [i32; GROUP] {
    let mut products = [[0; GROUP / PARTS]; PARTS];
    for (part, products) in products.iter_mut().enumerate() {
        *products = of_part(simd, (group, ahead), query, part);
    }
    pulp::cast(products)
}

#[inline(always)]
fn of_part(
    simd: V3,
    (group, ahead): (&[u8], &[u8]),
    query: &[QueryChunk],
    part: usize,
) -> [i32; GROUP / PARTS] {
    let (avx, avx2) = (simd.avx, simd.avx2);
    let (first, second) = (avx._mm256_set1_epi8(3), avx._mm256_set1_epi8(12));
    let ones = avx._mm256_set1_epi16(1);
    let zero = avx._mm256_setzero_si256();
    let mut sums = [zero; REGISTERS];
    let (chunks, _) = group.as_chunks::<WIDTH>();
    let (ahead, _) = ahead.as_chunks::<{ WIDTH / PARTS }>();
    let mut ahead = ahead.iter().skip(part).step_by(PARTS);
    for (chunks, query) in chunks.chunks(SHORT_CHUNKS).zip(query.chunks(SHORT_CHUNKS)) {
        // Of numbers in the lowest bits of what is masked, and of those two bits higher.
        let mut short = [[zero; 2]; REGISTERS];
        for (chunk, query) in chunks.iter().zip(query) {
            ask_for(ahead.next());
            let query = query.map(|bytes| avx._mm256_set1_epi32(pulp::cast(bytes)));
            let registers = chunk.as_chunks::<32>().0.as_chunks::<REGISTERS>().0;
            let Some(registers) = registers.get(part) else {
                continue;
            };
            for ([low, high], register) in short.iter_mut().zip(registers) {
                let bytes: __m256i = pulp::cast(*register);
                let shifted = avx2._mm256_srli_epi16::<4>(bytes);
                let product = |bytes, mask, query| {
                    avx2._mm256_maddubs_epi16(avx2._mm256_and_si256(bytes, mask), query)
                };
                *low = avx2._mm256_add_epi16(*low, product(bytes, first, query[0]));
                *high = avx2._mm256_add_epi16(*high, product(bytes, second, query[1]));
                *low = avx2._mm256_add_epi16(*low, product(shifted, first, query[2]));
                *high = avx2._mm256_add_epi16(*high, product(shifted, second, query[3]));
            }
        }
        for (sum, [low, high]) in sums.iter_mut().zip(short) {
            let short = avx2._mm256_add_epi16(low, avx2._mm256_srai_epi16::<2>(high));
            *sum = avx2._mm256_add_epi32(*sum, avx2._mm256_madd_epi16(short, ones));
        }
    }
    pulp::cast(sums)
}

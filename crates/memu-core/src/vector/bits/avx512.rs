//! Products of a group with the instructions of AVX-512.

#![expect(
    clippy::inline_always,
    reason = "it must be compiled for the wider instructions"
)]

use std::arch::x86_64::__m512i;

use pulp::x86::V4;

use super::super::ahead::ask_for;
use super::{GROUP, QueryChunk, SHORT_CHUNKS, WIDTH};

/// How many registers the numbers of a chunk of a group fill.
const REGISTERS: usize = WIDTH / 64;

/// The lines of `ahead` are asked for in the meantime.
#[inline(always)]
pub(super) fn products(
    simd: V4,
    (group, ahead): (&[u8], &[u8]),
    query: &[QueryChunk],
) -> [i32; GROUP] {
    let (f, bw) = (simd.avx512f, simd.avx512bw);
    let (first, second) = (f._mm512_set1_epi8(3), f._mm512_set1_epi8(12));
    let ones = f._mm512_set1_epi32(0x0001_0001);
    let zero = f._mm512_setzero_si512();
    let mut sums = [zero; REGISTERS];
    let (chunks, _) = group.as_chunks::<WIDTH>();
    let mut ahead = ahead.as_chunks::<64>().0.iter();
    for (chunks, query) in chunks.chunks(SHORT_CHUNKS).zip(query.chunks(SHORT_CHUNKS)) {
        // Of numbers in the lowest bits of what is masked, and of those two bits higher.
        let mut short = [[zero; 2]; REGISTERS];
        for (chunk, query) in chunks.iter().zip(query) {
            let query = query.map(|bytes| f._mm512_set1_epi32(pulp::cast(bytes)));
            let registers = chunk.as_chunks::<64>().0.iter();
            for ([low, high], register) in short.iter_mut().zip(registers) {
                ask_for(ahead.next());
                let bytes: __m512i = pulp::cast(*register);
                let shifted = bw._mm512_srli_epi16::<4>(bytes);
                let product = |bytes, mask, query| {
                    bw._mm512_maddubs_epi16(f._mm512_and_si512(bytes, mask), query)
                };
                *low = bw._mm512_add_epi16(*low, product(bytes, first, query[0]));
                *high = bw._mm512_add_epi16(*high, product(bytes, second, query[1]));
                *low = bw._mm512_add_epi16(*low, product(shifted, first, query[2]));
                *high = bw._mm512_add_epi16(*high, product(shifted, second, query[3]));
            }
        }
        for (sum, [low, high]) in sums.iter_mut().zip(short) {
            let short = bw._mm512_add_epi16(low, bw._mm512_srai_epi16::<2>(high));
            *sum = f._mm512_add_epi32(*sum, bw._mm512_madd_epi16(short, ones));
        }
    }
    pulp::cast(sums)
}

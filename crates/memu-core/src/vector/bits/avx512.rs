//! Sums of a group with the instructions of AVX-512.

#![expect(
    clippy::inline_always,
    reason = "it must be compiled for the wider instructions"
)]

use std::arch::x86_64::__m512i;

use pulp::x86::V4;

use super::{AT_ONCE, GROUP, QUAD, folded, joined};

type Register = [u8; 64];
type Pair = [Register; AT_ONCE];

/// By plane: what the bytes of each of the two halves sum up to, the even and odd ones together,
/// and the odd ones.
type Sums = [[[__m512i; 2]; 2]; 2];

#[inline(always)]
pub(super) fn sums(simd: V4, planes: [&[u8]; 2], tables: [&[u8]; 2]) -> [[u16; GROUP]; 2] {
    let mut sums = [[[simd.avx512f._mm512_setzero_si512(); 2]; 2]; 2];
    let [first, second] = [pairs(planes[0]), pairs(planes[1])];
    let [first_table, second_table] = [pairs(tables[0]), pairs(tables[1])];
    let codes = first.0.iter().zip(second.0);
    for ((first, second), tables) in codes.zip(first_table.0.iter().zip(second_table.0)) {
        add(simd, &mut sums, [first, second], tables.into());
    }
    // A group may have an odd number of registers.
    if let ([first], [second], [first_table], [second_table]) =
        (first.1, second.1, first_table.1, second_table.1)
    {
        let none = [0; 64];
        let planes = [&[*first, none], &[*second, none]];
        add(
            simd,
            &mut sums,
            planes,
            [&[*first_table, none], &[*second_table, none]],
        );
    }
    let [first, second] = sums;
    [group(first), group(second)]
}

/// Registers by twos, and what is left.
#[inline(always)]
fn pairs(bytes: &[u8]) -> (&[Pair], &[Register]) {
    bytes.as_chunks().0.as_chunks()
}

#[inline(always)]
fn group([low, high]: [[__m512i; 2]; 2]) -> [u16; GROUP] {
    joined(half(low), half(high))
}

#[inline(always)]
fn half([both, odd]: [__m512i; 2]) -> [u16; QUAD] {
    let numbers = pulp::cast::<__m512i, [u16; 32]>;
    folded(&numbers(both), &numbers(odd))
}

#[inline(always)]
fn add(simd: V4, sums: &mut Sums, planes: [&Pair; 2], tables: [&Pair; 2]) {
    let (f, bw) = (simd.avx512f, simd.avx512bw);
    let halves = f._mm512_set1_epi8(15);
    let mut bytes = [[simd.avx512f._mm512_setzero_si512(); 2]; 2];
    for at in 0..AT_ONCE {
        for ([low, high], (plane, table)) in bytes.iter_mut().zip(planes.into_iter().zip(tables)) {
            let (Some(codes), Some(worth)) = (plane.get(at), table.get(at)) else {
                continue;
            };
            let (codes, worth): (__m512i, __m512i) = (pulp::cast(*codes), pulp::cast(*worth));
            let shifted = bw._mm512_srli_epi16::<4>(codes);
            let of_low = bw._mm512_shuffle_epi8(worth, f._mm512_and_si512(codes, halves));
            let of_high = bw._mm512_shuffle_epi8(worth, f._mm512_and_si512(shifted, halves));
            *low = bw._mm512_add_epi8(*low, of_low);
            *high = bw._mm512_add_epi8(*high, of_high);
        }
    }
    for (sums, bytes) in sums.as_flattened_mut().iter_mut().zip(bytes.as_flattened()) {
        let [both, odd] = sums;
        *both = bw._mm512_add_epi16(*both, *bytes);
        *odd = bw._mm512_add_epi16(*odd, bw._mm512_srli_epi16::<8>(*bytes));
    }
}

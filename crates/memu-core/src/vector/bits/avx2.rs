//! Sums of a group with the instructions of AVX2. Its registers come in twos.

#![expect(
    clippy::inline_always,
    reason = "it must be compiled for the wider instructions"
)]

use std::arch::x86_64::__m256i;

use pulp::x86::V3;

use super::{AT_ONCE, GROUP, QUAD, folded, joined};

type Register = [u8; 32];
type Pair = [Register; AT_ONCE];

/// By plane: what the bytes of each of the two halves sum up to, the even and odd ones together,
/// and the odd ones.
type Sums = [[[__m256i; 2]; 2]; 2];

#[inline(always)]
pub(super) fn sums(simd: V3, planes: [&[u8]; 2], tables: [&[u8]; 2]) -> [[u16; GROUP]; 2] {
    let mut sums = [[[simd.avx._mm256_setzero_si256(); 2]; 2]; 2];
    let [first, second] = [pairs(planes[0]), pairs(planes[1])];
    let [first_table, second_table] = [pairs(tables[0]), pairs(tables[1])];
    let codes = first.0.iter().zip(second.0);
    for ((first, second), tables) in codes.zip(first_table.0.iter().zip(second_table.0)) {
        add(simd, &mut sums, [first, second], tables.into());
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
fn group([low, high]: [[__m256i; 2]; 2]) -> [u16; GROUP] {
    joined(half(low), half(high))
}

#[inline(always)]
fn half([both, odd]: [__m256i; 2]) -> [u16; QUAD] {
    let numbers = pulp::cast::<__m256i, [u16; 16]>;
    folded(&numbers(both), &numbers(odd))
}

#[inline(always)]
fn add(simd: V3, sums: &mut Sums, planes: [&Pair; 2], tables: [&Pair; 2]) {
    let avx2 = simd.avx2;
    let halves = simd.avx._mm256_set1_epi8(15);
    let mut bytes = [[simd.avx._mm256_setzero_si256(); 2]; 2];
    for at in 0..AT_ONCE {
        for ([low, high], (plane, table)) in bytes.iter_mut().zip(planes.into_iter().zip(tables)) {
            let (Some(codes), Some(worth)) = (plane.get(at), table.get(at)) else {
                continue;
            };
            let (codes, worth): (__m256i, __m256i) = (pulp::cast(*codes), pulp::cast(*worth));
            let shifted = avx2._mm256_srli_epi16::<4>(codes);
            let of_low = avx2._mm256_shuffle_epi8(worth, avx2._mm256_and_si256(codes, halves));
            let of_high = avx2._mm256_shuffle_epi8(worth, avx2._mm256_and_si256(shifted, halves));
            *low = avx2._mm256_add_epi8(*low, of_low);
            *high = avx2._mm256_add_epi8(*high, of_high);
        }
    }
    for (sums, bytes) in sums.as_flattened_mut().iter_mut().zip(bytes.as_flattened()) {
        let [both, odd] = sums;
        *both = avx2._mm256_add_epi16(*both, *bytes);
        *odd = avx2._mm256_add_epi16(*odd, avx2._mm256_srli_epi16::<8>(*bytes));
    }
}

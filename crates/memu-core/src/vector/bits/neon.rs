//! Sums of a group with the instructions of NEON.

use std::arch::aarch64::{uint8x16_t, uint16x8_t};

use super::{GROUP, QUAD};

/// A group of one plane, to be summed by a table.
pub(super) struct Neon<'g> {
    pub(super) simd: pulp::aarch64::Neon,
    pub(super) codes: &'g [u8],
    pub(super) table: &'g [u8],
}

impl pulp::NullaryFnOnce for Neon<'_> {
    type Output = [u16; GROUP];

    #[inline(always)]
    fn call(self) -> [u16; GROUP] {
        let neon = self.simd.neon;
        let zero: uint16x8_t = pulp::cast([0_u16; 8]);
        let halves: uint8x16_t = pulp::cast([15_u8; 16]);
        let [mut low_even, mut low_odd, mut high_even, mut high_odd] = [zero; 4];
        let evens: uint16x8_t = pulp::cast([255_u16; 8]);
        let quads = self.codes.as_chunks::<QUAD>().0.iter();
        for (codes, worth) in quads.zip(self.table.as_chunks::<QUAD>().0) {
            let codes: uint8x16_t = pulp::cast(*codes);
            let worth: uint8x16_t = pulp::cast(*worth);
            let low = neon.vqtbl1q_u8(worth, neon.vandq_u8(codes, halves));
            let high = neon.vqtbl1q_u8(worth, neon.vshrq_n_u8::<4>(codes));
            let (low, high): (uint16x8_t, uint16x8_t) = (pulp::cast(low), pulp::cast(high));
            low_even = neon.vaddq_u16(low_even, neon.vandq_u16(low, evens));
            low_odd = neon.vaddq_u16(low_odd, neon.vshrq_n_u16::<8>(low));
            high_even = neon.vaddq_u16(high_even, neon.vandq_u16(high, evens));
            high_odd = neon.vaddq_u16(high_odd, neon.vshrq_n_u16::<8>(high));
        }
        let mut sums = [0; GROUP];
        let halves = sums.as_chunks_mut::<QUAD>().0.iter_mut();
        for (half, [even, odd]) in halves.zip([[low_even, low_odd], [high_even, high_odd]]) {
            let (even, odd): ([u16; 8], [u16; 8]) = (pulp::cast(even), pulp::cast(odd));
            for ([first, second], (even, odd)) in half
                .as_chunks_mut::<2>()
                .0
                .iter_mut()
                .zip(even.into_iter().zip(odd))
            {
                (*first, *second) = (even, odd);
            }
        }
        sums
    }
}

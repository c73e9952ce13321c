//! Products of a group with the instructions of NEON.

use std::arch::aarch64::{int8x16_t, int16x8_t, int32x4_t, uint8x16_t};

use super::{GROUP, QueryChunk, SHORT_CHUNKS, WIDTH};

/// How many bytes a register has.
const REGISTER: usize = 16;
/// How many vectors have their numbers in one.
const VECTORS: usize = 4;

/// A group, to be multiplied with a query.
pub(super) struct Neon<'g> {
    pub(super) simd: pulp::aarch64::Neon,
    pub(super) group: &'g [u8],
    pub(super) query: &'g [QueryChunk],
}

impl pulp::NullaryFnOnce for Neon<'_> {
    type Output = [i32; GROUP];

    #[inline(always)]
    fn call(self) -> [i32; GROUP] {
        let mut products = [0; GROUP];
        let parts = products.as_chunks_mut::<VECTORS>().0.iter_mut();
        for (part, products) in parts.enumerate() {
            *products = pulp::cast(self.of_part(part));
        }
        products
    }
}

impl Neon<'_> {
    #[inline(always)]
    fn of_part(&self, part: usize) -> int32x4_t {
        let neon = self.simd.neon;
        let mask: uint8x16_t = pulp::cast([3_u8; REGISTER]);
        let mut sum: int32x4_t = pulp::cast([0_i32; VECTORS]);
        let (chunks, _) = self.group.as_chunks::<WIDTH>();
        let chunks = chunks.chunks(SHORT_CHUNKS);
        for (chunks, query) in chunks.zip(self.query.chunks(SHORT_CHUNKS)) {
            let mut low: int16x8_t = pulp::cast([0_i16; 8]);
            let mut high = low;
            for (chunk, query) in chunks.iter().zip(query) {
                let Some(bytes) = chunk.as_chunks::<REGISTER>().0.get(part) else {
                    continue;
                };
                let bytes: uint8x16_t = pulp::cast(*bytes);
                let places = [
                    bytes,
                    neon.vshrq_n_u8::<2>(bytes),
                    neon.vshrq_n_u8::<4>(bytes),
                    neon.vshrq_n_u8::<6>(bytes),
                ];
                for (numbers, query) in places.into_iter().zip(query) {
                    let numbers: int8x16_t = pulp::cast(neon.vandq_u8(numbers, mask));
                    let query: int8x16_t = pulp::cast([*query; VECTORS]);
                    let halves = (neon.vget_low_s8(numbers), neon.vget_low_s8(query));
                    low = neon.vmlal_s8(low, halves.0, halves.1);
                    high = neon.vmlal_high_s8(high, numbers, query);
                }
            }
            // Each half holds four sums of each of two vectors.
            let (low, high) = (neon.vpaddlq_s16(low), neon.vpaddlq_s16(high));
            sum = neon.vaddq_s32(sum, neon.vpaddq_s32(low, high));
        }
        sum
    }
}

//! Sums of looked-up bytes over 1-bit codes, 32 vectors at a time.
//!
//! Codes of 32 vectors lie together. For every four numbers of the vectors there are 16
//! bytes: byte `i` holds the four signs of vector `i` in its low half and those of vector
//! `i + 16` in its high half. A table of 16 bytes for every four numbers tells what each
//! combination of signs is worth, so that one shuffle instruction looks up 16 to 64 of
//! them (André, Kermarrec and Le Scouarnec, *Cache Locality Is Not Enough*, 2015). The sums
//! are whole numbers: every kernel gives the same.

/// How many vectors are summed at a time.
pub(super) const GROUP: usize = 32;
/// How many bytes four numbers take, of the codes of a group and of a table.
pub(super) const QUAD: usize = 16;
/// Quads come in multiples of this, so that the widest kernel needs no remainder.
pub(super) const QUADS: usize = 4;

/// A way to compute the sums.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kernel {
    #[cfg(target_arch = "x86_64")]
    Avx512(pulp::x86::V4),
    #[cfg(target_arch = "x86_64")]
    Avx2(pulp::x86::V3),
    #[cfg(target_arch = "aarch64")]
    Neon(pulp::aarch64::Neon),
    Portable,
}

impl Kernel {
    /// The kernels that this processor can run, the fastest first.
    pub(super) fn available() -> Vec<Self> {
        let mut kernels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            kernels.extend(pulp::x86::V4::try_new().map(Self::Avx512));
            kernels.extend(pulp::x86::V3::try_new().map(Self::Avx2));
        }
        #[cfg(target_arch = "aarch64")]
        kernels.extend(pulp::aarch64::Neon::try_new().map(Self::Neon));
        kernels.push(Self::Portable);
        kernels
    }

    /// The sums of every vector, in order. `codes` holds whole groups, each of as many
    /// bytes as `table` has.
    pub(super) fn sums(self, codes: &[u8], table: &[u8], sums: &mut Vec<u16>) {
        sums.clear();
        if table.is_empty() {
            return;
        }
        let groups = codes.chunks_exact(table.len());
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(simd) => simd.vectorize(
                #[inline(always)]
                || groups.for_each(|codes| sums.extend(avx512(simd, codes, table))),
            ),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => simd.vectorize(
                #[inline(always)]
                || groups.for_each(|codes| sums.extend(avx2(simd, codes, table))),
            ),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(simd) => pulp::Simd::vectorize(
                simd,
                Neon {
                    simd,
                    groups,
                    table,
                    sums,
                },
            ),
            Self::Portable => groups.for_each(|codes| sums.extend(portable(codes, table))),
        }
    }
}

fn portable(codes: &[u8], table: &[u8]) -> [u16; GROUP] {
    let (mut low, mut high) = ([0_u16; QUAD], [0_u16; QUAD]);
    let quads = codes.as_chunks::<QUAD>().0.iter();
    for (codes, worth) in quads.zip(table.as_chunks::<QUAD>().0) {
        let look_up = |signs: u8| u16::from(worth.get(usize::from(signs)).copied().unwrap_or(0));
        for ((low, high), code) in low.iter_mut().zip(&mut high).zip(codes) {
            *low += look_up(code & 15);
            *high += look_up(code >> 4);
        }
    }
    joined(low, high)
}

fn joined(low: [u16; QUAD], high: [u16; QUAD]) -> [u16; GROUP] {
    let mut sums = [0; GROUP];
    let (first, second) = sums.split_at_mut(QUAD);
    first.copy_from_slice(&low);
    second.copy_from_slice(&high);
    sums
}

/// Adds up what running sums of bytes hold for each of 16 vectors: every eight of them are
/// of another quad. `both` are sums of the bytes by twos, taken as one number of 16 bits,
/// so that an odd byte counts 256 times; what is too great for 16 bits falls away.
#[cfg(target_arch = "x86_64")]
#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the wider instructions"
)]
#[inline(always)]
fn folded(both: &[u16], odd: &[u16]) -> [u16; QUAD] {
    let mut sums = [0_u16; QUAD];
    let lanes = both.as_chunks::<8>().0.iter().zip(odd.as_chunks::<8>().0);
    for (both, odd) in lanes {
        let pairs = sums.as_chunks_mut::<2>().0.iter_mut();
        for ((pair, both), odd) in pairs.zip(both).zip(odd) {
            let [first, second] = pair;
            *first += both.wrapping_sub(odd << 8);
            *second += odd;
        }
    }
    sums
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn avx512(simd: pulp::x86::V4, codes: &[u8], table: &[u8]) -> [u16; GROUP] {
    use std::arch::x86_64::__m512i;

    let (f, bw) = (simd.avx512f, simd.avx512bw);
    let halves = f._mm512_set1_epi8(15);
    let zero = f._mm512_setzero_si512();
    let [mut low_both, mut low_odd, mut high_both, mut high_odd] = [zero; 4];
    let quads = codes.as_chunks::<64>().0.iter();
    for (codes, worth) in quads.zip(table.as_chunks::<64>().0) {
        let codes: __m512i = pulp::cast(*codes);
        let worth: __m512i = pulp::cast(*worth);
        let low = bw._mm512_shuffle_epi8(worth, f._mm512_and_si512(codes, halves));
        let shifted = bw._mm512_srli_epi16::<4>(codes);
        let high = bw._mm512_shuffle_epi8(worth, f._mm512_and_si512(shifted, halves));
        low_both = bw._mm512_add_epi16(low_both, low);
        low_odd = bw._mm512_add_epi16(low_odd, bw._mm512_srli_epi16::<8>(low));
        high_both = bw._mm512_add_epi16(high_both, high);
        high_odd = bw._mm512_add_epi16(high_odd, bw._mm512_srli_epi16::<8>(high));
    }
    let numbers = pulp::cast::<__m512i, [u16; 32]>;
    joined(
        folded(&numbers(low_both), &numbers(low_odd)),
        folded(&numbers(high_both), &numbers(high_odd)),
    )
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn avx2(simd: pulp::x86::V3, codes: &[u8], table: &[u8]) -> [u16; GROUP] {
    use std::arch::x86_64::__m256i;

    let (avx, avx2) = (simd.avx, simd.avx2);
    let halves = avx._mm256_set1_epi8(15);
    let zero = avx._mm256_setzero_si256();
    let [mut low_both, mut low_odd, mut high_both, mut high_odd] = [zero; 4];
    let quads = codes.as_chunks::<32>().0.iter();
    for (codes, worth) in quads.zip(table.as_chunks::<32>().0) {
        let codes: __m256i = pulp::cast(*codes);
        let worth: __m256i = pulp::cast(*worth);
        let low = avx2._mm256_shuffle_epi8(worth, avx2._mm256_and_si256(codes, halves));
        let shifted = avx2._mm256_srli_epi16::<4>(codes);
        let high = avx2._mm256_shuffle_epi8(worth, avx2._mm256_and_si256(shifted, halves));
        low_both = avx2._mm256_add_epi16(low_both, low);
        low_odd = avx2._mm256_add_epi16(low_odd, avx2._mm256_srli_epi16::<8>(low));
        high_both = avx2._mm256_add_epi16(high_both, high);
        high_odd = avx2._mm256_add_epi16(high_odd, avx2._mm256_srli_epi16::<8>(high));
    }
    let numbers = pulp::cast::<__m256i, [u16; 16]>;
    joined(
        folded(&numbers(low_both), &numbers(low_odd)),
        folded(&numbers(high_both), &numbers(high_odd)),
    )
}

/// All groups, to be summed with NEON instructions.
#[cfg(target_arch = "aarch64")]
struct Neon<'g> {
    simd: pulp::aarch64::Neon,
    groups: std::slice::ChunksExact<'g, u8>,
    table: &'g [u8],
    sums: &'g mut Vec<u16>,
}

#[cfg(target_arch = "aarch64")]
impl pulp::NullaryFnOnce for Neon<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        use std::arch::aarch64::{uint8x16_t, uint16x8_t};

        let neon = self.simd.neon;
        for codes in self.groups {
            let zero: uint16x8_t = pulp::cast([0_u16; 8]);
            let halves: uint8x16_t = pulp::cast([15_u8; 16]);
            let [mut low_even, mut low_odd, mut high_even, mut high_odd] = [zero; 4];
            let evens: uint16x8_t = pulp::cast([255_u16; 8]);
            let quads = codes.as_chunks::<QUAD>().0.iter();
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
            let joined = |even: uint16x8_t, odd: uint16x8_t| {
                let (even, odd): ([u16; 8], [u16; 8]) = (pulp::cast(even), pulp::cast(odd));
                even.into_iter()
                    .zip(odd)
                    .flat_map(|(even, odd)| [even, odd])
            };
            self.sums.extend(joined(low_even, low_odd));
            self.sums.extend(joined(high_even, high_odd));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    #[test]
    fn every_kernel_gives_the_same_sums() {
        let mut random = SplitMix::new(7);
        let mut byte = || random.below(256) as u8;
        for quads in [4, 64, 96, 256] {
            let table: Vec<u8> = (0..quads * QUAD).map(|_| byte()).collect();
            let codes: Vec<u8> = (0..3 * quads * QUAD).map(|_| byte()).collect();
            let sums: Vec<Vec<u16>> = Kernel::available()
                .into_iter()
                .map(|kernel| {
                    let mut sums = Vec::new();
                    kernel.sums(&codes, &table, &mut sums);
                    sums
                })
                .collect();
            assert_eq!(sums[0].len(), 3 * GROUP);
            assert!(sums.iter().all(|other| *other == sums[0]), "{quads}");
            // The second vector of the first group, by hand.
            let expected: u16 = (0..quads)
                .map(|quad| {
                    u16::from(table[quad * QUAD + usize::from(codes[quad * QUAD + 1] & 15)])
                })
                .sum();
            assert_eq!(sums[0][1], expected);
        }
    }
}

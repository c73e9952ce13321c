//! Sums of looked-up bytes over 1-bit codes, 32 vectors at a time.
//!
//! Codes of 32 vectors lie together. For every four numbers of the vectors there are 16
//! bytes: byte `i` holds the four signs of vector `i` in its low half and those of vector
//! `i + 16` in its high half. A table of 16 bytes for every four numbers tells what each
//! combination of signs is worth, so that one shuffle instruction looks up 16 to 64 of
//! them (André, Kermarrec and Le Scouarnec, *Cache Locality Is Not Enough*, 2015). The sums
//! are whole numbers: every kernel gives the same.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;

/// How many vectors are summed at a time.
pub(super) const GROUP: usize = 32;
/// How many bytes four numbers take, of the codes of a group and of a table.
pub(super) const QUAD: usize = 16;
/// No entry of a table is greater, so that two of them fit a byte.
pub(super) const GREATEST: u8 = 127;
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

    /// What one table says of two planes: by plane, the sums of every vector, in order. Planes
    /// hold whole groups, each of as many bytes as `table` has.
    pub(super) fn by_plane(self, planes: [&[u8]; 2], table: &[u8], sums: &mut [Vec<u16>; 2]) {
        self.look_up::<false>(planes, [table; 2], sums);
    }

    /// What two tables say of one plane: by table, the sums of every vector, in order.
    pub(super) fn by_table(self, plane: &[u8], tables: [&[u8]; 2], sums: &mut [Vec<u16>; 2]) {
        self.look_up::<true>([plane; 2], tables, sums);
    }

    /// The sums of the first plane by the first table and of the second by the second; those
    /// planes or those tables are the same.
    fn look_up<const ONE_PLANE: bool>(
        self,
        [first, second]: [&[u8]; 2],
        tables: [&[u8]; 2],
        [first_sums, second_sums]: &mut [Vec<u16>; 2],
    ) {
        let bytes = tables[0].len().max(1);
        for sums in [&mut *first_sums, &mut *second_sums] {
            sums.resize(first.len() / bytes * GROUP, 0);
        }
        let planes = first.chunks_exact(bytes).zip(second.chunks_exact(bytes));
        let sums = first_sums.as_chunks_mut().0.iter_mut();
        let groups = planes.zip(sums.zip(second_sums.as_chunks_mut().0));
        // A loop for each, for a closure inside would not be compiled for these instructions.
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(simd) => simd.vectorize(
                #[inline(always)]
                || {
                    for (planes, (first, second)) in groups {
                        let (planes, tables) = pairs::<ONE_PLANE>(planes, tables);
                        [*first, *second] = avx512::sums(simd, planes, tables);
                    }
                },
            ),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => simd.vectorize(
                #[inline(always)]
                || {
                    for (planes, (first, second)) in groups {
                        let (planes, tables) = pairs::<ONE_PLANE>(planes, tables);
                        [*first, *second] = avx2::sums(simd, planes, tables);
                    }
                },
            ),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(simd) => {
                for ((first, second), (first_sums, second_sums)) in groups {
                    let sums = |codes, table| {
                        pulp::Simd::vectorize(simd, neon::Neon { simd, codes, table })
                    };
                    *first_sums = sums(first, tables[0]);
                    *second_sums = sums(second, tables[1]);
                }
            }
            Self::Portable => {
                for ((first, second), (first_sums, second_sums)) in groups {
                    *first_sums = portable(first, tables[0]);
                    *second_sums = portable(second, tables[1]);
                }
            }
        }
    }
}

/// Planes and tables, of which the compiler can tell which ones are the same.
#[cfg(target_arch = "x86_64")]
#[inline]
fn pairs<'b, const ONE_PLANE: bool>(
    (first, second): (&'b [u8], &'b [u8]),
    tables: [&'b [u8]; 2],
) -> ([&'b [u8]; 2], [&'b [u8]; 2]) {
    if ONE_PLANE {
        ([first; 2], tables)
    } else {
        ([first, second], [tables[0]; 2])
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

/// How many looked-up bytes are added before they are made wider.
#[cfg(target_arch = "x86_64")]
const AT_ONCE: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    #[test]
    fn every_kernel_gives_the_same_sums() {
        let mut random = SplitMix::new(7);
        let mut byte = || random.below(256) as u8;
        for quads in [4, 64, 96, 100, 256] {
            let mut table = || (0..quads * QUAD).map(|_| byte() & GREATEST).collect();
            let tables: [Vec<u8>; 2] = [table(), table()];
            let mut plane = || (0..3 * quads * QUAD).map(|_| byte()).collect();
            let planes: [Vec<u8>; 2] = [plane(), plane()];
            // By hand: vector 1 of the first group, and vector 1 of the upper half of the second.
            let expected = |plane: &[u8], table: &[u8], group: usize, shift: u8| -> u16 {
                let quads = (0..quads).map(|quad| {
                    let codes = plane[(group * quads + quad) * QUAD + 1];
                    u16::from(table[quad * QUAD + usize::from(codes >> shift & 15)])
                });
                quads.sum()
            };
            for kernel in Kernel::available() {
                let (mut by_plane, mut by_table) = <([_; 2], [_; 2])>::default();
                let [first, second] = &planes;
                let [table, other] = &tables;
                kernel.by_plane([first, second], table, &mut by_plane);
                kernel.by_table(first, [table, other], &mut by_table);
                for (sums, plane, table) in [
                    (&by_plane[0], first, table),
                    (&by_plane[1], second, table),
                    (&by_table[0], first, table),
                    (&by_table[1], first, other),
                ] {
                    assert_eq!(sums.len(), 3 * GROUP);
                    assert_eq!(sums[1], expected(plane, table, 0, 0), "{kernel:?}, {quads}");
                    assert_eq!(sums[GROUP + QUAD + 1], expected(plane, table, 1, 4));
                    let portable = plane
                        .chunks_exact(quads * QUAD)
                        .flat_map(|codes| portable(codes, table));
                    assert!(sums.iter().copied().eq(portable), "{kernel:?}, {quads}");
                }
            }
        }
    }
}

//! Inner products of signed bytes with numbers of two bits, 32 vectors at a time.
//!
//! Numbers of 32 vectors lie together: for every 16 numbers of the vectors there are four bytes
//! of each vector in turn. Byte `i` of the four holds the numbers `i`, `i + 4`, `i + 8` and
//! `i + 12`, the first one in its lowest bits. One instruction so multiplies four numbers of 4 to
//! 16 vectors with those of the query that stand beside each other, and what it adds up belongs
//! to one vector: nothing is added across a register. The products are whole numbers: every
//! kernel gives the same.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;

/// How many vectors are taken at a time.
pub(super) const GROUP: usize = 32;
/// How many numbers of each vector lie side by side.
const CHUNK: usize = 16;
/// How many bytes these are.
const BYTES: usize = CHUNK / 4;
/// How many bytes they take of a whole group.
const WIDTH: usize = GROUP * BYTES;

/// Running sums of 16 bits take this many chunks: a chunk adds at most 4 × 2 × 3 × 127 to one.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
const SHORT_CHUNKS: usize = 4;

/// How many bytes the numbers of a group of vectors take.
pub(super) fn group_bytes(dimension: usize) -> usize {
    dimension.div_ceil(CHUNK) * WIDTH
}

/// Appends a group of at most 32 vectors, each of numbers from 0 to 3. There is room for 32.
pub(super) fn push_group<'v>(
    vectors: impl Iterator<Item = &'v [u8]>,
    dimension: usize,
    groups: &mut Vec<u8>,
) {
    let start = groups.len();
    groups.resize(start + group_bytes(dimension), 0);
    let group = groups.get_mut(start..).unwrap_or_default();
    for (vector, numbers) in vectors.take(GROUP).enumerate() {
        let chunks = group.as_chunks_mut::<WIDTH>().0.iter_mut();
        for (chunk, numbers) in chunks.zip(numbers.chunks(CHUNK)) {
            let Some(bytes) = chunk.as_chunks_mut::<BYTES>().0.get_mut(vector) else {
                continue;
            };
            for (place, numbers) in numbers.chunks(BYTES).enumerate() {
                for (byte, number) in bytes.iter_mut().zip(numbers) {
                    *byte |= (number & 3) << (2 * place);
                }
            }
        }
    }
}

/// What stands beside a chunk of a group: for each place within a byte, the four bytes of the
/// query that the numbers there are multiplied with.
type QueryChunk = [[i8; BYTES]; CHUNK / BYTES];

/// A way to compute the products.
#[derive(Clone, Copy, Debug)]
enum Kernel {
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
    fn available() -> Vec<Self> {
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
}

/// A vector of signed bytes from -127 to 127 that groups are multiplied with.
#[derive(Clone, Debug)]
pub(super) struct GroupQuery {
    chunks: Vec<QueryChunk>,
    kernel: Kernel,
}

impl GroupQuery {
    pub(super) fn new(bytes: &[i8]) -> Self {
        Self::with_kernel(bytes, Kernel::available().remove(0))
    }

    fn with_kernel(bytes: &[i8], kernel: Kernel) -> Self {
        let mut padded = bytes.to_vec();
        padded.resize(bytes.len().next_multiple_of(CHUNK), 0);
        let (places, _) = padded.as_chunks::<BYTES>();
        Self {
            chunks: places.as_chunks().0.to_vec(),
            kernel,
        }
    }

    /// The product with each vector of these groups, in order. Memory is asked for the next group
    /// while one is gone through, and for the first one of `then` in the end: processors do so by
    /// themselves, but not as far ahead.
    pub(super) fn products(&self, groups: &[u8], then: &[u8], products: &mut Vec<i32>) {
        let bytes = (self.chunks.len() * WIDTH).max(1);
        products.resize(groups.len() / bytes * GROUP, 0);
        let groups = groups.chunks_exact(bytes);
        let ahead = groups.clone().skip(1).chain(then.get(..bytes));
        let ahead = ahead.chain(std::iter::repeat(&[][..]));
        let groups = groups.zip(ahead);
        let groups = groups.zip(products.as_chunks_mut::<GROUP>().0);
        // A loop for each, for a closure inside would not be compiled for these instructions.
        match self.kernel {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512(simd) => simd.vectorize(
                #[inline(always)]
                || {
                    for (group, products) in groups {
                        *products = avx512::products(simd, group, &self.chunks);
                    }
                },
            ),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2(simd) => simd.vectorize(
                #[inline(always)]
                || {
                    for (group, products) in groups {
                        *products = avx2::products(simd, group, &self.chunks);
                    }
                },
            ),
            #[cfg(target_arch = "aarch64")]
            Kernel::Neon(simd) => {
                for ((group, _), products) in groups {
                    let query = &self.chunks;
                    *products = pulp::Simd::vectorize(simd, neon::Neon { simd, group, query });
                }
            }
            Kernel::Portable => {
                for ((group, _), products) in groups {
                    *products = portable(group, &self.chunks);
                }
            }
        }
    }
}

fn portable(group: &[u8], query: &[QueryChunk]) -> [i32; GROUP] {
    let mut sums = [0; GROUP];
    for (chunk, query) in group.as_chunks::<WIDTH>().0.iter().zip(query) {
        for (sum, bytes) in sums.iter_mut().zip(chunk.as_chunks::<BYTES>().0) {
            for (place, query) in query.iter().enumerate() {
                for (byte, query) in bytes.iter().zip(query) {
                    *sum += i32::from(byte >> (2 * place) & 3) * i32::from(*query);
                }
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    #[test]
    fn every_kernel_gives_the_products_of_the_numbers() {
        let mut random = SplitMix::new(7);
        let mut below = |count| random.below(count) as u8;
        for dimension in [1, 4, 15, 16, 17, 64, 100, 256, 384, 1536 + 7] {
            let query: Vec<i8> = (0..dimension)
                .map(|_| (i16::from(below(255)) - 127) as i8)
                .collect();
            // As far from zero as it can be.
            let greatest = vec![127_i8; dimension];
            let least = vec![-127_i8; dimension];
            // Two whole groups and one that is not.
            let vectors: Vec<Vec<u8>> = (0..2 * GROUP + 5)
                .map(|vector| {
                    (0..dimension)
                        .map(|_| if vector == 1 { 3 } else { below(4) })
                        .collect()
                })
                .collect();
            let mut groups = Vec::new();
            for group in vectors.chunks(GROUP) {
                push_group(group.iter().map(Vec::as_slice), dimension, &mut groups);
            }
            assert_eq!(groups.len(), 3 * group_bytes(dimension));
            for query in [query, greatest, least] {
                let product = |vector: &Vec<u8>| -> i32 {
                    let pairs = vector.iter().zip(&query);
                    pairs.map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()
                };
                let mut expected: Vec<i32> = vectors.iter().map(product).collect();
                expected.resize(3 * GROUP, 0);
                for kernel in Kernel::available() {
                    let mut products = Vec::new();
                    GroupQuery::with_kernel(&query, kernel).products(&groups, &[], &mut products);
                    assert_eq!(products, expected, "{kernel:?}, {dimension}");
                }
            }
        }
    }
}

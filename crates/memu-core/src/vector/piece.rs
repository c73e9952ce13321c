//! Arrays that may lie beside each other in memory.

use std::ops::{Deref, Range};
use std::sync::Arc;

use memmap2::MmapMut;
use pulp::bytemuck::{self, Pod};

use super::bits::{GROUP, group_bytes};
use super::codes::{BLOCK_VECTORS, CodeBlock};
use super::planes::middle_bytes;

/// Fewer bytes than this are at hand wherever they lie.
const WORTH_PAGES: usize = if cfg!(test) { 1 << 14 } else { 1 << 20 };

/// An array of its own, or a part of memory that others have parts of, too.
#[derive(Clone, Debug)]
pub(super) enum Piece<T> {
    Own(Vec<T>),
    /// These bytes.
    Of(Arc<MmapMut>, Range<usize>),
}

impl<T: Pod> Deref for Piece<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Own(numbers) => numbers,
            Self::Of(whole, range) => {
                let bytes = whole.get(range.clone()).unwrap_or_default();
                bytemuck::try_cast_slice(bytes).unwrap_or_default()
            }
        }
    }
}

impl<T> Default for Piece<T> {
    fn default() -> Self {
        Self::Own(Vec::new())
    }
}

impl<T> From<Vec<T>> for Piece<T> {
    fn from(numbers: Vec<T>) -> Self {
        Self::Own(numbers)
    }
}

impl<T> FromIterator<T> for Piece<T> {
    fn from_iter<I: IntoIterator<Item = T>>(numbers: I) -> Self {
        Vec::from_iter(numbers).into()
    }
}

impl<T: Pod + PartialEq> PartialEq for Piece<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

/// Puts blocks side by side in memory.
///
/// What every search reads of all vectors is read as fast as memory gives it where it lies in
/// one piece; and what is read of few of them is sooner found where the system keeps account of
/// large pages instead of small ones, as Linux can.
#[derive(Debug)]
pub struct SideBySide {
    /// How many blocks there will be.
    count: usize,
    blocks: Vec<CodeBlock>,
    /// By block: where its arrays lie, if in `pages`.
    places: Vec<Option<Places>>,
    pages: Option<Pages>,
}

impl SideBySide {
    /// Nothing yet of so many blocks.
    pub fn new(count: usize) -> Self {
        Self {
            count,
            blocks: Vec::with_capacity(count),
            places: Vec::with_capacity(count),
            pages: None,
        }
    }

    /// Puts a block beside those before, which are of the same dimension.
    pub fn push(&mut self, mut block: CodeBlock) {
        if self.blocks.is_empty() {
            self.pages = Pages::for_blocks(self.count, block.dimension);
        }
        let places = self.pages.as_mut().and_then(|pages| pages.put(&mut block));
        self.places.push(places);
        self.blocks.push(block);
    }

    /// The blocks, in order.
    pub fn finish(mut self) -> Vec<CodeBlock> {
        if let Some(pages) = self.pages {
            let whole = Arc::new(pages.map);
            for (block, places) in self.blocks.iter_mut().zip(self.places) {
                if let Some(Places { numbers, bits }) = places {
                    let [first, middle] = bits.map(|range| Piece::Of(whole.clone(), range));
                    let [centre, factors] = numbers.map(|range| Piece::Of(whole.clone(), range));
                    block.first = first;
                    block.middle = middle;
                    block.centre = centre;
                    block.factors = factors;
                }
            }
        }
        self.blocks
    }
}

/// Memory for the arrays of some blocks.
#[derive(Debug)]
struct Pages {
    map: MmapMut,
    /// What is free for the first two bits of every number, for numbers, and for the bits that
    /// few are asked for.
    free: [Range<usize>; 3],
}

/// Where the arrays of a block lie: centre and factors; the first bits, and those in the middle.
#[derive(Debug)]
struct Places {
    numbers: [Range<usize>; 2],
    bits: [Range<usize>; 2],
}

impl Pages {
    /// Room for so many full blocks of vectors of one dimension; `None` where they need no room
    /// of their own, or get none.
    fn for_blocks(count: usize, dimension: usize) -> Option<Self> {
        let first = BLOCK_VECTORS.div_ceil(GROUP) * group_bytes(dimension);
        let numbers = size_of::<f32>() * (dimension + BLOCK_VECTORS);
        let middle = BLOCK_VECTORS * middle_bytes(dimension);
        let [first, numbers, middle] = [first, numbers, middle].map(|bytes| bytes * count);
        let all = first + numbers + middle;
        if all < WORTH_PAGES {
            return None;
        }
        let map = MmapMut::map_anon(all).ok()?;
        #[cfg(target_os = "linux")]
        // Without large pages it is slower.
        let _ = map.advise(memmap2::Advice::HugePage);
        let free = [0..first, first..first + numbers, first + numbers..all];
        Some(Self { map, free })
    }

    /// Takes the arrays of a block, if they fit.
    fn put(&mut self, block: &mut CodeBlock) -> Option<Places> {
        let [first, numbers, middle] = &mut self.free;
        let map = &mut self.map;
        let places = Places {
            numbers: [
                take(map, numbers, &block.centre)?,
                take(map, numbers, &block.factors)?,
            ],
            bits: [
                take(map, first, &block.first)?,
                take(map, middle, &block.middle)?,
            ],
        };
        block.first = Piece::default();
        block.centre = Piece::default();
        block.factors = Piece::default();
        block.middle = Piece::default();
        Some(places)
    }
}

/// Copies an array to what is free, if it fits; gives its place.
fn take<T: Pod>(map: &mut [u8], free: &mut Range<usize>, array: &[T]) -> Option<Range<usize>> {
    let bytes: &[u8] = bytemuck::try_cast_slice(array).ok()?;
    let place = free.start..free.start + bytes.len();
    if place.end > free.end {
        return None;
    }
    map.get_mut(place.clone())?.copy_from_slice(bytes);
    free.start = place.end;
    Some(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    fn block(random: &mut SplitMix, vectors: usize) -> CodeBlock {
        let mut vector = || -> Vec<f32> { (0..40).map(|_| random.below(9) as f32).collect() };
        let vectors: Vec<_> = (0..vectors).map(|_| vector()).collect();
        let vectors: Vec<_> = (7..).zip(vectors.iter().map(Vec::as_slice)).collect();
        CodeBlock::encode(&vectors).0
    }

    #[test]
    fn blocks_are_the_same_side_by_side() {
        let mut random = SplitMix::new(1);
        for counts in [&[][..], &[3], &[256, 256, 200, 1], &[20, 256, 256, 10]] {
            let blocks: Vec<_> = counts.iter().map(|n| block(&mut random, *n)).collect();
            let mut side_by_side = SideBySide::new(blocks.len());
            for block in &blocks {
                side_by_side.push(block.clone());
            }
            assert_eq!(side_by_side.finish(), blocks);
        }
    }

    #[test]
    fn what_every_search_reads_of_many_blocks_has_no_gaps() {
        let mut random = SplitMix::new(1);
        let mut side_by_side = SideBySide::new(4);
        for count in [256, 256, 256, 100] {
            side_by_side.push(block(&mut random, count));
        }
        let mut end = 0;
        for block in side_by_side.finish() {
            assert!(matches!(&block.first, Piece::Of(_, place) if place.start == end));
            end += block.first.len();
        }
        let few = block(&mut random, 3);
        let mut side_by_side = SideBySide::new(1);
        side_by_side.push(few);
        assert!(matches!(side_by_side.finish()[0].middle, Piece::Own(_)));
    }
}

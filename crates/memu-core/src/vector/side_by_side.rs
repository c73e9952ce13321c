//! Blocks of codes that lie side by side in memory.

use std::ops::Range;
use std::sync::Arc;

use memmap2::MmapMut;

use super::bits::{GROUP, group_bytes};
use super::codes::{BLOCK_VECTORS, CodeBlock, LowBits};
use super::piece::Array;
use super::planes::{low_bytes, middle_bytes};

/// Fewer bytes than this are at hand wherever they lie.
const WORTH_PAGES: usize = if cfg!(test) { 1 << 14 } else { 1 << 20 };

/// What is in memory of a block.
type Parts = (CodeBlock, Option<LowBits>);

/// A block of codes in memory, perhaps beside others.
#[derive(Clone, Debug)]
pub struct Block {
    beside: Arc<[Parts]>,
    at: usize,
}

impl Block {
    /// The codes. There always are some.
    pub fn codes(&self) -> Option<&CodeBlock> {
        self.beside.get(self.at).map(|(codes, _)| codes)
    }

    /// The low bits, where they are at hand.
    pub fn low_bits(&self) -> Option<&LowBits> {
        self.beside.get(self.at)?.1.as_ref()
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
    blocks: Vec<Parts>,
    /// By block: where its arrays lie, if in `pages`.
    places: Vec<Option<Vec<Range<usize>>>>,
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

    /// Puts a block beside those before, which are of the same dimension, and have low bits or
    /// have none as it does.
    pub fn push(&mut self, mut block: CodeBlock, mut low: Option<LowBits>) {
        if self.blocks.is_empty() {
            self.pages = Pages::for_blocks(self.count, block.dimension, low.is_some());
        }
        let pages = self.pages.as_mut();
        let places = pages.and_then(|pages| pages.put(&mut block, low.as_mut()));
        self.places.push(places);
        self.blocks.push((block, low));
    }

    /// The blocks, in order.
    pub fn finish(mut self) -> Vec<Block> {
        if let Some(pages) = self.pages {
            let whole = Arc::new(pages.map);
            for ((block, low), places) in self.blocks.iter_mut().zip(self.places) {
                let arrays = arrays(block, low.as_mut());
                for ((_, array), place) in arrays.into_iter().zip(places.into_iter().flatten()) {
                    array.point(&whole, place);
                }
            }
        }
        let beside: Arc<[Parts]> = self.blocks.into();
        let block = |at| Block {
            beside: beside.clone(),
            at,
        };
        (0..beside.len()).map(block).collect()
    }
}

/// What arrays are read for; those for one purpose lie beside each other.
#[derive(Clone, Copy)]
enum Purpose {
    /// The first two bits of every number, for every search.
    First,
    /// What else every search reads.
    Every,
    /// A closer look at some.
    Closer,
    Low,
}

/// The arrays of a block, always in the same order.
fn arrays<'b>(
    block: &'b mut CodeBlock,
    low: Option<&'b mut LowBits>,
) -> Vec<(Purpose, &'b mut dyn Array)> {
    let mut arrays: Vec<(Purpose, &mut dyn Array)> = vec![
        (Purpose::First, &mut block.first),
        (Purpose::Every, &mut block.centre),
        (Purpose::Every, &mut block.factors.steps),
        (Purpose::Every, &mut block.spreads.steps),
        (Purpose::Closer, &mut block.middle),
        (Purpose::Closer, &mut block.scales.steps),
        (Purpose::Closer, &mut block.errors.steps),
        (Purpose::Closer, &mut block.cut_off.steps),
    ];
    if let Some(low) = low {
        arrays.push((Purpose::Low, &mut low.rows));
        arrays.push((Purpose::Low, &mut low.byte_errors.steps));
        arrays.push((Purpose::Low, &mut low.errors.steps));
    }
    arrays
}

/// How many bytes the arrays of a full block take, by purpose.
fn full_block(dimension: usize, with_low_bits: bool) -> [usize; 4] {
    let (steps, fine_steps) = (BLOCK_VECTORS, BLOCK_VECTORS * size_of::<u16>());
    let low = BLOCK_VECTORS * low_bytes(dimension) + 2 * steps;
    [
        BLOCK_VECTORS.div_ceil(GROUP) * group_bytes(dimension),
        size_of::<u16>() * dimension + fine_steps + steps,
        BLOCK_VECTORS * middle_bytes(dimension) + fine_steps + 2 * steps,
        if with_low_bits { low } else { 0 },
    ]
}

/// Memory for the arrays of some blocks.
#[derive(Debug)]
struct Pages {
    map: MmapMut,
    /// What is free, by purpose.
    free: [Range<usize>; 4],
}

impl Pages {
    /// Room for so many full blocks of vectors of one dimension; `None` where they need no room
    /// of their own, or get none.
    fn for_blocks(count: usize, dimension: usize, with_low_bits: bool) -> Option<Self> {
        let mut all = 0;
        let free = full_block(dimension, with_low_bits).map(|bytes| {
            let start = all;
            all += bytes * count;
            start..all
        });
        if all < WORTH_PAGES {
            return None;
        }
        let map = MmapMut::map_anon(all).ok()?;
        #[cfg(target_os = "linux")]
        // Without large pages it is slower.
        let _ = map.advise(memmap2::Advice::HugePage);
        Some(Self { map, free })
    }

    /// Takes the arrays of a block, if they fit; gives their places.
    fn put(
        &mut self,
        block: &mut CodeBlock,
        low: Option<&mut LowBits>,
    ) -> Option<Vec<Range<usize>>> {
        let mut arrays = arrays(block, low);
        let mut places = Vec::with_capacity(arrays.len());
        for (purpose, array) in &arrays {
            let free = self.free.get_mut(*purpose as usize)?;
            places.push(take(&mut self.map, free, array.bytes())?);
        }
        for (_, array) in &mut arrays {
            array.clear();
        }
        Some(places)
    }
}

/// Copies an array to what is free, if it fits; gives its place.
fn take(map: &mut [u8], free: &mut Range<usize>, bytes: &[u8]) -> Option<Range<usize>> {
    let place = free.start..free.start + bytes.len();
    if place.end > free.end {
        return None;
    }
    map.get_mut(place.clone())?.copy_from_slice(bytes);
    // The next array may be of larger numbers.
    free.start = place.end.next_multiple_of(size_of::<u16>());
    Some(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;
    use crate::vector::piece::Piece;

    fn block(random: &mut SplitMix, vectors: usize) -> (CodeBlock, LowBits) {
        let mut vector = || -> Vec<f32> { (0..40).map(|_| random.below(9) as f32).collect() };
        let vectors: Vec<_> = (0..vectors).map(|_| vector()).collect();
        let vectors: Vec<_> = (7..).zip(vectors.iter().map(Vec::as_slice)).collect();
        CodeBlock::encode(&vectors)
    }

    #[test]
    fn blocks_are_the_same_side_by_side() {
        let mut random = SplitMix::new(1);
        for counts in [&[][..], &[3], &[256, 256, 200, 1], &[20, 256, 255, 10]] {
            for with_low_bits in [false, true] {
                let blocks = counts.iter().map(|count| block(&mut random, *count));
                let blocks = blocks.map(|(block, low)| (block, with_low_bits.then_some(low)));
                let blocks: Vec<_> = blocks.collect();
                let mut side_by_side = SideBySide::new(blocks.len());
                for (block, low) in &blocks {
                    side_by_side.push(block.clone(), low.clone());
                }
                let found = side_by_side.finish();
                let found = found.iter().map(|block| {
                    let codes = block.codes().cloned();
                    (codes.unwrap(), block.low_bits().cloned())
                });
                assert_eq!(found.collect::<Vec<_>>(), blocks);
            }
        }
    }

    #[test]
    fn what_every_search_reads_of_many_blocks_has_no_gaps() {
        let mut random = SplitMix::new(1);
        let mut side_by_side = SideBySide::new(4);
        for count in [256, 256, 256, 100] {
            let (block, low) = block(&mut random, count);
            side_by_side.push(block, Some(low));
        }
        let (mut end, mut low_end) = (0, None);
        for block in side_by_side.finish() {
            let (codes, low) = (block.codes().unwrap(), block.low_bits().unwrap());
            assert!(matches!(&codes.first, Piece::Of(_, place) if place.start == end));
            end += codes.first.len();
            let (Piece::Of(_, rows), Piece::Of(_, last)) = (&low.rows, &low.errors.steps) else {
                panic!("low bits of their own");
            };
            assert_eq!(low_end.unwrap_or(rows.start), rows.start);
            low_end = Some(last.end);
        }
        let (few, _) = block(&mut random, 3);
        let mut side_by_side = SideBySide::new(1);
        side_by_side.push(few, None);
        let few = side_by_side.finish();
        assert!(matches!(few[0].codes().unwrap().middle, Piece::Own(_)));
    }
}

//! What a first look at all vectors tells of them.

use super::ahead::ask_for_all;
use super::bits::GROUP;
use super::codes::CodeBlock;
use super::nearest::retain_allowed;
use super::parts::Part;
use super::query::CodedQuery;
use super::reaching::reaching;
use super::side_by_side::Block;

/// How many vectors of each part are looked at more closely to learn which are the likeliest,
/// where ten are asked for.
const SEEDS: usize = 64;

/// How many vectors are asked for at a time. They lie far apart, and memory gives many at once
/// as fast as one.
const AT_A_TIME: usize = 32;

/// What is told of the vectors of a part.
#[derive(Debug)]
pub(super) struct Told {
    /// By block.
    bases: Vec<f32>,
    /// By block: where its vectors end in `most`.
    ends: Vec<usize>,
    /// By vector, all in one array, which is not given back to the system after every search.
    most: Vec<f32>,
}

/// A vector, and what is told of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'t> {
    /// Which of all blocks it is in.
    pub(super) place: usize,
    pub(super) block: &'t CodeBlock,
    /// Which vector of the block it is.
    pub(super) number: usize,
    /// What of the cosines of the vectors of its block all have in common.
    pub(super) base: f32,
    /// Its cosine is not more than this; for certain, or hardly ever.
    pub(super) most: f32,
}

impl Seen<'_> {
    /// Whose vector it is.
    pub(super) fn owner(&self) -> u64 {
        let owner = self.block.owners.get(self.number);
        owner.copied().unwrap_or_default()
    }

    /// Whether it may be found.
    pub(super) fn is_allowed(&self, allows: Option<&impl Fn(u64) -> bool>) -> bool {
        allows.is_none_or(|allows| allows(self.owner()))
    }
}

impl Told {
    /// Goes through a part. `look` appends what the vectors of a block are told to be at most,
    /// given what of that all have in common and what is looked at then. Also gives what the
    /// likeliest of those that `allows`, if it is given, lets through are told to be at most.
    ///
    /// Memory gives what lies side by side fastest when nothing else is asked for in between: what
    /// is needed of each block besides is read before and after.
    pub(super) fn by_looking(
        part: Part<'_, Block>,
        (query, count): (&CodedQuery, usize),
        allows: Option<&impl Fn(u64) -> bool>,
        mut look: impl FnMut(&CodeBlock, (f32, &[u8]), &mut Vec<f32>),
    ) -> (Self, f32) {
        let nth = |at: usize| part.blocks.get(at).and_then(Block::codes);
        let bases = part.blocks.iter().enumerate().map(|(at, block)| {
            ask_for_all(nth(at + 2).map_or(&[][..], |block| &block.centre));
            block.codes().map_or(0.0, |block| block.base(query))
        });
        let vectors = part.blocks.iter().filter_map(Block::codes);
        let vectors: usize = vectors.map(|block| block.owners.len()).sum();
        let mut told = Self {
            bases: bases.collect(),
            ends: Vec::with_capacity(part.blocks.len()),
            most: Vec::with_capacity(vectors + GROUP),
        };
        for (at, (block, base)) in part.blocks.iter().zip(&told.bases).enumerate() {
            let then = nth(at + 1).map_or(&[][..], |block| &block.first);
            if let Some(block) = block.codes() {
                look(block, (*base, then), &mut told.most);
            }
            told.ends.push(told.most.len());
        }
        let mut likeliest = Likeliest::new(SEEDS.max(count.saturating_mul(4)));
        let mut numbers = Vec::new();
        let mut start = 0;
        for (block, end) in part.blocks.iter().zip(&told.ends) {
            let most = told.most.get(start..*end).unwrap_or_default();
            start = *end;
            reaching(most, likeliest.bound, &mut numbers);
            if let Some(block) = block.codes() {
                retain_allowed(&mut numbers, block, allows);
            }
            for number in &numbers {
                likeliest.push(most.get(*number).copied().unwrap_or_default());
            }
        }
        (told, likeliest.reached())
    }

    /// The vectors of a part, which this is about, that are told to reach a bound, some at a time.
    /// Before they are looked at, `ask` asks memory for what will be read of them.
    pub(super) fn reaching<'t>(
        &'t self,
        part: Part<'t, Block>,
        bound: f32,
        ask: impl Fn(&Seen<'t>),
        mut look: impl FnMut(&mut Vec<Seen<'t>>),
    ) {
        let mut all = Vec::new();
        reaching(&self.most, bound, &mut all);
        let (mut at, mut start) = (0, 0);
        let mut asked_for = Vec::with_capacity(AT_A_TIME);
        let mut seen = Vec::with_capacity(AT_A_TIME);
        for vectors in all.chunks(AT_A_TIME) {
            for vector in vectors {
                while let Some(end) = self.ends.get(at)
                    && end <= vector
                {
                    (at, start) = (at + 1, *end);
                }
                if let Some(block) = part.blocks.get(at).and_then(Block::codes)
                    && let Some(base) = self.bases.get(at)
                {
                    let one = Seen {
                        place: part.first + at,
                        block,
                        number: vector - start,
                        base: *base,
                        most: self.most.get(*vector).copied().unwrap_or_default(),
                    };
                    ask(&one);
                    asked_for.push(one);
                }
            }
            look(&mut seen);
            seen.clear();
            std::mem::swap(&mut asked_for, &mut seen);
        }
        look(&mut seen);
    }
}

/// What the greatest of some numbers reach.
#[derive(Debug)]
struct Likeliest {
    count: usize,
    /// Up to twice as many; which of them are the greatest is told when there are no more places.
    numbers: Vec<f32>,
    /// No number is less than it before so many are known.
    bound: f32,
}

impl Likeliest {
    fn new(count: usize) -> Self {
        Self {
            count,
            numbers: Vec::new(),
            bound: f32::NEG_INFINITY,
        }
    }

    fn push(&mut self, number: f32) {
        if number > self.bound {
            self.numbers.push(number);
            if self.numbers.len() >= self.count.saturating_mul(2) {
                self.keep_the_greatest();
            }
        }
    }

    fn keep_the_greatest(&mut self) {
        if self.numbers.len() < self.count || self.count == 0 {
            return;
        }
        let last = self.count - 1;
        let (_, bound, _) = self
            .numbers
            .select_nth_unstable_by(last, |a, b| b.total_cmp(a));
        self.bound = *bound;
        self.numbers.truncate(self.count);
    }

    fn reached(mut self) -> f32 {
        self.keep_the_greatest();
        self.bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    #[test]
    fn the_greatest_tell_what_so_many_reach() {
        let mut random = SplitMix::new(2);
        for length in [0, 4, 5, 6, 9, 10, 11, 500] {
            let mut numbers: Vec<f32> = (0..length).map(|_| random.below(300) as f32).collect();
            let mut likeliest = Likeliest::new(5);
            for number in &numbers {
                likeliest.push(*number);
            }
            numbers.sort_by(|a, b| b.total_cmp(a));
            let expected = numbers.get(4).copied().unwrap_or(f32::NEG_INFINITY);
            assert_eq!(likeliest.reached(), expected, "{length}");
        }
    }
}

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What at least `count` vectors reach for certain.
#[derive(Debug)]
pub struct AtLeast {
    count: usize,
    greatest: BinaryHeap<Reverse<Ordered>>,
    bound: f32,
}

impl AtLeast {
    /// Nothing is known of any vector yet.
    pub fn new(count: usize) -> Self {
        Self {
            count,
            greatest: BinaryHeap::new(),
            bound: f32::NEG_INFINITY,
        }
    }

    /// What is reached; no number is less than it before so many are known.
    pub fn bound(&self) -> f32 {
        self.bound
    }

    /// The greatest numbers that were reached, in no order.
    pub(super) fn values(&self) -> impl Iterator<Item = f32> {
        self.greatest.iter().map(|Reverse(Ordered(score))| *score)
    }

    /// One more vector reaches this.
    pub fn push(&mut self, score: f32) {
        if score <= self.bound {
            return;
        }
        self.greatest.push(Reverse(Ordered(score)));
        if self.greatest.len() > self.count {
            self.greatest.pop();
        }
        if self.greatest.len() == self.count
            && let Some(Reverse(Ordered(bound))) = self.greatest.peek()
        {
            self.bound = *bound;
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Ordered(f32);

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

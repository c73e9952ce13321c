use std::collections::BTreeMap;

use super::bucket::Bucket;
use super::posting::Posting;
use super::sealable::Sealable;
use super::summary::Summary;
use crate::analysis::Analyzer;
use crate::ranking::outline::Block;

/// What becomes of a [`Part`](super::Part) whose records change or go.
#[derive(Debug)]
pub struct Change {
    summary: Summary,
    analyzer: Analyzer,
    /// By bucket: what is taken out, and then what is put in.
    by_bucket: BTreeMap<u32, Touched>,
}

#[derive(Debug, Default)]
struct Touched {
    removed: Vec<(String, Posting)>,
    added: Vec<(String, Posting)>,
}

impl Change {
    /// Of a part of which this is known.
    pub fn new(summary: Summary) -> Self {
        Self {
            summary,
            analyzer: Analyzer::default(),
            by_bucket: BTreeMap::new(),
        }
    }

    /// Takes out what a record of this block says.
    pub fn remove<T: Sealable>(&mut self, block: &Block<T>, record: &T) {
        record.take_from(block, &mut self.summary);
        record.for_each_posting(block, |word, posting| {
            self.touched(word).removed.push((word.to_owned(), posting));
        });
    }

    /// Puts in what a record that was there says now.
    pub fn add<T: Sealable>(&mut self, block: &Block<T>, record: &T) {
        record.add_to(block, &mut self.summary);
        record.for_each_posting(block, |word, posting| {
            self.touched(word).added.push((word.to_owned(), posting));
        });
    }

    fn touched(&mut self, word: &str) -> &mut Touched {
        let number = Bucket::of_word(word, self.summary.buckets, &self.analyzer);
        self.by_bucket.entry(number).or_default()
    }

    /// The buckets that change.
    pub fn buckets(&self) -> Vec<u32> {
        self.by_bucket.keys().copied().collect()
    }

    /// The part's summary and the buckets that change as they are now, given as they were; some
    /// may be empty.
    pub fn finish(self, mut buckets: BTreeMap<u32, Bucket>) -> (Summary, BTreeMap<u32, Bucket>) {
        for (number, touched) in self.by_bucket {
            let bucket = buckets.entry(number).or_default();
            for (word, posting) in touched.removed {
                bucket.remove(word, posting);
            }
            for (word, posting) in touched.added {
                bucket.insert(word, posting);
            }
        }
        (self.summary, buckets)
    }
}

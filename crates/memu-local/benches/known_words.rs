//! How long the words of a small scope take to look up among those of all scopes, beside the
//! same in a table of hashbrown: `cargo bench -p memu-local --bench known_words`.

// Clippy's allowances for tests do not reach benchmarks.
#![allow(clippy::unwrap_used, missing_docs)]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use hashbrown::HashTable;
use memu_core::analysis::{Hashed, KnownWord, KnownWords};
use memu_core::random::SplitMix;

/// How many words are known, and how many a scope of 100 memories has.
const KNOWN: usize = 50_000;
const ASKED: usize = 1_500;
/// How many are looked up at a time, as ranking does.
const AT_A_TIME: usize = 64;
/// What is written between two lookups, in bytes: more than processors keep.
const ELSEWHERE: usize = 64 << 20;

type Word = KnownWord<[u32; 2]>;

fn main() {
    divan::main();
}

fn words() -> Vec<String> {
    let mut random = SplitMix::new(1);
    (0..KNOWN)
        .map(|_| format!("{:x}", random.number() >> 28))
        .collect()
}

/// Words to look up, when none of what is known is in the processor any more.
fn asked() -> impl FnMut() -> Vec<String> {
    let (words, mut random) = (words(), SplitMix::new(2));
    let mut elsewhere = vec![0_u8; ELSEWHERE];
    move || {
        for byte in elsewhere.iter_mut().step_by(64) {
            *byte = byte.wrapping_add(1);
        }
        let word = |_| {
            words
                .get(random.below(KNOWN as u64) as usize)
                .unwrap()
                .clone()
        };
        (0..ASKED).map(word).collect()
    }
}

fn parts(asked: &[String], mut look_up: impl FnMut(&[Hashed<'_>], &mut Vec<Word>)) -> Vec<Word> {
    let mut found = Vec::with_capacity(asked.len());
    for part in asked.chunks(AT_A_TIME) {
        let part: Vec<_> = part.iter().map(|word| Hashed::new(word)).collect();
        look_up(&part, &mut found);
    }
    assert_eq!(found.len(), asked.len());
    found
}

fn known(word: &str) -> Word {
    KnownWord::new(Hashed::new(word), word.get(1..), [1, 2]).unwrap()
}

#[divan::bench]
fn lines(bencher: Bencher<'_, '_>) {
    let mut table = KnownWords::default();
    for word in words() {
        if table.get(Hashed::new(&word)).is_none() {
            table.insert(known(&word));
        }
    }
    bencher
        .counter(ItemsCount::new(ASKED))
        .with_inputs(asked())
        .bench_local_refs(|asked| {
            black_box(parts(asked, |part, found| {
                table.bring_near(part);
                found.extend(part.iter().filter_map(|word| table.get(*word)));
            }))
        });
}

/// The baseline: the same 64 bytes a word.
#[divan::bench]
fn hashbrown(bencher: Bencher<'_, '_>) {
    // Tables look at both ends of a hash.
    let spread = |word: &str| {
        let hash = u64::from(Hashed::new(word).hash());
        hash << 32 | hash
    };
    let mut table = HashTable::new();
    for word in words() {
        let hash = spread(&word);
        if table
            .find(hash, |known: &Word| known.word() == word)
            .is_none()
        {
            table.insert_unique(hash, known(&word), |known| spread(known.word()));
        }
    }
    bencher
        .counter(ItemsCount::new(ASKED))
        .with_inputs(asked())
        .bench_local_refs(|asked| {
            black_box(parts(asked, |part, found| {
                let find = |word: &Hashed<'_>| {
                    let hash = u64::from(word.hash());
                    let is_it = |known: &Word| known.word() == word.text();
                    table.find(hash << 32 | hash, is_it).copied()
                };
                found.extend(part.iter().filter_map(find));
            }))
        });
}

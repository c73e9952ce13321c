//! What is found where parts are sealed is what is found where all is in memory.

use std::collections::BTreeMap;

use super::super::growing_tests::{Growing, text, words};
use super::*;
use crate::ranking::outline::{Block, BlockBuilder, Entry, SegmentOutline};
use crate::ranking::sealed::{Change, Part};

/// Sealed parts, as a store keeps them.
#[derive(Default)]
struct Stored(BTreeMap<PartName, Part>);

impl Stored {
    fn put(&mut self, part: Option<Part>) {
        let part = part.unwrap();
        self.0.insert(part.name, part);
    }

    fn known(&self) -> impl Iterator<Item = (usize, Arc<SealedPart>)> {
        self.0
            .values()
            .map(|part| (0, Arc::new(SealedPart::from(part))))
    }

    fn read(&self, wanted: &[WantedBucket]) -> Vec<ReadBucket> {
        let read = |which: &WantedBucket| {
            let bucket = self.0.get(&which.part)?.buckets.get(&which.bucket)?;
            Some(ReadBucket {
                which: *which,
                words: bucket.words_to_bytes().unwrap(),
                lists: bucket.lists_to_bytes().unwrap(),
            })
        };
        wanted.iter().filter_map(read).collect()
    }
}

/// Entries, each with its block.
type Entries<'b, T> = Vec<(&'b Block<T>, &'b T)>;

/// The entries of blocks up to a number, and those from there on in blocks of their own.
fn split<T: Entry>(blocks: &[Arc<Block<T>>], at: usize) -> (Entries<'_, T>, Vec<Arc<Block<T>>>) {
    let entries = blocks.iter().flat_map(|block| {
        let entries = block.entries.iter();
        entries.map(move |entry| (&**block, entry))
    });
    let all: Vec<_> = entries.collect();
    let mut rest = BlockBuilder::default();
    for (block, entry) in &all[at..] {
        rest.push_from(block, entry);
    }
    let rest = rest.finish().into_iter().map(Arc::new).collect();
    (all[..at].to_vec(), rest)
}

/// The number of segments after which a session ends, at least so many.
fn session_end(all: &Entries<'_, SegmentOutline>, least: usize) -> usize {
    let key = |at: usize| all.get(at).map(|(_, one)| (one.resource, one.session));
    (least..all.len())
        .find(|at| key(*at) != key(at - 1))
        .unwrap_or(all.len())
}

fn close(a: f32, b: f32) -> bool {
    (a - b).abs() < 1e-5
}

/// Compares what a question finds.
fn compare(outline: &Outline, open: &Outline, stored: &Stored, question: &str) -> usize {
    let config = RankingConfig {
        candidates: 40,
        ..RankingConfig::default()
    };
    let whole = Index::build(&[outline], words());
    let expected = whole.find_words(question, "", &config);
    let partly = PartlySealed::build(&[open], stored.known(), words());
    let asked = partly.ask(question, "", &config);
    let buckets = stored.read(&partly.wanted(&asked));
    let found = partly.find(asked, &buckets, &config).unwrap();
    assert_eq!(partly.speakers().len(), whole.speakers().len());
    assert_eq!(partly.passages(), whole.passage_owner.len() as u64);
    let segments: FxHashMap<Standing, f32> = found.segments.iter().copied().collect();
    for (position, segment) in whole.segments.iter().enumerate() {
        let standing = (0, segment.place);
        let score = segments.get(&standing).copied().unwrap_or_default();
        assert!(close(score, expected.segments[position]), "{question}");
        let session = partly.session_of(standing).unwrap();
        let score = found.sessions[session as usize];
        let session = expected.sessions[segment.session_index as usize];
        assert!(close(score, session), "{question}: {score} {session}");
    }
    let items: FxHashMap<Standing, f32> = found.items.iter().copied().collect();
    for (standing, expected) in standing_items(&[outline], &Growth::of_everything())
        .iter()
        .zip(&expected.items)
    {
        let score = items.get(standing).copied().unwrap_or_default();
        assert!(close(score, *expected), "{question}");
    }
    segments.len()
}

#[test]
fn what_sealed_parts_hold_is_found_as_if_all_were_in_memory() {
    for seed in 1..=4 {
        let mut growing = Growing::new(seed);
        while growing.segments.len() < 400 {
            let messages = growing.random.below(40);
            growing.add_resource(messages);
            (0..growing.random.below(40)).for_each(|_| growing.add_item());
        }
        let outline = growing.outline();
        let (all, _) = split(&outline.segments, outline.segment_count());
        let mut ends = [100, 130, 300]
            .map(|least| session_end(&all, least))
            .to_vec();
        let (all_items, _) = split(&outline.items, outline.item_count());
        let mut item_ends = vec![50, 80, 150];
        let mut stored = Stored::default();
        for merged in [false, true] {
            if merged {
                let parts = std::mem::take(&mut stored.0).into_values();
                let (segments, items): (Vec<_>, Vec<_>) =
                    parts.partition(|part| part.name.kind == OwnerKind::Segment);
                stored.put(Part::merged(segments));
                stored.put(Part::merged(items));
            } else {
                let mut from = 0;
                for end in ends.drain(..) {
                    stored.put(Part::of(all[from..end].to_vec()));
                    from = end;
                }
                let mut from = 0;
                for end in item_ends.drain(..) {
                    stored.put(Part::of(all_items[from..end].to_vec()));
                    from = end;
                }
            }
            let open = Outline {
                segments: split(&outline.segments, session_end(&all, 300)).1,
                items: split(&outline.items, 150).1,
                // A store tells nothing else of what is not sealed.
                ..Outline::default()
            };
            let mut found = 0;
            for _ in 0..20 {
                let question = text(&mut growing.random);
                found += compare(&outline, &open, &stored, &question);
            }
            found += compare(&outline, &open, &stored, "What did Nora say?");
            assert!(found > 100, "{found}");
        }
    }
}

#[test]
fn what_changes_and_goes_leaves_nothing_in_its_part() {
    let mut growing = Growing::new(9);
    growing.add_resource(60);
    (0..60).for_each(|_| growing.add_item());
    let before = growing.outline();
    let (all, _) = split(&before.segments, 60);
    let (all_items, _) = split(&before.items, 60);
    let mut stored = Stored::default();
    stored.put(Part::of(all.clone()));
    stored.put(Part::of(all_items.clone()));
    let change = |stored: &mut Stored, kind: OwnerKind, change: &mut dyn FnMut(&mut Change)| {
        let part = stored
            .0
            .values_mut()
            .find(|part| part.name.kind == kind)
            .unwrap();
        let mut changing = Change::new(part.summary.clone());
        change(&mut changing);
        let old = changing.buckets().into_iter();
        let old = old.filter_map(|number| Some((number, part.buckets.remove(&number)?)));
        let (summary, buckets) = changing.finish(old.collect());
        part.summary = summary;
        part.buckets.extend(buckets);
        part.buckets.retain(|_, bucket| !bucket.is_empty());
    };
    // Two sessions are forgotten, and an item says and cites something else.
    change(&mut stored, OwnerKind::Segment, &mut |change| {
        for (block, segment) in &all[10..30] {
            change.remove(block, segment);
        }
    });
    growing.items[7].0.summary = "an utterly different thing".to_owned();
    growing.items[7].1.clear();
    let after = growing.outline();
    let (now, _) = split(&after.items, 60);
    change(&mut stored, OwnerKind::Item, &mut |change| {
        change.remove(all_items[7].0, all_items[7].1);
        change.add(now[7].0, now[7].1);
    });
    let mut rest = BlockBuilder::default();
    for (block, segment) in all[..10].iter().chain(&all[30..]) {
        rest.push_from(block, segment);
    }
    let rest = Outline {
        segments: rest.finish().into_iter().map(Arc::new).collect(),
        ..after.clone()
    };
    let (left, _) = split(&rest.segments, 40);
    let mut expected = Stored::default();
    expected.put(Part::of(left));
    expected.put(Part::of(now));
    let original = [Part::of(all.clone()), Part::of(all_items.clone())];
    let pairs = stored.0.values().zip(expected.0.values());
    for ((part, expected), original) in pairs.zip(original) {
        assert!(part.clone().says_as(expected.clone()));
        assert!(!part.clone().says_as(original.unwrap()));
    }
    let open = Outline {
        segments: Vec::new(),
        items: Vec::new(),
        ..rest.clone()
    };
    for _ in 0..20 {
        let question = text(&mut growing.random);
        compare(&rest, &open, &stored, &question);
    }
}

#[test]
fn damage_is_an_error_and_a_part_that_is_not_known_is_left_out() {
    let mut growing = Growing::new(5);
    growing.add_resource(60);
    let outline = growing.outline();
    let (all, _) = split(&outline.segments, 60);
    let mut stored = Stored::default();
    stored.put(Part::of(all));
    let config = RankingConfig::default();
    let nothing = Outline::default();
    let partly = PartlySealed::build(&[&nothing], stored.known(), words());
    let asked = partly.ask("w2 w3 w4", "", &config);
    let mut buckets = stored.read(&partly.wanted(&asked));
    let of_others = ReadBucket {
        which: WantedBucket {
            scope: 1,
            ..buckets[0].which
        },
        ..buckets[0].clone()
    };
    let found = partly.find(asked.clone(), &[of_others], &config).unwrap();
    assert_eq!(found.segments().count(), 0);
    buckets[0].lists.pop();
    assert!(partly.find(asked, &buckets, &config).is_err());
}

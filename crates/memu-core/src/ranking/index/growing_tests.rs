//! An index that grows is the one of all that is there.

use std::sync::Arc;

use super::{Index, Nearness, Words};
use crate::config::RankingConfig;
use crate::provider::WordVectors;
use crate::random::SplitMix;
use crate::ranking::outline::{
    BlockBuilder, Growth, ItemOutline, Outline, ResourceOutline, SegmentOutline,
};
use crate::records::{ContentHash, Id, MemoryItem, Meta, Role, Segment};
use crate::scope::{Scope, ScopeSchema};
use crate::time::Timestamp;

/// A word, which may have several forms of one term.
fn word(random: &mut SplitMix) -> String {
    let rank = random.below(9) * random.below(9) * random.below(9);
    let stem = rank.to_string();
    let stem: String = stem.bytes().map(|digit| (digit + 50) as char).collect();
    let endings = ["", "s", "ing", "ed"];
    format!("w{stem}{}", endings[random.below(4) as usize])
}

pub(super) fn text(random: &mut SplitMix) -> String {
    let words: Vec<String> = (0..=random.below(9)).map(|_| word(random)).collect();
    words.join(" ")
}

/// Words as vectors made of their letters.
#[derive(Debug)]
struct Letters;

impl WordVectors for Letters {
    fn dimension(&self) -> usize {
        8
    }

    fn write(&self, word: &str, vector: &mut [f32]) -> bool {
        vector.fill(0.1);
        for (place, letter) in word.bytes().enumerate() {
            vector[usize::from(letter) % 8] += 1.0 / (place + 1) as f32;
        }
        true
    }
}

/// A scope that memories are added to.
pub(super) struct Growing {
    scope: Scope,
    resources: Vec<ResourceOutline>,
    pub(super) segments: Vec<(Segment, u64)>,
    pub(super) items: Vec<(MemoryItem, Vec<u64>)>,
    pub(super) random: SplitMix,
}

impl Growing {
    pub(super) fn new(seed: u64) -> Self {
        let schema = ScopeSchema::default();
        Self {
            scope: schema.scope([("user_id", "nora")]).unwrap(),
            resources: Vec::new(),
            segments: Vec::new(),
            items: Vec::new(),
            random: SplitMix::new(seed),
        }
    }

    fn meta(&self, id: String) -> Meta {
        Meta::new(Id::from(id), self.scope.clone(), Timestamp::from_micros(1))
    }

    pub(super) fn add_resource(&mut self, messages: u64) {
        let place = self.resources.len() as u64;
        self.resources.push(ResourceOutline {
            place,
            id: Id::from(format!("r{place}")),
            content_hash: ContentHash::of(&self.random.below(u64::MAX).to_le_bytes()),
        });
        for ordinal in 0..messages {
            let first = text(&mut self.random);
            let named = self.random.below(2) == 0;
            let segment = Segment {
                meta: self.meta(format!("s{}", self.segments.len())),
                resource_id: Id::from(format!("r{place}")),
                ordinal: ordinal as u32,
                session: (ordinal / 10) as u32,
                topic: 0,
                role: Some(Role::User),
                speaker: named.then(|| "Nora".to_owned()),
                message_id: None,
                text: format!("{first} {}", text(&mut self.random)),
                caption: None,
                topic_caption: None,
                span: None,
                happened_at: None,
                happened_at_text: None,
            };
            self.segments.push((segment, place));
        }
    }

    pub(super) fn add_item(&mut self) {
        let segments = self.segments.len() as u64;
        let cited = (0..self.random.below(3)).map(|_| self.random.below(segments.max(1)));
        let cited: Vec<u64> = cited.filter(|cited| *cited < segments).collect();
        let item = MemoryItem {
            meta: self.meta(format!("i{}", self.items.len())),
            resource_id: None,
            memory_type: "event".to_owned(),
            summary: text(&mut self.random),
            happened: None,
            extra: serde_json::Map::new(),
            segment_ids: Vec::new(),
        };
        self.items.push((item, cited));
    }

    pub(super) fn outline(&self) -> Outline {
        let mut segments = BlockBuilder::default();
        for (place, (segment, resource)) in (0..).zip(&self.segments) {
            segments.push(|texts| SegmentOutline::new(segment, place, *resource, 5, texts));
        }
        let mut items = BlockBuilder::default();
        for (place, (item, cited)) in (0..).zip(&self.items) {
            let (cited, none) = (cited.clone(), Vec::new());
            items.push(|texts| ItemOutline::new(item, place, None, cited, none, texts));
        }
        Outline {
            resources: self.resources.clone(),
            categories: Vec::new(),
            segments: segments.finish().into_iter().map(Arc::new).collect(),
            items: items.finish().into_iter().map(Arc::new).collect(),
        }
    }
}

pub(super) fn words() -> Arc<Words> {
    Arc::new(Words::new(Arc::new(Letters)))
}

/// All that an index says about a question.
fn answer(index: &Index, text: &str) -> String {
    let config = RankingConfig::default();
    let found = index.find_words(text, "", &config);
    let near = Nearness::default();
    let evidence = index.evidence(&found, &near, &config);
    format!("{evidence:?} {:?}", found.match_items(&near))
}

#[test]
fn an_index_that_grew_is_the_one_of_all_that_is_there() {
    let mut grown = 0;
    for seed in 1..=3 {
        let mut growing = Growing::new(seed);
        let mut old = growing.outline();
        let mut index = Index::build(&[&old], words());
        while growing.segments.len() < 900 {
            let much = if growing.items.len() < 520 { 90 } else { 12 };
            let messages = growing.random.below(much);
            growing.add_resource(messages);
            for _ in 0..growing.random.below(much) {
                growing.add_item();
            }
            let new = growing.outline();
            let growth = Growth::between(&old, &new).unwrap();
            let whole = Index::build(&[&new], words());
            assert!(index.can_grow(&new, &growth));
            index.grow(&new, &growth);
            grown += 1;
            let question = text(&mut growing.random);
            assert_eq!(answer(&index, &question), answer(&whole, &question));
            old = new;
        }
    }
    assert!(grown > 100, "{grown}");
}

#[test]
fn what_changes_or_goes_or_comes_between_is_no_growth() {
    let mut growing = Growing::new(7);
    growing.add_resource(600);
    (0..20).for_each(|_| growing.add_item());
    let old = growing.outline();
    let same = Growth::between(&old, &growing.outline()).unwrap();
    assert_eq!(same.segments.onward(&old.segments).count(), 0);
    assert!(same.changed.is_empty());

    let mut met_again = growing.outline();
    let mut block = (*met_again.items[0]).clone();
    block.entries[3].count += 1;
    met_again.items[0] = Arc::new(block);
    let growth = Growth::between(&old, &met_again).unwrap();
    assert_eq!(growth.changed.len(), 1);
    assert_eq!(growth.changed[0].0, 3);
    assert_eq!(
        growth.changed[0].1.entry(&met_again.items).unwrap().place,
        3
    );

    growing.segments[300].0.text = "another text".to_owned();
    assert_eq!(Growth::between(&old, &growing.outline()), None);
    growing.segments.pop();
    assert_eq!(Growth::between(&old, &growing.outline()), None);

    let mut growing = Growing::new(7);
    growing.add_resource(600);
    let old = growing.outline();
    let (last, _) = growing.segments[599].clone();
    growing.segments.push((last.clone(), 0));
    let new = growing.outline();
    let growth = Growth::between(&old, &new).unwrap();
    let can_grow = |new, growth| Index::build(&[&old], words()).can_grow(new, growth);
    assert!(!can_grow(&new, &growth), "its session ended before");
    growing.segments.pop();
    growing.add_resource(1);
    growing.segments.push((last, 0));
    let new = growing.outline();
    let growth = Growth::between(&old, &new).unwrap();
    assert!(
        can_grow(&new, &growth),
        "what lies apart is a session of its own"
    );
}

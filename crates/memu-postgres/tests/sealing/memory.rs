//! A memory that grows and changes by chance, batch by batch.

use std::sync::Arc;

use memu_core::conformance::fixtures::{Maker, user};
use memu_core::records::{CategoryItem, MemoryCategory, MemoryItem, Resource, Role, Segment};
use memu_core::scope::Scope;
use memu_core::store::{Query, Store, Write};
use memu_postgres::PostgresStore;

const WORDS: [&str; 24] = [
    "tea",
    "sail",
    "sailing",
    "boat",
    "boats",
    "harbour",
    "knit",
    "knitting",
    "dog",
    "walks",
    "walk",
    "garden",
    "Éclair",
    "under_score",
    "piano",
    "plays",
    "played",
    "train",
    "trains",
    "bread",
    "baking",
    "bakes",
    "river",
    "storm",
];

pub(crate) struct Memory {
    pub(crate) store: Arc<PostgresStore>,
    make: Maker,
    seed: u64,
    urls: u64,
}

impl Memory {
    pub(crate) fn new(store: Arc<PostgresStore>, name: &str, seed: u64) -> Self {
        Self {
            store,
            make: Maker::new(user(name).unwrap(), seed),
            seed,
            urls: 0,
        }
    }

    pub(crate) fn scope(&self) -> &Scope {
        self.make.scope()
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        // SplitMix64.
        self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }

    fn text(&mut self) -> String {
        let words = 1 + self.below(9);
        let words: Vec<&str> = (0..words).map(|_| WORDS[self.below(WORDS.len())]).collect();
        words.join(" ")
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[self.below(from.len())].clone())
    }

    pub(crate) async fn commit(&self, writes: Vec<Write>) {
        let done = self.store.commit(self.make.batch(writes)).await;
        done.unwrap();
    }

    /// A conversation of so many messages in sessions of a few.
    pub(crate) async fn add_resource(&mut self, messages: u32) {
        self.add_sessions(messages, 4).await;
    }

    /// A conversation of so many messages in sessions of about so many; of 0 for one session.
    pub(crate) async fn add_sessions(&mut self, messages: u32, length: usize) {
        self.urls += 1;
        let url = format!("file:///{}/{}", self.seed, self.urls);
        let mut resource = self.make.resource(&url);
        resource.segment_count = messages;
        let mut session = 0;
        let mut segments = Vec::new();
        for ordinal in 0..messages {
            session += u32::from(ordinal > 0 && length > 0 && self.below(length) == 0);
            let text = self.text();
            segments.push(Segment {
                session,
                role: [None, Some(Role::User), Some(Role::Assistant)][self.below(3)],
                speaker: [None, Some("Nora"), Some("Jon")][self.below(3)].map(str::to_owned),
                ..self.make.segment(&resource, ordinal, &text)
            });
        }
        self.commit(vec![Write::Resource(resource), Write::Segments(segments)])
            .await;
    }

    pub(crate) async fn resources(&self) -> Vec<Resource> {
        let all = Query::scope(self.scope());
        Store::resources(&*self.store, &all).await.unwrap().records
    }

    pub(crate) async fn items(&self) -> Vec<MemoryItem> {
        let all = Query::scope(self.scope());
        Store::items(&*self.store, &all).await.unwrap().records
    }

    async fn categories(&self) -> Vec<MemoryCategory> {
        let all = Query::scope(self.scope());
        self.store.categories(&all).await.unwrap().records
    }

    async fn relations(&self) -> Vec<CategoryItem> {
        let all = Query::scope(self.scope());
        self.store.relations(&all).await.unwrap().records
    }

    /// So many resources with twenty messages each, and fifteen items after each.
    pub(crate) async fn fill(&mut self, resources: usize) {
        for _ in 0..resources {
            self.add_resource(20).await;
            self.add_items(15).await;
        }
    }

    /// Items, some of which come from a resource and cite what it says.
    pub(crate) async fn add_items(&mut self, count: usize) {
        let segments = self.segments().await;
        let mut writes = Vec::new();
        for _ in 0..count {
            let summary = self.text();
            let mut item = self.make.item("event", &summary);
            for _ in 0..self.below(3) {
                if let Some(cited) = self.pick(&segments)
                    && !item.segment_ids.contains(&cited.meta.id)
                {
                    item.resource_id = Some(cited.resource_id.clone());
                    item.segment_ids.push(cited.meta.id.clone());
                }
            }
            writes.push(Write::Item(item));
        }
        self.commit(writes).await;
    }

    /// More of a conversation that others may have followed.
    async fn add_segments(&mut self) {
        let resources = self.resources().await;
        let Some(mut resource) = self.pick(&resources) else {
            return;
        };
        let mut segments = Vec::new();
        for _ in 0..=self.below(4) {
            let text = self.text();
            let ordinal = resource.segment_count;
            segments.push(self.make.segment(&resource, ordinal, &text));
            resource.segment_count += 1;
        }
        self.commit(vec![Write::Resource(resource), Write::Segments(segments)])
            .await;
    }

    async fn segments(&self) -> Vec<Segment> {
        let all = Query::scope(self.scope());
        Store::segments(&*self.store, &all).await.unwrap().records
    }

    /// One change by chance.
    pub(crate) async fn step(&mut self) {
        match self.below(15) {
            14 => self.add_segments().await,
            0..=2 => {
                let messages = u32::try_from(1 + self.below(30)).unwrap();
                self.add_resource(messages).await;
            }
            3..=5 => {
                let count = 1 + self.below(9);
                self.add_items(count).await;
            }
            6 | 7 => self.edit_item().await,
            8 => {
                let name = self.text();
                let category = self.make.category(&name);
                self.commit(vec![Write::Category(category)]).await;
            }
            9 | 10 => self.file_item().await,
            11 => {
                let relations = self.relations().await;
                if let Some(relation) = self.pick(&relations) {
                    let gone = Write::DeleteRelation {
                        item_id: relation.item_id,
                        category_id: relation.category_id,
                    };
                    self.commit(vec![gone]).await;
                }
            }
            12 => {
                let items = self.items().await;
                if let Some(item) = self.pick(&items) {
                    self.commit(vec![Write::DeleteItem(item.meta.id)]).await;
                }
            }
            _ if self.below(2) == 0 => {
                let resources = self.resources().await;
                if let Some(resource) = self.pick(&resources) {
                    self.commit(vec![Write::DeleteResource(resource.meta.id)])
                        .await;
                }
            }
            _ => {
                let categories = self.categories().await;
                if let Some(category) = self.pick(&categories) {
                    self.commit(vec![Write::DeleteCategory(category.meta.id)])
                        .await;
                }
            }
        }
    }

    async fn edit_item(&mut self) {
        let items = self.items().await;
        let Some(mut item) = self.pick(&items) else {
            return;
        };
        match self.below(3) {
            0 => item.summary = self.text(),
            1 => item.segment_ids.clear(),
            _ => {
                let segments = self.segments().await;
                let cited = self.pick(&segments);
                item.segment_ids = cited.into_iter().map(|one| one.meta.id).collect();
            }
        }
        self.commit(vec![Write::Item(item)]).await;
    }

    async fn file_item(&mut self) {
        let (items, categories) = (self.items().await, self.categories().await);
        if let Some((item, category)) = self.pick(&items).zip(self.pick(&categories)) {
            let relation = self.make.relation(&item, &category);
            self.commit(vec![Write::Relation(relation)]).await;
        }
    }
}

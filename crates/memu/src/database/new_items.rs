//! Items that are made, a thousand of a scope for each transaction.

use memu_core::records::{EmbedderIdentity, MemoryItem, OwnedEmbedding};
use memu_core::scope::Scope;
use memu_core::store::Write;

use super::{Kept, PAGE};

/// Items that are made but not stored yet.
#[derive(Debug, Default)]
pub struct NewItems(Vec<Batch>);

/// A vector with whose it is.
type Owned = (EmbedderIdentity, OwnedEmbedding);

/// Those of one transaction, with their vectors, in their order, by whose they are.
#[derive(Debug)]
struct Batch {
    scope: Scope,
    items: Vec<MemoryItem>,
    vectors: Vec<(EmbedderIdentity, Vec<OwnedEmbedding>)>,
}

impl NewItems {
    /// What the items are once
    /// [`MemoryItemRepo::put_items`](super::MemoryItemRepo::put_items) has put them.
    pub fn records(&self) -> Vec<MemoryItem> {
        self.0.iter().flat_map(Batch::records).collect()
    }

    /// Those of each transaction, in turn: whoever puts these can stop between two.
    pub fn batches(self) -> impl Iterator<Item = Self> {
        self.0.into_iter().map(|batch| Self(vec![batch]))
    }

    /// As [`Self::records`], with their vectors.
    pub(super) fn kept(&self) -> Vec<Kept<MemoryItem>> {
        self.0.iter().flat_map(Batch::kept).collect()
    }

    pub(super) fn add(&mut self, item: MemoryItem, vector: Option<Owned>) {
        match self.0.last_mut() {
            Some(batch) if batch.takes(&item) => batch.add(item, vector),
            _ => {
                let mut batch = Batch {
                    scope: item.meta.scope.clone(),
                    items: Vec::new(),
                    vectors: Vec::new(),
                };
                batch.add(item, vector);
                self.0.push(batch);
            }
        }
    }

    /// What each transaction writes.
    pub(super) fn into_writes(self) -> impl Iterator<Item = (Scope, Vec<Write>)> {
        self.0.into_iter().map(|batch| {
            let items = batch.items.into_iter().map(Write::Item);
            let vectors = batch.vectors.into_iter();
            let vectors = vectors.map(|(identity, owned)| Write::Embeddings(identity, owned));
            (batch.scope, items.chain(vectors).collect())
        })
    }
}

impl Batch {
    /// Whether another item belongs here.
    fn takes(&self, item: &MemoryItem) -> bool {
        self.items.len() < PAGE && self.scope == item.meta.scope
    }

    fn add(&mut self, item: MemoryItem, vector: Option<Owned>) {
        self.items.push(item);
        let Some((identity, owned)) = vector else {
            return;
        };
        match self.vectors.last_mut() {
            Some((last, vectors)) if *last == identity => vectors.push(owned),
            _ => self.vectors.push((identity, vec![owned])),
        }
    }

    fn records(&self) -> impl Iterator<Item = MemoryItem> {
        self.items.iter().cloned().map(|mut item| {
            item.meta.revision += 1;
            item
        })
    }

    fn kept(&self) -> impl Iterator<Item = Kept<MemoryItem>> {
        let vectors = self.vectors.iter();
        let mut vectors = vectors.flat_map(|(_, vectors)| vectors).peekable();
        self.records().map(move |record| {
            let own = vectors.next_if(|vector| vector.owner == record.meta.id);
            Kept {
                embedding: own.map(|own| own.vector.clone()),
                record,
            }
        })
    }
}

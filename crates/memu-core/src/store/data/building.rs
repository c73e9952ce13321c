//! Vectors of sets that are being built, or were replaced.

use super::ScopeData;
use crate::records::{EmbedderIdentity, EmbeddingSet, Id, OwnerKind, SetState};
use crate::store::{BuiltVector, Write, WriteBatch};

impl ScopeData {
    /// Whether there is any vector of this embedder.
    pub(in crate::store) fn has_vectors(&self, identity: &EmbedderIdentity) -> bool {
        let vectors = self.vectors.get(identity);
        vectors.is_some_and(|vectors| !vectors.is_empty())
    }

    /// Takes the vectors of an embedder for another one's.
    pub(in crate::store) fn adopt_vectors(
        &mut self,
        from: &EmbedderIdentity,
        to: &EmbedderIdentity,
    ) {
        if let Some(vectors) = self.vectors.remove(from) {
            self.vectors.insert(to.clone(), vectors);
        }
    }

    /// Puts the vectors whose owners are still as they were, and counts them.
    pub(in crate::store) fn build_vectors(
        &mut self,
        identity: &EmbedderIdentity,
        vectors: Vec<BuiltVector>,
    ) -> usize {
        let mut put = 0;
        for BuiltVector { owned, revision } in vectors {
            if self.revision_of(owned.kind, &owned.owner) == Some(revision) {
                self.set_vector(identity, owned.kind, &owned.owner, Some(owned.vector));
                put += 1;
            }
        }
        put
    }

    fn revision_of(&self, kind: OwnerKind, id: &Id) -> Option<u64> {
        let meta = match kind {
            OwnerKind::Resource => self.resource(id).map(|one| &one.meta),
            OwnerKind::Segment => self.segment(id).map(|one| &one.meta),
            OwnerKind::Item => self.item(id).map(|one| &one.meta),
            OwnerKind::Category => self.category(id).map(|one| &one.meta),
        };
        meta.map(|meta| meta.revision)
    }

    /// Takes the vectors of records that a batch has changed out of the sets that are
    /// being built, unless it brought new ones.
    pub(in crate::store) fn drop_outdated(&mut self, batch: &WriteBatch, sets: &[EmbeddingSet]) {
        for set in sets.iter().filter(|set| set.state == SetState::Building) {
            let brought = |kind: OwnerKind, id: &Id| {
                batch.writes.iter().any(|write| match write {
                    Write::Embeddings(identity, vectors) => {
                        let own = |one: &crate::records::OwnedEmbedding| {
                            one.kind == kind && one.owner == *id
                        };
                        *identity == set.identity && vectors.iter().any(own)
                    }
                    _ => false,
                })
            };
            for write in &batch.writes {
                let (kind, meta) = match write {
                    Write::Resource(resource) => (OwnerKind::Resource, &resource.meta),
                    Write::Item(item) => (OwnerKind::Item, &item.meta),
                    Write::Category(category) => (OwnerKind::Category, &category.meta),
                    _ => continue,
                };
                if meta.revision > 0 && !brought(kind, &meta.id) {
                    self.set_vector(&set.identity, kind, &meta.id, None);
                }
            }
        }
    }

    /// Removes vectors of an embedder, at most `limit`, and counts them.
    pub(in crate::store) fn drop_vectors_of(
        &mut self,
        identity: &EmbedderIdentity,
        limit: usize,
    ) -> usize {
        let Some(vectors) = self.vectors.get_mut(identity) else {
            return 0;
        };
        let dropped: Vec<_> = vectors.keys().take(limit).cloned().collect();
        for key in &dropped {
            vectors.remove(key);
        }
        if vectors.is_empty() {
            self.vectors.remove(identity);
        }
        dropped.len()
    }
}

//! Which records a [`Select`] and a filter choose.

use super::ScopeData;
use super::ordered::Position;
use crate::filter::Filter;
use crate::records::{
    CategoryItem, Id, MemoryCategory, MemoryItem, Meta, ModelReply, Resource, Segment,
};
use crate::store::Select;

fn by_id(select: &Select, meta: &Meta) -> bool {
    match select {
        Select::All => true,
        Select::Ids(ids) => ids.contains(&meta.id),
        Select::IdPrefixes(prefixes) => prefixes
            .iter()
            .any(|prefix| meta.id.as_str().starts_with(prefix.as_str())),
        _ => false,
    }
}

fn resource_chosen(select: &Select, resource: &Resource) -> bool {
    match select {
        Select::OfResources(ids) => ids.contains(&resource.meta.id),
        Select::Content(hash, modality) => {
            resource.content_hash == *hash && resource.modality == *modality
        }
        Select::Source {
            url,
            external_id,
            modality,
        } => {
            resource.modality == *modality
                && (resource.url == *url
                    || (external_id.is_some() && resource.external_id == *external_id))
        }
        _ => by_id(select, &resource.meta),
    }
}

fn segment_chosen(select: &Select, segment: &Segment) -> bool {
    match select {
        Select::OfResources(ids) => ids.contains(&segment.resource_id),
        _ => by_id(select, &segment.meta),
    }
}

fn item_chosen(data: &ScopeData, select: &Select, item: &MemoryItem) -> bool {
    match select {
        Select::OfResources(ids) => item.resource_id.as_ref().is_some_and(|id| ids.contains(id)),
        Select::CitingSegments(ids) => item.segment_ids.iter().any(|id| ids.contains(id)),
        Select::OfCategories(ids) => data
            .relations_of_item(&item.meta.id)
            .any(|relation| ids.contains(&relation.category_id)),
        _ => by_id(select, &item.meta),
    }
}

fn category_chosen(select: &Select, category: &MemoryCategory) -> bool {
    match select {
        Select::Names(names) => names.contains(&category.name),
        _ => by_id(select, &category.meta),
    }
}

fn relation_chosen(data: &ScopeData, select: &Select, relation: &CategoryItem) -> bool {
    match select {
        Select::OfItems(ids) => ids.contains(&relation.item_id),
        Select::OfCategories(ids) => ids.contains(&relation.category_id),
        Select::OfResources(ids) => data
            .item(&relation.item_id)
            .and_then(|item| item.resource_id.as_ref())
            .is_some_and(|id| ids.contains(id)),
        _ => by_id(select, &relation.meta),
    }
}

fn reply_chosen(select: &Select, reply: &ModelReply) -> bool {
    match select {
        Select::OfResources(ids) => reply
            .resource_id
            .as_ref()
            .is_some_and(|id| ids.contains(id)),
        Select::ReplyStates(states) => states.contains(&reply.state),
        Select::Requests(hashes) => hashes.contains(&reply.request_hash),
        _ => by_id(select, &reply.meta),
    }
}

/// A chosen record with its position in the stored order.
pub(in crate::store) type Chosen<'a, T> = (Position, &'a T);

/// A kind of record, as the in-memory store pages through it.
pub(in crate::store) trait Kind: Clone + Sized {
    /// The records from `first` on that `select` and `filter` choose, in stored
    /// order, at most `limit`.
    fn choose<'a>(
        data: &'a ScopeData,
        select: &Select,
        filter: &Filter,
        first: Position,
        limit: usize,
    ) -> Vec<Chosen<'a, Self>>;
}

macro_rules! kinds {
    ($($record:ident in $table:ident by $facts:ident, |$data:ident, $select:ident, $one:ident| $chosen:expr;)*) => {
        $(impl Kind for $record {
            fn choose<'a>(
                data: &'a ScopeData,
                select: &Select,
                filter: &Filter,
                first: Position,
                limit: usize,
            ) -> Vec<Chosen<'a, Self>> {
                let test = |$data: &ScopeData, $select: &Select, $one: &$record| $chosen;
                let holds = |record: &$record| {
                    test(data, select, record)
                        && (filter.is_empty() || filter.matches(&data.$facts(record)))
                };
                match select {
                    // By far the most frequent question, and needs no search.
                    Select::Ids(ids) => {
                        let mut found: Vec<_> = ids
                            .iter()
                            .filter_map(|id| {
                                Some((data.$table.position(id)?, data.$table.get(id)?))
                            })
                            .filter(|(position, record)| *position >= first && holds(record))
                            .collect();
                        found.sort_unstable_by_key(|(position, _)| *position);
                        found.dedup_by_key(|(position, _)| *position);
                        found.truncate(limit);
                        found
                    }
                    _ => data
                        .$table
                        .from(first)
                        .filter(|(_, record)| holds(record))
                        .take(limit)
                        .collect(),
                }
            }
        })*
    };
}

kinds! {
    Resource in resources by resource_facts, |_data, select, one| resource_chosen(select, one);
    Segment in segments by segment_facts, |_data, select, one| segment_chosen(select, one);
    MemoryItem in items by item_facts, |data, select, one| item_chosen(data, select, one);
    MemoryCategory in categories by category_facts, |_data, select, one| category_chosen(select, one);
    CategoryItem in relations by relation_facts, |data, select, one| relation_chosen(data, select, one);
    ModelReply in model_replies by model_reply_facts, |_data, select, one| reply_chosen(select, one);
}

impl ScopeData {
    /// Where in the stored order an owner of vectors stands, and whether the
    /// filter holds for it.
    pub(in crate::store) fn owner_position(
        &self,
        kind: crate::records::OwnerKind,
        id: &Id,
        filter: &Filter,
    ) -> Option<Position> {
        use crate::records::OwnerKind;

        let none = filter.is_empty();
        let (position, holds) = match kind {
            OwnerKind::Resource => (
                self.resources.position(id)?,
                none || filter.matches(&self.resource_facts(self.resources.get(id)?)),
            ),
            OwnerKind::Segment => (
                self.segments.position(id)?,
                none || filter.matches(&self.segment_facts(self.segments.get(id)?)),
            ),
            OwnerKind::Item => (
                self.items.position(id)?,
                none || filter.matches(&self.item_facts(self.items.get(id)?)),
            ),
            OwnerKind::Category => (
                self.categories.position(id)?,
                none || filter.matches(&self.category_facts(self.categories.get(id)?)),
            ),
        };
        holds.then_some(position)
    }

    /// The vectors of an embedder that belong to one kind of record, in no order.
    pub(in crate::store) fn vectors_of_kind(
        &self,
        identity: &crate::records::EmbedderIdentity,
        kind: crate::records::OwnerKind,
    ) -> impl Iterator<Item = (&Id, &crate::records::Embedding)> {
        self.vectors
            .get(identity)
            .into_iter()
            .flatten()
            .filter(move |((of, _), _)| *of == kind)
            .map(|((_, id), vector)| (id, vector))
    }
}

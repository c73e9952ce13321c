use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::ranking::outline::{ItemOutline, Outline};
use crate::ranking::{Index, Words};
use crate::records::{Embedding, Id};
use crate::time::Timestamp;

/// What questions are answered from: the index over some scopes, and how their
/// records hang together, by number instead of by id. Derived data.
#[derive(Debug)]
pub(super) struct Searchable {
    pub(super) index: Index,
    /// By item, in the order of the scopes and of storing.
    pub(super) items: Vec<ItemLinks>,
    pub(super) resources: Vec<Named>,
    pub(super) categories: Vec<Named>,
    /// By position in the index: the items that cite the segment, in order.
    citing: Vec<Box<[u32]>>,
}

/// The vectors that the embedder made of the segments and items of a scope, by id.
#[derive(Debug, Default)]
pub(super) struct ScopeVectors {
    pub(super) segments: FxHashMap<Id, Embedding>,
    pub(super) items: FxHashMap<Id, Embedding>,
}

/// A record by the number of its scope and its id.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) scope: usize,
    pub(super) id: Id,
}

/// What hangs on an item.
#[derive(Clone, Debug)]
pub(super) struct ItemLinks {
    pub(super) name: Named,
    /// Positions in the index of the segments that it cites.
    pub(super) segments: Box<[u32]>,
    /// The number of the resource that it comes from.
    pub(super) resource: Option<u32>,
    /// The numbers of its categories.
    pub(super) categories: Box<[u32]>,
    /// How often it was met.
    pub(super) count: u64,
    /// When it was last met.
    pub(super) last_met: Timestamp,
}

impl Searchable {
    /// Indexes these scopes, with the vectors of their segments and items where there
    /// are any.
    pub(super) fn build(
        outlines: &[&Outline],
        vectors: &[ScopeVectors],
        words: Arc<Words>,
    ) -> Self {
        let mut index = Index::build(outlines, words);
        let one = vectors.iter().flat_map(|scope| &scope.segments).next();
        if let Some((_, one)) = one {
            index.set_vectors(one.as_slice().len(), |segment| {
                let vectors = &vectors.get(segment.scope)?.segments;
                vectors.get(segment.id).map(Embedding::as_slice)
            });
        }
        let places = Places::new(outlines, &index);
        let items: Vec<ItemLinks> = outlines
            .iter()
            .enumerate()
            .flat_map(|(scope, outline)| {
                let entries = outline.items.iter().flat_map(|block| &block.entries);
                let places = &places;
                entries.map(move |item| places.links(scope, item))
            })
            .collect();
        for item in &items {
            let vectors = vectors.get(item.name.scope).map(|scope| &scope.items);
            if let Some(vector) = vectors.and_then(|vectors| vectors.get(&item.name.id)) {
                index.push_item_vector(vector.as_slice(), &item.segments);
            }
        }
        let mut citing = vec![Vec::new(); index.segment_count()];
        for (number, item) in (0..).zip(&items) {
            for position in &item.segments {
                if let Some(citing) = citing.get_mut(*position as usize) {
                    citing.push(number);
                }
            }
        }
        Self {
            index,
            items,
            resources: named(outlines, |outline| {
                outline.resources.iter().map(|one| &one.id).collect()
            }),
            categories: named(outlines, |outline| {
                outline.categories.iter().map(|one| &one.id).collect()
            }),
            citing: citing.into_iter().map(Vec::into_boxed_slice).collect(),
        }
    }

    /// The numbers of the items that cite the segment at a position, in order.
    pub(super) fn citing(&self, position: usize) -> &[u32] {
        self.citing.get(position).map_or(&[], |citing| citing)
    }
}

fn named(outlines: &[&Outline], ids: impl Fn(&Outline) -> Vec<&Id>) -> Vec<Named> {
    let mut all = Vec::new();
    for (scope, outline) in outlines.iter().enumerate() {
        let ids = ids(outline).into_iter().cloned();
        all.extend(ids.map(|id| Named { scope, id }));
    }
    all
}

/// The numbers of records by the number of their scope and their place.
struct Places {
    segments: FxHashMap<(usize, u64), u32>,
    resources: FxHashMap<(usize, u64), u32>,
    categories: FxHashMap<(usize, u64), u32>,
}

impl Places {
    fn new(outlines: &[&Outline], index: &Index) -> Self {
        let scopes = || outlines.iter().enumerate();
        let resources = scopes().flat_map(|(scope, outline)| {
            let resources = outline.resources.iter();
            resources.map(move |resource| (scope, resource.place))
        });
        let categories = scopes().flat_map(|(scope, outline)| {
            let categories = outline.categories.iter();
            categories.map(move |category| (scope, category.place))
        });
        let segments = (0..index.segment_count()).filter_map(|position| {
            let segment = index.segment(position)?;
            Some((segment.scope, segment.place))
        });
        Self {
            segments: segments.zip(0..).collect(),
            resources: resources.zip(0..).collect(),
            categories: categories.zip(0..).collect(),
        }
    }

    fn links(&self, scope: usize, item: &ItemOutline) -> ItemLinks {
        let numbers = |known: &FxHashMap<(usize, u64), u32>, places: &[u64]| {
            let places = places.iter();
            places
                .filter_map(|place| known.get(&(scope, *place)))
                .copied()
                .collect()
        };
        ItemLinks {
            name: Named {
                scope,
                id: item.id.clone(),
            },
            segments: numbers(&self.segments, &item.segments),
            resource: item
                .resource
                .and_then(|place| self.resources.get(&(scope, place)))
                .copied(),
            categories: numbers(&self.categories, &item.categories),
            count: item.count,
            last_met: item.last_met(),
        }
    }
}

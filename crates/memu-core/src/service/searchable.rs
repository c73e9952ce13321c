use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::config::RankingConfig;
use crate::provider::WordVectors;
use crate::ranking::Index;
use crate::records::Id;
use crate::store::ScopeData;

/// What questions are answered from: the index over some scopes, and how their
/// records hang together, by number instead of by id. Derived data.
#[derive(Debug)]
pub(super) struct Searchable {
    pub(super) index: Index,
    /// By item, in the order of the scopes and of storing.
    pub(super) items: Vec<ItemLinks>,
    /// By position in the index: the number of the segment's resource.
    pub(super) segment_resources: Vec<u32>,
    pub(super) resources: Vec<Named>,
    pub(super) categories: Vec<Named>,
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
}

impl Searchable {
    /// Indexes these scopes.
    pub(super) fn build(
        scopes: &[&ScopeData],
        words: Arc<dyn WordVectors>,
        config: &RankingConfig,
    ) -> Self {
        let index = Index::build(
            scopes.iter().flat_map(|scope| scope.resources()),
            scopes.iter().flat_map(|scope| scope.segments()),
            scopes.iter().flat_map(|scope| scope.items()),
            words,
            config,
        );
        let mut places = Places::new(scopes);
        let segment_resources = places.take_segments(scopes, &index);
        let items = scopes
            .iter()
            .enumerate()
            .flat_map(|(number, scope)| places.items(number, scope))
            .collect();
        Self {
            index,
            items,
            segment_resources,
            resources: places.resources,
            categories: places.categories,
        }
    }
}

/// The numbers of records by the number of their scope and their id.
struct Places<'s> {
    segments: FxHashMap<(usize, &'s Id), u32>,
    resource_numbers: FxHashMap<(usize, &'s Id), u32>,
    category_numbers: FxHashMap<(usize, &'s Id), u32>,
    resources: Vec<Named>,
    categories: Vec<Named>,
}

impl<'s> Places<'s> {
    fn new(scopes: &[&'s ScopeData]) -> Self {
        let mut places = Self {
            segments: FxHashMap::default(),
            resource_numbers: FxHashMap::default(),
            category_numbers: FxHashMap::default(),
            resources: Vec::new(),
            categories: Vec::new(),
        };
        for (scope, data) in scopes.iter().enumerate() {
            for resource in data.resources() {
                let id = &resource.meta.id;
                let number = places.resources.len() as u32;
                places.resource_numbers.insert((scope, id), number);
                places.resources.push(Named {
                    scope,
                    id: id.clone(),
                });
            }
            for category in data.categories() {
                let id = &category.meta.id;
                let number = places.categories.len() as u32;
                places.category_numbers.insert((scope, id), number);
                places.categories.push(Named {
                    scope,
                    id: id.clone(),
                });
            }
        }
        places
    }

    /// Numbers the segments by their position in the index, and returns the number of
    /// the resource of each.
    fn take_segments(&mut self, scopes: &[&'s ScopeData], index: &Index) -> Vec<u32> {
        let inputs: Vec<(usize, &'s Id, &'s Id)> = scopes
            .iter()
            .enumerate()
            .flat_map(|(scope, data)| {
                data.segments()
                    .map(move |segment| (scope, &segment.meta.id, &segment.resource_id))
            })
            .collect();
        (0..index.segment_count())
            .map(|position| {
                let input = index.segment(position).map(|(_, input)| input);
                let Some((scope, id, resource)) = input.and_then(|input| inputs.get(input)) else {
                    return u32::MAX;
                };
                self.segments.insert((*scope, id), position as u32);
                let resource = self.resource_numbers.get(&(*scope, resource));
                resource.copied().unwrap_or(u32::MAX)
            })
            .collect()
    }

    fn items<'p>(
        &'p self,
        scope: usize,
        data: &'s ScopeData,
    ) -> impl Iterator<Item = ItemLinks> + use<'p, 's> {
        data.items().map(move |item| {
            let id = &item.meta.id;
            let segments = item.segment_ids.iter();
            let categories = data.relations_of_item(id);
            let resource = item.resource_id.as_ref();
            ItemLinks {
                name: Named {
                    scope,
                    id: id.clone(),
                },
                segments: segments
                    .filter_map(|id| self.segments.get(&(scope, id)))
                    .copied()
                    .collect(),
                resource: resource
                    .and_then(|id| self.resource_numbers.get(&(scope, id)))
                    .copied(),
                categories: categories
                    .filter_map(|relation| {
                        self.category_numbers.get(&(scope, &relation.category_id))
                    })
                    .copied()
                    .collect(),
            }
        })
    }
}

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::ranking::outline::{Growth, ItemOutline, Outline};
use crate::ranking::{HeldVectors, Index, Standing, Words};
use crate::records::{Embedding, Id};
use crate::time::Timestamp;

/// What questions are answered from: the index over some scopes, and how their
/// records hang together, by number instead of by id. Derived data.
#[derive(Clone, Debug)]
pub(super) struct Searchable {
    pub(super) index: Index,
    /// By item, in the order of the scopes and of storing.
    pub(super) items: Vec<ItemLinks>,
    /// By item: whether it cites segments, all in one piece.
    pub(super) cites: Vec<bool>,
    pub(super) resources: Vec<Named>,
    pub(super) categories: Vec<Named>,
    /// By position in the index: the items that cite the segment, in order.
    citing: Vec<Vec<u32>>,
    places: Places,
}

/// The vectors that the embedder made of the segments and items of a scope, by id, as far as
/// they are held in memory.
#[derive(Debug)]
pub(super) struct ScopeVectors {
    pub(super) held: HeldVectors,
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
    /// Its place in the outline of its scope.
    place: u64,
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

impl ScopeVectors {
    /// No vectors.
    pub(super) fn none() -> Self {
        Self {
            held: HeldVectors::All,
            segments: FxHashMap::default(),
            items: FxHashMap::default(),
        }
    }

    /// How many numbers they have; `None` when there are none.
    pub(super) fn dimension(&self) -> Option<usize> {
        let one = self.segments.values().chain(self.items.values()).next()?;
        Some(one.as_slice().len())
    }
}

impl Searchable {
    /// Indexes these scopes, with the vectors of their segments and items where there
    /// are any.
    pub(super) fn build(
        outlines: &[&Outline],
        vectors: &[ScopeVectors],
        words: Arc<Words>,
    ) -> Self {
        let mut searchable = Self {
            index: Index::build(outlines, words),
            items: Vec::new(),
            cites: Vec::new(),
            resources: Vec::new(),
            categories: Vec::new(),
            citing: Vec::new(),
            places: Places::default(),
        };
        searchable.add(outlines, vectors, &Growth::of_everything());
        searchable
    }

    /// Whether [`Self::grow`] leaves what [`Self::build`] would make of the whole outline.
    pub(super) fn can_grow(&self, outline: &Outline, growth: &Growth) -> bool {
        self.index.can_grow(outline, growth)
    }

    /// Whose vectors are held; `None` when there are none.
    pub(super) fn held_vectors(&self) -> Option<HeldVectors> {
        self.index.held_vectors()
    }

    /// The position of the segment that stands at a place of a scope.
    pub(super) fn segment_at(&self, scope: usize, place: u64) -> Option<u32> {
        self.places.segments.get(&(scope, place)).copied()
    }

    /// The number of the item that stands at a place of a scope, with what hangs on it.
    pub(super) fn item_at(&self, scope: usize, place: u64) -> Option<(u32, &ItemLinks)> {
        let sought = (scope, place);
        let at = self
            .items
            .binary_search_by_key(&sought, |item| (item.name.scope, item.place));
        let at = at.ok()?;
        Some((at as u32, self.items.get(at)?))
    }

    /// By number: where the items stand.
    pub(super) fn standing_items(&self) -> impl Iterator<Item = Standing> {
        let items = self.items.iter();
        items.map(|item| (item.name.scope, item.place))
    }

    /// Adds what the one scope has more than before, with the vectors of that; first, see
    /// [`Self::can_grow`].
    pub(super) fn grow(&mut self, outline: &Outline, vectors: &[ScopeVectors], growth: &Growth) {
        self.index.grow(outline, growth);
        self.add(&[outline], vectors, growth);
        for (number, at) in &growth.changed {
            if let Some(item) = at.entry(&outline.items) {
                self.rehang(*number, item);
            }
        }
    }

    fn add(&mut self, outlines: &[&Outline], vectors: &[ScopeVectors], growth: &Growth) {
        let dimension = vectors.iter().find_map(ScopeVectors::dimension);
        let held = vectors.first().map_or(HeldVectors::All, |first| first.held);
        self.index.embed_segments(dimension, held, |segment| {
            let vectors = &vectors.get(segment.scope)?.segments;
            vectors.get(segment.id).map(Embedding::as_slice)
        });
        self.places.add(outlines, &self.index);
        self.citing.resize(self.index.segment_count(), Vec::new());
        self.resources = named(outlines, |outline| {
            outline.resources.iter().map(|one| &one.id).collect()
        });
        self.categories = named(outlines, |outline| {
            outline.categories.iter().map(|one| &one.id).collect()
        });
        for (scope, outline) in outlines.iter().enumerate() {
            let vectors = vectors.get(scope).map(|scope| &scope.items);
            let items = growth.items.onward(&outline.items);
            for item in items.flat_map(|(_, items)| items) {
                let vector = vectors.and_then(|vectors| vectors.get(&item.id));
                self.add_item(scope, item, vector);
            }
        }
    }

    fn add_item(&mut self, scope: usize, item: &ItemOutline, vector: Option<&Embedding>) {
        let number = self.items.len() as u32;
        let links = self.places.links(scope, item);
        if let Some(vector) = vector {
            self.index
                .embed_item(number, vector.as_slice(), &links.segments);
        }
        for position in &links.segments {
            if let Some(citing) = self.citing.get_mut(*position as usize) {
                citing.push(number);
            }
        }
        self.cites.push(!links.segments.is_empty());
        self.items.push(links);
    }

    /// Hangs an item where it hangs now.
    fn rehang(&mut self, number: u32, item: &ItemOutline) {
        let Some(links) = self.items.get_mut(number as usize) else {
            return;
        };
        let now = self.places.links(links.name.scope, item);
        let before = std::mem::replace(links, now);
        let now = &links.segments;
        if let Some(cites) = self.cites.get_mut(number as usize) {
            *cites = !now.is_empty();
        }
        if before.segments != *now {
            self.index.cite(number, now);
            for position in before.segments {
                if let Some(citing) = self.citing.get_mut(position as usize) {
                    citing.retain(|other| *other != number);
                }
            }
            for position in now {
                if let Some(citing) = self.citing.get_mut(*position as usize)
                    && let Err(place) = citing.binary_search(&number)
                {
                    citing.insert(place, number);
                }
            }
        }
    }

    /// The numbers of the items that cite the segment at a position, in order.
    pub(super) fn citing(&self, position: usize) -> &[u32] {
        self.citing.get(position).map_or(&[], Vec::as_slice)
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
#[derive(Clone, Debug, Default)]
struct Places {
    segments: FxHashMap<(usize, u64), u32>,
    resources: FxHashMap<(usize, u64), u32>,
    categories: FxHashMap<(usize, u64), u32>,
}

impl Places {
    /// Adds what is new in the index and the outlines.
    fn add(&mut self, outlines: &[&Outline], index: &Index) {
        for position in self.segments.len()..index.segment_count() {
            if let Some(segment) = index.segment(position) {
                let at = (segment.scope, segment.place);
                self.segments.insert(at, position as u32);
            }
        }
        let scopes = || outlines.iter().enumerate();
        let resources = scopes().flat_map(|(scope, outline)| {
            let resources = outline.resources.iter();
            resources.map(move |resource| (scope, resource.place))
        });
        number(&mut self.resources, resources);
        let categories = scopes().flat_map(|(scope, outline)| {
            let categories = outline.categories.iter();
            categories.map(move |category| (scope, category.place))
        });
        number(&mut self.categories, categories);
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
            place: item.place,
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

/// Numbers those that have no number yet, which come last.
fn number(numbers: &mut FxHashMap<(usize, u64), u32>, places: impl Iterator<Item = (usize, u64)>) {
    let known = numbers.len();
    numbers.extend(places.zip(0..).skip(known));
}

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::records::{Records, Shown};
use crate::environment::offload;
use crate::error::Result;
use crate::filter::Filter;
use crate::records::{Id, OwnerKind};
use crate::scope::Scope;
use crate::service::Context;
use crate::service::scope::Selection;
use crate::service::searchable::{Named, Searchable};
use crate::store::{Query, Store};

/// The scopes that a question is asked of, with what it is answered from.
#[derive(Debug)]
pub(super) struct Corpus {
    store: Arc<dyn Store>,
    scopes: Vec<Scope>,
    searchable: Arc<Searchable>,
    /// What the filter lets through; `None` when there is none.
    let_through: Option<LetThrough>,
}

/// By number of a record: whether the filter lets it through.
#[derive(Debug)]
struct LetThrough {
    segments: Vec<bool>,
    items: Vec<bool>,
    categories: Vec<bool>,
}

impl Corpus {
    pub(super) async fn open(context: &Context, selection: Selection) -> Result<Self> {
        let Selection { scopes, filter } = selection;
        let searchable = if let [one] = scopes.as_slice() {
            context.searchable(one).await?
        } else {
            let mut outlines = Vec::with_capacity(scopes.len());
            for scope in &scopes {
                outlines.push(context.outline(scope).await?);
            }
            let words = context.parts().words.clone();
            let build = move || {
                let outlines: Vec<_> = outlines.iter().map(|known| &known.outline).collect();
                Arc::new(Searchable::build(&outlines, words))
            };
            offload(&*context.parts().executor, build).await?
        };
        let store = context.store().clone();
        let let_through = if filter.is_empty() {
            None
        } else {
            Some(LetThrough::read(&*store, &scopes, &filter, &searchable).await?)
        };
        Ok(Self {
            store,
            scopes,
            searchable,
            let_through,
        })
    }

    pub(super) fn searchable(&self) -> &Searchable {
        &self.searchable
    }

    /// Reads the records of these names.
    pub(super) async fn records<'n, T: Shown>(
        &self,
        names: impl IntoIterator<Item = &'n Named>,
    ) -> Result<Records<T>> {
        Records::read(&*self.store, &self.scopes, names).await
    }

    /// The name of the segment at a position of the index.
    pub(super) fn segment(&self, position: usize) -> Option<Named> {
        let segment = self.searchable.index.segment(position)?;
        Some(Named {
            scope: segment.scope,
            id: segment.id.clone(),
        })
    }

    /// Whether the filter lets the segment at a position through.
    pub(super) fn lets_segment(&self, position: usize) -> bool {
        self.lets(position, |let_through| &let_through.segments)
    }

    /// Whether the filter lets an item through.
    pub(super) fn lets_item(&self, number: usize) -> bool {
        self.lets(number, |let_through| &let_through.items)
    }

    /// Whether the filter lets a category through.
    pub(super) fn lets_category(&self, number: usize) -> bool {
        self.lets(number, |let_through| &let_through.categories)
    }

    fn lets(&self, number: usize, of: impl Fn(&LetThrough) -> &Vec<bool>) -> bool {
        self.let_through
            .as_ref()
            .is_none_or(|let_through| of(let_through).get(number).copied().unwrap_or_default())
    }
}

impl LetThrough {
    async fn read(
        store: &dyn Store,
        scopes: &[Scope],
        filter: &Filter,
        searchable: &Searchable,
    ) -> Result<Self> {
        let mut segments = Ids::new(OwnerKind::Segment);
        let mut items = Ids::new(OwnerKind::Item);
        let mut categories = Ids::new(OwnerKind::Category);
        for ids in [&mut segments, &mut items, &mut categories] {
            ids.read(store, scopes, filter).await?;
        }
        let index = &searchable.index;
        let segment = |position| index.segment(position);
        Ok(Self {
            segments: (0..index.segment_count())
                .map(|position| {
                    segment(position).is_some_and(|one| segments.hold(one.scope, one.id))
                })
                .collect(),
            items: searchable
                .items
                .iter()
                .map(|item| items.hold(item.name.scope, &item.name.id))
                .collect(),
            categories: searchable
                .categories
                .iter()
                .map(|category| categories.hold(category.scope, &category.id))
                .collect(),
        })
    }
}

/// Ids of one kind of record, by the number of their scope.
struct Ids {
    kind: OwnerKind,
    by_scope: Vec<FxHashSet<Id>>,
}

impl Ids {
    fn new(kind: OwnerKind) -> Self {
        Self {
            kind,
            by_scope: Vec::new(),
        }
    }

    async fn read(&mut self, store: &dyn Store, scopes: &[Scope], filter: &Filter) -> Result<()> {
        for scope in scopes {
            let query = Query {
                filter: filter.clone(),
                ..Query::scope(scope)
            };
            let ids = store.ids(self.kind, &query).await?;
            self.by_scope.push(ids.into_iter().collect());
        }
        Ok(())
    }

    fn hold(&self, scope: usize, id: &Id) -> bool {
        self.by_scope.get(scope).is_some_and(|ids| ids.contains(id))
    }
}

use std::sync::Arc;

use crate::environment::offload;
use crate::error::Result;
use crate::filter::Filter;
use crate::records::{Id, MemoryCategory, MemoryItem, Resource, Segment};
use crate::service::Context;
use crate::service::cache::ScopeView;
use crate::service::scope::Selection;
use crate::service::searchable::{ItemLinks, Named, Searchable};

/// The scopes that a question is asked of, with what it is answered from.
#[derive(Debug)]
pub(super) struct Corpus {
    views: Vec<Arc<ScopeView>>,
    filter: Filter,
    searchable: Arc<Searchable>,
}

impl Corpus {
    pub(super) async fn open(context: &Context, selection: Selection) -> Result<Self> {
        let mut views = Vec::with_capacity(selection.scopes.len());
        for scope in &selection.scopes {
            views.push(context.view(scope).await?);
        }
        let searchable = if let [one] = views.as_slice() {
            context.searchable(one).await?
        } else {
            let parts = context.parts();
            let (words, config) = (parts.words.clone(), parts.retrieve_config.ranking);
            let views = views.clone();
            let build = move || {
                let scopes: Vec<_> = views.iter().map(|view| &view.data).collect();
                Arc::new(Searchable::build(&scopes, words, &config))
            };
            offload(&*parts.executor, build).await?
        };
        Ok(Self {
            views,
            filter: selection.filter,
            searchable,
        })
    }

    pub(super) fn searchable(&self) -> &Searchable {
        &self.searchable
    }

    /// The scope that a record is of.
    pub(super) fn view(&self, name: &Named) -> Option<&ScopeView> {
        self.views.get(name.scope).map(|view| &**view)
    }

    pub(super) fn item(&self, number: usize) -> Option<(&ScopeView, &MemoryItem, &ItemLinks)> {
        let links = self.searchable.items.get(number)?;
        let view = self.view(&links.name)?;
        Some((view, view.data.item(&links.name.id)?, links))
    }

    pub(super) fn category(&self, number: usize) -> Option<(&ScopeView, &MemoryCategory)> {
        let name = self.searchable.categories.get(number)?;
        let view = self.view(name)?;
        Some((view, view.data.category(&name.id)?))
    }

    pub(super) fn resource(&self, number: usize) -> Option<&Resource> {
        let name = self.searchable.resources.get(number)?;
        self.view(name)?.data.resource(&name.id)
    }

    /// The segment at a position of the index, with its scope.
    pub(super) fn segment(&self, position: usize) -> Option<(&ScopeView, &Segment)> {
        let (id, input): (&Id, usize) = self.searchable.index.segment(position)?;
        let mut first = 0;
        for view in &self.views {
            let count = view.data.segment_count();
            if input < first + count {
                return Some((view, view.data.segment(id)?));
            }
            first += count;
        }
        None
    }

    /// Whether the filter lets a segment through.
    pub(super) fn lets_segment(&self, position: usize) -> bool {
        self.filter.is_empty()
            || self.segment(position).is_some_and(|(view, segment)| {
                self.filter.matches(&view.data.segment_facts(segment))
            })
    }

    /// Whether the filter lets an item through.
    pub(super) fn lets_item(&self, number: usize) -> bool {
        self.filter.is_empty()
            || self
                .item(number)
                .is_some_and(|(view, item, _)| self.filter.matches(&view.data.item_facts(item)))
    }

    /// Whether the filter lets a category through.
    pub(super) fn lets_category(&self, number: usize) -> bool {
        self.filter.is_empty()
            || self.category(number).is_some_and(|(view, category)| {
                self.filter.matches(&view.data.category_facts(category))
            })
    }
}

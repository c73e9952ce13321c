use std::sync::Arc;

use crate::config::RankingConfig;
use crate::environment::offload;
use crate::error::Result;
use crate::filter::Filter;
use crate::provider::WordVectors;
use crate::ranking::Index;
use crate::records::{MemoryItem, Segment};
use crate::service::Context;
use crate::service::cache::ScopeView;
use crate::service::scope::Selection;

/// The scopes that a question is asked of, with the index over all of them.
#[derive(Debug)]
pub(super) struct Corpus {
    pub(super) views: Vec<Arc<ScopeView>>,
    pub(super) filter: Filter,
    /// The index over several scopes; a single one brings its own.
    joint: Option<Index>,
    words: Arc<dyn WordVectors>,
    config: RankingConfig,
}

impl Corpus {
    pub(super) async fn open(context: &Context, selection: Selection) -> Result<Self> {
        let config = context.parts().retrieve_config.ranking;
        let mut views = Vec::with_capacity(selection.scopes.len());
        for scope in &selection.scopes {
            views.push(if selection.scopes.len() == 1 {
                context.indexed_view(scope).await?
            } else {
                context.view(scope).await?
            });
        }
        let joint = if views.len() == 1 {
            None
        } else {
            let views = views.clone();
            let words = context.parts().words.clone();
            let build = move || {
                Index::build(
                    views.iter().flat_map(|view| view.data.resources()),
                    views.iter().flat_map(|view| view.data.segments()),
                    views.iter().flat_map(|view| view.data.items()),
                    words,
                    &config,
                )
            };
            Some(offload(&*context.parts().executor, build).await?)
        };
        Ok(Self {
            views,
            filter: selection.filter,
            joint,
            words: context.parts().words.clone(),
            config,
        })
    }

    /// The index over all scopes; `None` when there are none.
    pub(super) fn index(&self) -> Option<&Index> {
        match &self.joint {
            Some(joint) => Some(joint),
            None => self
                .views
                .first()
                .map(|view| view.index(&self.words, &self.config)),
        }
    }

    /// Every item with its scope, in the order in which they were indexed.
    pub(super) fn items(&self) -> impl Iterator<Item = (&ScopeView, &MemoryItem)> {
        self.views
            .iter()
            .flat_map(|view| view.data.items().map(move |item| (&**view, item)))
    }

    /// The segment at a position of the index, with its scope.
    pub(super) fn segment(&self, position: usize) -> Option<(&ScopeView, &Segment)> {
        let (id, mut input) = self.index()?.segment(position)?;
        for view in &self.views {
            let count = view.data.segment_count();
            if input < count {
                return Some((view, view.data.segment(id)?));
            }
            input -= count;
        }
        None
    }
}

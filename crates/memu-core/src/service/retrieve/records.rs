//! Reading the records that are shown, all at once.

use super::corpus::Corpus;
use crate::error::Result;
use crate::records::{Id, MemoryCategory, MemoryItem, Resource, Segment};
use crate::service::searchable::Named;
use crate::store::{RecordIds, RecordSet};

/// Records to read, by the number of their scope.
pub(super) struct Wanted(Vec<RecordIds>);

impl Wanted {
    /// Nothing yet, of so many scopes.
    pub(super) fn of_scopes(count: usize) -> Self {
        Self(vec![RecordIds::default(); count])
    }

    pub(super) fn resources<'n>(&mut self, names: impl IntoIterator<Item = &'n Named>) {
        self.add(names, |ids| &mut ids.resources);
    }

    pub(super) fn segments<'n>(&mut self, names: impl IntoIterator<Item = &'n Named>) {
        self.add(names, |ids| &mut ids.segments);
    }

    pub(super) fn items<'n>(&mut self, names: impl IntoIterator<Item = &'n Named>) {
        self.add(names, |ids| &mut ids.items);
    }

    pub(super) fn categories<'n>(&mut self, names: impl IntoIterator<Item = &'n Named>) {
        self.add(names, |ids| &mut ids.categories);
    }

    fn add<'n>(
        &mut self,
        names: impl IntoIterator<Item = &'n Named>,
        kind: impl Fn(&mut RecordIds) -> &mut Vec<Id>,
    ) {
        for name in names {
            if let Some(ids) = self.0.get_mut(name.scope) {
                kind(ids).push(name.id.clone());
            }
        }
    }

    pub(super) async fn read(self, corpus: &Corpus) -> Result<Records> {
        let mut records = Records::default();
        for (scope, ids) in corpus.scopes.iter().zip(self.0) {
            records.0.push(if ids.is_empty() {
                RecordSet::default()
            } else {
                corpus.store.records(scope, &ids).await?
            });
        }
        Ok(records)
    }
}

/// Records that were read, by the number of their scope. What is gone by now is missing.
#[derive(Debug, Default)]
pub(super) struct Records(Vec<RecordSet>);

impl Records {
    pub(super) fn resource(&self, name: &Named) -> Option<&Resource> {
        let resources = &self.0.get(name.scope)?.resources;
        resources.iter().find(|one| one.meta.id == name.id)
    }

    pub(super) fn segment(&self, name: &Named) -> Option<&Segment> {
        let segments = &self.0.get(name.scope)?.segments;
        segments.iter().find(|one| one.meta.id == name.id)
    }

    pub(super) fn item(&self, name: &Named) -> Option<&MemoryItem> {
        let items = &self.0.get(name.scope)?.items;
        items.iter().find(|one| one.meta.id == name.id)
    }

    pub(super) fn category(&self, name: &Named) -> Option<&MemoryCategory> {
        let categories = &self.0.get(name.scope)?.categories;
        categories.iter().find(|one| one.meta.id == name.id)
    }
}

//! The six kinds of records, as moving goes through them.

use std::collections::VecDeque;

use async_trait::async_trait;
use serde::Serialize;

use super::form::{
    CategoryForm, ItemForm, ModelReplyForm, RelationForm, ResourceForm, SegmentForm,
};
use super::side::without_place;
use crate::error::Result;
use crate::records::{
    CategoryItem, MemoryCategory, MemoryItem, Meta, ModelReply, OwnerKind, Resource, Segment,
};
use crate::scope::Scope;
use crate::store::{Page, Query, Store, Write};

/// So many records are read at once at most.
const PAGE_RECORDS: usize = 2_000;

/// So many are read first, before it is known how large they are.
const FIRST_RECORDS: usize = 128;

/// A page holds as many records as these bytes would hold of records like those of the page
/// before it.
const PAGE_BYTES: usize = 8 << 20;

/// What a record takes beside its texts, in bytes.
const OWN_BYTES: usize = 300;

/// A kind of record.
#[async_trait]
pub(super) trait Kind: Clone + PartialEq + Send + Sync + 'static {
    /// What one of them is called.
    const NAME: &'static str;
    /// What its vectors belong to; `None` where there are none.
    const OWNER: Option<OwnerKind>;
    /// Everything that it says, in the form in which it is compared.
    type Form: Serialize;

    async fn page(store: &dyn Store, query: &Query) -> Result<Page<Self>>;

    fn meta(&self) -> &Meta;

    /// How much memory it takes, about.
    fn bytes(&self) -> usize;

    fn into_form(self) -> Self::Form;

    /// Itself, when it is a resource, which has content.
    fn as_resource(&self) -> Option<&Resource> {
        None
    }

    /// Whether another store's record says the same.
    fn is_same(&self, other: &Self) -> bool {
        self == other
    }

    /// Whether it is what became of the other.
    fn is_later_than(&self, other: &Self) -> bool {
        let (own, other) = (self.meta(), other.meta());
        own.id == other.id && own.revision > other.revision
    }

    /// The writes that put them.
    fn writes(records: Vec<Self>) -> Vec<Write>;
}

fn length(text: Option<&String>) -> usize {
    text.map_or(0, String::len)
}

#[async_trait]
impl Kind for Resource {
    const NAME: &'static str = "resource";
    const OWNER: Option<OwnerKind> = Some(OwnerKind::Resource);
    type Form = ResourceForm;

    async fn page(store: &dyn Store, query: &Query) -> Result<Page<Self>> {
        store.resources(query).await
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn bytes(&self) -> usize {
        OWN_BYTES + self.url.len() + length(self.caption.as_ref())
    }

    fn into_form(self) -> ResourceForm {
        without_place(self).into()
    }

    fn as_resource(&self) -> Option<&Resource> {
        Some(self)
    }

    fn is_same(&self, other: &Self) -> bool {
        without_place(self.clone()) == without_place(other.clone())
    }

    fn writes(records: Vec<Self>) -> Vec<Write> {
        records.into_iter().map(Write::Resource).collect()
    }
}

#[async_trait]
impl Kind for Segment {
    const NAME: &'static str = "segment";
    const OWNER: Option<OwnerKind> = Some(OwnerKind::Segment);
    type Form = SegmentForm;

    async fn page(store: &dyn Store, query: &Query) -> Result<Page<Self>> {
        store.segments(query).await
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn bytes(&self) -> usize {
        OWN_BYTES + self.text.len() + length(self.caption.as_ref())
    }

    fn into_form(self) -> SegmentForm {
        self.into()
    }

    fn writes(records: Vec<Self>) -> Vec<Write> {
        vec![Write::Segments(records)]
    }
}

#[async_trait]
impl Kind for MemoryItem {
    const NAME: &'static str = "item";
    const OWNER: Option<OwnerKind> = Some(OwnerKind::Item);
    type Form = ItemForm;

    async fn page(store: &dyn Store, query: &Query) -> Result<Page<Self>> {
        store.items(query).await
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn bytes(&self) -> usize {
        // What a detail takes is known only when it is written; a name stands for a few values.
        OWN_BYTES + self.summary.len() + 64 * (self.extra.len() + self.segment_ids.len())
    }

    fn into_form(self) -> ItemForm {
        ItemForm::from(self).sorted()
    }

    fn writes(records: Vec<Self>) -> Vec<Write> {
        records.into_iter().map(Write::Item).collect()
    }
}

#[async_trait]
impl Kind for MemoryCategory {
    const NAME: &'static str = "category";
    const OWNER: Option<OwnerKind> = Some(OwnerKind::Category);
    type Form = CategoryForm;

    async fn page(store: &dyn Store, query: &Query) -> Result<Page<Self>> {
        store.categories(query).await
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn bytes(&self) -> usize {
        OWN_BYTES + self.description.len() + length(self.summary.as_ref())
    }

    fn into_form(self) -> CategoryForm {
        self.into()
    }

    fn writes(records: Vec<Self>) -> Vec<Write> {
        records.into_iter().map(Write::Category).collect()
    }
}

#[async_trait]
impl Kind for CategoryItem {
    const NAME: &'static str = "relation";
    const OWNER: Option<OwnerKind> = None;
    type Form = RelationForm;

    async fn page(store: &dyn Store, query: &Query) -> Result<Page<Self>> {
        store.relations(query).await
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn bytes(&self) -> usize {
        OWN_BYTES
    }

    fn into_form(self) -> RelationForm {
        self.into()
    }

    fn writes(records: Vec<Self>) -> Vec<Write> {
        records.into_iter().map(Write::Relation).collect()
    }
}

#[async_trait]
impl Kind for ModelReply {
    const NAME: &'static str = "model reply";
    const OWNER: Option<OwnerKind> = None;
    type Form = ModelReplyForm;

    async fn page(store: &dyn Store, query: &Query) -> Result<Page<Self>> {
        store.model_replies(query).await
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn bytes(&self) -> usize {
        OWN_BYTES + self.text.len() + 32 * self.usage.len()
    }

    fn into_form(self) -> ModelReplyForm {
        ModelReplyForm::from(self).sorted()
    }

    fn writes(records: Vec<Self>) -> Vec<Write> {
        records.into_iter().map(Write::from).collect()
    }
}

/// All records of a kind in a scope, in stored order, page after page.
pub(super) struct Pages<'s, T> {
    store: &'s dyn Store,
    query: Query,
    /// What comes with each record, in bytes.
    with_each: usize,
    done: bool,
    /// Read, and not asked for yet.
    read: VecDeque<T>,
}

impl<'s, T: Kind> Pages<'s, T> {
    pub(super) fn new(store: &'s dyn Store, scope: &Scope, with_each: usize) -> Self {
        Self {
            store,
            query: Query {
                limit: FIRST_RECORDS,
                ..Query::scope(scope)
            },
            with_each,
            done: false,
            read: VecDeque::new(),
        }
    }

    /// Nothing at all.
    pub(super) fn none(store: &'s dyn Store, scope: &Scope) -> Self {
        Self {
            done: true,
            ..Self::new(store, scope, 0)
        }
    }

    /// The next page; `None` after the last.
    pub(super) async fn page(&mut self) -> Result<Option<Vec<T>>> {
        if self.done {
            return Ok(None);
        }
        let page = T::page(self.store, &self.query).await?;
        self.done = page.next.is_none();
        self.query.after = page.next;
        let bytes = page.records.iter().map(|one| one.bytes() + self.with_each);
        let bytes: usize = bytes.sum();
        let as_large = PAGE_BYTES * page.records.len() / bytes.max(1);
        let most = PAGE_RECORDS.min(self.query.limit * 4);
        self.query.limit = as_large.clamp(1, most);
        Ok(Some(page.records))
    }

    /// The next record; `None` after the last.
    pub(super) async fn record(&mut self) -> Result<Option<T>> {
        while self.read.is_empty() {
            match self.page().await? {
                Some(page) => self.read = page.into(),
                None => return Ok(None),
            }
        }
        Ok(self.read.pop_front())
    }
}

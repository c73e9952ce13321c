//! Reading the part of a scope that a batch is about.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::Transaction;
use memu_core::Result;
use memu_core::records::{
    CategoryItem, Id, MemoryCategory, MemoryItem, Meta, ModelReply, Resource, Segment,
};
use memu_core::scope::Scope;
use memu_core::store::{LogPosition, ScopeData};
use memu_core::time::Timestamp;
use tokio_postgres::Row;

use super::any::Any;
use super::named::Named;
use crate::read::{by_key, placed};
use crate::rows::{Reader, Record};
use crate::sql::Sql;
use crate::values::Key;

/// Records of a kind by their places.
type Placed<T> = BTreeMap<i64, T>;

/// The part of a scope that a batch is about: what it names, what hangs on that, and what
/// hangs on the items among it.
pub(super) async fn part(
    on: &Transaction<'_>,
    scope: &Scope,
    position: LogPosition,
    named: &Named<'_>,
) -> Result<ScopeData> {
    let read = Reading { on, scope };
    let (mut resources, mut segments, items, replies) = futures_util::try_join!(
        read.resources(named),
        read.segments(named),
        read.items(named),
        read.replies(named),
    )?;
    // What hangs on items that are there already.
    let known: BTreeSet<&Id> = items.values().map(|item| &item.meta.id).collect();
    let cited = items.values().flat_map(|item| &item.segment_ids);
    let held: BTreeSet<&Id> = segments.values().map(|one| &one.meta.id).collect();
    let cited: BTreeSet<&Id> = cited.filter(|id| !held.contains(id)).collect();
    let held: BTreeSet<&Id> = resources.values().map(|one| &one.meta.id).collect();
    let origins = items.values().filter_map(|item| item.resource_id.as_ref());
    let origins: BTreeSet<&Id> = origins.filter(|id| !held.contains(id)).collect();
    let (more_resources, more_segments, relations, categories) = futures_util::try_join!(
        read.with_ids::<Resource>(&origins),
        read.hollow_segments(&cited),
        read.relations(named, &known),
        read.categories(named, &known),
    )?;
    resources.extend(more_resources);
    segments.extend(more_segments);
    let mut data = ScopeData::part(scope.clone(), position);
    for (place, resource) in resources {
        data.hold_content(resource.content_hash);
        data.hold_resource(place.unsigned_abs(), resource);
    }
    hold(segments, |place, one| data.hold_segment(place, one));
    hold(items, |place, one| data.hold_item(place, one));
    hold(categories, |place, one| data.hold_category(place, one));
    hold(relations, |place, one| data.hold_relation(place, one));
    hold(replies, |place, one| data.hold_model_reply(place, one));
    Ok(data)
}

/// All records of a scope but replies of models.
pub(crate) async fn whole(
    on: &Transaction<'_>,
    scope: &Scope,
    position: LogPosition,
) -> Result<ScopeData> {
    let read = Reading { on, scope };
    let (resources, segments, items, categories, relations) = futures_util::try_join!(
        read.placed::<Resource>(read.select::<Resource>()),
        read.placed::<Segment>(read.select::<Segment>()),
        read.placed::<MemoryItem>(read.select::<MemoryItem>()),
        read.placed::<MemoryCategory>(read.select::<MemoryCategory>()),
        read.placed::<CategoryItem>(read.select::<CategoryItem>()),
    )?;
    let mut data = ScopeData::part(scope.clone(), position);
    hold(resources, |place, one| data.hold_resource(place, one));
    hold(segments, |place, one| data.hold_segment(place, one));
    hold(items, |place, one| data.hold_item(place, one));
    hold(categories, |place, one| data.hold_category(place, one));
    hold(relations, |place, one| data.hold_relation(place, one));
    Ok(data)
}

/// Records come by ascending place.
fn hold<T>(records: Placed<T>, mut hold: impl FnMut(u64, T)) {
    for (place, record) in records {
        hold(place.unsigned_abs(), record);
    }
}

/// A scope that is read.
struct Reading<'r, 'c> {
    on: &'r Transaction<'c>,
    scope: &'r Scope,
}

impl Reading<'_, '_> {
    /// `SELECT` all columns of a kind of record in the scope, which is the first parameter.
    fn select<'v, T: Record>(&self) -> Sql<'v> {
        let sql = format!(
            "SELECT t.place, t.scope_key, {} FROM {} t WHERE t.scope_key = $1",
            T::columns(),
            T::TABLE
        );
        let mut sql = Sql::new(&sql).with(Key::of(self.scope));
        sql.name_only(std::slice::from_ref(self.scope));
        sql
    }

    async fn placed<T: Record>(&self, sql: Sql<'_>) -> Result<Placed<T>> {
        let scopes = std::slice::from_ref(self.scope);
        let scopes = by_key(scopes);
        let rows = sql.rows(self.on).await?;
        rows.iter().map(|row| placed(row, &scopes)).collect()
    }

    async fn with_ids<T: Record>(&self, ids: &BTreeSet<&Id>) -> Result<Placed<T>> {
        let any = Any::default().of("t.id", ids);
        self.chosen(self.select::<T>(), any).await
    }

    async fn chosen<T: Record>(&self, mut sql: Sql<'_>, any: Any<'_>) -> Result<Placed<T>> {
        if !any.push(&mut sql) {
            return Ok(Placed::new());
        }
        self.placed(sql).await
    }

    /// Those that are named, and those that have content that a named one has or is to have.
    async fn resources(&self, named: &Named<'_>) -> Result<Placed<Resource>> {
        let of_named = "t.content_hash IN (SELECT o.content_hash FROM resources o \
                        WHERE o.scope_key = $1 AND o.id";
        let mut any = Any::default()
            .of("t.id", &named.resources)
            .within(of_named, &named.resources);
        any.contents(&named.contents);
        self.chosen(self.select::<Resource>(), any).await
    }

    /// Those that are named, those in places that are named, and those of resources that go.
    async fn segments(&self, named: &Named<'_>) -> Result<Placed<Segment>> {
        let mut any = Any::default()
            .of("t.id", &named.segments)
            .of("t.resource_id", &named.deleted_resources);
        any.ordinals(&named.ordinals);
        self.hollow(any).await
    }

    async fn hollow_segments(&self, ids: &BTreeSet<&Id>) -> Result<Placed<Segment>> {
        self.hollow(Any::default().of("t.id", ids)).await
    }

    /// Segments without what they say: stored ones never change, so that only who they are
    /// and where they stand matters.
    async fn hollow(&self, any: Any<'_>) -> Result<Placed<Segment>> {
        let sql = "SELECT t.place, t.id, t.resource_id, t.ordinal, t.revision \
                   FROM memu_segments t WHERE t.scope_key = $1";
        let mut sql = Sql::new(sql).with(Key::of(self.scope));
        if !any.push(&mut sql) {
            return Ok(Placed::new());
        }
        let segment = |row: &Row| {
            let mut reader = Reader::new(row);
            let (place, id) = (reader.take()?, reader.id()?);
            let mut meta = Meta::new(id, self.scope.clone(), Timestamp::from_micros(0));
            let (resource_id, ordinal) = (reader.id()?, reader.number()?);
            meta.revision = reader.number()?;
            Ok((place, hollow_segment(meta, resource_id, ordinal)))
        };
        let rows = sql.rows(self.on).await?;
        rows.iter().map(segment).collect()
    }

    /// Those that are named; those of resources that go, and those that cite them; those
    /// that are filed under categories that go.
    async fn items(&self, named: &Named<'_>) -> Result<Placed<MemoryItem>> {
        let citing = "t.place IN (SELECT x.item_place FROM memu_item_segments x \
                      JOIN memu_segments s ON s.scope_key = x.scope_key \
                      AND s.place = x.segment_place WHERE x.scope_key = $1 AND s.resource_id";
        let filed = "t.id IN (SELECT r.item_id FROM category_items r \
                     WHERE r.scope_key = $1 AND r.category_id";
        let any = Any::default()
            .of("t.id", &named.items)
            .of("t.resource_id", &named.deleted_resources)
            .within(citing, &named.deleted_resources)
            .within(filed, &named.deleted_categories);
        self.chosen(self.select::<MemoryItem>(), any).await
    }

    /// Those that are named, those of items that are there, and those of categories that go.
    async fn relations(
        &self,
        named: &Named<'_>,
        items: &BTreeSet<&Id>,
    ) -> Result<Placed<CategoryItem>> {
        let any = Any::default()
            .of("t.id", &named.relations)
            .of("t.item_id", items)
            .of("t.category_id", &named.deleted_categories);
        self.chosen(self.select::<CategoryItem>(), any).await
    }

    /// Those that are named, and those that items are filed under.
    async fn categories(
        &self,
        named: &Named<'_>,
        items: &BTreeSet<&Id>,
    ) -> Result<Placed<MemoryCategory>> {
        let filing = "t.id IN (SELECT r.category_id FROM category_items r \
                      WHERE r.scope_key = $1 AND r.item_id";
        let any = Any::default()
            .of("t.id", &named.categories)
            .within(filing, items);
        self.chosen(self.select::<MemoryCategory>(), any).await
    }

    /// Those that are named; those about resources and content that may go; where something
    /// is deleted, those about no content.
    async fn replies(&self, named: &Named<'_>) -> Result<Placed<ModelReply>> {
        let of_content = "t.resource_id IS NULL AND t.content_hash IN \
                          (SELECT o.content_hash FROM resources o \
                          WHERE o.scope_key = $1 AND o.id";
        let mut any = Any::default().of("t.id", &named.replies);
        if named.touches_replies {
            any = any
                .of("t.resource_id", &named.deleted_resources)
                .within(of_content, &named.resources);
            any.plain("t.resource_id IS NULL AND t.content_hash IS NULL AND t.reply_text <> ''");
        }
        self.chosen(self.select::<ModelReply>(), any).await
    }
}

fn hollow_segment(meta: Meta, resource_id: Id, ordinal: u32) -> Segment {
    Segment {
        meta,
        resource_id,
        ordinal,
        session: 0,
        topic: 0,
        role: None,
        speaker: None,
        message_id: None,
        text: String::new(),
        caption: None,
        topic_caption: None,
        span: None,
        happened_at: None,
        happened_at_text: None,
    }
}

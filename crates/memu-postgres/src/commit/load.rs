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

use super::named::Named;
use crate::read::{by_key, placed};
use crate::rows::{Reader, Record};
use crate::select::texts;
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
        Sql::new(&sql).with(Key::of(self.scope))
    }

    async fn placed<T: Record>(&self, sql: Sql<'_>) -> Result<Placed<T>> {
        let scopes = std::slice::from_ref(self.scope);
        let scopes = by_key(scopes);
        let rows = sql.rows(self.on).await?;
        rows.iter().map(|row| placed(row, &scopes)).collect()
    }

    async fn with_ids<T: Record>(&self, ids: &BTreeSet<&Id>) -> Result<Placed<T>> {
        if ids.is_empty() {
            return Ok(Placed::new());
        }
        let mut sql = self.select::<T>();
        sql.push(" AND t.id = ANY($2)");
        self.placed(sql.with(texts(ids.iter().copied()))).await
    }

    /// Those that are named, and those that have content that a named one has or is to have.
    async fn resources(&self, named: &Named<'_>) -> Result<Placed<Resource>> {
        if named.resources.is_empty() {
            return Ok(Placed::new());
        }
        let mut sql = self.select::<Resource>();
        sql.push(
            " AND (t.id = ANY($2) OR t.content_hash = ANY($3) OR t.content_hash IN \
             (SELECT o.content_hash FROM resources o \
             WHERE o.scope_key = $1 AND o.id = ANY($2)))",
        );
        let contents = named.contents.iter().map(|hash| hash.as_bytes().to_vec());
        let sql = sql
            .with(texts(named.resources.iter().copied()))
            .with(contents.collect::<Vec<_>>());
        self.placed(sql).await
    }

    /// Those that are named, those in places that are named, and those of resources that go.
    async fn segments(&self, named: &Named<'_>) -> Result<Placed<Segment>> {
        if named.segments.is_empty() && named.deleted_resources.is_empty() {
            return Ok(Placed::new());
        }
        let (of, ordinals): (Vec<&Id>, Vec<i64>) = named
            .ordinals
            .iter()
            .map(|(resource, ordinal)| (*resource, i64::from(*ordinal)))
            .unzip();
        let mut sql = self.select_hollow();
        sql.push(
            " AND (t.id = ANY($2) OR t.resource_id = ANY($3) OR (t.resource_id, t.ordinal) IN \
             (SELECT * FROM unnest($4::text[], $5::bigint[])))",
        );
        let sql = sql
            .with(texts(named.segments.iter().copied()))
            .with(texts(named.deleted_resources.iter().copied()))
            .with(texts(of))
            .with(ordinals);
        self.hollow(sql).await
    }

    async fn hollow_segments(&self, ids: &BTreeSet<&Id>) -> Result<Placed<Segment>> {
        if ids.is_empty() {
            return Ok(Placed::new());
        }
        let mut sql = self.select_hollow();
        sql.push(" AND t.id = ANY($2)");
        self.hollow(sql.with(texts(ids.iter().copied()))).await
    }

    fn select_hollow<'v>(&self) -> Sql<'v> {
        let sql = "SELECT t.place, t.id, t.resource_id, t.ordinal, t.revision \
                   FROM memu_segments t WHERE t.scope_key = $1";
        Sql::new(sql).with(Key::of(self.scope))
    }

    /// Segments without what they say: stored ones never change, so that only who they are
    /// and where they stand matters.
    async fn hollow(&self, sql: Sql<'_>) -> Result<Placed<Segment>> {
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
        let going = !named.deleted_resources.is_empty() || !named.deleted_categories.is_empty();
        if !going {
            return self.with_ids(&named.items).await;
        }
        let mut sql = self.select::<MemoryItem>();
        sql.push(
            " AND (t.id = ANY($2) OR t.resource_id = ANY($3) OR t.place IN \
             (SELECT x.item_place FROM memu_item_segments x JOIN memu_segments s \
             ON s.scope_key = x.scope_key AND s.place = x.segment_place \
             WHERE x.scope_key = $1 AND s.resource_id = ANY($3)) OR t.id IN \
             (SELECT r.item_id FROM category_items r \
             WHERE r.scope_key = $1 AND r.category_id = ANY($4)))",
        );
        let sql = sql
            .with(texts(named.items.iter().copied()))
            .with(texts(named.deleted_resources.iter().copied()))
            .with(texts(named.deleted_categories.iter().copied()));
        self.placed(sql).await
    }

    /// Those that are named, those of items that are there, and those of categories that go.
    async fn relations(
        &self,
        named: &Named<'_>,
        items: &BTreeSet<&Id>,
    ) -> Result<Placed<CategoryItem>> {
        let none = named.relations.is_empty() && named.deleted_categories.is_empty();
        if none && items.is_empty() {
            return Ok(Placed::new());
        }
        let mut sql = self.select::<CategoryItem>();
        sql.push(" AND (t.id = ANY($2) OR t.item_id = ANY($3) OR t.category_id = ANY($4))");
        let sql = sql
            .with(texts(named.relations.iter().copied()))
            .with(texts(items.iter().copied()))
            .with(texts(named.deleted_categories.iter().copied()));
        self.placed(sql).await
    }

    /// Those that are named, and those that items are filed under.
    async fn categories(
        &self,
        named: &Named<'_>,
        items: &BTreeSet<&Id>,
    ) -> Result<Placed<MemoryCategory>> {
        if items.is_empty() {
            return self.with_ids(&named.categories).await;
        }
        let mut sql = self.select::<MemoryCategory>();
        sql.push(
            " AND (t.id = ANY($2) OR t.id IN (SELECT r.category_id FROM category_items r \
             WHERE r.scope_key = $1 AND r.item_id = ANY($3)))",
        );
        let sql = sql
            .with(texts(named.categories.iter().copied()))
            .with(texts(items.iter().copied()));
        self.placed(sql).await
    }

    /// Those that are named; those about resources and content that may go; where something
    /// is deleted, those about no content.
    async fn replies(&self, named: &Named<'_>) -> Result<Placed<ModelReply>> {
        if !named.touches_replies {
            return self.with_ids(&named.replies).await;
        }
        let mut sql = self.select::<ModelReply>();
        sql.push(
            " AND (t.id = ANY($2) OR t.resource_id = ANY($3) OR (t.resource_id IS NULL \
             AND (t.content_hash IS NULL AND t.reply_text <> '' OR t.content_hash IN \
             (SELECT o.content_hash FROM resources o \
             WHERE o.scope_key = $1 AND o.id = ANY($4)))))",
        );
        let sql = sql
            .with(texts(named.replies.iter().copied()))
            .with(texts(named.deleted_resources.iter().copied()))
            .with(texts(named.resources.iter().copied()));
        self.placed(sql).await
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

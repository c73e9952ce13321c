//! Writing what became of the records of a batch.

use deadpool_postgres::Transaction;
use memu_core::Result;
use memu_core::records::{EmbeddingSet, Id, ModelUsage, OwnerKind, SetState};
use memu_core::store::{Effects, Fate, Fates, ScopeData, Write, WriteBatch};

use crate::columns::Columns;
use crate::owners::kind_number;
use crate::scopes::{operation_number, table_number};
use crate::sql::{FromArrays, Sql, run_all};
use crate::values::{Key, OwnText, Text, integer};
use crate::vectors::{put, table_of};
use crate::written::Written;

/// What adds up.
const USAGE: [&str; 6] = [
    "calls",
    "unusable",
    "input_tokens",
    "output_tokens",
    "cost",
    "seconds",
];

/// A batch whose effects are written.
pub(super) struct Writing<'w, 'c> {
    pub(super) on: &'w Transaction<'c>,
    pub(super) batch: &'w WriteBatch,
    pub(super) data: &'w ScopeData,
    pub(super) effects: &'w Effects,
    pub(super) sets: &'w [EmbeddingSet],
    pub(super) arrays: FromArrays,
}

impl<'w> Writing<'w, '_> {
    pub(super) async fn write(&self) -> Result<()> {
        let mut statements = Vec::new();
        self.remove(&mut statements)?;
        self.put(&mut statements)?;
        self.put_vectors(&mut statements)?;
        self.log(&mut statements)?;
        run_all(self.on, &statements).await.map(drop)
    }

    fn key(&self) -> Key {
        Key::of(&self.batch.scope)
    }

    /// What went, whatever refers to something before that.
    fn remove(&self, statements: &mut Vec<Sql<'w>>) -> Result<()> {
        let effects = self.effects;
        self.delete(statements, "category_items", "place", &effects.relations)?;
        // Citations of items that have changed are written anew.
        let items = with_fate(&effects.items, |fate| fate != Fate::New);
        self.delete_places(statements, "memu_item_segments", "item_place", items)?;
        self.delete(statements, "memory_items", "place", &effects.items)?;
        self.detach(statements)?;
        self.delete(statements, "memu_segments", "place", &effects.segments)?;
        self.delete(
            statements,
            "memory_categories",
            "place",
            &effects.categories,
        )?;
        self.delete(statements, "resources", "place", &effects.resources)?;
        self.delete(
            statements,
            "memu_model_replies",
            "place",
            &effects.model_replies,
        )?;
        for (hash, fate) in &effects.content {
            if *fate == Fate::Removed {
                let sql = "DELETE FROM memu_blobs WHERE scope_key = $1 AND hash = $2";
                let sql = Sql::new(sql).with(self.key());
                statements.push(sql.with(hash.as_bytes().to_vec()));
            }
        }
        let removed = [
            (OwnerKind::Resource, &effects.resources),
            (OwnerKind::Segment, &effects.segments),
            (OwnerKind::Item, &effects.items),
            (OwnerKind::Category, &effects.categories),
        ];
        for (kind, fates) in removed {
            let gone = with_fate(fates, |fate| fate == Fate::Removed);
            for set in self.sets {
                self.delete_vectors(statements, set, kind, &gone)?;
            }
        }
        Ok(())
    }

    /// Lets items that change let go of resources that go: where they belong now is written
    /// afterwards.
    fn detach(&self, statements: &mut Vec<Sql<'w>>) -> Result<()> {
        let changed = with_fate(&self.effects.items, |fate| fate == Fate::Changed);
        let resources = with_fate(&self.effects.resources, |fate| fate == Fate::Removed);
        if changed.is_empty() || resources.is_empty() {
            return Ok(());
        }
        let sql = "UPDATE memory_items t SET resource_id = NULL WHERE t.scope_key = $1 \
                   AND t.place = ANY($2) AND t.resource_id IN (SELECT m.id FROM resources m \
                   WHERE m.scope_key = $1 AND m.place = ANY($3))";
        let sql = Sql::new(sql).with(self.key());
        statements.push(sql.with(integers(changed)?).with(integers(resources)?));
        Ok(())
    }

    fn delete(
        &self,
        statements: &mut Vec<Sql<'w>>,
        table: &str,
        column: &str,
        fates: &Fates,
    ) -> Result<()> {
        let gone = with_fate(fates, |fate| fate == Fate::Removed);
        self.delete_places(statements, table, column, gone)
    }

    fn delete_places(
        &self,
        statements: &mut Vec<Sql<'w>>,
        table: &str,
        column: &str,
        places: Vec<u64>,
    ) -> Result<()> {
        if places.is_empty() {
            return Ok(());
        }
        let sql = format!("DELETE FROM {table} WHERE scope_key = $1 AND {column} = ANY($2)");
        let sql = Sql::new(&sql).with(self.key());
        statements.push(sql.with(integers(places)?));
        Ok(())
    }

    fn delete_vectors(
        &self,
        statements: &mut Vec<Sql<'w>>,
        set: &EmbeddingSet,
        kind: OwnerKind,
        places: &[u64],
    ) -> Result<()> {
        if places.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "DELETE FROM {} WHERE scope_key = $1 AND owner_kind = $2 AND owner_place = ANY($3)",
            table_of(set)
        );
        let sql = Sql::new(&sql).with(self.key()).with(kind_number(kind));
        statements.push(sql.with(integers(places.iter().copied())?));
        Ok(())
    }

    /// What is new or has changed, whatever something refers to before that.
    fn put(&self, statements: &mut Vec<Sql<'w>>) -> Result<()> {
        let (data, effects) = (self.data, self.effects);
        self.put_records(statements, &effects.resources, |at| data.resource_at(at))?;
        self.put_records(statements, &effects.segments, |at| data.segment_at(at))?;
        self.put_records(statements, &effects.items, |at| data.item_at(at))?;
        self.put_records(statements, &effects.categories, |at| data.category_at(at))?;
        self.put_records(statements, &effects.relations, |at| data.relation_at(at))?;
        self.put_records(statements, &effects.model_replies, |at| {
            data.model_reply_at(at)
        })?;
        self.cite(statements)?;
        for write in &self.batch.writes {
            match write {
                Write::Blob(blob) if data.blob(&blob.hash).is_some() => {
                    let sql = "INSERT INTO memu_blobs (scope_key, hash, bytes) \
                               VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
                    let sql = Sql::new(sql).with(self.key());
                    let sql = sql.with(blob.hash.as_bytes().as_slice());
                    statements.push(sql.with(&*blob.bytes));
                }
                Write::ModelUsage(usage) => statements.push(self.usage(usage)),
                _ => {}
            }
        }
        Ok(())
    }

    fn put_records<T: Written + 'w>(
        &self,
        statements: &mut Vec<Sql<'w>>,
        fates: &Fates,
        at: impl Fn(u64) -> Option<&'w T>,
    ) -> Result<()> {
        let of = |fate: Fate| {
            let places = with_fate(fates, |one| one == fate).into_iter();
            places.filter_map(|place| Some((place, at(place)?)))
        };
        if let Some(new) = Columns::of(of(Fate::New))? {
            statements.push(new.insert(&self.batch.scope, self.arrays));
        }
        if let Some(changed) = Columns::of(of(Fate::Changed))? {
            statements.push(changed.update(&self.batch.scope));
        }
        Ok(())
    }

    fn cite(&self, statements: &mut Vec<Sql<'w>>) -> Result<()> {
        let (mut items, mut ordinals, mut segments) = (Vec::new(), Vec::new(), Vec::new());
        for place in with_fate(&self.effects.items, |fate| fate != Fate::Removed) {
            let cited = self.data.item_at(place).map(|item| &item.segment_ids);
            for (ordinal, segment) in (0_i64..).zip(cited.into_iter().flatten()) {
                if let Some(segment) = self.data.segment_place(segment) {
                    items.push(integer(place)?);
                    ordinals.push(ordinal);
                    segments.push(integer(segment)?);
                }
            }
        }
        if items.is_empty() {
            return Ok(());
        }
        let FromArrays { key, from, only } = self.arrays;
        let sql = format!(
            "INSERT INTO memu_item_segments (scope_key, item_place, ordinal, segment_place) \
             SELECT {key}, u.* FROM {from}unnest($2::bigint[], $3::bigint[], $4::bigint[]) u{only}"
        );
        let sql = Sql::new(&sql).with(self.key()).with(items);
        statements.push(sql.with(ordinals).with(segments));
        Ok(())
    }

    fn usage(&self, usage: &'w ModelUsage) -> Sql<'w> {
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let sum = |column: &str| {
            if self.batch.restoring {
                format!("{column} = excluded.{column}")
            } else {
                format!("{column} = m.{column} + excluded.{column}")
            }
        };
        let sums = USAGE.map(sum).join(", ");
        Sql::new(&format!(
            "INSERT INTO memu_model_usage AS m (scope_key, day, model_profile, model_name, \
             step_name, {}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
             ON CONFLICT (scope_key, day, model_profile, model_name, step_name) \
             DO UPDATE SET {sums}",
            USAGE.join(", ")
        ))
        .with(self.key())
        .with(usage.day.to_string())
        .with(Text(&usage.profile))
        .with(Text(&usage.model))
        .with(Text(&usage.step))
        .with(count(usage.calls))
        .with(count(usage.unusable))
        .with(count(usage.input_tokens))
        .with(count(usage.output_tokens))
        .with(usage.cost)
        .with(usage.seconds)
    }

    fn put_vectors(&self, statements: &mut Vec<Sql<'w>>) -> Result<()> {
        self.drop_outdated(statements)?;
        for set in self.sets {
            let of = self.effects.vectors.iter();
            let of = of.filter(|(identity, ..)| *identity == set.identity);
            let mut vectors = Vec::new();
            for (identity, kind, place) in of {
                if let Some(owner) = self.owner_at(*kind, *place)
                    && let Some(vector) = self.data.vector(identity, *kind, owner)
                {
                    vectors.push((*kind, *place, vector.as_slice()));
                }
            }
            statements.extend(put(set, &self.batch.scope, &vectors, self.arrays)?);
        }
        Ok(())
    }

    fn owner_at(&self, kind: OwnerKind, place: u64) -> Option<&Id> {
        let data = self.data;
        match kind {
            OwnerKind::Resource => data.resource_at(place).map(|one| &one.meta.id),
            OwnerKind::Segment => data.segment_at(place).map(|one| &one.meta.id),
            OwnerKind::Item => data.item_at(place).map(|one| &one.meta.id),
            OwnerKind::Category => data.category_at(place).map(|one| &one.meta.id),
        }
    }

    /// Takes the vectors of records that change out of the sets that are being built:
    /// whoever builds them makes others. New ones of this batch come afterwards.
    fn drop_outdated(&self, statements: &mut Vec<Sql<'w>>) -> Result<()> {
        for set in self
            .sets
            .iter()
            .filter(|set| set.state == SetState::Building)
        {
            for write in &self.batch.writes {
                let (kind, meta) = match write {
                    Write::Resource(resource) => (OwnerKind::Resource, &resource.meta),
                    Write::Item(item) => (OwnerKind::Item, &item.meta),
                    Write::Category(category) => (OwnerKind::Category, &category.meta),
                    _ => continue,
                };
                if meta.revision > 0
                    && let Some(place) = self.data.owner_place(kind, &meta.id)
                {
                    self.delete_vectors(statements, set, kind, &[place])?;
                }
            }
        }
        Ok(())
    }

    fn log(&self, statements: &mut Vec<Sql<'w>>) -> Result<()> {
        let lines = self.data.changes(0);
        if lines.is_empty() {
            return Ok(());
        }
        let seqs: Result<Vec<i64>> = lines.iter().map(|line| integer(line.seq)).collect();
        let operations = lines.iter().map(|line| operation_number(line.operation));
        let tables = lines.iter().map(|line| table_number(line.table));
        let ids = lines
            .iter()
            .map(|line| OwnText(line.id.as_str().to_owned()));
        let FromArrays { key, from, only } = self.arrays;
        let sql = format!(
            "INSERT INTO memu_changes (scope_key, seq, operation, table_number, id) \
             SELECT {key}, u.* FROM {from}unnest($2::bigint[], $3::smallint[], $4::smallint[], \
             $5::text[]) u{only}"
        );
        let sql = Sql::new(&sql).with(self.key()).with(seqs?);
        let sql = sql.with(operations.collect::<Vec<i16>>());
        let sql = sql.with(tables.collect::<Vec<i16>>());
        statements.push(sql.with(ids.collect::<Vec<_>>()));
        Ok(())
    }
}

fn with_fate(fates: &Fates, wanted: impl Fn(Fate) -> bool) -> Vec<u64> {
    let of = fates.iter().filter(|(_, fate)| wanted(**fate));
    of.map(|(place, _)| *place).collect()
}

fn integers(places: impl IntoIterator<Item = u64>) -> Result<Vec<i64>> {
    places.into_iter().map(integer).collect()
}

//! Storing vectors.

use memu_core::Result;
use memu_core::records::{EmbedderIdentity, Id, OwnedEmbedding, OwnerKind, Table};
use memu_core::store::rules::{self, SetForVectors, missing};
use memu_core::store::{Write, WriteBatch};

use super::Work;
use crate::sqlite::ahead::ToCode;
use crate::sqlite::codes::{self, Family};
use crate::sqlite::error::storage;
use crate::sqlite::rows::packed;
use crate::sqlite::vectors::{identified_by, identifier, kind_number, tell_by_json, tells_by_json};

impl<'c> Work<'c> {
    pub(super) fn put_vectors(
        &mut self,
        identity: &EmbedderIdentity,
        vectors: &[OwnedEmbedding],
    ) -> Result<()> {
        if vectors.is_empty() {
            return Ok(());
        }
        let set = self.embedding_set(identity)?;
        let format = self.columns.format;
        let tells = tells_by_json(self.connection, format)?;
        let items = Family::new(self.scope_id, set, OwnerKind::Item);
        let connection = self.connection;
        let mut insert = connection
            .prepare_cached(
                "INSERT INTO memu_embeddings (scope_id, set_id, owner_kind, owner_row, vector)
                 VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (scope_id, owner_kind, owner_row, set_id)
                 DO UPDATE SET vector = excluded.vector",
            )
            .map_err(storage)?;
        for owned in vectors {
            rules::check_dimension(identity, owned)?;
            let (row, table, logged) = self.owner(owned)?;
            let stored = packed(owned.vector.as_slice(), format);
            insert
                .execute((self.scope_id, set, kind_number(owned.kind), row, &stored))
                .map_err(storage)?;
            if tells {
                let vector = Some(owned.vector.as_slice());
                tell_by_json(self.connection, format, (owned.kind, row), vector)?;
            }
            self.changed_vectors.insert(owned.kind, row);
            self.log_part(table, &logged);
            if let Some(ahead) = &mut self.ahead
                && owned.kind == OwnerKind::Item
            {
                ahead.owner(items, row.unsigned_abs());
            }
        }
        Ok(())
    }

    /// The vectors of a batch that a second thread codes; `None` where they are not all of one
    /// embedder, or will not be stored.
    pub(super) fn to_code(&self, batch: &'c WriteBatch) -> Result<Option<ToCode<'c>>> {
        let written = batch.writes.iter().filter_map(|write| match write {
            Write::Embeddings(identity, vectors) if !vectors.is_empty() => {
                Some((identity, vectors.as_slice()))
            }
            _ => None,
        });
        let written: Vec<_> = written.collect();
        let Some((identity, _)) = written.first().copied() else {
            return Ok(None);
        };
        for (of, vectors) in &written {
            let unusable = |owned| rules::check_dimension(identity, owned).is_err();
            if *of != identity || vectors.iter().any(unusable) {
                return Ok(None);
            }
        }
        // What is wrong with the set is said when the vectors' turn comes.
        let Ok(set) = self.embedding_set(identity) else {
            return Ok(None);
        };
        let items = Family::new(self.scope_id, set, OwnerKind::Item);
        let open = codes::uncoded(self.connection, items)?;
        let vectors = written.into_iter().flat_map(|(_, vectors)| vectors);
        let vectors = vectors.filter(|owned| owned.kind == OwnerKind::Item);
        Ok(open.map(|open| ToCode {
            family: items,
            open,
            vectors: vectors.map(|owned| &owned.vector).collect(),
            format: self.columns.format,
        }))
    }

    /// Takes the vector of a record that changes out of the sets that are being built:
    /// whoever builds them makes another one.
    pub(super) fn drop_outdated(&mut self, kind: OwnerKind, row: i64) -> Result<()> {
        let dropped = self.execute(
            "DELETE FROM memu_embeddings WHERE scope_id = ?1 AND owner_kind = ?2
             AND owner_row = ?3
             AND set_id IN (SELECT set_id FROM memu_embedding_sets WHERE state = 'building')",
            (self.scope_id, kind_number(kind), row),
        )?;
        if dropped > 0 {
            self.changed_vectors.insert(kind, row);
        }
        Ok(())
    }

    /// The row of a vector's owner, and the record whose change it counts as.
    fn owner(&self, owned: &OwnedEmbedding) -> Result<(i64, Table, Id)> {
        let id = owned.owner.clone();
        let met = match owned.kind {
            OwnerKind::Item => Some(("memu_items", Table::Items)),
            OwnerKind::Category => Some(("memu_memory_categories", Table::Categories)),
            OwnerKind::Resource => Some(("memu_resources", Table::Resources)),
            // A segment's vector is a change of its resource, which must be found.
            OwnerKind::Segment => None,
        };
        if let Some((table, log)) = met
            && let Some(row) = self.rows.get(&(table, id.clone()))
        {
            return Ok((*row, log, id));
        }
        let (table, own, log) = match owned.kind {
            OwnerKind::Resource => ("memu_resources", "NULL", Table::Resources),
            OwnerKind::Segment => (
                "memu_segments",
                "(SELECT m.id FROM memu_resources m WHERE m.row = t.resource_row)",
                Table::Resources,
            ),
            OwnerKind::Item => ("memu_items", "NULL", Table::Items),
            OwnerKind::Category => ("memu_memory_categories", "NULL", Table::Categories),
        };
        let sql = format!(
            "SELECT t.row, {own} FROM {table} t WHERE t.scope_id = ?1 AND {} = ?2",
            identified_by(table)
        );
        let owner = identifier(table, &owned.owner);
        let found: Option<(i64, Option<String>)> =
            self.find(&sql, (self.scope_id, owner), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let (row, resource) = found.ok_or_else(|| missing("owner of a vector", &owned.owner))?;
        Ok((row, log, resource.map_or(id, Id::from)))
    }

    /// The embedder's set, made when there is none.
    fn embedding_set(&self, identity: &EmbedderIdentity) -> Result<i64> {
        let sets = crate::sqlite::read::embedding_sets(self.connection)?;
        let state = match rules::set_for_vectors(&sets, identity)? {
            SetForVectors::Known(id) => return Ok(i64::from(id)),
            SetForVectors::New(state) => state,
        };
        self.execute(
            "INSERT INTO memu_embedding_sets (provider, model, dimension, format, state)
             VALUES (?1, ?2, ?3, 'f32', ?4)",
            (
                &identity.provider,
                &identity.model,
                identity.dimension,
                state.as_str(),
            ),
        )?;
        Ok(self.connection.last_insert_rowid())
    }
}

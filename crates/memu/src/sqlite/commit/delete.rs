//! Removing records with all that hangs on them.

use memu_core::records::{Id, Operation, OwnerKind, Table};
use memu_core::store::rules::missing;
use memu_core::{Error, Result};

use super::Work;
use crate::sqlite::error::storage;
use crate::sqlite::rows::{Reader, relation_id};
use crate::sqlite::vectors::kind_number;

impl Work<'_> {
    pub(super) fn delete_resource(&mut self, id: &Id) -> Result<()> {
        let (row, _) = self
            .known("memu_resources", id)?
            .ok_or_else(|| missing("resource", id))?;
        let content = self.content_of(row)?;
        self.remove_relations("i.resource_row", row)?;
        let items = self.items(
            "SELECT row, key FROM memu_items
             WHERE scope_id = ?1 AND resource_row = ?2 ORDER BY row",
            row,
        )?;
        for (item_row, item) in &items {
            self.remove_item(*item_row, item)?;
        }
        self.remove_citations(row)?;
        self.execute(
            "DELETE FROM memu_embeddings WHERE scope_id = ?1 AND owner_kind = ?3 AND owner_row IN
             (SELECT s.row FROM memu_segments s WHERE s.scope_id = ?1 AND s.resource_row = ?2)",
            (self.scope_id, row, kind_number(OwnerKind::Segment)),
        )?;
        let segments: Vec<i64> = self.all(
            "SELECT row FROM memu_segments WHERE scope_id = ?1 AND resource_row = ?2",
            (self.scope_id, row),
            |row| row.get(0),
        )?;
        for segment in &segments {
            self.changed_vectors.insert(OwnerKind::Segment, *segment);
        }
        self.changed.segments.extend(segments);
        self.execute(
            "DELETE FROM memu_segments WHERE scope_id = ?1 AND resource_row = ?2",
            (self.scope_id, row),
        )?;
        self.drop_vectors(OwnerKind::Resource, row)?;
        self.execute("DELETE FROM memu_resources WHERE row = ?1", [row])?;
        self.release_blob(&content)?;
        self.remove_replies_about(id, &content)?;
        self.empty_replies_about_nothing()?;
        self.log(Operation::Delete, Table::Resources, id);
        Ok(())
    }

    /// Takes the segments of a resource out of the citations of the items that stay.
    fn remove_citations(&mut self, resource_row: i64) -> Result<()> {
        let citing = self.items(
            "SELECT DISTINCT i.row, i.key FROM memu_segments s JOIN memu_item_segments x
             ON x.scope_id = s.scope_id AND x.segment_row = s.row JOIN memu_items i
             ON i.row = x.item_row WHERE s.scope_id = ?1 AND s.resource_row = ?2 ORDER BY i.row",
            resource_row,
        )?;
        for (row, id) in citing {
            self.execute(
                "DELETE FROM memu_item_segments WHERE scope_id = ?1 AND item_row = ?2
                 AND segment_row IN (SELECT s.row FROM memu_segments s
                 WHERE s.scope_id = ?1 AND s.resource_row = ?3)",
                (self.scope_id, row, resource_row),
            )?;
            self.execute(
                "UPDATE memu_items SET revision = revision + 1 WHERE row = ?1",
                [row],
            )?;
            self.changed.items.insert(row);
            self.log(Operation::Update, Table::Items, &id);
        }
        Ok(())
    }

    pub(super) fn delete_item(&mut self, id: &Id) -> Result<()> {
        let (row, _) = self
            .known("memu_items", id)?
            .ok_or_else(|| missing("item", id))?;
        self.remove_relations("r.item_row", row)?;
        self.remove_item(row, id)?;
        self.empty_replies_about_nothing()
    }

    pub(super) fn delete_category(&mut self, id: &Id) -> Result<()> {
        let (row, _) = self
            .known("memu_memory_categories", id)?
            .ok_or_else(|| missing("category", id))?;
        self.remove_relations("r.category_row", row)?;
        self.drop_vectors(OwnerKind::Category, row)?;
        self.execute("DELETE FROM memu_memory_categories WHERE row = ?1", [row])?;
        self.log(Operation::Delete, Table::Categories, id);
        Ok(())
    }

    pub(super) fn delete_relation(&mut self, item: &Id, category: &Id) -> Result<()> {
        let rows = (
            self.row_of("memu_items", item)?,
            self.row_of("memu_memory_categories", category)?,
        );
        let found = match rows {
            (Some(item), Some(category)) => self.relation_between(item, category)?,
            _ => None,
        };
        let relation = found.ok_or_else(|| {
            Error::not_found("the item is not filed under the category")
                .with("item", item)
                .with("category", category)
        })?;
        self.remove_relations("r.row", relation)
    }

    /// Removes the relations, here `r`, of items, here `i`, in whose `column` this is.
    fn remove_relations(&mut self, column: &str, value: i64) -> Result<()> {
        let sql = format!(
            "SELECT r.row, r.item_row, r.key, i.key, c.id FROM memu_relations r
             JOIN memu_items i ON i.row = r.item_row
             JOIN memu_memory_categories c ON c.row = r.category_row
             WHERE r.scope_id = ?1 AND i.scope_id = ?1 AND {column} = ?2 ORDER BY r.row"
        );
        let mut found: Vec<(i64, i64, Id)> = Vec::new();
        {
            let statement = self.connection.prepare_cached(&sql);
            let mut statement = statement.map_err(storage)?;
            let mut rows = statement.query((self.scope_id, value)).map_err(storage)?;
            while let Some(row) = rows.next().map_err(storage)? {
                let mut reader = Reader::new(row, 0);
                let (row, item_row) = (reader.take()?, reader.take()?);
                let own = reader.id_or_none()?;
                let id = relation_id(own, &reader.id()?, &reader.id()?)?;
                found.push((row, item_row, id));
            }
        }
        for (row, item_row, id) in found {
            self.changed.items.insert(item_row);
            self.execute("DELETE FROM memu_relations WHERE row = ?1", [row])?;
            self.log(Operation::Delete, Table::Relations, &id);
        }
        Ok(())
    }

    /// Rows and ids of items, which a query finds by a number.
    fn items(&self, sql: &str, number: i64) -> Result<Vec<(i64, Id)>> {
        let statement = self.connection.prepare_cached(sql);
        let mut statement = statement.map_err(storage)?;
        let mut rows = statement.query((self.scope_id, number)).map_err(storage)?;
        let mut items = Vec::new();
        while let Some(row) = rows.next().map_err(storage)? {
            let mut reader = Reader::new(row, 0);
            items.push((reader.take()?, reader.id()?));
        }
        Ok(items)
    }

    fn remove_item(&mut self, row: i64, id: &Id) -> Result<()> {
        self.drop_vectors(OwnerKind::Item, row)?;
        self.changed.items.insert(row);
        self.execute("DELETE FROM memu_items WHERE row = ?1", [row])?;
        self.log(Operation::Delete, Table::Items, id);
        Ok(())
    }

    fn drop_vectors(&mut self, kind: OwnerKind, row: i64) -> Result<()> {
        self.changed_vectors.insert(kind, row);
        self.execute(
            "DELETE FROM memu_embeddings
             WHERE scope_id = ?1 AND owner_kind = ?2 AND owner_row = ?3",
            (self.scope_id, kind_number(kind), row),
        )
        .map(drop)
    }
}

//! Removing records with all that hangs on them.

use memu_core::records::{Id, Operation, OwnerKind, Table};
use memu_core::store::rules::missing;
use memu_core::{Error, Result};

use super::Work;
use crate::sqlite::vectors::kind_number;

impl Work<'_> {
    pub(super) fn delete_resource(&mut self, id: &Id) -> Result<()> {
        let (row, _) = self
            .known("memu_resources", id.as_str())?
            .ok_or_else(|| missing("resource", id))?;
        let content = self.content_of(row)?;
        let relations: Vec<String> = self.all(
            "SELECT r.id FROM memu_category_items r JOIN memu_memory_items i
             ON i.row = r.item_row
             WHERE r.scope_id = ?1 AND i.resource_id = ?2 ORDER BY r.row",
            (self.scope_id, id.as_str()),
            |row| row.get(0),
        )?;
        for relation in &relations {
            self.remove_relation(relation)?;
        }
        let items: Vec<(i64, String)> = self.all(
            "SELECT row, id FROM memu_memory_items
             WHERE scope_id = ?1 AND resource_id = ?2 ORDER BY row",
            (self.scope_id, id.as_str()),
            |row| Ok((row.get(0)?, row.get(1)?)),
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
        self.log(Operation::Delete, Table::Resources, id.as_str())
    }

    /// Takes the segments of a resource out of the citations of the items that stay.
    fn remove_citations(&mut self, resource_row: i64) -> Result<()> {
        let citing: Vec<(i64, String)> = self.all(
            "SELECT DISTINCT i.row, i.id FROM memu_segments s JOIN memu_item_segments x
             ON x.scope_id = s.scope_id AND x.segment_row = s.row JOIN memu_memory_items i
             ON i.row = x.item_row WHERE s.scope_id = ?1 AND s.resource_row = ?2 ORDER BY i.row",
            (self.scope_id, resource_row),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        for (row, id) in citing {
            self.execute(
                "DELETE FROM memu_item_segments WHERE scope_id = ?1 AND item_row = ?2
                 AND segment_row IN (SELECT s.row FROM memu_segments s
                 WHERE s.scope_id = ?1 AND s.resource_row = ?3)",
                (self.scope_id, row, resource_row),
            )?;
            self.execute(
                "UPDATE memu_memory_items SET revision = revision + 1 WHERE row = ?1",
                [row],
            )?;
            self.changed.items.insert(row);
            self.log(Operation::Update, Table::Items, &id)?;
        }
        Ok(())
    }

    pub(super) fn delete_item(&mut self, id: &Id) -> Result<()> {
        let (row, _) = self
            .known("memu_memory_items", id.as_str())?
            .ok_or_else(|| missing("item", id))?;
        self.remove_relations("item_row", row)?;
        self.remove_item(row, id.as_str())
    }

    pub(super) fn delete_category(&mut self, id: &Id) -> Result<()> {
        let (row, _) = self
            .known("memu_memory_categories", id.as_str())?
            .ok_or_else(|| missing("category", id))?;
        self.remove_relations("category_row", row)?;
        self.drop_vectors(OwnerKind::Category, row)?;
        self.execute("DELETE FROM memu_memory_categories WHERE row = ?1", [row])?;
        self.log(Operation::Delete, Table::Categories, id.as_str())
    }

    pub(super) fn delete_relation(&mut self, item: &Id, category: &Id) -> Result<()> {
        let rows = (
            self.row_of("memu_memory_items", item.as_str())?,
            self.row_of("memu_memory_categories", category.as_str())?,
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
        self.remove_relation(&relation)
    }

    /// Removes the relations whose `column` names this row.
    fn remove_relations(&mut self, column: &str, row: i64) -> Result<()> {
        let sql = format!(
            "SELECT id FROM memu_category_items WHERE scope_id = ?1 AND {column} = ?2 ORDER BY row"
        );
        let relations: Vec<String> = self.all(&sql, (self.scope_id, row), |row| row.get(0))?;
        relations
            .iter()
            .try_for_each(|relation| self.remove_relation(relation))
    }

    fn remove_relation(&mut self, id: &str) -> Result<()> {
        let item: Option<i64> = self.find(
            "SELECT item_row FROM memu_category_items WHERE scope_id = ?1 AND id = ?2",
            (self.scope_id, id),
            |row| row.get(0),
        )?;
        self.changed.items.extend(item);
        self.execute(
            "DELETE FROM memu_category_items WHERE scope_id = ?1 AND id = ?2",
            (self.scope_id, id),
        )?;
        self.log(Operation::Delete, Table::Relations, id)
    }

    fn remove_item(&mut self, row: i64, id: &str) -> Result<()> {
        self.drop_vectors(OwnerKind::Item, row)?;
        self.changed.items.insert(row);
        self.execute("DELETE FROM memu_memory_items WHERE row = ?1", [row])?;
        self.log(Operation::Delete, Table::Items, id)
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

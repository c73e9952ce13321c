//! Conditions of which some must hold.

use std::collections::BTreeSet;

use memu_core::records::{ContentHash, Id};

use crate::select::texts;
use crate::sql::{Bound, Sql};

/// Conditions of which some must hold. Those that nothing can meet are left out: the server
/// plans for lists of some length, and would read whole tables for what is not asked.
#[derive(Default)]
pub(super) struct Any<'v> {
    conditions: Vec<(String, Vec<Bound<'v>>)>,
}

impl<'v> Any<'v> {
    /// A column has one of these.
    pub(super) fn of(self, column: &str, ids: &BTreeSet<&Id>) -> Self {
        self.listed(format!("{column} = ANY(?)"), ids)
    }

    /// The same within a question, which is closed behind it.
    pub(super) fn within(self, question: &str, ids: &BTreeSet<&Id>) -> Self {
        self.listed(format!("{question} = ANY(?))"), ids)
    }

    fn listed(mut self, condition: String, ids: &BTreeSet<&Id>) -> Self {
        if !ids.is_empty() {
            let ids = texts(ids.iter().copied());
            self.conditions.push((condition, vec![Box::new(ids)]));
        }
        self
    }

    pub(super) fn contents(&mut self, hashes: &BTreeSet<ContentHash>) {
        if !hashes.is_empty() {
            let hashes: Vec<Vec<u8>> = hashes.iter().map(|hash| hash.as_bytes().to_vec()).collect();
            let condition = "t.content_hash = ANY(?)".to_owned();
            self.conditions.push((condition, vec![Box::new(hashes)]));
        }
    }

    /// Those in these places of resources, and in the same places of others of these: for pairs,
    /// beside other conditions, the server would read the whole scope.
    pub(super) fn ordinals(&mut self, ordinals: &[(&Id, u32)]) {
        if ordinals.is_empty() {
            return;
        }
        let of: BTreeSet<&Id> = ordinals.iter().map(|(resource, _)| *resource).collect();
        let ordinals: BTreeSet<i64> = ordinals.iter().map(|(_, at)| i64::from(*at)).collect();
        let condition = "t.resource_id = ANY(?) AND t.ordinal = ANY(?)";
        let values: Vec<Bound<'v>> = vec![
            Box::new(texts(of)),
            Box::new(ordinals.into_iter().collect::<Vec<i64>>()),
        ];
        self.conditions.push((condition.to_owned(), values));
    }

    pub(super) fn plain(&mut self, condition: &str) {
        self.conditions.push((condition.to_owned(), Vec::new()));
    }

    /// Appends ` AND (… OR …)`; says whether anything can meet it.
    pub(super) fn push(self, sql: &mut Sql<'v>) -> bool {
        if self.conditions.is_empty() {
            return false;
        }
        for (at, (condition, values)) in self.conditions.into_iter().enumerate() {
            sql.push(if at == 0 { " AND (" } else { " OR " });
            let mut parts = condition.split('?');
            sql.push(parts.next().unwrap_or_default());
            for (part, value) in parts.zip(values) {
                sql.bind_boxed(value);
                sql.push(part);
            }
        }
        sql.push(")");
        true
    }
}

//! What is written together, so that an upgrade of any size needs little memory.

use super::report::Unread;
use crate::scope::Scope;
use crate::store::{Write, WriteBatch};

/// How many writes, or rows that are kept aside, are handed over at once.
const BATCH: usize = 1_000;

/// Something to be kept although it could not be taken over.
#[derive(Debug)]
pub struct Kept {
    /// Whose it is; `None` when that cannot be told.
    pub scope: Option<Scope>,
    /// What it is.
    pub unread: Unread,
    /// It itself, word for word, as a JSON object.
    pub content: String,
}

/// What is to be written next: the batch, and after it what is kept aside.
#[derive(Debug, Default)]
pub struct Portion {
    /// Records of one scope.
    pub batch: Option<WriteBatch>,
    /// What belongs to `memu_unread`.
    pub kept: Vec<Kept>,
}

impl Portion {
    /// Adds writes of a scope. What they no longer fit beside is returned: it comes first.
    pub(super) fn write(&mut self, scope: &Scope, writes: Vec<Write>) -> Option<Self> {
        let fits = |batch: &WriteBatch| batch.scope == *scope && batch.writes.len() < BATCH;
        let full = self.batch.as_ref().is_some_and(|batch| !fits(batch));
        let before = full.then(|| std::mem::take(self));
        let batch = self
            .batch
            .get_or_insert_with(|| WriteBatch::new(scope.clone(), None));
        batch.writes.extend(writes);
        before
    }

    /// Adds what is kept aside of a row. All of it is returned when it is much.
    pub(super) fn keep(&mut self, kept: Vec<Kept>) -> Option<Self> {
        self.kept.extend(kept);
        (self.kept.len() >= BATCH).then(|| std::mem::take(self))
    }

    /// What is there; `None` when nothing is.
    pub(super) fn rest(self) -> Option<Self> {
        (self.batch.is_some() || !self.kept.is_empty()).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{Id, MemoryItem, Meta};
    use crate::scope::ScopeSchema;
    use crate::time::Timestamp;

    fn write(scope: &Scope, id: &str) -> Write {
        Write::Item(MemoryItem {
            meta: Meta::new(Id::from(id), scope.clone(), Timestamp::from_micros(0)),
            resource_id: None,
            memory_type: "profile".to_owned(),
            summary: String::new(),
            happened: None,
            extra: serde_json::Map::new(),
            segment_ids: Vec::new(),
        })
    }

    fn kept() -> Kept {
        Kept {
            scope: None,
            unread: Unread {
                table: "memory_items",
                id: "x".to_owned(),
                reason: String::new(),
            },
            content: "{}".to_owned(),
        }
    }

    #[test]
    fn a_portion_is_of_one_scope_and_never_large() {
        let schema = ScopeSchema::default();
        let of = |user: &str| schema.scope([("user_id", user)]).unwrap();
        let (alice, bob) = (of("alice"), of("bob"));
        let mut portion = Portion::default();
        assert!(portion.write(&alice, vec![write(&alice, "a")]).is_none());
        assert!(portion.keep(vec![kept()]).is_none());
        let before = portion.write(&bob, vec![write(&bob, "b")]).unwrap();
        assert_eq!(before.batch.unwrap().scope, alice);
        assert_eq!(before.kept.len(), 1);
        let mut written = 1;
        for _ in 1..BATCH {
            assert!(portion.write(&bob, vec![write(&bob, "b")]).is_none());
            written += 1;
        }
        let full = portion.write(&bob, vec![write(&bob, "b")]).unwrap();
        assert_eq!(full.batch.unwrap().writes.len(), written);
        let many = (0..BATCH).map(|_| kept()).collect();
        assert!(portion.keep(many).is_some());
        assert!(portion.rest().is_none());
    }
}

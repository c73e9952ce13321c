//! The categories that memories are filed under, known from one memory to the next: looking
//! them up takes longer than filing a memory.
//!
//! They are used only in batches that expect the change log where it was when the categories
//! were so. When somebody else wrote in the meantime, such a batch is refused, and what others
//! changed is seen at once, as everywhere.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Context;
use super::recent::Recent;
use crate::error::{ErrorKind, Result};
use crate::records::MemoryCategory;
use crate::scope::{Scope, ScopeKey};
use crate::store::{LogPosition, Query, StoreExt, WriteBatch};

/// How long categories are looked up for each batch after somebody else wrote to their scope:
/// where several write, looking costs less than being refused.
const SHARED: Duration = Duration::from_secs(1);

/// How many categories stay in memory, beside those of the scope that has the most.
const CATEGORIES: usize = 1 << 12;

/// The categories of a scope.
#[derive(Clone, Debug)]
pub(super) struct Categories {
    pub(super) list: Arc<Vec<MemoryCategory>>,
    /// Where the change log was when they were so; `None` for what they are now, whoever may
    /// be writing.
    pub(super) as_of: Option<LogPosition>,
}

/// What is remembered of the categories of the scopes that were used last.
#[derive(Debug)]
pub(super) struct Filing(Recent<Remembered>);

#[derive(Debug)]
enum Remembered {
    Categories(Categories),
    /// Somebody else wrote there at this time.
    Shared(Instant),
}

impl Default for Filing {
    fn default() -> Self {
        Self(Recent::new(CATEGORIES))
    }
}

impl Filing {
    fn remember(&self, key: ScopeKey, categories: Categories) {
        let count = categories.list.len();
        let remembered = Arc::new(Remembered::Categories(categories));
        self.0.put(key, count, remembered);
    }

    fn note_shared(&self, key: ScopeKey) {
        let shared = Remembered::Shared(Instant::now());
        self.0.put(key, 0, Arc::new(shared));
    }

    /// Forgets the categories of a scope, which is being written to.
    pub(super) fn forget_categories(&self, key: &ScopeKey) {
        if let Some(Remembered::Categories(_)) = self.0.get(key).as_deref() {
            self.0.forget(key);
        }
    }

    /// Forgets all about a scope.
    pub(super) fn forget(&self, key: &ScopeKey) {
        self.0.forget(key);
    }
}

impl Context {
    /// The categories of a scope as they were when this service last filed something there, or
    /// as they are now.
    pub(super) async fn categories(&self, scope: &Scope) -> Result<Categories> {
        match self.cache().filing.0.get(&scope.key()).as_deref() {
            Some(Remembered::Categories(categories)) => Ok(categories.clone()),
            Some(Remembered::Shared(since)) if since.elapsed() < SHARED => {
                self.categories_now(scope).await
            }
            _ => self.look_up_categories(scope).await,
        }
    }

    /// The categories of a scope as they are now.
    pub(super) async fn categories_now(&self, scope: &Scope) -> Result<Categories> {
        let list = self.store().all_categories(&Query::scope(scope)).await?;
        Ok(Categories {
            list: Arc::new(list),
            as_of: None,
        })
    }

    /// The categories of a scope, and where its change log is.
    pub(super) async fn look_up_categories(&self, scope: &Scope) -> Result<Categories> {
        // What changes between the two makes a batch that expects the first be refused.
        let position = self.store().log_position(scope).await?;
        let mut categories = self.categories_now(scope).await?;
        categories.as_of = Some(position);
        Ok(categories)
    }

    /// Commits a batch whose records were filed under these categories, those among them that it
    /// adds included. Where the scope has changed since, but its categories have not, it is
    /// committed all the same, unless it `adds` some.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] when the categories are others now; those of
    /// [`Store::commit`](crate::store::Store::commit).
    pub(super) async fn commit_filed(
        &self,
        mut batch: WriteBatch,
        categories: Categories,
        adds: bool,
    ) -> Result<()> {
        let Some(position) = categories.as_of else {
            return self.commit_unplanned(batch).await.map(drop);
        };
        let key = batch.scope.key();
        batch.expect(position);
        let again = (!adds).then(|| batch.clone());
        let refused = match self.commit_unplanned(batch).await {
            Ok(committed) => {
                let as_of = Some(committed.position());
                let list = categories.list;
                let categories = Categories { list, as_of };
                self.cache().filing.remember(key, categories);
                return Ok(());
            }
            Err(error) if error.kind() == ErrorKind::Conflict => error,
            Err(error) => return Err(error),
        };
        self.cache().filing.note_shared(key);
        let Some(mut again) = again else {
            return Err(refused);
        };
        // What models made of the memories is not asked for again because of others.
        let now = self.categories_now(&again.scope).await?;
        if !now
            .list
            .iter()
            .map(told)
            .eq(categories.list.iter().map(told))
        {
            return Err(refused);
        }
        (again.expected_seq, again.expected_life) = (None, None);
        self.commit_unplanned(again).await.map(drop)
    }
}

/// What filing depends on.
fn told(category: &MemoryCategory) -> (&str, &str, &str) {
    let MemoryCategory {
        meta,
        name,
        description,
        ..
    } = category;
    (meta.id.as_str(), name, description)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::ScopeSchema;

    #[test]
    fn a_write_lets_forget_categories_but_not_that_others_write_there() {
        let scope = ScopeSchema::default().scope([("user_id", "nora")]).unwrap();
        let (filing, key) = (Filing::default(), scope.key());
        let categories = Categories {
            list: Arc::default(),
            as_of: Some(LogPosition::default()),
        };
        filing.remember(key, categories);
        filing.forget_categories(&key);
        assert!(filing.0.get(&key).is_none());
        filing.note_shared(key);
        filing.forget_categories(&key);
        let remembered = filing.0.get(&key);
        assert!(matches!(remembered.as_deref(), Some(Remembered::Shared(_))));
        filing.forget(&key);
        assert!(filing.0.get(&key).is_none());
    }
}

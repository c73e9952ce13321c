//! The categories that memories are filed under, known from one memory to the next: looking
//! them up takes longer than filing a memory.
//!
//! They are used only in batches that expect the change log where it was when the categories
//! were so. When somebody else wrote in the meantime, such a batch is refused, and what others
//! changed is seen at once, as everywhere.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Context;
use crate::error::{ErrorKind, Result};
use crate::records::MemoryCategory;
use crate::scope::Scope;
use crate::store::{LogPosition, Query, StoreExt, WriteBatch};

/// How long categories are looked up for each batch after somebody else wrote to their scope:
/// where several write, looking costs less than being refused.
const SHARED: Duration = Duration::from_secs(1);

/// How many categories stay in memory, beside those of the scope that has the most.
pub(super) const CATEGORIES: usize = 1 << 12;

/// The categories of a scope.
#[derive(Clone, Debug)]
pub(super) struct Categories {
    pub(super) list: Arc<Vec<MemoryCategory>>,
    /// Where the change log was when they were so; `None` for what they are now, whoever may
    /// be writing.
    pub(super) as_of: Option<LogPosition>,
}

/// What is remembered of the categories of a scope.
#[derive(Debug)]
pub(super) enum Remembered {
    Categories(Categories),
    /// Somebody else wrote there at this time.
    Shared(Instant),
}

impl Context {
    /// The categories of a scope as they were when this service last filed something there, or
    /// as they are now.
    pub(super) async fn categories(&self, scope: &Scope) -> Result<Categories> {
        match self.cache().filing.get(&scope.key()).as_deref() {
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
                let records = list.len();
                let seen = Remembered::Categories(Categories { list, as_of });
                self.cache().filing.put(key, records, Arc::new(seen));
                return Ok(());
            }
            Err(error) if error.kind() == ErrorKind::Conflict => error,
            Err(error) => return Err(error),
        };
        let shared = Remembered::Shared(Instant::now());
        self.cache().filing.put(key, 0, Arc::new(shared));
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

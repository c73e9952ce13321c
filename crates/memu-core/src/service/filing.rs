//! Filing new memories under categories: those that are named, or those that fit.
//!
//! The categories of a scope are known from one memory to the next, for looking them up takes
//! longer than filing a memory. They are used only in batches that expect the change log where
//! it was when the categories were so. When somebody else wrote in the meantime, such a batch is
//! refused, and what others changed is seen at once, as everywhere.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::plan::{configured_categories, topic};
use super::recent::Recent;
use super::{Context, NewItem};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{Calls, CategorizeRequest};
use crate::records::{Id, MemoryCategory};
use crate::scope::{Scope, ScopeKey};
use crate::store::{LogPosition, Query, StoreExt, WriteBatch};

/// How long categories are looked up for each batch after somebody else wrote to their scope:
/// where several write, looking costs less than being refused.
const SHARED: Duration = Duration::from_secs(1);

/// Of so few memories it costs little when a transaction is refused, because others have written
/// since their categories were seen.
const FEW: usize = 16;
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
    /// The categories of a scope for so many memories to file: for few of them as they were when
    /// this service last filed something there, otherwise as they are now. Of many, the first may
    /// be stored long before the last.
    pub(super) async fn categories_for(
        &self,
        scope: &Scope,
        memories: usize,
    ) -> Result<Categories> {
        if memories > FEW {
            return self.categories_now(scope).await;
        }
        match self.cache().filing.0.get(&scope.key()).as_deref() {
            Some(Remembered::Categories(categories)) => Ok(categories.clone()),
            Some(Remembered::Shared(since)) if since.elapsed() < SHARED => {
                self.categories_now(scope).await
            }
            _ => self.look_up_categories(scope).await,
        }
    }

    /// The categories of a scope as they are now.
    async fn categories_now(&self, scope: &Scope) -> Result<Categories> {
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

/// Whether the categories that are named are there, or will be.
pub(super) async fn check_categories(
    context: &Context,
    scope: &Scope,
    new: &[NewItem],
) -> Result<()> {
    if new.iter().all(|item| item.categories.is_empty()) {
        return Ok(());
    }
    let known = context.categories_for(scope, new.len()).await?;
    let checked = check_names(context, scope, new, &known);
    if checked.is_ok() || known.as_of.is_none() {
        return checked;
    }
    // Others may have added it.
    context.cache().filing.forget_categories(&scope.key());
    let known = context.categories_for(scope, new.len()).await?;
    check_names(context, scope, new, &known)
}

fn check_names(
    context: &Context,
    scope: &Scope,
    new: &[NewItem],
    known: &Categories,
) -> Result<()> {
    let now = context.parts().clock.now();
    let mut categories = known.list.to_vec();
    categories.extend(configured_categories(context, scope, &known.list, now));
    for (number, item) in new.iter().enumerate() {
        let named = categories_named(&categories, &item.categories);
        named.map_err(|error| error.with("item", number))?;
    }
    Ok(())
}

/// The categories of each memory, by its number: those that were named, or those that fit.
pub(super) async fn file(
    context: &Context,
    new: &[NewItem],
    categories: &[MemoryCategory],
    calls: &Calls,
) -> Result<Vec<(usize, Id)>> {
    let mut filed = Vec::new();
    let mut open = Vec::new();
    for (number, new) in new.iter().enumerate() {
        if new.categories.is_empty() {
            open.push((number, new));
        }
        let named = categories_named(categories, &new.categories);
        for category in named.map_err(|error| error.with("item", number))? {
            filed.push((number, category));
        }
    }
    if open.is_empty() {
        return Ok(filed);
    }
    let request = CategorizeRequest {
        items: open
            .iter()
            .map(|(_, new)| (new.memory_type.clone(), new.summary().to_owned()))
            .collect(),
        categories: categories.iter().map(topic).collect(),
        threshold: context.parts().memorize_config.category_assign_threshold,
    };
    let categorizer = &context.parts().categorizer;
    let found = categorizer.categorize(request, calls).await?;
    for ((number, _), fitting) in open.into_iter().zip(found) {
        let fitting = fitting.into_iter();
        let fitting = fitting.filter_map(|(category, _)| categories.get(category));
        filed.extend(fitting.map(|category| (number, category.meta.id.clone())));
    }
    Ok(filed)
}

/// The ids of categories by their names or ids, each once.
///
/// # Errors
/// [`ErrorKind::Input`] with those there are, for one that is unknown.
pub(super) fn categories_named(categories: &[MemoryCategory], names: &[String]) -> Result<Vec<Id>> {
    let mut ids: Vec<Id> = Vec::new();
    for name in names {
        let category = categories
            .iter()
            .find(|category| category.name == *name || category.meta.id.as_str() == name)
            .ok_or_else(|| {
                let valid: Vec<_> = categories.iter().map(|known| known.name.as_str()).collect();
                Error::input(format!(
                    "unknown category {name:?}; use {}",
                    valid.join(", ")
                ))
            })?;
        if !ids.contains(&category.meta.id) {
            ids.push(category.meta.id.clone());
        }
    }
    Ok(ids)
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

//! From a `where` object to the scopes it means; fails closed.

use serde_json::{Map, Value};

use super::Context;
use crate::error::{Error, Result};
use crate::filter::{Filter, Operand, Test};
use crate::scope::{Scope, ScopeSchema};
use crate::store::Store;

/// The scopes a request means, and its conditions on records.
#[derive(Debug)]
pub struct Selection {
    /// The scopes.
    pub scopes: Vec<Scope>,
    /// The conditions.
    pub filter: Filter,
}

/// Resolves a `where` object. Without a scope field, a store that holds one scope answers for
/// it; one that holds several is refused unless `all_scopes` is set.
///
/// # Errors
/// [`ErrorKind::Filter`](crate::ErrorKind::Filter) when it is not understood;
/// [`ErrorKind::Scope`](crate::ErrorKind::Scope) when it names no scope among several; those of
/// the store.
pub async fn select_scopes(
    store: &dyn Store,
    filter: &Map<String, Value>,
    all_scopes: bool,
) -> Result<Selection> {
    let filter = Filter::parse(filter, store.schema())?;
    let scope_part = filter.scope_part();
    if let Some(scope) = named_scope(store.schema(), &scope_part)? {
        return Ok(Selection {
            scopes: vec![scope],
            filter: filter.record_part(),
        });
    }
    let states = store.scopes(&scope_part, usize::MAX).await?;
    if scope_part.is_empty() && !all_scopes && states.len() > 1 {
        return Err(Error::scope(format!(
            "the store holds {} scopes and none was named; pass {}, or ask for all scopes",
            states.len(),
            store.schema().fields().collect::<Vec<_>>().join(" or "),
        )));
    }
    Ok(Selection {
        scopes: states.into_iter().map(|state| state.scope).collect(),
        filter: filter.record_part(),
    })
}

/// The scope whose every field these conditions give; nothing is looked up for it.
fn named_scope(schema: &ScopeSchema, scope_part: &Filter) -> Result<Option<Scope>> {
    let mut values: Vec<(&str, &str)> = Vec::new();
    for condition in scope_part.conditions() {
        match &condition.test {
            Test::Eq(Operand::Text(value)) => values.push((condition.field.name(), value)),
            _ => return Ok(None),
        }
    }
    if values.is_empty() || values.len() != schema.fields().len() {
        return Ok(None);
    }
    schema.scope(values).map(Some)
}

impl Context {
    /// As [`select_scopes`], of the service's store.
    pub(super) async fn select(
        &self,
        filter: &Map<String, Value>,
        all_scopes: bool,
    ) -> Result<Selection> {
        select_scopes(&**self.store(), filter, all_scopes).await
    }

    /// The one scope that a `user` object names.
    pub(super) fn user_scope(&self, user: &Map<String, Value>) -> Result<Scope> {
        self.store().schema().scope_from_json(user)
    }
}

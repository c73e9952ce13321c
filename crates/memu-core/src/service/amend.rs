//! Changing many records of a scope at once, as somebody decides who sees the scope as it is.

use super::create::checked_content;
use super::memorize::{note_details, until_committed};
use super::plan::Plan;
use super::{Context, MemoryService};
use crate::error::Result;
use crate::records::{Id, MemoryCategory, MemoryItem};
use crate::scope::Scope;
use crate::store::ScopeData;
use crate::time::Timestamp;

/// A scope as it is, and what is needed to make records of it.
pub(crate) struct Amended<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) data: &'a ScopeData,
    /// Those that are stored, and configured ones that will be.
    pub(crate) categories: &'a [MemoryCategory],
    pub(crate) now: Timestamp,
    pub(crate) new_id: &'a (dyn Fn() -> Id + Send + Sync),
    /// Refuses a type that is not configured.
    pub(crate) check_type: &'a (dyn Fn(&str) -> Result<()> + Send + Sync),
    /// Refuses a text that no memory may have.
    pub(crate) check_text: &'a (dyn Fn(&str) -> Result<()> + Send + Sync),
}

/// What is to be changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Amendment {
    /// New and changed ones. A new one takes the place of a configured one of its name that is
    /// not stored yet.
    pub(crate) categories: Vec<MemoryCategory>,
    /// New and changed ones.
    pub(crate) items: Vec<MemoryItem>,
    pub(crate) removed_items: Vec<Id>,
    /// Item and category.
    pub(crate) relations: Vec<(Id, Id)>,
    /// Item and category.
    pub(crate) removed_relations: Vec<(Id, Id)>,
    /// Categories whose summaries somebody wrote: they do not follow their items.
    pub(crate) told_summaries: Vec<Id>,
}

impl Amendment {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl MemoryService {
    /// Changes a scope in one transaction, as `decide` says of it as it is then; asked again
    /// when others write to it meanwhile. Items and categories are embedded, and with
    /// `propagate` the summaries of the touched categories follow. Without an amendment, or an
    /// empty one, nothing is written. Returns the names of the categories whose summaries
    /// followed, and what `decide` returned with it.
    pub(crate) async fn amend<T: Send>(
        &self,
        scope: &Scope,
        propagate: bool,
        decide: impl Fn(&Amended<'_>) -> Result<(Option<Amendment>, T)> + Send + Sync,
    ) -> Result<(Vec<String>, T)> {
        let context = self.context();
        until_committed(scope, || async {
            let view = context.view(scope).await?;
            let mut plan = Plan::new(context, view, scope.clone());
            let (amendment, told) = decide(&Amended {
                scope,
                data: &plan.view.data,
                categories: &plan.categories,
                now: plan.now,
                new_id: &|| context.parts().ids.next_id(),
                check_type: &|memory_type| context.check_type(memory_type),
                check_text: &|text| checked_content(text).map(drop),
            })?;
            let Some(amendment) = amendment.filter(|amendment| !amendment.is_empty()) else {
                return Ok((Vec::new(), told));
            };
            put(context, &mut plan, amendment);
            let followed = if propagate {
                plan.summarize(context).await?
            } else {
                Vec::new()
            };
            let named = plan.categories.iter();
            let named = named.filter(|category| followed.contains(&category.meta.id));
            let names = named.map(|category| category.name.clone()).collect();
            plan.commit(context).await?;
            Ok((names, told))
        })
        .await
    }
}

/// Puts an amendment into a plan.
fn put(context: &Context, plan: &mut Plan, amendment: Amendment) {
    let is_configured = |held: &&MemoryCategory| plan.view.data.category(&held.meta.id).is_none();
    let configured = plan.categories.iter().filter(is_configured);
    let configured: Vec<Id> = configured.map(|held| held.meta.id.clone()).collect();
    for category in amendment.categories {
        let place = plan.categories.iter().position(|held| {
            held.meta.id == category.meta.id
                || (held.name == category.name && configured.contains(&held.meta.id))
        });
        match place.and_then(|place| plan.categories.get_mut(place)) {
            Some(held) => *held = category,
            None => plan.categories.push(category),
        }
    }
    for mut item in amendment.items {
        let references = context.parts().memorize_config.enable_item_references;
        note_details(&mut item, references);
        plan.items.push(item);
    }
    plan.removed_items = amendment.removed_items;
    plan.removed_relations = amendment.removed_relations;
    for (item, category) in amendment.relations {
        let relation = plan.relation(context, &item, &category);
        plan.relations.push(relation);
    }
    plan.told_summaries = amendment.told_summaries;
}

use std::sync::Arc;

use super::cache::ScopeView;
use super::create::checked_content;
use super::filing::categories_named;
use super::memorize::{note_details, until_committed};
use super::plan::Plan;
use super::responses::ItemResponse;
use super::{Context, MemoryService, UpdateItem};
use crate::error::{Error, Result};
use crate::records::{Id, MemoryItem, ToolCall, check_extra, set_extra};
use crate::scope::Scope;

impl MemoryService {
    /// Changes a memory: its type, its words, its categories, its details.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the scope holds no
    /// such item; [`ErrorKind::Input`](crate::ErrorKind::Input) when nothing is to be
    /// changed, or as for [`MemoryService::create_memory_item`].
    pub async fn update_memory_item(&self, request: UpdateItem) -> Result<ItemResponse> {
        let context = self.context();
        let scope = context.user_scope(&request.user)?;
        if request.memory_type.is_none()
            && request.content.is_none()
            && request.categories.is_none()
            && request.extra.is_empty()
        {
            return Err(Error::input(
                "nothing to change: give a type, a content, categories or details",
            ));
        }
        if let Some(memory_type) = &request.memory_type {
            context.check_type(memory_type)?;
        }
        let content = request
            .content
            .as_deref()
            .map(checked_content)
            .transpose()?;
        until_committed(&scope, || async {
            let view = context.view(&scope).await?;
            let mut item = find_item(&view, &scope, &request.id)?.clone();
            let mut plan = Plan::new(context, view, scope.clone());
            item.meta.updated_at = plan.now;
            if let Some(memory_type) = &request.memory_type {
                item.memory_type.clone_from(memory_type);
            }
            if let Some(content) = &content {
                item.summary.clone_from(content);
            }
            check_extra(&request.extra, &item.memory_type)?;
            set_extra(&mut item.extra, &request.extra);
            note_details(
                &mut item,
                context.parts().memorize_config.enable_item_references,
            );
            if let Some(names) = &request.categories {
                refile(context, &mut plan, &item, names)?;
            }
            plan.items.push(item.clone());
            finish(context, plan, item, request.propagate).await
        })
        .await
    }

    /// Notes a use of a tool with a memory of type `tool`.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the scope holds no
    /// such item; those of [`MemoryItem::add_tool_call`].
    pub async fn add_tool_call(
        &self,
        id: &Id,
        call: ToolCall,
        user: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<ItemResponse> {
        let context = self.context();
        let scope = context.user_scope(user)?;
        until_committed(&scope, || async {
            let view = context.view(&scope).await?;
            let mut item = find_item(&view, &scope, id)?.clone();
            let mut plan = Plan::new(context, view, scope.clone());
            let mut call = call.clone();
            if call.created_at.is_empty() {
                call.created_at = format!("{}Z", plan.now.to_civil());
            }
            item.add_tool_call(call)?;
            item.meta.updated_at = plan.now;
            plan.items.push(item.clone());
            finish(context, plan, item, false).await
        })
        .await
    }

    /// Removes a memory, and what it contributed to its categories' summaries.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the scope holds no
    /// such item.
    pub async fn delete_memory_item(
        &self,
        id: &Id,
        user: &serde_json::Map<String, serde_json::Value>,
        propagate: bool,
    ) -> Result<ItemResponse> {
        let context = self.context();
        let scope = context.user_scope(user)?;
        until_committed(&scope, || async {
            let view = context.view(&scope).await?;
            let item = find_item(&view, &scope, id)?.clone();
            let mut plan = Plan::new(context, view, scope.clone());
            plan.removed_items.push(item.meta.id.clone());
            finish(context, plan, item, propagate).await
        })
        .await
    }
}

/// Lets the summaries follow, commits, and answers.
pub(super) async fn finish(
    context: &Context,
    mut plan: Plan,
    item: MemoryItem,
    propagate: bool,
) -> Result<ItemResponse> {
    let category_updates: Vec<Id> = if propagate {
        plan.summarize(context).await?
    } else {
        Vec::new()
    };
    let stored = plan.commit(context).await?;
    Ok(ItemResponse {
        // A deleted item is shown as it was.
        memory_item: stored.data.item(&item.meta.id).cloned().unwrap_or(item),
        category_updates: category_updates
            .iter()
            .filter_map(|id| stored.data.category(id))
            .cloned()
            .collect(),
    })
}

/// Puts an item under these categories and no others.
fn refile(context: &Context, plan: &mut Plan, item: &MemoryItem, names: &[String]) -> Result<()> {
    let wanted = categories_named(&plan.categories, names)?;
    let view: Arc<ScopeView> = plan.view.clone();
    let filed: Vec<&Id> = view
        .data
        .relations_of_item(&item.meta.id)
        .map(|relation| &relation.category_id)
        .collect();
    for category in &filed {
        if !wanted.contains(category) {
            plan.removed_relations
                .push((item.meta.id.clone(), (*category).clone()));
        }
    }
    for category in wanted.iter().filter(|category| !filed.contains(category)) {
        let relation = plan.relation(context, &item.meta.id, category);
        plan.relations.push(relation);
    }
    Ok(())
}

/// The item with this id, or the only one whose id begins with it.
fn find_item<'v>(view: &'v ScopeView, scope: &Scope, id: &Id) -> Result<&'v MemoryItem> {
    if let Some(item) = view.data.item(id) {
        return Ok(item);
    }
    let mut beginning = view
        .data
        .items()
        .filter(|item| id.as_str().len() >= 4 && item.meta.id.as_str().starts_with(id.as_str()));
    match (beginning.next(), beginning.next()) {
        (Some(item), None) => Ok(item),
        (Some(_), Some(_)) => Err(Error::input(format!(
            "several items have an id that begins with {id}; give more of it"
        ))),
        (None, _) => Err(Error::not_found(format!(
            "the scope {scope} holds no item {id}"
        ))),
    }
}

impl Context {
    /// Refuses a type of memory that is not configured.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input), with those that are.
    pub fn check_type(&self, memory_type: &str) -> Result<()> {
        let known = &self.parts().memorize_config.memory_types;
        if memory_type == "tool" || known.iter().any(|name| name == memory_type) {
            return Ok(());
        }
        Err(Error::input(format!(
            "unknown memory type {memory_type:?}; use {}, tool",
            known.join(", ")
        )))
    }
}

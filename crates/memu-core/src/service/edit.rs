use std::sync::Arc;

use super::cache::ScopeView;
use super::memorize::{note_details, until_committed};
use super::plan::Plan;
use super::responses::ItemResponse;
use super::{Context, CreateItem, MemoryService, UpdateItem};
use crate::error::{Error, Result};
use crate::records::{Id, MemoryCategory, MemoryItem, Meta};
use crate::scope::Scope;

/// The longest memory that a caller may write, in bytes.
const MAX_CONTENT_BYTES: usize = 1 << 20;

impl MemoryService {
    /// Stores a memory in the caller's own words.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) for an empty memory, an unknown
    /// type or an unknown category.
    pub async fn create_memory_item(&self, request: CreateItem) -> Result<ItemResponse> {
        let context = self.context();
        let scope = context.user_scope(&request.user)?;
        let content = checked_content(&request.content)?;
        context.check_type(&request.memory_type)?;
        until_committed(&scope, || async {
            let view = context.view(&scope).await?;
            let mut plan = Plan::new(context, view, scope.clone());
            let mut item = MemoryItem {
                meta: Meta::new(context.parts().ids.next_id(), scope.clone(), plan.now),
                resource_id: None,
                memory_type: request.memory_type.clone(),
                summary: content.clone(),
                happened: None,
                extra: serde_json::Map::new(),
                segment_ids: Vec::new(),
            };
            note_details(
                &mut item,
                context.parts().memorize_config.enable_item_references,
            );
            plan.relations = if request.categories.is_empty() {
                plan.categorize(context, std::slice::from_ref(&item))
                    .await?
            } else {
                let named = categories_named(&plan.categories, &request.categories)?;
                named
                    .iter()
                    .map(|category| plan.relation(context, &item.meta.id, category))
                    .collect()
            };
            plan.items.push(item.clone());
            finish(context, plan, item, request.propagate).await
        })
        .await
    }

    /// Changes a memory: its type, its words, its categories.
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
        {
            return Err(Error::input(
                "nothing to change: give a type, a content or categories",
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
async fn finish(
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

fn categories_named(categories: &[MemoryCategory], names: &[String]) -> Result<Vec<Id>> {
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

fn checked_content(content: &str) -> Result<String> {
    let content = content.trim();
    if content.is_empty() {
        return Err(Error::input("the memory is empty"));
    }
    if content.len() > MAX_CONTENT_BYTES {
        return Err(Error::input(format!(
            "the memory has {} bytes; at most {MAX_CONTENT_BYTES} are allowed; memorize it as a document",
            content.len()
        )));
    }
    Ok(content.to_owned())
}

impl Context {
    fn check_type(&self, memory_type: &str) -> Result<()> {
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

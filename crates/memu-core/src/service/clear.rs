use serde_json::{Map, Value};

use super::MemoryService;
use super::responses::ClearResponse;
use crate::error::{Error, Result};
use crate::filter::Filter;

impl MemoryService {
    /// Forgets everything of the scopes that `filter` names, without a trace.
    ///
    /// # Errors
    /// [`ErrorKind::Scope`](crate::ErrorKind::Scope) when neither a scope field nor
    /// `all_scopes` is given; [`ErrorKind::Filter`](crate::ErrorKind::Filter) for a
    /// condition on anything but scope fields, because a scope is forgotten whole.
    pub async fn clear_memory(
        &self,
        filter: &Map<String, Value>,
        all_scopes: bool,
    ) -> Result<ClearResponse> {
        let filter = Filter::parse(filter, self.store().schema())?;
        if let Some(condition) = filter.record_part().conditions().first() {
            return Err(Error::filter(format!(
                "a scope is forgotten whole; {} cannot narrow it (delete single items instead)",
                condition.field.name()
            )));
        }
        if filter.is_empty() && !all_scopes {
            return Err(Error::scope(format!(
                "name whose memory to forget: pass {}, or ask for all scopes",
                self.store()
                    .schema()
                    .fields()
                    .collect::<Vec<_>>()
                    .join(" or ")
            )));
        }
        let states = self.store().scopes(&filter, usize::MAX).await?;
        let scopes: Vec<_> = states.into_iter().map(|state| state.scope).collect();
        let cleared = self.store().clear(&scopes).await?;
        for scope in &scopes {
            self.context().cache().forget(&scope.key());
        }
        self.context().remove_strays(&scopes).await?;
        Ok(ClearResponse {
            deleted_categories: cleared.categories,
            deleted_items: cleared.items,
            deleted_resources: cleared.resources,
            deleted_relations: cleared.relations,
            deleted_segments: cleared.segments,
            deleted_scopes: cleared.scopes,
        })
    }
}

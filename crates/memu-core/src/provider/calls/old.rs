//! Replies that nobody will ask about any more.

use serde_json::json;

use super::Keeping;
use crate::error::{ErrorKind, Result};
use crate::filter::Filter;
use crate::records::{ModelReply, ReplyState};
use crate::store::{Query, Select, Write};
use crate::time::Timestamp;

/// How many replies are read at a time.
const PAGE: usize = 500;
/// How long a reply about no content waits for its question to be asked again: 30 days.
const MICROS_UNREAD: i64 = 30 * 86_400 * 1_000_000;

impl Keeping {
    /// Takes the text of old replies about no content that were not read, such as those about
    /// questions that failed and were never asked again. What they cost stays.
    pub(super) async fn empty_old(&self) -> Result<()> {
        let before = self.clock.now().as_micros().saturating_sub(MICROS_UNREAD);
        let before = format!("{}Z", Timestamp::from_micros(before).to_civil());
        let filter = json!({ "created_at__lt": before });
        let unread = vec![ReplyState::Received, ReplyState::Failed];
        let mut query = Query::scope(&self.scope).select(Select::ReplyStates(unread));
        query.filter = Filter::parse(
            &filter.as_object().cloned().unwrap_or_default(),
            self.store.schema(),
        )?;
        query.limit = PAGE;
        loop {
            let page = self.store.model_replies(&query).await?;
            let is_old = |reply: &ModelReply| {
                reply.content_hash.is_none()
                    && reply.resource_id.is_none()
                    && !reply.text.is_empty()
            };
            for mut reply in page.records.into_iter().filter(is_old) {
                reply.text.clear();
                match self.write(vec![Write::from(reply)]).await {
                    Err(error) if error.kind() == ErrorKind::Conflict => {}
                    written => written?,
                }
            }
            if page.next.is_none() {
                return Ok(());
            }
            query.after = page.next;
        }
    }
}

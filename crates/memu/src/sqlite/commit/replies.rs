//! Storing and removing what models returned, and counting what they took.

use memu_core::records::{ContentHash, Id, ModelReply, ModelUsage};
use memu_core::store::rules::missing;
use memu_core::{Error, Result};
use rusqlite::params;
use rusqlite::types::Value;

use super::Work;
use super::put::{REPLY, optional, text};

impl Work<'_> {
    pub(super) fn put_model_reply(&self, reply: &ModelReply) -> Result<()> {
        let known = self.known("memu_model_replies", &reply.meta.id)?;
        let revision = self.revision("model reply", &reply.meta, known.map(|(_, old)| old))?;
        let usage = serde_json::to_string(&reply.usage)
            .map_err(|cause| Error::input("a reply's usage is not JSON").caused_by(cause))?;
        let source = reply.source.as_ref().map(serde_json::to_string).transpose();
        let source =
            source.map_err(|cause| Error::input("a source is not JSON").caused_by(cause))?;
        let hash = |hash: &ContentHash| Value::Blob(hash.as_bytes().to_vec());
        let values = vec![
            optional(reply.resource_id.as_ref().map(AsRef::as_ref)),
            reply.content_hash.as_ref().map_or(Value::Null, hash),
            text(&reply.step),
            text(&reply.profile),
            text(&reply.provider),
            text(&reply.model),
            hash(&reply.prompt_hash),
            hash(&reply.request_hash),
            text(&reply.text),
            Value::Text(usage),
            optional(reply.finish_reason.as_deref()),
            text(reply.state.as_str()),
            optional(reply.error.as_deref()),
            optional(source.as_deref()),
        ];
        let table = "memu_model_replies";
        match known {
            None => self.insert(table, &reply.meta, revision, values),
            Some((row, _)) => self.update(table, REPLY, row, &reply.meta, revision, values),
        }
    }

    pub(super) fn delete_model_reply(&self, id: &Id) -> Result<()> {
        let (row, _) = self
            .known("memu_model_replies", id)?
            .ok_or_else(|| missing("model reply", id))?;
        self.execute("DELETE FROM memu_model_replies WHERE row = ?1", [row])
            .map(drop)
    }

    pub(super) fn add_usage(&self, usage: &ModelUsage) -> Result<()> {
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        if self.restoring {
            self.execute(
                "DELETE FROM memu_model_usage WHERE scope_id = ?1 AND day = ?2
                 AND model_profile = ?3 AND model_name = ?4 AND step_name = ?5",
                params![
                    self.scope_id,
                    usage.day.to_string(),
                    usage.profile,
                    usage.model,
                    usage.step
                ],
            )?;
        }
        self.execute(
            "INSERT INTO memu_model_usage VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT DO UPDATE SET calls = calls + excluded.calls,
             unusable = unusable + excluded.unusable,
             input_tokens = input_tokens + excluded.input_tokens,
             output_tokens = output_tokens + excluded.output_tokens,
             cost = cost + excluded.cost, seconds = seconds + excluded.seconds",
            params![
                self.scope_id,
                usage.day.to_string(),
                usage.profile,
                usage.model,
                usage.step,
                count(usage.calls),
                count(usage.unusable),
                count(usage.input_tokens),
                count(usage.output_tokens),
                usage.cost,
                usage.seconds,
            ],
        )
        .map(drop)
    }

    /// Removes the replies about a resource that is gone, and those about its content
    /// when no other resource has it.
    pub(super) fn remove_replies_about(&self, resource: &Id, content: &[u8]) -> Result<()> {
        self.execute(
            "DELETE FROM memu_model_replies WHERE scope_id = ?1 AND resource_id = ?2",
            (self.scope_id, resource.as_str()),
        )?;
        self.execute(
            "DELETE FROM memu_model_replies WHERE scope_id = ?1 AND content_hash = ?2
             AND resource_id IS NULL AND NOT EXISTS
             (SELECT 1 FROM memu_resources WHERE scope_id = ?1 AND content_hash = ?2)",
            (self.scope_id, content),
        )
        .map(drop)
    }

    /// Has the replies about content that a resource had until now name it, unless another
    /// resource has that content.
    pub(super) fn keep_replies_about(&self, resource: &Id, content: &[u8]) -> Result<()> {
        self.execute(
            "UPDATE memu_model_replies SET resource_id = ?3, revision = revision + 1
             WHERE scope_id = ?1 AND content_hash = ?2 AND resource_id IS NULL AND NOT EXISTS
             (SELECT 1 FROM memu_resources WHERE scope_id = ?1 AND content_hash = ?2)",
            (self.scope_id, content, resource.as_str()),
        )
        .map(drop)
    }

    /// Takes the text of replies that are about no content: they may quote what is gone.
    pub(super) fn empty_replies_about_nothing(&self) -> Result<()> {
        self.execute(
            "UPDATE memu_model_replies SET reply_text = '', revision = revision + 1
             WHERE scope_id = ?1 AND resource_id IS NULL AND content_hash IS NULL
             AND reply_text <> ''",
            [self.scope_id],
        )
        .map(drop)
    }
}

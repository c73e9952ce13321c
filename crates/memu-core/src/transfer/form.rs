//! Records with all of their fields, as they are written down.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Result;
use crate::records::{
    CategoryItem, ContentHash, Id, MemoryCategory, MemoryItem, Meta, Modality, ModelReply,
    ReplySource, ReplyState, Resource, Role, Segment, Span,
};
use crate::scope::Scope;
use crate::time::{Timestamp, When, civil};

/// Makes the written form of a record: what every record carries, apart from its scope, and
/// its own fields under their names. A field that is unknown is an error: nothing is lost in
/// silence.
macro_rules! form {
    ($(#[$doc:meta])* $form:ident, $record:ident {
        $($(#[$attribute:meta])* $field:ident: $type:ty,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $form {
            id: Id,
            created_at: Timestamp,
            updated_at: Timestamp,
            revision: u64,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            valid_from: Option<Timestamp>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            valid_to: Option<Timestamp>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            superseded_by: Option<Id>,
            $($(#[$attribute])* $field: $type,)*
        }

        impl From<$record> for $form {
            fn from(record: $record) -> Self {
                Self {
                    id: record.meta.id,
                    created_at: record.meta.created_at,
                    updated_at: record.meta.updated_at,
                    revision: record.meta.revision,
                    valid_from: record.meta.valid_from,
                    valid_to: record.meta.valid_to,
                    superseded_by: record.meta.superseded_by,
                    $($field: record.$field,)*
                }
            }
        }

        impl $form {
            /// The record, in this scope.
            ///
            /// # Errors
            /// [`ErrorKind::Input`](crate::ErrorKind::Input) for an id that no record may
            /// have.
            pub fn into_record(self, scope: &Scope) -> Result<$record> {
                Ok($record {
                    meta: Meta {
                        id: Id::checked(self.id.as_str())?,
                        scope: scope.clone(),
                        created_at: self.created_at,
                        updated_at: self.updated_at,
                        revision: self.revision,
                        valid_from: self.valid_from,
                        valid_to: self.valid_to,
                        superseded_by: self.superseded_by,
                    },
                    $($field: self.$field,)*
                })
            }
        }
    };
}

form! {
    /// A resource, without its content.
    ResourceForm, Resource {
        url: String,
        modality: Modality,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        local_path: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caption: Option<String>,
        content_hash: ContentHash,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        external_id: Option<String>,
        segment_count: u32,
    }
}

form! {
    /// A segment.
    SegmentForm, Segment {
        resource_id: Id,
        ordinal: u32,
        session: u32,
        topic: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<Role>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        speaker: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message_id: Option<String>,
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caption: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        topic_caption: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        span: Option<Span>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        happened_at: Option<civil::DateTime>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        happened_at_text: Option<String>,
    }
}

form! {
    /// An item with the segments that it cites.
    ItemForm, MemoryItem {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resource_id: Option<Id>,
        memory_type: String,
        summary: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        happened: Option<When>,
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        extra: Map<String, Value>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        segment_ids: Vec<Id>,
    }
}

form! {
    /// A category.
    CategoryForm, MemoryCategory {
        name: String,
        description: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        summary: Option<String>,
    }
}

form! {
    /// A relation.
    RelationForm, CategoryItem {
        item_id: Id,
        category_id: Id,
    }
}

form! {
    /// A reply of a model.
    ModelReplyForm, ModelReply {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resource_id: Option<Id>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content_hash: Option<ContentHash>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<ReplySource>,
        step: String,
        profile: String,
        provider: String,
        model: String,
        prompt_hash: ContentHash,
        request_hash: ContentHash,
        text: String,
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        usage: Map<String, Value>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        finish_reason: Option<String>,
        state: ReplyState,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    }
}

impl ItemForm {
    /// The same with the names in its details in order, as it is compared.
    pub(super) fn sorted(mut self) -> Self {
        sort(&mut self.extra);
        self
    }
}

impl ModelReplyForm {
    /// The same with the names in its usage in order, as it is compared.
    pub(super) fn sorted(mut self) -> Self {
        sort(&mut self.usage);
        self
    }
}

fn sort(details: &mut Map<String, Value>) {
    details.sort_keys();
    details.values_mut().for_each(Value::sort_all_objects);
}

//! Records made from a seed: the same every time, for tests of stores.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{ToSpan as _, civil};
use serde_json::Map;

use crate::environment::{IdSource, SeededIds};
use crate::error::Result;
use crate::records::{
    Blob, CategoryItem, ContentHash, EmbedderIdentity, Embedding, Id, MemoryCategory, MemoryItem,
    Meta, Modality, ModelReply, ModelUsage, OwnedEmbedding, OwnerKind, ReplyState, Resource, Role,
    Segment,
};
use crate::scope::{Scope, ScopeSchema};
use crate::store::{ScopeData, Write, WriteBatch};
use crate::time::{Precision, Timestamp, When};

/// 2026-03-01 08:00:00 UTC, when the first record is made.
const BEGINNING: i64 = 1_772_352_000_000_000;

/// A scope of the default schema.
///
/// # Errors
/// As [`ScopeSchema::scope`].
pub fn user(name: &str) -> Result<Scope> {
    ScopeSchema::default().scope([("user_id", name)])
}

/// The embedder of the fixtures: four dimensions.
pub fn identity() -> EmbedderIdentity {
    EmbedderIdentity {
        provider: "test".into(),
        model: "four".into(),
        dimension: 4,
    }
}

/// A vector of the fixtures' embedder.
///
/// # Errors
/// As [`Embedding::checked`].
pub fn vector(kind: OwnerKind, owner: &Id, values: [f32; 4]) -> Result<OwnedEmbedding> {
    Ok(OwnedEmbedding {
        kind,
        owner: owner.clone(),
        vector: Embedding::checked(values.to_vec(), 4)?,
    })
}

/// Makes records of one scope. Each is an hour younger than the one before.
#[derive(Debug)]
pub struct Maker {
    scope: Scope,
    ids: SeededIds,
    now: AtomicI64,
}

impl Maker {
    /// A maker of records in `scope`; equal seeds make equal ids.
    pub fn new(scope: Scope, seed: u64) -> Self {
        Self {
            scope,
            ids: SeededIds::new(seed),
            now: AtomicI64::new(BEGINNING),
        }
    }

    /// The scope of the records.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// A new identity in the scope.
    pub fn meta(&self) -> Meta {
        let now = self.now.fetch_add(3_600_000_000, Ordering::Relaxed);
        Meta::new(
            self.ids.next_id(),
            self.scope.clone(),
            Timestamp::from_micros(now),
        )
    }

    /// A conversation whose content is its URL.
    pub fn resource(&self, url: &str) -> Resource {
        Resource {
            meta: self.meta(),
            url: url.into(),
            modality: Modality::Conversation,
            local_path: String::new(),
            caption: None,
            content_hash: ContentHash::of(url.as_bytes()),
            external_id: None,
            segment_count: 0,
        }
    }

    /// The content of such a resource.
    pub fn blob(&self, resource: &Resource) -> Blob {
        Blob {
            hash: resource.content_hash,
            bytes: resource.url.as_bytes().into(),
        }
    }

    /// A message of a resource.
    pub fn segment(&self, resource: &Resource, ordinal: u32, text: &str) -> Segment {
        Segment {
            meta: self.meta(),
            resource_id: resource.meta.id.clone(),
            ordinal,
            session: 0,
            topic: 0,
            role: Some(Role::User),
            speaker: None,
            message_id: None,
            text: text.into(),
            caption: None,
            topic_caption: Some("cats, keyboards".to_owned()),
            span: None,
            happened_at: None,
            happened_at_text: None,
        }
    }

    /// An item without source.
    pub fn item(&self, memory_type: &str, summary: &str) -> MemoryItem {
        MemoryItem {
            meta: self.meta(),
            resource_id: None,
            memory_type: memory_type.into(),
            summary: summary.into(),
            happened: None,
            extra: Map::new(),
            segment_ids: Vec::new(),
        }
    }

    /// A category without summary.
    pub fn category(&self, name: &str) -> MemoryCategory {
        MemoryCategory {
            meta: self.meta(),
            name: name.into(),
            description: format!("what is about {name}"),
            summary: None,
        }
    }

    /// An item filed under a category.
    pub fn relation(&self, item: &MemoryItem, category: &MemoryCategory) -> CategoryItem {
        CategoryItem {
            meta: self.meta(),
            item_id: item.meta.id.clone(),
            category_id: category.meta.id.clone(),
        }
    }

    /// A reply to a request that hashes to the hash of `text`, about nothing.
    pub fn model_reply(&self, text: &str) -> ModelReply {
        ModelReply {
            meta: self.meta(),
            resource_id: None,
            content_hash: None,
            source: None,
            step: "extract_items".to_owned(),
            profile: "default".to_owned(),
            provider: "test".to_owned(),
            model: "talker-1".to_owned(),
            prompt_hash: ContentHash::of(b"List what is worth remembering."),
            request_hash: ContentHash::of(text.as_bytes()),
            text: text.to_owned(),
            usage: Map::new(),
            finish_reason: None,
            state: ReplyState::Received,
            error: None,
        }
    }

    /// What a reply took, so many days after the first.
    pub fn model_usage(&self, days: u8) -> ModelUsage {
        let first = civil::date(2026, 2, 27);
        ModelUsage {
            day: first.saturating_add(i64::from(days).days()),
            profile: "default".to_owned(),
            model: "test/talker-1".to_owned(),
            step: "extract_items".to_owned(),
            calls: 1,
            unusable: 0,
            input_tokens: 500,
            output_tokens: 70,
            cost: 0.25,
            seconds: 1.5,
        }
    }

    /// A batch of these writes.
    pub fn batch(&self, writes: Vec<Write>) -> WriteBatch {
        WriteBatch {
            scope: self.scope.clone(),
            expected_seq: None,
            expected_life: None,
            lease: None,
            restoring: false,
            writes,
        }
    }
}

/// A small memory in which everything refers to something, as it is before its
/// first write.
#[derive(Clone, Debug)]
pub struct World {
    /// A conversation with two segments and two items.
    pub chat: Resource,
    /// A document with one segment and one item.
    pub notes: Resource,
    /// A picture with nothing.
    pub photo: Resource,
    /// The first message of the chat, cited by `coffee` and `trip`.
    pub hello: Segment,
    /// The second, cited by `trip`.
    pub plans: Segment,
    /// The passage of the notes, cited by `craft`.
    pub passage: Segment,
    /// A `profile` of the chat, in `tastes`.
    pub coffee: MemoryItem,
    /// An `event` of the chat on 8 May 2023, in `travel` and `tastes`.
    pub trip: MemoryItem,
    /// A `knowledge` of the notes, in June 2023, in no category.
    pub craft: MemoryItem,
    /// A `behavior` of no resource, in `travel`.
    pub walks: MemoryItem,
    /// Holds `coffee` and `trip`.
    pub tastes: MemoryCategory,
    /// Holds `trip` and `walks`.
    pub travel: MemoryCategory,
    /// Holds nothing.
    pub blank: MemoryCategory,
    /// All relations, in stored order.
    pub relations: Vec<CategoryItem>,
    /// What a model said about the chat: parsed.
    pub summary: ModelReply,
    /// What a model said about the content of the notes: no sense.
    pub babble: ModelReply,
    /// All content.
    pub blobs: Vec<Blob>,
    /// A vector for some records of every kind.
    pub vectors: Vec<OwnedEmbedding>,
}

impl World {
    /// The world that a maker makes.
    ///
    /// # Errors
    /// None in practice; the vectors are checked like any others.
    pub fn new(make: &Maker) -> Result<Self> {
        let chat = Resource {
            external_id: Some("chat-7".into()),
            segment_count: 2,
            ..make.resource("file:///chat.json")
        };
        let notes = Resource {
            modality: Modality::Document,
            segment_count: 1,
            ..make.resource("file:///notes.md")
        };
        let photo = Resource {
            modality: Modality::Image,
            caption: Some("a harbour at dusk".into()),
            ..make.resource("file:///photo.jpg")
        };
        let hello = Segment {
            happened_at: Some(civil::date(2023, 5, 8).at(13, 56, 0, 0)),
            ..make.segment(&chat, 0, "I never start a day without coffee")
        };
        let plans = make.segment(&chat, 1, "We went to the harbour, and had coffee there");
        let passage = make.segment(&notes, 0, "Glue dries faster when the wood is warm");
        let coffee = MemoryItem {
            resource_id: Some(chat.meta.id.clone()),
            segment_ids: vec![hello.meta.id.clone()],
            ..make.item("profile", "The user drinks coffee every morning")
        };
        let trip = MemoryItem {
            resource_id: Some(chat.meta.id.clone()),
            segment_ids: vec![plans.meta.id.clone(), hello.meta.id.clone()],
            happened: Some(When::day(civil::date(2023, 5, 8))),
            ..make.item("event", "The user went to the harbour")
        };
        let craft = MemoryItem {
            resource_id: Some(notes.meta.id.clone()),
            segment_ids: vec![passage.meta.id.clone()],
            happened: Some(When {
                start: civil::date(2023, 6, 1).at(0, 0, 0, 0),
                end: Some(civil::date(2023, 7, 1).at(0, 0, 0, 0)),
                precision: Precision::Month,
            }),
            ..make.item("knowledge", "Warm wood lets glue dry faster")
        };
        let walks = make.item("behavior", "The user walks after dinner");
        let tastes = make.category("tastes");
        let travel = make.category("travel");
        let blank = make.category("blank");
        let relations = vec![
            make.relation(&coffee, &tastes),
            make.relation(&trip, &travel),
            make.relation(&trip, &tastes),
            make.relation(&walks, &travel),
        ];
        let mut summary = ModelReply {
            resource_id: Some(chat.meta.id.clone()),
            content_hash: Some(chat.content_hash),
            finish_reason: Some("stop".to_owned()),
            state: ReplyState::Parsed,
            ..make.model_reply("[\"drinks coffee\"]")
        };
        summary.usage.insert("input_tokens".to_owned(), 17.into());
        let babble = ModelReply {
            content_hash: Some(notes.content_hash),
            state: ReplyState::Failed,
            error: Some("expected a list at line 1".to_owned()),
            ..make.model_reply("Sure! Here is")
        };
        let blobs = vec![make.blob(&chat), make.blob(&notes)];
        let vectors = vec![
            vector(OwnerKind::Resource, &photo.meta.id, [1.0, 0.0, 0.0, 0.5])?,
            vector(OwnerKind::Segment, &hello.meta.id, [1.0, 0.0, 0.0, 0.0])?,
            vector(OwnerKind::Segment, &plans.meta.id, [0.5, 0.5, 0.0, 0.0])?,
            vector(OwnerKind::Item, &coffee.meta.id, [1.0, 0.25, 0.0, 0.0])?,
            vector(OwnerKind::Item, &trip.meta.id, [0.0, 1.0, 0.0, 0.0])?,
            vector(OwnerKind::Item, &craft.meta.id, [0.0, 0.0, 1.0, 0.0])?,
            vector(OwnerKind::Category, &tastes.meta.id, [1.0, 1.0, 0.0, 0.0])?,
        ];
        Ok(Self {
            chat,
            notes,
            photo,
            hello,
            plans,
            passage,
            coffee,
            trip,
            craft,
            walks,
            tastes,
            travel,
            blank,
            relations,
            summary,
            babble,
            blobs,
            vectors,
        })
    }

    /// The writes that store it, without vectors.
    pub fn records(&self) -> Vec<Write> {
        let blobs = self.blobs.iter().cloned().map(Write::Blob);
        let resources = [&self.chat, &self.notes, &self.photo];
        let items = [&self.coffee, &self.trip, &self.craft, &self.walks];
        let categories = [&self.tastes, &self.travel, &self.blank];
        blobs
            .chain(resources.into_iter().cloned().map(Write::Resource))
            .chain([
                Write::Segments(vec![self.hello.clone(), self.plans.clone()]),
                Write::Segments(vec![self.passage.clone()]),
            ])
            .chain(items.into_iter().cloned().map(Write::Item))
            .chain(categories.into_iter().cloned().map(Write::Category))
            .chain(self.relations.iter().cloned().map(Write::Relation))
            .chain([&self.summary, &self.babble].map(|one| Write::from(one.clone())))
            .collect()
    }

    /// The writes that store it.
    pub fn writes(&self) -> Vec<Write> {
        let mut writes = self.records();
        writes.push(Write::Embeddings(identity(), self.vectors.clone()));
        writes
    }

    /// The model of a scope that holds it.
    ///
    /// # Errors
    /// None in practice.
    pub fn model(&self, make: &Maker) -> Result<ScopeData> {
        let mut model = ScopeData::new(make.scope().clone());
        model.apply(&make.batch(self.writes()))?;
        Ok(model)
    }
}

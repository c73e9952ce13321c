//! What a scope holds, in numbers and checksums.

use blake3::Hasher;
use serde::Serialize;

use super::kind::{Kind, Pages};
use super::side::Side;
use crate::error::{Error, Result};
use crate::records::{
    CategoryItem, ContentHash, EmbedderIdentity, Id, MemoryCategory, MemoryItem, ModelReply,
    Resource, Segment,
};
use crate::scope::Scope;
use crate::store::LogPosition;
use crate::time::civil;

/// How often a scope that is being written to is read again before giving up.
const ATTEMPTS: usize = 20;

/// Is told how many more records were read or written.
pub(super) type Tell<'t> = &'t (dyn Fn(u64) + Send + Sync);

/// Something for each part of a scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Parts<T> {
    /// The resources.
    pub resources: T,
    /// The content of the resources.
    pub content: T,
    /// The segments.
    pub segments: T,
    /// The items with their citations.
    pub items: T,
    /// The categories.
    pub categories: T,
    /// The relations.
    pub relations: T,
    /// The vectors of the embedder in use and of unknown ones.
    pub vectors: T,
    /// The replies of models.
    pub model_replies: T,
    /// What models took.
    pub model_usage: T,
}

impl<T> Parts<T> {
    /// The parts with their names, in order.
    pub fn named(&self) -> [(&'static str, &T); 9] {
        [
            ("resources", &self.resources),
            ("content", &self.content),
            ("segments", &self.segments),
            ("items", &self.items),
            ("categories", &self.categories),
            ("relations", &self.relations),
            ("vectors", &self.vectors),
            ("model_replies", &self.model_replies),
            ("model_usage", &self.model_usage),
        ]
    }
}

impl Parts<u64> {
    /// Adds what a scope holds.
    pub(super) fn add(&mut self, sums: &Parts<Sum>) {
        self.resources += sums.resources.count;
        self.content += sums.content.count;
        self.segments += sums.segments.count;
        self.items += sums.items.count;
        self.categories += sums.categories.count;
        self.relations += sums.relations.count;
        self.vectors += sums.vectors.count;
        self.model_replies += sums.model_replies.count;
        self.model_usage += sums.model_usage.count;
    }
}

impl Parts<Sum> {
    /// How many records of the kinds that are moved in pages.
    pub(super) fn records(&self) -> u64 {
        let Self {
            resources,
            segments,
            items,
            categories,
            relations,
            model_replies,
            ..
        } = self;
        [
            resources,
            segments,
            items,
            categories,
            relations,
            model_replies,
        ]
        .into_iter()
        .map(|sum| sum.count)
        .sum()
    }
}

/// How many there are, and a checksum of all that they say, in stored order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// How many.
    pub count: u64,
    /// BLAKE3 of the records as JSON, the bits of the vectors, or the hashes of the content.
    pub checksum: ContentHash,
}

/// A sum that grows.
#[derive(Clone, Default)]
struct Growing {
    count: u64,
    hasher: Hasher,
}

impl Growing {
    fn sum(&self) -> Sum {
        Sum {
            count: self.count,
            checksum: ContentHash::from_bytes(*self.hasher.finalize().as_bytes()),
        }
    }

    fn add_json(&mut self, form: &impl Serialize) -> Result<()> {
        self.count += 1;
        serde_json::to_writer(&mut self.hasher, form)
            .map_err(|cause| Error::internal("a record has no JSON form").caused_by(cause))?;
        self.hasher.update(b"\n");
        Ok(())
    }
}

/// A scope at one position of its log, and what it holds there.
#[derive(Clone, Debug, Serialize)]
pub struct Surveyed {
    /// The scope.
    pub scope: Scope,
    /// How far its log had come.
    #[serde(skip)]
    pub(super) position: LogPosition,
    /// What it holds.
    pub sums: Parts<Sum>,
    /// The large files that it names and that are missing or damaged.
    #[serde(skip)]
    pub(super) broken_files: Vec<String>,
}

/// Reads everything of a scope that is moved, at one moment: again when it changes meanwhile.
///
/// # Errors
/// The store's; [`ErrorKind::Busy`](crate::ErrorKind::Busy) when the scope changed during
/// twenty readings.
pub(super) async fn survey(
    side: &Side,
    scope: &Scope,
    embedders: &[EmbedderIdentity],
    tell: Tell<'_>,
) -> Result<Surveyed> {
    for _ in 0..ATTEMPTS {
        let position = side.store.log_position(scope).await?;
        let (sums, broken_files) = Box::pin(sums(side, scope, embedders, tell)).await?;
        if side.store.log_position(scope).await? == position {
            return Ok(Surveyed {
                scope: scope.clone(),
                position,
                sums,
                broken_files,
            });
        }
    }
    let message = "the scope is written to faster than it can be read; try again";
    Err(Error::busy(message).with("scope", scope))
}

async fn sums(
    side: &Side,
    scope: &Scope,
    embedders: &[EmbedderIdentity],
    tell: Tell<'_>,
) -> Result<(Parts<Sum>, Vec<String>)> {
    let nobody: &[EmbedderIdentity] = &[];
    // A store with several connections answers these side by side.
    let (resources, content, segments, items, categories, relations, replies, usage) = futures_util::try_join!(
        of_kind::<Resource>(side, scope, embedders, tell),
        content(side, scope),
        of_kind::<Segment>(side, scope, embedders, tell),
        of_kind::<MemoryItem>(side, scope, embedders, tell),
        of_kind::<MemoryCategory>(side, scope, embedders, tell),
        of_kind::<CategoryItem>(side, scope, nobody, tell),
        of_kind::<ModelReply>(side, scope, nobody, tell),
        usage(side, scope),
    )?;
    let mut vectors = Growing::default();
    for of_kind in [&resources.1, &segments.1, &items.1, &categories.1] {
        for of_embedder in of_kind {
            let sum = of_embedder.sum();
            vectors.count += sum.count;
            vectors.hasher.update(sum.checksum.as_bytes());
        }
    }
    let sums = Parts {
        resources: resources.0,
        content: content.0,
        segments: segments.0,
        items: items.0,
        categories: categories.0,
        relations: relations.0,
        vectors: vectors.sum(),
        model_replies: replies.0,
        model_usage: usage,
    };
    Ok((sums, content.1))
}

/// The records of a kind, and their vectors by embedder.
async fn of_kind<T: Kind>(
    side: &Side,
    scope: &Scope,
    embedders: &[EmbedderIdentity],
    tell: Tell<'_>,
) -> Result<(Sum, Vec<Growing>)> {
    let mut records = Growing::default();
    let mut vectors = vec![Growing::default(); embedders.len()];
    let mut pages = Pages::<T>::new(&*side.store, scope, vector_bytes(embedders));
    while let Some(page) = pages.page().await? {
        let owners: Vec<Id> = page.iter().map(|one| one.meta().id.clone()).collect();
        if let Some(kind) = T::OWNER {
            for (identity, sum) in embedders.iter().zip(&mut vectors) {
                let found = side
                    .store
                    .embeddings(scope, identity, kind, &owners)
                    .await?;
                for owned in found {
                    sum.count += 1;
                    sum.hasher.update(owned.owner.as_str().as_bytes());
                    sum.hasher.update(b"\n");
                    for number in owned.vector.as_slice() {
                        sum.hasher.update(&number.to_le_bytes());
                    }
                }
            }
        }
        let count = page.len() as u64;
        for record in page {
            records.add_json(&record.into_form())?;
        }
        tell(count);
    }
    Ok((records.sum(), vectors))
}

/// What the vectors of a record take.
pub(super) fn vector_bytes(embedders: &[EmbedderIdentity]) -> usize {
    let numbers: usize = embedders.iter().map(|one| one.dimension as usize).sum();
    numbers * size_of::<f32>()
}

/// Which content is there, and the files that are not as they should be.
async fn content(side: &Side, scope: &Scope) -> Result<(Sum, Vec<String>)> {
    let mut sum = Growing::default();
    let mut broken = Vec::new();
    let mut pages = Pages::<Resource>::new(&*side.store, scope, 0);
    while let Some(resource) = pages.record().await? {
        if side.has_content(&resource).await? {
            sum.count += 1;
            sum.hasher.update(resource.content_hash.as_bytes());
        } else if crate::service::files::is_beside(&resource) {
            broken.push(resource.local_path);
        }
    }
    Ok((sum.sum(), broken))
}

async fn usage(side: &Side, scope: &Scope) -> Result<Sum> {
    let mut sum = Growing::default();
    for usage in side.store.model_usage(scope, civil::Date::MIN).await? {
        sum.add_json(&usage)?;
    }
    Ok(sum.sum())
}

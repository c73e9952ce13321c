use std::sync::Arc;

use async_trait::async_trait;

use super::LogPosition;
use crate::error::Result;
use crate::ranking::NEIGHBOURS;
use crate::ranking::outline::{
    Block, CategoryOutline, ItemOutline, Outline, ResourceOutline, SegmentOutline,
};
use crate::ranking::sealed::{PartName, SealedPart};
use crate::scope::Scope;

/// How many segments before one that was found, and how many after it, come with it: those that
/// may score because of it, and one more, which tells whether others are side by side with these.
pub const BESIDE: usize = NEIGHBOURS + 1;

/// A store that seals the older records of large scopes: it keeps their postings in buckets, and
/// an entry for each record, which a question looks up. So no question reads a whole scope.
///
/// All of it is derived from the records. It is renewed in the transaction that changes them.
#[async_trait]
pub trait SealedStore: Send + Sync {
    /// How far the change log of a scope has come, and what is sealed of it, with the outline of
    /// what is not; `None` where nothing is sealed. With `known`, which this store gave before for the same scope, only
    /// what changed since is read.
    async fn sealed(
        &self,
        scope: &Scope,
        known: Option<Arc<SealedScope>>,
    ) -> Result<(LogPosition, Option<Arc<SealedScope>>)>;

    /// Buckets of a scope's parts, those without words left out; `None` when a part is not there
    /// any more: others have taken its place.
    async fn buckets(
        &self,
        scope: &Scope,
        wanted: &[(PartName, u32)],
    ) -> Result<Option<Vec<BucketBytes>>>;

    /// The segments at these places of a scope of which parts are sealed, with the [`BESIDE`] before
    /// and after each: by these places and within that in the order of storing. Those at
    /// these places come with their words, the others without. What is gone is left out.
    async fn around(&self, scope: &Scope, places: &[u64]) -> Result<Vec<Vec<SegmentEntry>>>;

    /// The segments at these places, without their words, in the order of storing.
    async fn segments(&self, scope: &Scope, places: &[u64]) -> Result<Vec<SegmentEntry>>;

    /// The items at these places, and those that cite a segment at one of `citing`, without their
    /// words, each once, in the order of storing.
    async fn items(
        &self,
        scope: &Scope,
        places: &[u64],
        citing: &[u64],
    ) -> Result<Vec<Block<ItemOutline>>>;

    /// The resources and the categories at these places, in the order of storing.
    async fn hung_on(
        &self,
        scope: &Scope,
        resources: &[u64],
        categories: &[u64],
    ) -> Result<(Vec<ResourceOutline>, Vec<CategoryOutline>)>;
}

/// A scope of which parts are sealed, as of one position of its change log.
#[derive(Clone, Debug, Default)]
pub struct SealedScope {
    /// How far the change log had come.
    pub position: LogPosition,
    /// The parts, by kind and place.
    pub parts: Vec<Arc<SealedPart>>,
    /// The segments and items that are not sealed.
    pub open: Outline,
}

/// A bucket of a part, as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketBytes {
    /// The part.
    pub part: PartName,
    /// The bucket's number in that.
    pub bucket: u32,
    /// Its words.
    pub words: Vec<u8>,
    /// Their postings.
    pub lists: Vec<u8>,
}

/// A segment of a scope of which parts are sealed.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentEntry {
    /// How many words it has.
    pub length: u32,
    /// It alone, with its words or without.
    pub block: Block<SegmentOutline>,
}

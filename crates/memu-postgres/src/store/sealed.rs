//! What a question asks of a scope of which parts are sealed.

use std::sync::Arc;

use async_trait::async_trait;
use memu_core::Result;
use memu_core::ranking::outline::{Block, CategoryOutline, ItemOutline, ResourceOutline};
use memu_core::ranking::sealed::PartName;
use memu_core::scope::Scope;
use memu_core::store::{BucketBytes, LogPosition, SealedScope, SealedStore, SegmentEntry};

use super::PostgresStore;
use crate::attempts::reading;
use crate::connect::Reach;
use crate::sealed::{self, Places};

#[async_trait]
impl SealedStore for PostgresStore {
    async fn sealed(
        &self,
        scope: &Scope,
        known: Option<Arc<SealedScope>>,
    ) -> Result<(LogPosition, Option<Arc<SealedScope>>)> {
        let reach = std::slice::from_ref(scope);
        reading!(self, Reach::Scopes(reach), |on| sealed::sealed(
            on,
            scope,
            known.clone()
        ))
    }

    async fn buckets(
        &self,
        scope: &Scope,
        wanted: &[(PartName, u32)],
    ) -> Result<Option<Vec<BucketBytes>>> {
        let reach = std::slice::from_ref(scope);
        reading!(self, Reach::Scopes(reach), |on| sealed::buckets(
            on, scope, wanted
        ))
    }

    async fn around(&self, scope: &Scope, places: &[u64]) -> Result<Vec<Vec<SegmentEntry>>> {
        let reach = std::slice::from_ref(scope);
        reading!(self, Reach::Scopes(reach), |on| sealed::around(
            on,
            scope,
            Places::of(places)?
        ))
    }

    async fn segments(&self, scope: &Scope, places: &[u64]) -> Result<Vec<SegmentEntry>> {
        let reach = std::slice::from_ref(scope);
        reading!(self, Reach::Scopes(reach), |on| sealed::segments(
            on,
            scope,
            Places::of(places)?
        ))
    }

    async fn items(
        &self,
        scope: &Scope,
        places: &[u64],
        citing: &[u64],
    ) -> Result<Vec<Block<ItemOutline>>> {
        let reach = std::slice::from_ref(scope);
        reading!(self, Reach::Scopes(reach), |on| sealed::items(
            on,
            scope,
            Places::of(places)?,
            Places::of(citing)?
        ))
    }

    async fn hung_on(
        &self,
        scope: &Scope,
        resources: &[u64],
        categories: &[u64],
    ) -> Result<(Vec<ResourceOutline>, Vec<CategoryOutline>)> {
        let reach = std::slice::from_ref(scope);
        reading!(self, Reach::Scopes(reach), |on| sealed::hung_on(
            on,
            scope,
            Places::of(resources)?,
            Places::of(categories)?
        ))
    }
}

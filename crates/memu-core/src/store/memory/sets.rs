//! Embedding sets that are built beside the active one, and take its place.

use rustc_hash::FxHashMap;

use super::state::{State, next_id};
use crate::error::Result;
use crate::records::{EmbedderIdentity, EmbeddingSet, SetState};
use crate::scope::{Scope, ScopeKey};
use crate::store::{BuiltScope, BuiltVector, LogPosition, rules};

impl State {
    pub(super) fn adopt_set(&mut self, identity: &EmbedderIdentity) -> bool {
        let Some(adopted) = rules::adoptable(&self.sets, identity).cloned() else {
            return false;
        };
        for set in self.sets.iter_mut().filter(|set| set.id == adopted.id) {
            set.identity = identity.clone();
            set.state = SetState::Active;
        }
        for data in self.scopes.values_mut() {
            data.adopt_vectors(&adopted.identity, identity);
        }
        true
    }

    pub(super) fn begin_set(&mut self, identity: &EmbedderIdentity) -> Result<()> {
        if !rules::must_begin(&self.sets, identity)? {
            return Ok(());
        }
        if self.scopes.values().any(|data| data.has_vectors(identity)) {
            return Err(rules::not_empty(identity));
        }
        let id = next_id(&self.sets);
        self.sets.retain(|set| set.identity != *identity);
        self.sets.push(EmbeddingSet {
            id,
            identity: identity.clone(),
            state: SetState::Building,
        });
        Ok(())
    }

    pub(super) fn build_vectors(
        &mut self,
        scope: &Scope,
        identity: &EmbedderIdentity,
        vectors: Vec<BuiltVector>,
    ) -> Result<usize> {
        rules::being_built(&self.sets, identity)?;
        for built in &vectors {
            rules::check_dimension(identity, &built.owned)?;
        }
        let data = self.scopes.get_mut(&scope.key());
        Ok(data.map_or(0, |data| data.build_vectors(identity, vectors)))
    }

    pub(super) fn activate_set(
        &mut self,
        identity: &EmbedderIdentity,
        built: &[BuiltScope],
    ) -> Result<Vec<Scope>> {
        if rules::is_active(&self.sets, identity) {
            return Ok(Vec::new());
        }
        rules::being_built(&self.sets, identity)?;
        let built: FxHashMap<ScopeKey, LogPosition> = built
            .iter()
            .map(|one| (one.scope.key(), one.position))
            .collect();
        let scopes = self.order.iter().filter_map(|key| self.scopes.get(key));
        let behind: Vec<Scope> = scopes
            .filter(|data| data.seq() > 0)
            .filter(|data| built.get(&data.scope().key()) != Some(&data.log_position()))
            .map(|data| data.scope().clone())
            .collect();
        if behind.is_empty() {
            for set in &mut self.sets {
                set.state = if set.identity == *identity {
                    SetState::Active
                } else {
                    SetState::Retired
                };
            }
        }
        Ok(behind)
    }

    pub(super) fn drop_replaced(&mut self, limit: usize) -> usize {
        let mut left = limit;
        for set in rules::replaced(&self.sets) {
            for data in self.scopes.values_mut() {
                left -= data.drop_vectors_of(&set.identity, left);
            }
        }
        limit - left
    }
}

//! What of earlier rows later ones refer to: whose each record is, and what is filed where.

use rustc_hash::{FxHashMap, FxHashSet};

use super::table::Kind;
use crate::scope::{Scope, ScopeKey};

/// Sixteen bytes for a record or a relation, however long its ids are.
type Digest = [u8; 16];

/// The records so far. Each takes some forty bytes, so that millions fit into memory.
#[derive(Debug, Default)]
pub(super) struct Seen {
    scopes: Vec<Scope>,
    numbers: FxHashMap<ScopeKey, u32>,
    owners: FxHashMap<Digest, u32>,
    filed: FxHashSet<Digest>,
}

impl Seen {
    /// Remembers whose a record is.
    pub(super) fn record(&mut self, kind: Kind, id: &str, scope: &Scope) {
        let number = self.scope(scope);
        self.owners.insert(digest(kind.name(), id), number);
    }

    /// Whose a record is; `None` when there is none of that kind with this id.
    pub(super) fn owner(&self, kind: Kind, id: &str) -> Option<&Scope> {
        let number = self.owners.get(&digest(kind.name(), id))?;
        self.scopes.get(usize::try_from(*number).ok()?)
    }

    /// Remembers that an item is filed under a category; says whether that is new.
    pub(super) fn file(&mut self, item: &str, category: &str) -> bool {
        self.filed.insert(digest(item, category))
    }

    /// Remembers a scope.
    pub(super) fn scope(&mut self, scope: &Scope) -> u32 {
        *self.numbers.entry(scope.key()).or_insert_with(|| {
            self.scopes.push(scope.clone());
            (self.scopes.len() - 1) as u32
        })
    }

    /// How many scopes there are.
    pub(super) fn scopes(&self) -> u64 {
        self.scopes.len() as u64
    }
}

fn digest(first: &str, second: &str) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(first.len() as u64).to_le_bytes());
    hasher.update(first.as_bytes());
    hasher.update(second.as_bytes());
    let mut digest = Digest::default();
    hasher.finalize_xof().fill(&mut digest);
    digest
}

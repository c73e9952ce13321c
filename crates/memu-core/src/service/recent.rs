use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::scope::ScopeKey;

/// How many scopes stay in memory.
const SCOPES: usize = 64;

/// What belongs to the scopes that were used last.
#[derive(Debug)]
pub(super) struct Recent<T> {
    /// The latest first.
    scopes: Mutex<VecDeque<Used<T>>>,
    /// How many records the scopes have together, unless one has more alone.
    most: usize,
}

#[derive(Debug)]
struct Used<T> {
    key: ScopeKey,
    records: usize,
    value: Arc<T>,
}

impl<T> Recent<T> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            scopes: Mutex::default(),
            most,
        }
    }

    pub(super) fn get(&self, key: &ScopeKey) -> Option<Arc<T>> {
        let mut recent = self.lock();
        let position = recent.iter().position(|known| known.key == *key)?;
        let used = recent.remove(position)?;
        let value = used.value.clone();
        recent.push_front(used);
        Some(value)
    }

    /// Puts what has so many records first; returns what had to go for it.
    pub(super) fn put(&self, key: ScopeKey, records: usize, value: Arc<T>) -> Vec<Arc<T>> {
        let mut recent = self.lock();
        recent.retain(|known| known.key != key);
        recent.push_front(Used {
            key,
            records,
            value,
        });
        let mut together = 0;
        let stays = recent.iter().take(SCOPES).take_while(|used| {
            together += used.records;
            together <= self.most
        });
        let stays = stays.count().max(1);
        recent.drain(stays..).map(|used| used.value).collect()
    }

    pub(super) fn forget(&self, key: &ScopeKey) {
        self.lock().retain(|known| known.key != *key);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Used<T>>> {
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::ScopeSchema;

    fn key(user: usize) -> ScopeKey {
        let user = user.to_string();
        let scope = ScopeSchema::default().scope([("user_id", user.as_str())]);
        scope.unwrap().key()
    }

    #[test]
    fn the_scopes_that_were_used_last_stay_as_far_as_they_are_not_too_large_together() {
        let recent = Recent::new(100);
        let put = |user: usize, records| {
            let gone = recent.put(key(user), records, Arc::new(user));
            gone.into_iter().map(|user| *user).collect::<Vec<_>>()
        };
        assert!(put(1, 40).is_empty());
        assert!(put(2, 40).is_empty());
        assert_eq!(recent.get(&key(1)).as_deref(), Some(&1));
        assert_eq!(put(3, 40), [2], "1 was used later");
        assert_eq!(put(3, 90), [1], "what is put again counts once");
        assert_eq!(put(4, 500), [3], "a large one stays alone");
        assert_eq!(recent.get(&key(4)).as_deref(), Some(&4));
        assert_eq!(put(5, 0), [4]);
        recent.forget(&key(5));
        assert_eq!(recent.get(&key(5)), None);
    }

    #[test]
    fn small_scopes_are_not_kept_without_end() {
        let recent = Recent::new(usize::MAX);
        let gone = (0..SCOPES + 3).flat_map(|user| recent.put(key(user), 1, Arc::new(user)));
        let gone: Vec<usize> = gone.map(|user| *user).collect();
        assert_eq!(gone, [0, 1, 2]);
    }
}

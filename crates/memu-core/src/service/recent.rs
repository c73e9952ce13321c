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
    /// How many records they have together, the largest of them left out.
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
        let (mut together, mut largest) = (0, 0);
        let stays = recent.iter().take(SCOPES).take_while(|used| {
            together += used.records;
            largest = largest.max(used.records);
            together - largest <= self.most
        });
        let stays = stays.count();
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
        for user in 1..=3 {
            assert!(put(user, 40).is_empty(), "the largest is left out");
        }
        assert_eq!(recent.get(&key(1)).as_deref(), Some(&1));
        assert_eq!(put(4, 40), [2], "1 was used later");
        assert!(put(4, 30).is_empty(), "what is put again counts once");
        assert_eq!(put(5, 500), [3], "1 and 4 have 70");
        assert!(put(6, 10).is_empty(), "a large one stays beside others");
        assert_eq!(recent.get(&key(5)).as_deref(), Some(&5));
        assert_eq!(
            put(7, 200),
            [5, 6, 4, 1],
            "but not beside one that is too large, too"
        );
        recent.forget(&key(7));
        assert_eq!(recent.get(&key(7)), None);
    }

    #[test]
    fn small_scopes_are_not_kept_without_end() {
        let recent = Recent::new(usize::MAX);
        let gone = (0..SCOPES + 3).flat_map(|user| recent.put(key(user), 1, Arc::new(user)));
        let gone: Vec<usize> = gone.map(|user| *user).collect();
        assert_eq!(gone, [0, 1, 2]);
    }
}

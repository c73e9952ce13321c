use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::records::Id;

/// Where a record stands in the stored order. Positions only grow; a record keeps
/// its own for life.
pub(super) type Position = u64;

/// Records in the order in which they were stored, found by id or position.
#[derive(Clone, Debug)]
pub(super) struct Ordered<T> {
    /// By ascending position; `None` where a record was removed.
    slots: Vec<(Position, Option<T>)>,
    /// The slot of each record.
    by_id: FxHashMap<Id, usize>,
}

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            by_id: FxHashMap::default(),
        }
    }
}

impl<T> Ordered<T> {
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn get(&self, id: &Id) -> Option<&T> {
        let slot = *self.by_id.get(id)?;
        self.slots.get(slot)?.1.as_ref()
    }

    pub(super) fn position(&self, id: &Id) -> Option<Position> {
        let slot = *self.by_id.get(id)?;
        self.slots.get(slot).map(|(position, _)| *position)
    }

    pub(super) fn at(&self, position: Position) -> Option<&T> {
        let slot = self.slots.binary_search_by_key(&position, |slot| slot.0);
        self.slots.get(slot.ok()?)?.1.as_ref()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|(_, record)| record.as_ref())
    }

    /// The records from `first` on, with their positions.
    pub(super) fn from(&self, first: Position) -> impl Iterator<Item = (Position, &T)> {
        let start = self.slots.partition_point(|slot| slot.0 < first);
        self.slots
            .iter()
            .skip(start)
            .filter_map(|(position, record)| Some((*position, record.as_ref()?)))
    }

    /// Puts a record at a position, or takes it away, and returns what stood
    /// there. With what it returned, the same call undoes it. The position must
    /// be one that is or was in use, or lie behind all others.
    pub(super) fn set(&mut self, position: Position, id: &Id, record: Option<T>) -> Option<T> {
        let slot = match self.slots.binary_search_by_key(&position, |slot| slot.0) {
            Ok(slot) => slot,
            Err(slot) => {
                self.slots.insert(slot, (position, None));
                slot
            }
        };
        if record.is_some() {
            self.by_id.insert(id.clone(), slot);
        } else {
            self.by_id.remove(id);
        }
        self.slots
            .get_mut(slot)
            .and_then(|slot| std::mem::replace(&mut slot.1, record))
    }

    /// Drops the gaps that removed records left, once they outnumber the records.
    pub(super) fn compact(&mut self) {
        if self.slots.len() < 32 || self.slots.len() < 2 * self.by_id.len() {
            return;
        }
        let mut moved = Vec::with_capacity(self.slots.len());
        let mut kept = 0;
        self.slots.retain(|(_, record)| {
            moved.push(kept);
            kept += usize::from(record.is_some());
            record.is_some()
        });
        for slot in self.by_id.values_mut() {
            *slot = moved.get(*slot).copied().unwrap_or(*slot);
        }
    }
}

/// Which records, by position, mention a key.
#[derive(Clone, Debug, Default)]
pub(super) struct Mentions(FxHashMap<Id, BTreeSet<Position>>);

impl Mentions {
    pub(super) fn set(&mut self, key: &Id, position: Position, present: bool) {
        if present {
            self.0.entry(key.clone()).or_default().insert(position);
        } else if let Some(positions) = self.0.get_mut(key) {
            positions.remove(&position);
            if positions.is_empty() {
                self.0.remove(key);
            }
        }
    }

    /// The positions, in stored order.
    pub(super) fn of(&self, key: &Id) -> impl Iterator<Item = Position> {
        self.0.get(key).into_iter().flatten().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compacting_changes_neither_order_nor_lookups() {
        let mut ordered = Ordered::default();
        let id = |n: u64| Id::from(n.to_string());
        for n in 0..100 {
            ordered.set(n, &id(n), Some(n));
        }
        for n in (0..100).filter(|n| n % 7 != 0) {
            assert_eq!(ordered.set(n, &id(n), None), Some(n));
        }
        ordered.compact();
        assert_eq!(ordered.slots.len(), 15);
        let expected: Vec<u64> = (0..100).step_by(7).collect();
        assert_eq!(ordered.iter().copied().collect::<Vec<_>>(), expected);
        for n in 0..100 {
            let present = (n % 7 == 0).then_some(n);
            assert_eq!(ordered.get(&id(n)).copied(), present);
            assert_eq!(ordered.position(&id(n)), present);
            assert_eq!(ordered.at(n).copied(), present);
        }
        let rest: Vec<u64> = ordered.from(90).map(|(position, _)| position).collect();
        assert_eq!(rest, [91, 98]);
    }
}

//! Whose vectors an index holds.

use crate::config::RankingConfig;

/// Where vectors are not all held, at most so many of the newest tell the average.
const NEWEST: usize = 1_024;

/// So many of the newest segments, and of the newest items those that cite none, tell the average.
pub(super) fn newest(config: &RankingConfig) -> usize {
    config.average_of.min(NEWEST)
}

/// Whose vectors are held in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldVectors {
    /// Those of all segments and items.
    All,
    /// Those of the newest, from these numbers on, which tell the average; the store is asked for
    /// the nearest. Numbers begin at 0, in the order of storing.
    From {
        /// Of segments.
        segments: usize,
        /// Of items.
        items: usize,
    },
}

impl HeldVectors {
    /// Whose are held of so many segments and items.
    pub fn of(segments: usize, items: usize, config: &RankingConfig) -> Self {
        if segments + items <= config.embedded_in_memory {
            return Self::All;
        }
        Self::of_newest(segments, items, config)
    }

    /// Of so many segments and items the newest only.
    pub fn of_newest(segments: usize, items: usize, config: &RankingConfig) -> Self {
        Self::From {
            segments: segments.saturating_sub(newest(config)),
            items: items.saturating_sub(newest(config)),
        }
    }

    /// Whether that of the segment with this number is held.
    pub fn hold_segment(self, number: usize) -> bool {
        match self {
            Self::All => true,
            Self::From { segments, .. } => number >= segments,
        }
    }

    /// Whether that of the item with this number is held, which cites segments or does not: the
    /// average is that of segments and of items that cite none.
    pub fn hold_item(self, number: usize, cites: bool) -> bool {
        match self {
            Self::All => true,
            Self::From { items, .. } => !cites && number >= items,
        }
    }

    /// Whether those that are held can become these by adding some.
    pub fn can_become(self, other: Self) -> bool {
        match (self, other) {
            (Self::All, Self::All) => true,
            (
                Self::From { segments, items },
                Self::From {
                    segments: s,
                    items: i,
                },
            ) => segments <= s && items <= i,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_vectors_are_held_depends_on_how_many_there_are() {
        let config = RankingConfig {
            embedded_in_memory: 5_000,
            ..RankingConfig::default()
        };
        let of = |segments, items| HeldVectors::of(segments, items, &config);
        let from = |segments, items| HeldVectors::From { segments, items };
        assert_eq!(of(0, 0), HeldVectors::All);
        assert_eq!(of(2_000, 3_000), HeldVectors::All);
        assert_eq!(of(5_001, 0), from(3_977, 0));
        assert_eq!(of(8_191, 1_025), from(7_167, 1));
        for count in [8_193, 100_000, 1_000_000] {
            let held = of(count, count);
            let segments = (0..count).filter(|number| held.hold_segment(*number));
            assert_eq!(segments.count(), NEWEST);
            let items = (0..count).filter(|number| held.hold_item(*number, false));
            assert_eq!(items.count(), NEWEST);
            assert!(!held.hold_item(count - 1, true));
            assert!(held.can_become(of(count + 1, count)));
            assert!(!held.can_become(of(count, count - 1)));
            assert!(!held.can_become(HeldVectors::All));
        }
        let none = RankingConfig {
            embedded_in_memory: 0,
            ..config
        };
        assert_eq!(HeldVectors::of(3, 0, &none), from(0, 0));
    }
}

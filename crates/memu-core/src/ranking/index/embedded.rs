use super::vectors::Vectors;
use super::{above, average};
use crate::config::RankingConfig;

/// In a scope whose vectors are not all held, at least so many are, and less than twice as
/// many, to tell the average.
const SAMPLED: usize = 1_024;

/// Of which segments the vectors are held in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldVectors {
    /// Of all.
    All,
    /// Of one in so many, which tell the average of all; the store is asked for the nearest.
    OneIn(usize),
}

impl HeldVectors {
    /// Which are held of so many segments.
    pub fn of(segments: usize, config: &RankingConfig) -> Self {
        if segments <= config.embedded_in_memory {
            return Self::All;
        }
        // A power of two, so that a scope which grows seldom needs others.
        let most = (segments / SAMPLED).max(1);
        Self::OneIn(1 << most.ilog2())
    }

    /// Whether that of the segment with this number is held; numbers begin at 0, in the order
    /// of storing.
    pub fn holds(self, number: usize) -> bool {
        match self {
            Self::All => true,
            Self::OneIn(step) => number.is_multiple_of(step),
        }
    }
}

/// What an embedder made of a question.
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedQuestion<'q> {
    /// Its vector.
    pub vector: &'q [f32],
    /// The segments that are nearest to it: their positions, and how near each is. They
    /// count where the vectors are not all held.
    pub nearest: &'q [(u32, f32)],
}

/// What an embedder made of the segments, and of the items that cite them.
#[derive(Clone, Debug)]
pub(super) struct Embedded {
    held: HeldVectors,
    /// How many segments there are, those whose vectors are not held among them.
    segment_count: usize,
    /// In the order of positions. Where all are held, zero for a segment without a vector.
    segments: Vectors,
    /// Where all are held.
    items: Vectors,
    /// By item with a vector: its number, and the positions of the segments that it cites.
    cited: Vec<(u32, Box<[u32]>)>,
}

impl Embedded {
    /// Nothing yet, of vectors with so many numbers.
    pub(super) fn new(dimension: usize, held: HeldVectors) -> Self {
        Self {
            held,
            segment_count: 0,
            segments: Vectors::new(dimension),
            items: Vectors::new(dimension),
            cited: Vec::new(),
        }
    }

    /// Which vectors are held.
    pub(super) fn held(&self) -> HeldVectors {
        self.held
    }

    /// How many segments were added.
    pub(super) fn segment_count(&self) -> usize {
        self.segment_count
    }

    /// Adds the next segment, with its vector if it has one that is held.
    pub(super) fn push_segment(&mut self, vector: Option<&[f32]>) {
        self.segment_count += 1;
        match (vector, self.held) {
            (Some(vector), _) => self.segments.push(vector),
            (None, HeldVectors::All) => self.segments.push(&vec![0.0; self.segments.dimension()]),
            (None, HeldVectors::OneIn(_)) => {}
        }
    }

    /// Adds the vector of an item that cites the segments at these positions; items come
    /// by ascending number.
    pub(super) fn push_item(&mut self, number: u32, vector: &[f32], cited: &[u32]) {
        if self.held == HeldVectors::All {
            self.items.push(vector);
            self.cited.push((number, cited.into()));
        }
    }

    /// Notes what an item cites from now on.
    pub(super) fn cite(&mut self, number: u32, cited: &[u32]) {
        let place = self
            .cited
            .binary_search_by_key(&number, |(number, _)| *number);
        if let Some((_, known)) = place.ok().and_then(|place| self.cited.get_mut(place)) {
            *known = cited.into();
        }
    }

    /// By segment: how much nearer it is to a question than segments are on average, where
    /// that is nearer; divided by the most of all, 0 to 1. An item says a part of what it
    /// cites in other words, so a segment is as near as the nearest of those, too.
    pub(super) fn nearness(
        &self,
        question: EmbeddedQuestion<'_>,
        config: &RankingConfig,
    ) -> Vec<f32> {
        let mut near = self.segments.cosines(question.vector);
        if self.held != HeldVectors::All {
            let average = average(&near);
            near.clear();
            near.resize(self.segment_count, average);
            for (position, cosine) in question.nearest {
                if let Some(near) = near.get_mut(*position as usize) {
                    *near = near.max(*cosine);
                }
            }
            return above(average, near);
        }
        for (cosine, (_, cited)) in self.items.cosines(question.vector).iter().zip(&self.cited) {
            for position in cited {
                if let Some(near) = near.get_mut(*position as usize) {
                    *near = near.max(cosine * config.embedded_item);
                }
            }
        }
        above(average(&near), near)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(vector: &[f32]) -> EmbeddedQuestion<'_> {
        EmbeddedQuestion {
            vector,
            nearest: &[],
        }
    }

    #[test]
    fn a_segment_is_as_near_as_the_items_that_cite_it() {
        let segments: [Option<&[f32]>; 3] = [Some(&[0.0, 1.0]), Some(&[0.6, 0.8]), None];
        let mut embedded = Embedded::new(2, HeldVectors::All);
        for vector in segments {
            embedded.push_segment(vector);
        }
        let config = RankingConfig {
            embedded_item: 0.9,
            ..RankingConfig::default()
        };
        let near = embedded.nearness(asked(&[1.0, 0.0]), &config);
        assert_eq!(near, [0.0, 1.0, 0.0]);
        embedded.push_item(4, &[3.0, 0.0], &[2]);
        embedded.cite(4, &[0, 7]);
        embedded.cite(5, &[1]);
        // 0.9, 0.6 and 0 are 0.4, 0.1 and less above their mean of 0.5.
        let near = embedded.nearness(asked(&[1.0, 0.0]), &config);
        assert_eq!((near[0], near[2]), (1.0, 0.0));
        assert!((near[1] - 0.25).abs() < 0.02, "{near:?}");
        let off = RankingConfig {
            embedded_item: 0.0,
            ..config
        };
        assert_eq!(embedded.nearness(asked(&[1.0, 0.0]), &off)[0], 0.0);
    }

    #[test]
    fn of_many_segments_the_nearest_are_told_and_some_tell_the_average() {
        let mut embedded = Embedded::new(2, HeldVectors::OneIn(2));
        // Those that are held have cosines of 0 and 0.6 with the question.
        for vector in [Some(&[0.0, 1.0]), None, Some(&[0.6, 0.8]), None] {
            embedded.push_segment(vector.map(<[f32; 2]>::as_slice));
        }
        embedded.push_item(0, &[1.0, 0.0], &[0]);
        let question = EmbeddedQuestion {
            vector: &[1.0, 0.0],
            nearest: &[(1, 0.9), (3, 0.2), (2, 0.6), (1, 0.4), (9, 1.0)],
        };
        let near = embedded.nearness(question, &RankingConfig::default());
        assert_eq!((near[0], near[1], near[3]), (0.0, 1.0, 0.0));
        assert!((near[2] - 0.5).abs() < 0.02, "{near:?}");
    }

    #[test]
    fn which_vectors_are_held_depends_on_how_many_there_are() {
        let config = RankingConfig {
            embedded_in_memory: 5_000,
            ..RankingConfig::default()
        };
        let of = |segments| HeldVectors::of(segments, &config);
        assert_eq!(of(0), HeldVectors::All);
        assert_eq!(of(5_000), HeldVectors::All);
        assert_eq!(of(5_001), HeldVectors::OneIn(4));
        assert_eq!(of(8_191), HeldVectors::OneIn(4));
        assert_eq!(of(8_192), HeldVectors::OneIn(8));
        for segments in [8_193, 100_000, 1_000_000] {
            let held = of(segments);
            let count = (0..segments).filter(|number| held.holds(*number)).count();
            assert!((SAMPLED..2 * SAMPLED).contains(&count), "{count}");
        }
        let none = RankingConfig {
            embedded_in_memory: 0,
            ..config
        };
        assert_eq!(HeldVectors::of(3, &none), HeldVectors::OneIn(1));
    }
}

use super::vectors::Vectors;
use crate::config::RankingConfig;

/// Where vectors are not all held, so many are at least of each kind, and less than twice as
/// many, to tell the average.
const SAMPLED: usize = 1_024;

/// One in how many of so many tells the average: a power of two, so that a scope which grows
/// seldom needs others.
fn sampling_step(count: usize) -> usize {
    1 << (count / SAMPLED).max(1).ilog2()
}

/// Whose vectors are held in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldVectors {
    /// Those of all segments and items.
    All,
    /// Those of one segment and of one item in so many, which tell the average of all; the
    /// store is asked for the nearest.
    OneIn {
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
        Self::OneIn {
            segments: sampling_step(segments),
            items: sampling_step(items),
        }
    }

    /// Whether that of the segment with this number is held; numbers begin at 0, in the order
    /// of storing.
    pub fn hold_segment(self, number: usize) -> bool {
        match self {
            Self::All => true,
            Self::OneIn { segments, .. } => number.is_multiple_of(segments),
        }
    }

    /// Whether that of the item with this number is held, which cites segments or does not: the
    /// average is that of segments and of items that cite none.
    pub fn hold_item(self, number: usize, cites: bool) -> bool {
        match self {
            Self::All => true,
            Self::OneIn { items, .. } => !cites && number.is_multiple_of(items),
        }
    }
}

/// What an embedder made of a question.
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedQuestion<'q> {
    /// Its vector.
    pub vector: &'q [f32],
    /// What is nearest to it; it counts where the vectors are not all held.
    pub nearest: &'q Nearest,
}

/// What a store found near to a question.
#[derive(Clone, Debug, Default)]
pub struct Nearest {
    /// The positions of segments, and how near each is; the nearest counts of one that is told
    /// more than once.
    pub segments: Vec<(u32, f32)>,
    /// The numbers of items that cite no segment, and how near each is.
    pub items: Vec<(u32, f32)>,
}

/// By number: how much nearer to a question segments are, and items that cite none, than both are
/// on average; where they are nearer; divided by the most of all, 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Nearness {
    /// By the position of a segment.
    pub segments: Vec<f32>,
    /// By the number of an item; 0 for one that cites segments.
    pub items: Vec<f32>,
}

/// What an embedder made of the segments and of the items.
#[derive(Clone, Debug)]
pub(super) struct Embedded {
    held: HeldVectors,
    /// How many segments there are, those whose vectors are not held among them.
    segment_count: usize,
    /// In the order of positions. Where all are held, zero for a segment without a vector.
    segments: Vectors,
    /// Of items that cite segments, where all are held.
    citing: Vectors,
    /// By item that cites and has a vector: its number, and the positions of the segments that
    /// it cites.
    cited: Vec<(u32, Box<[u32]>)>,
    /// Of items that cite none.
    alone: Vectors,
    /// The numbers of these.
    alone_numbers: Vec<u32>,
}

impl Embedded {
    /// Nothing yet, of vectors with so many numbers.
    pub(super) fn new(dimension: usize, held: HeldVectors) -> Self {
        Self {
            held,
            segment_count: 0,
            segments: Vectors::new(dimension),
            citing: Vectors::new(dimension),
            cited: Vec::new(),
            alone: Vectors::new(dimension),
            alone_numbers: Vec::new(),
        }
    }

    /// Whose vectors are held.
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
        match vector {
            Some(vector) => self.segments.push(vector),
            None if self.held == HeldVectors::All => {
                self.segments.push(&vec![0.0; self.segments.dimension()]);
            }
            None => {}
        }
    }

    /// Adds the vector of an item that cites the segments at these positions; items come
    /// by ascending number.
    pub(super) fn push_item(&mut self, number: u32, vector: &[f32], cited: &[u32]) {
        if cited.is_empty() {
            self.alone.push(vector);
            self.alone_numbers.push(number);
        } else {
            self.citing.push(vector);
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

    /// How near segments and items, of which there are so many, are to a question. An item says
    /// a part of what it cites in other words, so a segment is as near as the nearest of those,
    /// too.
    pub(super) fn nearness(
        &self,
        question: EmbeddedQuestion<'_>,
        item_count: usize,
        config: &RankingConfig,
    ) -> Nearness {
        let mut segments = self.segments.cosines(question.vector);
        let alone = self.alone.cosines(question.vector);
        if self.held != HeldVectors::All {
            let average = average(&segments, &alone);
            let nearest = question.nearest;
            let segments = others_average(average, &nearest.segments, self.segment_count);
            let items = others_average(average, &nearest.items, item_count);
            return Nearness::above(average, segments, items);
        }
        let citing = self.citing.cosines(question.vector);
        for (cosine, (_, cited)) in citing.iter().zip(&self.cited) {
            for position in cited {
                if let Some(near) = segments.get_mut(*position as usize) {
                    *near = near.max(cosine * config.embedded_item);
                }
            }
        }
        let average = average(&segments, &alone);
        let alone: Vec<_> = self.alone_numbers.iter().copied().zip(alone).collect();
        let items = others_average(average, &alone, item_count);
        Nearness::above(average, segments, items)
    }
}

impl Nearness {
    fn above(average: f32, mut segments: Vec<f32>, mut items: Vec<f32>) -> Self {
        let mut greatest = 0.0_f32;
        for near in segments.iter_mut().chain(&mut items) {
            *near = (*near - average).max(0.0);
            greatest = greatest.max(*near);
        }
        if greatest > 0.0 {
            for near in segments.iter_mut().chain(&mut items) {
                *near /= greatest;
            }
        }
        Self { segments, items }
    }
}

/// The average of all, and of one that has nothing to do with the question: it matters where
/// there are few, for one alone would be no nearer than itself.
fn average(segments: &[f32], items: &[f32]) -> f32 {
    let sum: f32 = segments.iter().chain(items).sum();
    sum / (segments.len() + items.len() + 1) as f32
}

/// By number, of so many: these, and the average of others.
fn others_average(average: f32, near: &[(u32, f32)], count: usize) -> Vec<f32> {
    let mut all = vec![average; count];
    for (number, cosine) in near {
        if let Some(one) = all.get_mut(*number as usize) {
            *one = one.max(*cosine);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(vector: &[f32]) -> EmbeddedQuestion<'_> {
        const NOTHING: &Nearest = &Nearest {
            segments: Vec::new(),
            items: Vec::new(),
        };
        EmbeddedQuestion {
            vector,
            nearest: NOTHING,
        }
    }

    fn close(near: &[f32], expected: &[f32]) {
        assert_eq!(near.len(), expected.len());
        for (near, expected) in near.iter().zip(expected) {
            assert!((near - expected).abs() < 0.02, "{near} for {expected}");
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
        let near = embedded.nearness(asked(&[1.0, 0.0]), 0, &config);
        assert_eq!(near.segments, [0.0, 1.0, 0.0]);
        embedded.push_item(4, &[3.0, 0.0], &[2]);
        embedded.cite(4, &[0, 7]);
        embedded.cite(5, &[1]);
        // 0.9, 0.6, 0 and the nothing that is counted besides are 0.375 on average.
        let near = embedded.nearness(asked(&[1.0, 0.0]), 5, &config);
        close(&near.segments, &[1.0, 0.225 / 0.525, 0.0]);
        assert_eq!(near.items, [0.0; 5], "it cites something");
        let off = RankingConfig {
            embedded_item: 0.0,
            ..config
        };
        let near = embedded.nearness(asked(&[1.0, 0.0]), 5, &off);
        assert_eq!(near.segments[0], 0.0);
    }

    #[test]
    fn an_item_that_cites_nothing_is_compared_by_itself_beside_segments() {
        let mut embedded = Embedded::new(2, HeldVectors::All);
        embedded.push_item(0, &[0.8, 0.6], &[]);
        let config = RankingConfig::default();
        let near = embedded.nearness(asked(&[1.0, 0.0]), 1, &config);
        assert_eq!(near.items, [1.0], "also where it is the only one");
        embedded.push_segment(Some(&[1.0, 0.0]));
        embedded.push_item(1, &[1.0, 0.0], &[0]);
        embedded.push_item(3, &[0.0, 1.0], &[]);
        // 0.8, 1, 0 and nothing are 0.45 on average.
        let near = embedded.nearness(asked(&[1.0, 0.0]), 4, &config);
        close(&near.segments, &[1.0]);
        close(&near.items, &[0.35 / 0.55, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn of_many_the_nearest_are_told_and_some_tell_the_average() {
        let held = HeldVectors::OneIn {
            segments: 2,
            items: 2,
        };
        let mut embedded = Embedded::new(2, held);
        for vector in [Some(&[0.0, 1.0]), None, Some(&[0.6, 0.8]), None] {
            embedded.push_segment(vector.map(<[f32; 2]>::as_slice));
        }
        embedded.push_item(0, &[1.0, 0.0], &[]);
        embedded.push_item(2, &[0.0, 1.0], &[]);
        let nearest = Nearest {
            segments: vec![(1, 0.92), (3, 0.2), (2, 0.62), (1, 0.4), (9, 1.0)],
            items: vec![(3, 0.62), (2, 0.1)],
        };
        let question = EmbeddedQuestion {
            vector: &[1.0, 0.0],
            nearest: &nearest,
        };
        // Those that are held, 0, 0.6, 1 and 0, are 0.32 on average with nothing.
        let near = embedded.nearness(question, 5, &RankingConfig::default());
        close(&near.segments, &[0.0, 1.0, 0.5, 0.0]);
        close(&near.items, &[0.0, 0.0, 0.0, 0.5, 0.0]);
    }

    #[test]
    fn which_vectors_are_held_depends_on_how_many_there_are() {
        let config = RankingConfig {
            embedded_in_memory: 5_000,
            ..RankingConfig::default()
        };
        let of = |segments, items| HeldVectors::of(segments, items, &config);
        let one_in = |segments, items| HeldVectors::OneIn { segments, items };
        assert_eq!(of(0, 0), HeldVectors::All);
        assert_eq!(of(2_000, 3_000), HeldVectors::All);
        assert_eq!(of(5_001, 0), one_in(4, 1));
        assert_eq!(of(8_191, 2_048), one_in(4, 2));
        assert_eq!(of(8_192, 2_047), one_in(8, 1));
        for count in [8_193, 100_000, 1_000_000] {
            let held = of(count, count);
            let segments = (0..count).filter(|number| held.hold_segment(*number));
            assert!((SAMPLED..2 * SAMPLED).contains(&segments.count()));
            let items = (0..count).filter(|number| held.hold_item(*number, false));
            assert!((SAMPLED..2 * SAMPLED).contains(&items.count()));
            assert!(!held.hold_item(0, true));
        }
        let none = RankingConfig {
            embedded_in_memory: 0,
            ..config
        };
        assert_eq!(HeldVectors::of(3, 0, &none), one_in(1, 1));
    }
}

use super::HeldVectors;
use super::held::newest;
use super::vectors::Vectors;
use crate::config::RankingConfig;

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
    /// Those that are held, in the order of positions. Where all are, zero for a segment without a
    /// vector.
    segments: Vectors,
    /// The positions of these.
    positions: Vec<u32>,
    /// Of items that cite segments, where all are held.
    citing: Vectors,
    /// By item that cites and has a vector: its number, and the positions of the segments that
    /// it cites.
    cited: Vec<(u32, Box<[u32]>)>,
    /// Of items that cite none.
    alone: Vectors,
    /// The numbers of these.
    alone_numbers: Vec<u32>,
    /// Of which scope this is an excerpt, whose average counts.
    whole: Option<Box<Whole>>,
}

/// What an excerpt is taken from.
#[derive(Clone, Debug)]
struct Whole {
    embedded: Embedded,
    items: usize,
}

impl Embedded {
    /// Nothing yet, of vectors with so many numbers.
    pub(super) fn new(dimension: usize, held: HeldVectors) -> Self {
        Self {
            held,
            segment_count: 0,
            segments: Vectors::new(dimension),
            positions: Vec::new(),
            citing: Vectors::new(dimension),
            cited: Vec::new(),
            alone: Vectors::new(dimension),
            alone_numbers: Vec::new(),
            whole: None,
        }
    }

    /// Of an excerpt with so many segments: no vectors, and the average of these, where there are
    /// so many items.
    pub(super) fn excerpt(&self, items: usize, segments_there: usize) -> Self {
        let whole = Whole {
            embedded: self.clone(),
            items,
        };
        Self {
            segment_count: segments_there,
            whole: Some(Box::new(whole)),
            ..Self::new(self.segments.dimension(), self.held)
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
        let position = self.segment_count as u32;
        self.segment_count += 1;
        match vector {
            Some(vector) => self.segments.push(vector),
            None if self.held == HeldVectors::All => {
                self.segments.push(&vec![0.0; self.segments.dimension()]);
            }
            None => return,
        }
        self.positions.push(position);
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
        if self.held != HeldVectors::All {
            let average = match &self.whole {
                Some(whole) => whole.embedded.average(question.vector, whole.items, config),
                None => self.average(question.vector, item_count, config),
            };
            let nearest = question.nearest;
            let segments = others_average(average, &nearest.segments, self.segment_count);
            let items = others_average(average, &nearest.items, item_count);
            return Nearness::above(average, segments, items);
        }
        let mut segments = self.segments.cosines(question.vector);
        let alone = self.alone.cosines(question.vector);
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

impl Embedded {
    /// The average of the cosines of the newest, of so many items.
    fn average(&self, vector: &[f32], items: usize, config: &RankingConfig) -> f32 {
        let newest = |vectors: &Vectors, numbers: &[u32], count: usize| {
            let first = count.saturating_sub(newest(config)) as u32;
            let first = numbers.partition_point(|number| *number < first);
            let places: Vec<usize> = (first..numbers.len()).collect();
            vectors.cosines_at(vector, &places)
        };
        let segments = newest(&self.segments, &self.positions, self.segment_count);
        let alone = newest(&self.alone, &self.alone_numbers, items);
        average(&segments, &alone)
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
        let held = HeldVectors::From {
            segments: 0,
            items: 0,
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
        // An excerpt has other segments, and the same average.
        let excerpt = embedded.excerpt(5, 2);
        let nearest = Nearest {
            segments: vec![(0, 0.92), (1, 0.2)],
            items: vec![(0, 0.62)],
        };
        let question = EmbeddedQuestion {
            nearest: &nearest,
            ..question
        };
        let near = excerpt.nearness(question, 1, &RankingConfig::default());
        close(&near.segments, &[1.0, 0.0]);
        close(&near.items, &[0.5]);
    }

    #[test]
    fn only_the_newest_tell_the_average() {
        let config = RankingConfig {
            average_of: 20,
            ..RankingConfig::default()
        };
        let mut embedded = Embedded::new(2, HeldVectors::of_newest(1, 1, &config));
        for number in 0..29 {
            let old = number < 9;
            embedded.push_segment(Some(if old { &[1.0, 0.0] } else { &[0.6, 0.8] }));
            embedded.push_item(
                number as u32,
                if old { &[1.0, 0.0] } else { &[0.0, 1.0] },
                &[],
            );
        }
        let average = embedded.average(&[1.0, 0.0], 29, &config);
        assert!((average - 0.3).abs() < 0.01, "{average}");
    }
}

use super::above_average;
use super::vectors::Vectors;
use crate::config::RankingConfig;

/// What an embedder made of the segments, and of the items that cite them.
#[derive(Clone, Debug)]
pub(super) struct Embedded {
    /// By position of a segment; zero for one without a vector.
    segments: Vectors,
    items: Vectors,
    /// By item with a vector: its number, and the positions of the segments that it cites.
    cited: Vec<(u32, Box<[u32]>)>,
}

impl Embedded {
    /// Nothing yet, of vectors with so many numbers.
    pub(super) fn new(dimension: usize) -> Self {
        Self {
            segments: Vectors::new(dimension),
            items: Vectors::new(dimension),
            cited: Vec::new(),
        }
    }

    /// How many segments were added.
    pub(super) fn segment_count(&self) -> usize {
        self.segments.count()
    }

    /// Adds the vector of the next segment, if it has one.
    pub(super) fn push_segment(&mut self, vector: Option<&[f32]>) {
        match vector {
            Some(vector) => self.segments.push(vector),
            None => self.segments.push(&vec![0.0; self.segments.dimension()]),
        }
    }

    /// Adds the vector of an item that cites the segments at these positions; items come
    /// by ascending number.
    pub(super) fn push_item(&mut self, number: u32, vector: &[f32], cited: &[u32]) {
        self.items.push(vector);
        self.cited.push((number, cited.into()));
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

    /// By segment: how much nearer it is to a vector than segments are on average, where
    /// that is nearer; divided by the most of all, 0 to 1. An item says a part of what it
    /// cites in other words, so a segment is as near as the nearest of those, too.
    pub(super) fn nearness(&self, vector: &[f32], config: &RankingConfig) -> Vec<f32> {
        let mut near = self.segments.cosines(vector);
        for (cosine, (_, cited)) in self.items.cosines(vector).iter().zip(&self.cited) {
            for position in cited {
                if let Some(near) = near.get_mut(*position as usize) {
                    *near = near.max(cosine * config.embedded_item);
                }
            }
        }
        above_average(near)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_as_near_as_the_items_that_cite_it() {
        let segments: [Option<&[f32]>; 3] = [Some(&[0.0, 1.0]), Some(&[0.6, 0.8]), None];
        let mut embedded = Embedded::new(2);
        for vector in segments {
            embedded.push_segment(vector);
        }
        let config = RankingConfig {
            embedded_item: 0.9,
            ..RankingConfig::default()
        };
        let near = embedded.nearness(&[1.0, 0.0], &config);
        assert_eq!(near, [0.0, 1.0, 0.0]);
        embedded.push_item(4, &[3.0, 0.0], &[2]);
        embedded.cite(4, &[0, 7]);
        embedded.cite(5, &[1]);
        // 0.9, 0.6 and 0 are 0.4, 0.1 and less above their mean of 0.5.
        let near = embedded.nearness(&[1.0, 0.0], &config);
        assert_eq!((near[0], near[2]), (1.0, 0.0));
        assert!((near[1] - 0.25).abs() < 0.02, "{near:?}");
        let off = RankingConfig {
            embedded_item: 0.0,
            ..config
        };
        assert_eq!(embedded.nearness(&[1.0, 0.0], &off)[0], 0.0);
    }
}

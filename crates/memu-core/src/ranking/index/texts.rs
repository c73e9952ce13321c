use super::field::idf;

/// Texts that are being added, passage by passage.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// Passage after passage: its terms in order, with how often each occurs.
    terms: Vec<(u32, u32)>,
    /// By passage: where its terms end.
    passages: Vec<u32>,
    /// By text: where its passages end.
    ends: Vec<u32>,
}

/// How rare terms are.
#[derive(Clone, Debug, Default)]
pub(super) struct Rarity {
    /// By term: its inverse document frequency.
    idf: Vec<f32>,
    /// That of all others.
    unknown: f32,
}

/// How many of so many texts are counted: all of the first, then so many that fewer than
/// an eighth are not. What is made of counted texts stays when a few are added.
pub(super) fn counted(all: usize) -> usize {
    const FEW: usize = 512;
    match all.checked_ilog2() {
        Some(octave) if all >= FEW => all - all % ((1 << octave) / 8),
        _ => all,
    }
}

impl Texts {
    /// Adds a passage to the last text.
    pub(super) fn push_passage(&mut self, terms: &[(u32, u32)]) {
        self.terms.extend_from_slice(terms);
        self.passages.push(self.terms.len() as u32);
    }

    /// Ends the last text.
    pub(super) fn end_text(&mut self) {
        self.ends.push(self.passages.len() as u32);
    }

    /// The terms of the last text, passage by passage.
    pub(super) fn last_text(&self) -> &[(u32, u32)] {
        let passages = match self.ends.len().checked_sub(2) {
            Some(before) => self.ends.get(before).copied().unwrap_or_default(),
            None => 0,
        };
        let start = (passages as usize).checked_sub(1);
        let start = start.and_then(|before| self.passages.get(before)).copied();
        let start = start.unwrap_or_default() as usize;
        self.terms.get(start..).unwrap_or_default()
    }

    /// The passages of each text, in order, each with its terms.
    pub(super) fn iter(&self) -> impl Iterator<Item = impl Iterator<Item = &[(u32, u32)]>> {
        ranges(&self.ends).map(move |passages| {
            let from = passages.start.checked_sub(1);
            let start = from.and_then(|before| self.passages.get(before)).copied();
            let ends = self.passages.get(passages).unwrap_or_default();
            let mut start = start.unwrap_or_default() as usize;
            ends.iter().map(move |end| {
                let range = start..*end as usize;
                start = range.end;
                self.terms.get(range).unwrap_or_default()
            })
        })
    }

    /// How rare terms are among the passages of the first texts.
    pub(super) fn rarity(&self, texts: usize) -> Rarity {
        let mut holding: Vec<u32> = Vec::new();
        let mut all = 0;
        for terms in self.iter().take(texts).flatten() {
            all += 1;
            for (term, _) in terms {
                let place = *term as usize;
                if place >= holding.len() {
                    holding.resize(place + 1, 0);
                }
                if let Some(count) = holding.get_mut(place) {
                    *count += 1;
                }
            }
        }
        Rarity {
            idf: holding.iter().map(|holding| idf(*holding, all)).collect(),
            unknown: idf(0, all),
        }
    }
}

fn ranges(ends: &[u32]) -> impl Iterator<Item = std::ops::Range<usize>> {
    let starts = std::iter::once(&0).chain(ends);
    starts
        .zip(ends)
        .map(|(start, end)| *start as usize..*end as usize)
}

impl Rarity {
    /// The inverse document frequency of a term.
    pub(super) fn of(&self, term: u32) -> f32 {
        self.idf.get(term as usize).copied().unwrap_or(self.unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_with_their_passages() {
        let mut texts = Texts::default();
        for text in [&[&[(1, 2), (4, 1)][..], &[]][..], &[], &[&[(0, 1)]]] {
            for passage in text {
                texts.push_passage(passage);
            }
            texts.end_text();
        }
        let read: Vec<Vec<_>> = texts.iter().map(Iterator::collect).collect();
        let expected: [Vec<&[(u32, u32)]>; 3] =
            [vec![&[(1, 2), (4, 1)], &[]], vec![], vec![&[(0, 1)]]];
        assert_eq!(read, expected);
        assert_eq!(texts.last_text(), [(0, 1)]);
        let rarity = texts.rarity(1);
        assert_eq!(rarity.of(1), idf(1, 2));
        assert_eq!(rarity.of(0), idf(0, 2));
        assert_eq!(rarity.of(99), idf(0, 2));
    }

    #[test]
    fn few_texts_are_all_counted_and_of_many_nearly_all() {
        assert_eq!([0, 1, 511].map(counted), [0, 1, 511]);
        assert_eq!([512, 575, 576, 1023].map(counted), [512, 512, 576, 960]);
        for all in [513, 5_000, 99_999, 1_000_000] {
            let counted = counted(all);
            assert!(counted <= all && counted * 8 > all * 7);
            assert_eq!(super::counted(counted), counted);
        }
    }
}

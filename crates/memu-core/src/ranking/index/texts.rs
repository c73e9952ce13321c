/// Texts that are being added: the words of each in order, with how often they occur, passage
/// after passage.
#[derive(Debug, Default)]
pub(super) struct Texts {
    words: Vec<(u32, u32)>,
    /// By text: where its words end.
    ends: Vec<usize>,
}

impl Texts {
    /// Adds words to the last text.
    pub(super) fn push(&mut self, words: &[(u32, u32)]) {
        self.words.extend_from_slice(words);
    }

    /// Ends the last text.
    pub(super) fn end(&mut self) {
        self.ends.push(self.words.len());
    }

    /// The words of each text.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[(u32, u32)]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let range = std::mem::replace(&mut start, *end)..*end;
            self.words.get(range).unwrap_or_default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_with_the_words_of_all_their_passages() {
        let mut texts = Texts::default();
        for text in [
            &[&[(1, 2), (4, 1)][..], &[], &[(1, 1)]][..],
            &[],
            &[&[(0, 1)]],
        ] {
            for passage in text {
                texts.push(passage);
            }
            texts.end();
        }
        let read: Vec<&[(u32, u32)]> = texts.iter().collect();
        let expected: [&[(u32, u32)]; 3] = [&[(1, 2), (4, 1), (1, 1)], &[], &[(0, 1)]];
        assert_eq!(read, expected);
    }
}

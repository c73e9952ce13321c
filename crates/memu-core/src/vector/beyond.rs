//! What numbers are beyond the greatest and the least that a byte says.

/// By vector: which of its numbers are beyond, and by how many steps of its bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Beyond {
    /// By vector: where its numbers end.
    ends: Vec<u32>,
    numbers: Vec<(u16, i16)>,
}

impl Beyond {
    /// Appends those of one more vector, with their places in order.
    pub(super) fn push(&mut self, numbers: &[(u16, i16)]) {
        self.numbers.extend_from_slice(numbers);
        self.ends.push(self.numbers.len() as u32);
    }

    /// Those of a vector.
    pub(super) fn of(&self, vector: usize) -> &[(u16, i16)] {
        let end = |vector: usize| self.ends.get(vector).map_or(0, |end| *end as usize);
        let start = vector.checked_sub(1).map_or(0, end);
        self.numbers.get(start..end(vector)).unwrap_or_default()
    }

    /// The inner product of a vector's with a query, in steps.
    pub(super) fn product(&self, vector: usize, query: &[f32]) -> f32 {
        let products = self.of(vector).iter().map(|(place, steps)| {
            let query = query.get(usize::from(*place));
            query.copied().unwrap_or_default() * f32::from(*steps)
        });
        products.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_vector_has_its_own() {
        let mut beyond = Beyond::default();
        beyond.push(&[(1, 3), (2, -5)]);
        beyond.push(&[]);
        beyond.push(&[(0, 7)]);
        assert_eq!(beyond.of(0), [(1, 3), (2, -5)]);
        assert_eq!(beyond.of(1), []);
        assert_eq!(beyond.of(2), [(0, 7)]);
        assert_eq!(beyond.of(3), []);
        let query = [0.5, 2.0, 1.0];
        let products = [0, 1, 2, 3].map(|vector| beyond.product(vector, &query));
        assert_eq!(products, [1.0, 0.0, 3.5, 0.0]);
    }
}

//! Arrays that lie beside each other in memory.

use std::ops::Deref;
use std::sync::Arc;

/// A piece of an array that others may have pieces of, too.
#[derive(Clone, Debug)]
pub(super) struct Piece<T> {
    whole: Arc<[T]>,
    start: usize,
    end: usize,
}

impl<T> Deref for Piece<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.whole.get(self.start..self.end).unwrap_or_default()
    }
}

impl<T> From<Vec<T>> for Piece<T> {
    fn from(numbers: Vec<T>) -> Self {
        Self {
            start: 0,
            end: numbers.len(),
            whole: numbers.into(),
        }
    }
}

impl<T> FromIterator<T> for Piece<T> {
    fn from_iter<I: IntoIterator<Item = T>>(numbers: I) -> Self {
        Vec::from_iter(numbers).into()
    }
}

impl<T: PartialEq> PartialEq for Piece<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

/// Puts these into one array, in order.
pub(super) fn join<T: Copy>(mut pieces: Vec<&mut Piece<T>>) {
    let whole: Vec<T> = pieces.iter().flat_map(|piece| &***piece).copied().collect();
    let whole: Arc<[T]> = whole.into();
    let mut start = 0;
    for piece in &mut pieces {
        let end = start + piece.len();
        **piece = Piece {
            whole: whole.clone(),
            start,
            end,
        };
        start = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_same_when_they_lie_in_one_array() {
        let arrays = [vec![1_u8, 2, 3], Vec::new(), vec![4]];
        let mut pieces = arrays.clone().map(Piece::from);
        join(pieces.iter_mut().collect());
        assert_eq!(pieces.clone().map(|piece| piece.to_vec()), arrays);
        assert_eq!(*pieces[0].whole, [1, 2, 3, 4]);
        assert!(Arc::ptr_eq(&pieces[0].whole, &pieces[2].whole));
    }
}

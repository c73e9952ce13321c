//! Arrays that may lie beside each other in memory.

use std::ops::{Deref, Range};
use std::sync::Arc;

use memmap2::MmapMut;
use pulp::bytemuck::{self, Pod};

/// An array of its own, or a part of memory that others have parts of, too.
#[derive(Clone, Debug)]
pub(super) enum Piece<T> {
    Own(Vec<T>),
    /// These bytes.
    Of(Arc<MmapMut>, Range<usize>),
}

impl<T: Pod> Deref for Piece<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Own(numbers) => numbers,
            Self::Of(whole, range) => {
                let bytes = whole.get(range.clone()).unwrap_or_default();
                bytemuck::try_cast_slice(bytes).unwrap_or_default()
            }
        }
    }
}

impl<T> Default for Piece<T> {
    fn default() -> Self {
        Self::Own(Vec::new())
    }
}

impl<T> From<Vec<T>> for Piece<T> {
    fn from(numbers: Vec<T>) -> Self {
        Self::Own(numbers)
    }
}

impl<T> FromIterator<T> for Piece<T> {
    fn from_iter<I: IntoIterator<Item = T>>(numbers: I) -> Self {
        Vec::from_iter(numbers).into()
    }
}

impl<T: Pod + PartialEq> PartialEq for Piece<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

/// A [`Piece`] of whatever numbers.
pub(super) trait Array {
    fn bytes(&self) -> &[u8];
    fn clear(&mut self);
    /// Makes it the numbers that lie there.
    fn point(&mut self, whole: &Arc<MmapMut>, place: Range<usize>);
}

impl<T: Pod> Array for Piece<T> {
    fn bytes(&self) -> &[u8] {
        bytemuck::try_cast_slice(self).unwrap_or_default()
    }

    fn clear(&mut self) {
        *self = Self::default();
    }

    fn point(&mut self, whole: &Arc<MmapMut>, place: Range<usize>) {
        *self = Self::Of(whole.clone(), place);
    }
}

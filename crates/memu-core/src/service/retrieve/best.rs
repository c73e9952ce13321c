use std::cmp::Ordering;

/// The first `count` of `candidates` by `order`, in order, without sorting the others.
pub(super) fn best<T>(
    mut candidates: Vec<T>,
    count: usize,
    order: impl Fn(&T, &T) -> Ordering,
) -> Vec<T> {
    if count == 0 {
        return Vec::new();
    }
    if candidates.len() > count {
        candidates.select_nth_unstable_by(count - 1, &order);
        candidates.truncate(count);
    }
    candidates.sort_unstable_by(order);
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_are_those_that_sorting_would_give() {
        let numbers = vec![5, 1, 4, 2, 8, 7, 3];
        assert_eq!(best(numbers.clone(), 3, i32::cmp), [1, 2, 3]);
        assert_eq!(best(numbers.clone(), 7, i32::cmp), [1, 2, 3, 4, 5, 7, 8]);
        assert_eq!(best(numbers.clone(), 9, i32::cmp).len(), 7);
        assert!(best(numbers, 0, i32::cmp).is_empty());
    }
}

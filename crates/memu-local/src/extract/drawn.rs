//! Memories as they are drawn, before their types are fitted.

use memu_core::time::When;

use super::kind::MemoryKind;

/// A memory, before its type is fitted to the configuration.
#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) kind: MemoryKind,
    pub(super) summary: String,
    pub(super) happened: Option<When>,
    pub(super) segments: Vec<usize>,
    pub(super) worth: i32,
}

/// Keeps the `most` of highest worth, in their order.
pub(super) fn best(drawn: &mut Vec<Drawn>, most: usize) {
    if drawn.len() <= most {
        return;
    }
    let mut order: Vec<(i32, usize)> = drawn
        .iter()
        .enumerate()
        .map(|(at, item)| (-item.worth, at))
        .collect();
    order.sort_unstable();
    let mut kept: Vec<usize> = order.into_iter().take(most).map(|(_, at)| at).collect();
    kept.sort_unstable();
    let mut at = 0;
    drawn.retain(|_| {
        let keep = kept.binary_search(&at).is_ok();
        at += 1;
        keep
    });
}

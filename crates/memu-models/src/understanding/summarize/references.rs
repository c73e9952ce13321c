use std::collections::HashMap;

use memu_core::provider::SummaryItem;

/// A summary as it is stored, with citations by the numbers that its items have in a request.
/// Those of items that are gone are taken out.
pub(super) fn numbered(text: &str, items: &[SummaryItem]) -> String {
    let mut numbers = HashMap::new();
    for (number, item) in (1_usize..).zip(items) {
        numbers
            .entry(item.id.short())
            .or_insert_with(|| number.to_string());
    }
    let number = |mark: &str| numbers.get(mark).map(String::as_str);
    rewritten(text, false, number).0
}

/// A summary as a model wrote it, with citations of the form `[ref:abc123]` by the short ids of
/// items, and the marks that were taken out since no item has such a number.
pub(super) fn with_ids(text: &str, items: &[SummaryItem]) -> (String, Vec<String>) {
    rewritten(text, true, |mark| {
        let number: usize = mark.trim_start_matches('#').parse().ok()?;
        Some(items.get(number.checked_sub(1)?)?.id.short())
    })
}

/// A text whose citations are all of the form `[ref:mark]`, each mark replaced by what `meant`
/// says of it, and the marks that were taken out since it says nothing. With `bare`, a known
/// mark that stands alone in brackets is a citation, too.
fn rewritten<'m>(
    text: &str,
    bare: bool,
    meant: impl Fn(&str) -> Option<&'m str>,
) -> (String, Vec<String>) {
    let mut written = String::new();
    let mut unknown = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(['[', '(']) {
        let (before, group) = rest.split_at_checked(start).unwrap_or((rest, ""));
        written.push_str(before);
        let known = |mark: &str| bare && meant(mark).is_some();
        let Some((marks, length)) = citation(group, known) else {
            let bracket = group.chars().next().map_or(0, char::len_utf8);
            written.push_str(group.get(..bracket).unwrap_or_default());
            rest = group.get(bracket..).unwrap_or_default();
            continue;
        };
        let mut cites = false;
        for mark in marks {
            match meant(mark) {
                Some(mark) => written.extend(["[ref:", mark, "]"]),
                None => unknown.push(mark.to_owned()),
            }
            cites |= meant(mark).is_some();
        }
        if !cites {
            written.truncate(written.trim_end_matches(' ').len());
        }
        rest = group.get(length..).unwrap_or_default();
    }
    written.push_str(rest);
    (written, unknown)
}

/// How many characters a text has without its citations.
pub(super) fn length_without(text: &str) -> usize {
    rewritten(text, false, |_| None).0.chars().count()
}

/// The marks in the group at the beginning of a text, and its length; `None` when it is not
/// a citation.
fn citation(group: &str, known: impl Fn(&str) -> bool) -> Option<(Vec<&str>, usize)> {
    let close = if group.starts_with('[') { ']' } else { ')' };
    // Citations are short: no need to look further.
    let end = group
        .char_indices()
        .take(256)
        .find(|(_, character)| *character == close)
        .map(|(at, _)| at)?;
    let inside = group.get(1..end)?;
    let prefix = inside.trim_start();
    let prefixed = prefix.get(..4).is_some_and(|start| {
        start.eq_ignore_ascii_case("ref:") || start.eq_ignore_ascii_case("ref ")
    });
    let marks: Vec<&str> = inside
        .split([',', ';', ' '])
        .map(|mark| {
            let mark = mark.trim();
            match mark.get(..4) {
                Some(start) if start.eq_ignore_ascii_case("ref:") => {
                    mark.get(4..).unwrap_or_default()
                }
                _ => mark,
            }
        })
        .filter(|mark| !mark.is_empty() && !mark.eq_ignore_ascii_case("ref"))
        .collect();
    // Marks alone count, too, when they are known; a link is none.
    let bare = close == ']'
        && !marks.is_empty()
        && marks.iter().all(|mark| known(mark))
        && !group.get(end + 1..)?.starts_with('(');
    (prefixed || bare).then_some((marks, end + 1))
}

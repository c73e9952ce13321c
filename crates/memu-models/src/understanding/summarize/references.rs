use std::collections::HashSet;

/// A text whose citations are all of the form `[ref:abc123]` and known, and the marks that
/// were taken out.
pub(super) fn mended(text: &str, known: &HashSet<&str>) -> (String, Vec<String>) {
    let mut mended = String::new();
    let mut unknown = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(['[', '(']) {
        let (before, group) = rest.split_at_checked(start).unwrap_or((rest, ""));
        mended.push_str(before);
        let Some((marks, length)) = citation(group, known) else {
            let bracket = group.chars().next().map_or(0, char::len_utf8);
            mended.push_str(group.get(..bracket).unwrap_or_default());
            rest = group.get(bracket..).unwrap_or_default();
            continue;
        };
        let (good, bad): (Vec<&str>, Vec<&str>) =
            marks.into_iter().partition(|mark| known.contains(mark));
        unknown.extend(bad.into_iter().map(str::to_owned));
        if good.is_empty() {
            mended.truncate(mended.trim_end_matches(' ').len());
        }
        mended.extend(good.into_iter().map(|mark| format!("[ref:{mark}]")));
        rest = group.get(length..).unwrap_or_default();
    }
    mended.push_str(rest);
    (mended, unknown)
}

/// How many characters a text has without its citations.
pub(super) fn length_without(text: &str) -> usize {
    mended(text, &HashSet::new()).0.chars().count()
}

/// The marks in the group at the beginning of a text, and its length; `None` when it is not
/// a citation.
fn citation<'t>(group: &'t str, known: &HashSet<&str>) -> Option<(Vec<&'t str>, usize)> {
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
        && marks.iter().all(|mark| known.contains(mark))
        && !group.get(end + 1..)?.starts_with('(');
    (prefixed || bare).then_some((marks, end + 1))
}

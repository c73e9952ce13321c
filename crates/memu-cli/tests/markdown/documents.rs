//! docs/formats.md shows what is written.

use super::*;

const FORMATS: &str = include_str!("../../../../docs/formats.md");

/// The first block of docs/formats.md that begins with this line.
fn documented(beginning: &str) -> &'static str {
    let blocks = FORMATS.split("\n```\n");
    let mut blocks = blocks.filter_map(|block| Some(block.rsplit_once("\n```")?.1));
    let mut texts = blocks
        .by_ref()
        .filter_map(|block| Some(block.split_once('\n')?.1));
    texts.find(|text| text.starts_with(beginning)).unwrap()
}

/// A text with the same digits for every id.
fn without_ids(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let is_id = |word: &str| {
        let digits = |c: char| c.is_ascii_hexdigit() && !c.is_ascii_uppercase();
        word.len() >= 8
            && word.chars().all(|c| digits(c) || c == '-')
            && word.contains(|c: char| c.is_ascii_digit())
    };
    let words: Vec<&str> = text.split_inclusive(|c| !is_part(c)).collect();
    let masked = words.iter().map(|word| {
        let (name, end) = match word.char_indices().last() {
            Some((at, last)) if !is_part(last) => word.split_at(at),
            _ => (*word, ""),
        };
        let (before, id) = name
            .rsplit_once("friends-")
            .map_or(("", name), |(_, id)| ("friends-", id));
        let id = id.trim_matches('"');
        // YAML wants quotes where an id begins with a digit.
        let shown = if is_id(id) { "ID" } else { id };
        format!("{before}{shown}{end}")
    });
    masked.collect::<String>().replace("\"ID\"", "ID")
}

#[test]
fn the_documented_pages_are_what_is_written() {
    let home = Home::new();
    home.write("friends.json", include_bytes!("../../samples/friends.json"));
    home.ok(&["memorize", "friends.json", "--user", "alice"]);
    export(&home, "dir");
    let name = "categories/habits.md";
    let expected = documented("---\nmemu: category");
    assert_eq!(
        without_ids(page(&home, name).trim()),
        without_ids(expected.trim())
    );
    edit(&home, name, "six kilometres. *(", "seven kilometres. *(");
    let habits = page(&home, name);
    home.write(
        &format!("dir/alice/{name}"),
        format!("{habits}\n- Nora swims on Sundays *(behavior, May 2026)*\n"),
    );
    let told = home.ok(&["import", "dir"]);
    assert_eq!(told.trim(), documented("changed  alice").trim());
}

/// How many characters a model is asked to condense at once.
const LONGEST: usize = 24_000;

/// A text in parts that are not too long, parted between paragraphs where possible.
pub(super) fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while let Some((limit, _)) = rest.char_indices().nth(LONGEST) {
        let within = rest.get(..limit).unwrap_or(rest);
        let end = ["\n\n", "\n", " "]
            .iter()
            .find_map(|gap| within.rfind(gap).filter(|end| *end > 0))
            .unwrap_or(limit);
        let (part, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        parts.push(part.trim_end());
        rest = after.trim_start();
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_end_between_paragraphs_and_lose_nothing() {
        assert_eq!(parts(" short "), ["short"]);
        let paragraph = "Ahoy there. ".repeat(500);
        let text = format!("{}\n\n", paragraph.trim()).repeat(9);
        let all = parts(&text);
        assert_eq!(all.len(), 3);
        assert!(all.iter().all(|part| part.chars().count() <= LONGEST));
        assert!(all.iter().all(|part| part.ends_with("there.")));
        assert_eq!(all.join("\n\n"), text.trim());
        let unbroken = "é".repeat(2 * LONGEST + 1);
        assert_eq!(parts(&unbroken).concat(), unbroken);
    }
}

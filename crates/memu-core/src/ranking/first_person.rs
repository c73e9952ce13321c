/// A question in the words of whom it asks about: the names of speakers become "I", and
/// "my" with a possessive. People say "I moved", not "Nora moved", so that an embedder
/// finds the former nearer to "Where did I move?".
///
/// A speaker is named by the whole name or its first word, in any case.
pub fn in_first_person(question: &str, speakers: &[&str]) -> String {
    let names: Vec<Vec<&str>> = speakers
        .iter()
        .map(|name| name.split_whitespace().collect())
        .collect();
    let mut said = Vec::new();
    let mut words = question.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let Some((name, after)) = names.iter().find_map(|name| begins_with(word, name)) else {
            said.push(word.to_owned());
            continue;
        };
        let (mut possessive, mut after) = after;
        for part in name.iter().skip(1) {
            let Some((rest, tail)) = words.peek().and_then(|next| named(next, part)) else {
                break;
            };
            (possessive, after) = (rest, tail);
            words.next();
        }
        let pronoun = if possessive { "my" } else { "I" };
        said.push(format!("{pronoun}{after}"));
    }
    said.join(" ")
}

type Named<'w> = (bool, &'w str);

fn begins_with<'n, 'w>(word: &'w str, name: &'n [&'n str]) -> Option<(&'n [&'n str], Named<'w>)> {
    Some((name, named(word, name.first()?)?))
}

/// Whether a word is a name, with or without a possessive, and what follows it.
fn named<'w>(word: &'w str, name: &str) -> Option<Named<'w>> {
    let end = word
        .find(|c: char| !c.is_alphanumeric() && c != '-')
        .unwrap_or(word.len());
    let (bare, rest) = word.split_at_checked(end)?;
    if bare.is_empty() || bare.to_lowercase() != name.to_lowercase() {
        return None;
    }
    let possessive = ["'s", "\u{2019}s"]
        .into_iter()
        .find_map(|mark| rest.strip_prefix(mark));
    Some(possessive.map_or((false, rest), |rest| (true, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speakers_become_the_first_person() {
        let speakers = ["Nora", "Jean-Luc Petit"];
        for (question, said) in [
            ("Where did Nora move?", "Where did I move?"),
            ("What is nora's dog called?", "What is my dog called?"),
            (
                "Did Jean-Luc Petit\u{2019}s sister visit Nora?",
                "Did my sister visit I?",
            ),
            ("What did Jean-Luc, say?", "What did I, say?"),
            ("Where is Norah?", "Where is Norah?"),
        ] {
            assert_eq!(in_first_person(question, &speakers), said);
        }
        assert_eq!(
            in_first_person("Where did Nora move?", &[]),
            "Where did Nora move?"
        );
    }
}

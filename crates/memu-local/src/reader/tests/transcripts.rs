use memu_core::records::Role;

use super::*;

fn speakers(drafts: &[Draft]) -> Vec<Option<&str>> {
    drafts
        .iter()
        .map(|draft| draft.speaker.as_deref())
        .collect()
}

#[test]
fn names_texts_and_continuation_lines() {
    for newline in ["\n", "\r\n"] {
        let text = [
            "Anna: Hello Ben!",
            "How are you?",
            "",
            "Ben: Fine.",
            "- one: two",
            "",
            "Anna:",
            "Good.",
        ]
        .join(newline);
        let drafts = conversation(&text);
        assert_eq!(speakers(&drafts), [Some("Anna"), Some("Ben"), Some("Anna")]);
        assert_eq!(drafts[0].text, format!("Hello Ben!{newline}How are you?"));
        assert_eq!(drafts[1].text, format!("Fine.{newline}- one: two"));
        assert_eq!(drafts[2].text, "Good.");
        assert_spans_are_the_texts(text.as_bytes(), &drafts);
    }
}

#[test]
fn role_words_are_roles_and_labels_in_answers_are_not() {
    let drafts = conversation(
        "User: How do I bake bread?\nAssistant: Like so.\nIngredients: flour\nTemperature: 220\n\
         Human: Thanks\nAI: Welcome",
    );
    let roles: Vec<_> = drafts.iter().map(|draft| draft.role.unwrap()).collect();
    assert_eq!(
        roles,
        [Role::User, Role::Assistant, Role::User, Role::Assistant]
    );
    assert_eq!(
        drafts[1].text,
        "Like so.\nIngredients: flour\nTemperature: 220"
    );
    assert!(speakers(&drafts).iter().all(Option::is_none));
}

#[test]
fn times_before_names() {
    for line in [
        "[2024-05-01 10:00] Anna: hi",
        "2024-05-01 10:00 - Anna: hi",
        "01/05/2024, 10:00 - Anna: hi",
        "[01.05.24, 10:00:00] Anna: hi",
    ] {
        let drafts = conversation(line);
        assert_eq!(drafts[0].happened_at, Some(at(2024, 5, 1, 10, 0)), "{line}");
        assert_eq!(
            (speakers(&drafts), texts(&drafts)),
            (vec![Some("Anna")], vec!["hi"])
        );
    }
    let drafts = conversation("(10:00) Anna: hi\n(10:05) Ben: yo");
    assert_eq!(drafts[1].happened_at, None);
    assert_eq!(drafts[1].happened_at_text.as_deref(), Some("10:05"));
}

#[test]
fn among_stamped_messages_a_line_without_a_stamp_goes_on() {
    let text = "01/05/2024, 10:00 - Messages are encrypted.\n01/05/2024, 10:01 - Anna: a list\n\
                Milk: two\nEggs: six\n01/05/2024, 17:02 - Ben: ok";
    let drafts = conversation(text);
    assert_eq!(speakers(&drafts), [None, Some("Anna"), Some("Ben")]);
    assert_eq!(drafts[1].text, "a list\nMilk: two\nEggs: six");
    assert_eq!(sessions(&drafts), [0, 0, 1]);
    assert_spans_are_the_texts(text.as_bytes(), &drafts);
}

#[test]
fn lines_before_the_first_speaker_are_kept() {
    let drafts = conversation("Weekly call\n\nAnna: hi\nBen: yo");
    assert_eq!(texts(&drafts), ["Weekly call", "hi", "yo"]);
    assert_eq!(speakers(&drafts), [None, Some("Anna"), Some("Ben")]);
}

#[test]
fn a_transcript_that_grows_keeps_its_messages() {
    let lines: Vec<String> = (0..40)
        .map(|i| match i % 4 {
            0 => format!("Anna: line {i}"),
            1 => format!("Total {i}: more"),
            2 => format!("ben: line {i}"),
            _ => format!("Ben: line {i}"),
        })
        .collect();
    let whole = conversation(lines.join("\n"));
    for length in 1..lines.len() {
        let part = conversation(lines[..length].join("\n"));
        // The last message may still go on.
        let known = part.len() - 1;
        let part: Vec<_> = part[..known].iter().map(lasting).collect();
        let begin: Vec<_> = whole[..known].iter().map(lasting).collect();
        assert_eq!(part, begin);
    }
}

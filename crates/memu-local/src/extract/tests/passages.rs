use super::{extract, from, request, summaries};
use memu_core::records::{Modality, Role, Segment};

fn passage(text: &str) -> Segment {
    Segment {
        role: None,
        happened_at: None,
        ..from(Role::User, text)
    }
}

#[test]
fn a_long_answer_gives_a_handful_of_statements_and_no_code() {
    let mut answer = String::from("Certainly! Here's how to do it:\n\n### Overview\n");
    answer.push_str("A write-ahead log is a file to which changes are appended first.\n");
    answer.push_str("```rust\nlet important = 42; // should be recommended\n```\n");
    let rule = |step: u32| {
        format!("- **Rule {step}:** You should keep the log below {step} megabytes on disk.\n")
    };
    answer.extend((1..40).map(rule));
    answer.push_str("Let me know if you have questions!");
    let found = summaries(vec![
        from(Role::User, "Hi."),
        from(Role::Assistant, &answer),
    ]);
    assert!((1..=6).contains(&found.len()), "{found:#?}");
    assert!(
        found
            .iter()
            .any(|summary| summary.contains("write-ahead log")),
        "{found:#?}"
    );
    assert!(
        found
            .iter()
            .all(|summary| summary.starts_with("The assistant "))
    );
    assert!(
        !found
            .iter()
            .any(|summary| summary.contains("let important") || summary.contains("Certainly"))
    );
}

#[test]
fn sample_text_of_an_agent_is_not_its_deed() {
    let filler =
        "The following lines are meant for the letter that was asked for above. ".repeat(8);
    let answer = format!("{filler}\n- Managed a budget of 3 million euros at the harbor office.");
    let found = summaries(vec![
        from(Role::User, "Hi."),
        from(Role::Assistant, &answer),
    ]);
    assert!(
        !found
            .iter()
            .any(|summary| summary.contains("assistant managed")),
        "{found:#?}"
    );
}

#[test]
fn a_document_gives_facts_and_steps() {
    let text = "# Bees\nA swarm is a colony that leaves its hive with the old queen. \
        Nice weather helps. Wear light gloves when you open the hive. What next? \
        The first modern hive was patented in 1852.";
    let items = extract(&request(vec![passage(text)], Modality::Document));
    let found: Vec<_> = items
        .iter()
        .map(|item| (item.memory_type.as_str(), item.summary.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (
                "knowledge",
                "A swarm is a colony that leaves its hive with the old queen."
            ),
            ("skill", "Wear light gloves when you open the hive."),
            ("event", "The first modern hive was patented in 1852."),
        ]
    );
}

#[test]
fn the_first_person_of_a_document_is_its_author() {
    let items = extract(&request(
        vec![passage(
            "I founded the workshop in Antwerp in 2011 with my uncle.",
        )],
        Modality::Document,
    ));
    assert_eq!(
        items[0].summary,
        "The author founded the workshop in Antwerp in 2011 with their uncle."
    );
}

#[test]
fn a_passage_gives_at_most_three_memories() {
    let text = "The river is a border between two provinces. ".repeat(30);
    assert!(extract(&request(vec![passage(&text)], Modality::Document)).len() <= 3);
}

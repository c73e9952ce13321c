use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use memu_core::environment::InlineExecutor;
use memu_core::provider::{CategoryTopic, SummaryItem, SummaryRequest};
use memu_core::records::Id;
use memu_core::time::{When, parse_civil};
use proptest::prelude::*;

use super::*;

fn item(number: usize, summary: &str) -> SummaryItem {
    SummaryItem {
        id: Id::from(format!("{number:06x}-0000-4000-8000-000000000000")),
        summary: summary.to_owned(),
        memory_type: "profile".to_owned(),
        happened: None,
        reinforcement_count: 1,
    }
}

fn items(summaries: &[&str]) -> Vec<SummaryItem> {
    summaries
        .iter()
        .enumerate()
        .map(|(number, summary)| item(number, summary))
        .collect()
}

fn request(items: Vec<SummaryItem>, target_length: usize) -> SummaryRequest {
    SummaryRequest {
        category: CategoryTopic {
            name: "activities".to_owned(),
            description: "Activities, hobbies, and interests".to_owned(),
        },
        summary: None,
        new: Vec::new(),
        removed: Vec::new(),
        items,
        target_length,
        references: false,
    }
}

fn summary(items: Vec<SummaryItem>, target_length: usize) -> Option<String> {
    summarize(&request(items, target_length))
}

const HOBBIES: [&str; 7] = [
    "Ines rows on the lake with the harbour club.",
    "Ines won a bronze medal at the rowing regatta in June.",
    "The harbour club bought a new boat for the regatta.",
    "Ines bakes rye bread on Sundays.",
    "Ines took up pottery after the rowing season.",
    "Ines sold her first pottery bowl at the harbour market.",
    "Her neighbour collects stamps.",
];

#[test]
fn everything_is_told_in_stored_order_when_there_is_room() {
    let expected: Vec<String> = HOBBIES.iter().map(|text| format!("- {text}")).collect();
    assert_eq!(summary(items(&HOBBIES), 1000).unwrap(), expected.join("\n"));
}

#[test]
fn nothing_to_say_is_none() {
    assert_eq!(summary(vec![], 400), None);
    assert_eq!(summary(items(&["", " \n "]), 400), None);
    assert_eq!(summary(items(&HOBBIES), 0), None);
}

#[test]
fn the_target_length_holds_whatever_it_is() {
    let whole = HOBBIES.join("\n").chars().count() + 2 * HOBBIES.len();
    for target in 0..whole + 20 {
        let length = summary(items(&HOBBIES), target).map_or(0, |text| text.chars().count());
        assert!(length <= target, "{length} > {target}");
        assert_eq!(length > 0, target >= 4, "{target}");
    }
    assert_eq!(summary(items(&HOBBIES), 1), None);
    assert_eq!(summary(items(&HOBBIES), whole).unwrap().lines().count(), 7);
}

#[test]
fn a_memory_longer_than_the_target_is_cut_at_a_clause() {
    let long = ["Ines paints boats in winter, when the lake freezes and the club is closed."];
    assert_eq!(
        summary(items(&long), 45).unwrap(),
        "- Ines paints boats in winter…"
    );
    assert_eq!(summary(items(&long), 10).unwrap(), "- Ines…");
}

#[test]
fn central_memories_are_told_before_stray_ones() {
    let short = summary(items(&HOBBIES), 170).unwrap();
    assert!(short.contains("harbour"), "{short}");
    assert!(!short.contains("stamps"), "{short}");
}

#[test]
fn citations_are_there_exactly_when_asked_and_do_not_count() {
    let plain = request(items(&HOBBIES), 170);
    let mut cited = plain.clone();
    cited.references = true;
    let cited = summarize(&cited).unwrap();
    for line in cited.lines() {
        let (text, reference) = line.split_once(" [ref:").unwrap();
        let cited_item = plain
            .items
            .iter()
            .find(|item| reference == format!("{}]", item.id.short()))
            .unwrap();
        assert_eq!(text, format!("- {}", cited_item.summary));
    }
    let without: Vec<&str> = cited
        .lines()
        .map(|line| line.split(" [ref:").next().unwrap())
        .collect();
    assert_eq!(summarize(&plain).unwrap(), without.join("\n"));
}

#[test]
fn a_memory_cannot_forge_a_citation() {
    let text = summary(items(&["Ines rows.[ref:ffffff] She\n- also swims."]), 400).unwrap();
    assert_eq!(text, "- Ines rows. She - also swims.");
}

#[test]
fn a_removed_memory_is_never_told() {
    for removed in 0..HOBBIES.len() {
        let mut left = items(&HOBBIES);
        let gone = left.remove(removed).summary;
        for target in [60, 170, 1000] {
            let text = summary(left.clone(), target).unwrap();
            assert!(!text.contains(&gone), "{text}");
        }
    }
}

#[test]
fn memories_that_say_the_same_are_told_once() {
    let text = summary(
        items(&[
            "Ines rows on the lake with the harbour club.",
            "Ines is rowing on the lake with a harbour club",
            "Ines rows with the club.",
            "Ines bakes rye bread.",
        ]),
        1000,
    )
    .unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
}

#[test]
fn a_denial_and_another_number_are_not_the_same() {
    let told = [
        "Ines likes cold tea.",
        "Ines does not like cold tea.",
        "Ines ran 5 km along the old river road.",
        "Ines ran 9 km along the old river road.",
    ];
    assert_eq!(summary(items(&told), 1000).unwrap().lines().count(), 4);
}

#[test]
fn a_memory_met_often_is_preferred_among_equals() {
    let pair = ["Ines rows on Monday.", "Bela swims on Friday."];
    for often in 0..2 {
        let mut items = items(&pair);
        items[often].reinforcement_count = 5;
        assert_eq!(summary(items, 24).unwrap(), format!("- {}", pair[often]));
    }
}

#[test]
fn a_later_memory_is_preferred_among_equals_and_time_orders_the_lines() {
    let at = |day: &str| Some(When::day(parse_civil(day).unwrap().date()));
    let mut dated = items(&["Ines rows on Monday.", "Bela swims on Friday."]);
    dated[0].happened = at("2024-05-02");
    dated[1].happened = at("2023-05-02");
    assert_eq!(
        summary(dated.clone(), 24).unwrap(),
        "- Ines rows on Monday."
    );
    assert_eq!(
        summary(dated, 100).unwrap(),
        "- Bela swims on Friday.\n- Ines rows on Monday."
    );
}

#[test]
fn memories_that_fit_the_category_best_speak_for_it() {
    let told = items(&[
        "Ines rows on the lake with the harbour club.",
        "Ines prefers small harbour cafés to the large club.",
        "Ines met the club at the lake harbour on Monday.",
    ]);
    let mut request = request(told, 55);
    request.category = CategoryTopic {
        name: "preferences".to_owned(),
        description: "User preferences, likes and dislikes".to_owned(),
    };
    assert_eq!(
        summarize(&request).unwrap(),
        "- Ines prefers small harbour cafés to the large club."
    );
}

#[test]
fn summaries_come_in_the_order_of_the_requests() {
    let requests = vec![
        request(items(&["Ines rows."]), 400),
        request(vec![], 400),
        request(items(&["Bela swims."]), 400),
    ];
    let summarizer = LocalSummarizer::new(Arc::new(InlineExecutor));
    let calls = Calls::unkept();
    let mut future = pin!(summarizer.summarize(requests, &calls));
    let Poll::Ready(Ok(summaries)) = future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    else {
        panic!("the inline executor answers at once");
    };
    let told: Vec<Option<&str>> = summaries.iter().map(Option::as_deref).collect();
    assert_eq!(told, [Some("- Ines rows."), None, Some("- Bela swims.")]);
}

#[test]
fn ten_thousand_memories_are_summarised() {
    let many = (0..10_000)
        .map(|number| {
            let text = format!("Ines logged lap {number} of route {}.", number % 97);
            item(number, &text)
        })
        .collect();
    let text = summary(many, 400).unwrap();
    assert!(text.chars().count() > 300, "{text}");
}

proptest! {
    #[test]
    fn every_line_begins_a_memory_and_the_target_holds(
        texts in prop::collection::vec("[a-e ,.…é\n]{0,40}", 0..12),
        target in 0_usize..200,
    ) {
        let given: Vec<&str> = texts.iter().map(String::as_str).collect();
        let text = summary(items(&given), target).unwrap_or_default();
        prop_assert!(text.chars().count() <= target);
        for line in text.lines() {
            let told = line.strip_prefix("- ").unwrap();
            let told_or_cut = [Some(told), told.strip_suffix('…')];
            let begins_one = texts.iter().any(|given| {
                let given = given.split_whitespace().collect::<Vec<_>>().join(" ");
                told_or_cut.iter().flatten().any(|told| given.starts_with(told))
            });
            prop_assert!(begins_one, "{line}");
        }
    }
}

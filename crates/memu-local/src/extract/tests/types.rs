use super::{by, extract, nora, request, user};
use jiff::civil::date;
use memu_core::records::Modality;
use memu_core::time::{Precision, When};
use std::sync::Arc;

#[test]
fn each_memory_has_the_type_of_what_it_tells() {
    let cases = [
        ("I'm a carpenter from Leeds.", "profile"),
        ("My name is Nora Lind.", "profile"),
        ("I love oil painting.", "profile"),
        ("I have two dogs.", "profile"),
        ("My son is seven years old.", "profile"),
        ("I'm allergic to shellfish.", "profile"),
        ("I'm swamped with exams.", "profile"),
        ("I visited the aquarium yesterday.", "event"),
        ("I'm going to adopt a cat.", "event"),
        ("I'll marry Tom in June.", "event"),
        ("My sister won a baking contest.", "event"),
        ("I'm researching boarding schools.", "event"),
        ("I usually swim before breakfast.", "behavior"),
        ("I run ten kilometers every morning.", "behavior"),
        ("I tend to skip lunch at the office.", "behavior"),
        ("I learned to juggle in Prague.", "skill"),
        ("I can play the cello.", "skill"),
        ("I know how to repair clocks.", "skill"),
        ("I think electric buses reduce noise.", "knowledge"),
        ("The castle in Ghent has a torture museum.", "knowledge"),
    ];
    let wrong: Vec<_> = cases
        .into_iter()
        .map(|(text, expected)| {
            let types: Vec<_> = nora(text)
                .into_iter()
                .map(|item| item.memory_type)
                .collect();
            (text, expected, types)
        })
        .filter(|(_, expected, types)| types != &[*expected])
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn standing_instructions_are_behavior() {
    let items = user("Always use metric units.");
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].memory_type, "behavior");
}

#[test]
fn only_configured_types_are_used() {
    let draw = |types: &[&str]| {
        let mut request = request(
            vec![by("Nora", "I visited the aquarium yesterday.")],
            Modality::Conversation,
        );
        request.memory_types = Arc::from(
            types
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>(),
        );
        extract(&request)
            .into_iter()
            .map(|item| item.memory_type)
            .collect::<Vec<_>>()
    };
    assert_eq!(draw(&["profile", "knowledge"]), ["knowledge"]);
    assert_eq!(draw(&["note", "diary"]), ["note"]);
    assert!(draw(&[]).is_empty());
}

#[test]
fn events_are_dated() {
    let when = |text: &str| nora(text).into_iter().next().and_then(|item| item.happened);
    let day = |day| Some(When::day(date(2023, 5, day)));
    assert_eq!(when("I sold my car yesterday."), day(9));
    // Told as news, it is of the day.
    assert_eq!(when("I sold my car to a colleague."), day(10));
    // What happened at some other time stays undated.
    assert_eq!(when("I once sold a car to a bishop."), None);
    assert_eq!(when("When I was a kid I collected stamps."), None);
    assert_eq!(when("I love my garden in the hills."), None);
    assert_eq!(when("I've sold my car to a colleague."), None);
    let month = when("I moved to Turin last month.").unwrap();
    assert_eq!(month.precision, Precision::Month);
    assert_eq!(month.start.date(), date(2023, 4, 1));
}

#[test]
fn without_a_message_time_nothing_is_dated() {
    let mut segment = by("Nora", "I sold my car yesterday.");
    segment.happened_at = None;
    let items = extract(&request(vec![segment], Modality::Conversation));
    assert_eq!(items[0].summary, "Nora sold their car yesterday.");
    assert_eq!(items[0].happened, None);
}

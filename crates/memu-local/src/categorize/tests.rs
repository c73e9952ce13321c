use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use memu_core::environment::InlineExecutor;
use memu_core::provider::CategoryTopic;

use super::*;

const DEFAULTS: [(&str, &str); 10] = [
    ("personal_info", "Personal information about the user"),
    ("preferences", "User preferences, likes and dislikes"),
    (
        "relationships",
        "Information about relationships with others",
    ),
    ("activities", "Activities, hobbies, and interests"),
    ("goals", "Goals, aspirations, and objectives"),
    ("experiences", "Past experiences and events"),
    ("knowledge", "Knowledge, facts, and learned information"),
    ("opinions", "Opinions, viewpoints, and perspectives"),
    ("habits", "Habits, routines, and patterns"),
    (
        "work_life",
        "Work-related information and professional life",
    ),
];

fn filed_under(
    item: (&str, &str),
    categories: &[(&'static str, &str)],
    threshold: f32,
) -> Vec<(&'static str, f32)> {
    let request = CategorizeRequest {
        items: vec![(item.0.to_owned(), item.1.to_owned())],
        categories: categories
            .iter()
            .map(|(name, description)| CategoryTopic {
                name: (*name).to_owned(),
                description: (*description).to_owned(),
            })
            .collect(),
        threshold,
    };
    let filed = categorize(&request).remove(0);
    filed
        .into_iter()
        .map(|(index, score)| (categories[index].0, score))
        .collect()
}

fn names(item: (&str, &str), categories: &[(&'static str, &str)]) -> Vec<&'static str> {
    let filed = filed_under(item, categories, 0.25);
    filed.into_iter().map(|(name, _)| name).collect()
}

/// A memory type, a memory, categories that must be there (`+`) and categories
/// that must not (`-`).
const CASES: &str = "\
profile | Mira's full name is Mira Lindqvist. | +personal_info -habits -goals
profile | Mira is 34 years old and lives in Tampere. | +personal_info -work_life
profile | The user was born in Cork and grew up on a farm. | +personal_info -goals
profile | The user is allergic to penicillin. | +personal_info -preferences -goals
profile | Otto's birthday is on 9 March. | +personal_info -work_life -opinions
profile | Otto is bilingual; his mother tongue is Finnish. | +personal_info -habits
profile | The user prefers tea to coffee. | +preferences -work_life -goals -habits
profile | Mira hates horror films. | +preferences -relationships -work_life
profile | Green is Otto's favourite colour. | +preferences -relationships -goals
profile | The user doesn't like crowded trains. | +preferences -relationships
profile | Mira loves to bake rye bread. | +preferences +activities -work_life
profile | Otto is a big fan of slow jazz. | +preferences -work_life
profile | Mira's wife Saga comes from Malmö. | +relationships -work_life
profile | Otto's best friend is called Juhani. | +relationships -work_life
event | Mira's sister got engaged in May 2022. | +relationships +experiences -goals
event | Otto broke up with his girlfriend last week. | +relationships +experiences -goals
profile | The user has two children and a cousin in Peru. | +relationships -habits
event | Otto hung out with old friends on 3 June 2023. | +relationships -work_life
profile | Mira plays the cello in a small orchestra. | +activities -goals
profile | Otto goes hiking and collects old maps. | +activities -work_life
skill | The user can play chess blindfolded. | +activities -relationships
profile | The user's hobby is restoring bicycles. | +activities -relationships
profile | Mira took up pottery. | +activities -work_life
event | Otto plans to open a bakery next year. | +goals -experiences
event | Mira wants to learn Portuguese. | +goals -experiences -relationships
profile | The user hopes to retire at fifty. | +goals -experiences -relationships
profile | The user's goal is to run a marathon under four hours. | +goals +activities
event | Otto is saving up for a sailing boat. | +goals -relationships
event | Mira is going to move abroad in autumn. | +goals -experiences
event | Otto visited Lisbon in April 2023. | +experiences -goals -work_life
event | Mira got lost in a snowstorm as a child. | +experiences -goals -work_life
profile | Otto survived an avalanche years ago. | +experiences -goals -work_life
event | The user attended a glass-blowing workshop yesterday. | +experiences -goals
knowledge | A heron's neck has twenty vertebrae. | +knowledge -relationships -goals
profile | Otto knows how to repair clocks. | +knowledge -relationships
profile | Mira learned that lichens are two organisms. | +knowledge -relationships
profile | Otto thinks that remote schooling is unfair. | +opinions -relationships
profile | Mira believes in small classes. | +opinions -work_life
profile | In Otto's opinion the new bridge is ugly. | +opinions -relationships -goals
profile | The user disagrees with the new parking rules. | +opinions -relationships
behavior | Mira swims every morning before breakfast. | +habits +activities -goals
behavior | Otto usually goes to bed at ten. | +habits -work_life -goals
profile | The user always double-checks the door. | +habits -work_life -goals
profile | Mira drinks three espressos a day and rarely skips one. | +habits -goals
profile | The user works as a nurse at night. | +work_life -relationships -goals
event | Otto was promoted to team lead on 2 May 2023. | +work_life -relationships
event | Mira's boss moved the deadline. | +work_life -goals
profile | Otto runs a business that repairs sails. | +work_life -relationships
event | The user was laid off in 2020. | +work_life +experiences -relationships
profile | Mira works out at home. | +activities -work_life
profile | The lake looks like a mirror. | -preferences
event | Otto left the harbour in the week of 3 July 2023. | +experiences -habits
profile | The user set up an account for the personal budget page. | -personal_info -work_life
profile | Otto has been busy. | -work_life
profile | The update is definitely an improvement. | -knowledge -activities
knowledge | The assistant said that tigers always hunt alone. | +knowledge -habits -activities";

fn cases() -> impl Iterator<Item = (&'static str, &'static str, Vec<&'static str>)> {
    CASES.lines().map(|line| {
        let mut parts = line.split(" | ");
        let mut part = || parts.next().unwrap();
        (part(), part(), part().split(' ').collect())
    })
}

#[test]
fn memories_are_filed_where_people_would_look_for_them() {
    let mut wrong = Vec::new();
    for (memory_type, summary, marks) in cases() {
        let found = names((memory_type, summary), &DEFAULTS);
        let holds = |mark: &&str| match mark.split_at(1) {
            ("+", name) => found.contains(&name),
            (_, name) => !found.contains(&name),
        };
        if !marks.iter().all(holds) {
            wrong.push(format!("{summary}\n  {found:?} {marks:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn memories_have_one_to_three_categories_as_a_rule() {
    let counts: Vec<usize> = cases()
        .map(|(memory_type, summary, _)| names((memory_type, summary), &DEFAULTS).len())
        .collect();
    assert!(counts.iter().all(|count| *count <= 4), "{counts:?}");
    let usual = counts
        .iter()
        .filter(|count| (1..=3).contains(*count))
        .count();
    assert!(usual * 10 >= counts.len() * 9, "{counts:?}");
}

#[test]
fn custom_categories_know_the_words_of_their_field() {
    let categories = [
        ("pets", "Animals the user keeps"),
        ("food_and_drink", "What the user eats and drinks"),
        ("healthNotes", "Allergies, medication, doctor visits"),
        ("Money", ""),
        ("garden project", "The raised beds behind the shed"),
    ];
    for (summary, wanted) in [
        ("Mira has a grey cat called Pilvi.", &["pets"][..]),
        ("Otto cooks lentil soup with cumin.", &["food_and_drink"]),
        ("The user takes a pill against migraine.", &["healthNotes"]),
        ("Otto paid back his mortgage.", &["Money"]),
        ("The raised beds need new soil.", &["garden project"]),
        (
            "Otto feeds his goldfish bread.",
            &["pets", "food_and_drink"],
        ),
        ("The tower bell rang at noon.", &[]),
    ] {
        assert_eq!(
            names(("profile", summary), &categories),
            wanted,
            "{summary}"
        );
    }
}

#[test]
fn a_custom_name_for_a_field_of_life_is_enough() {
    for (name, summary) in [
        ("work", "Otto's boss praised him."),
        ("travel", "Mira booked a flight to Oslo."),
        ("health", "Mira sprained her knee."),
        ("music", "Otto sings in a choir."),
        ("Family", "Mira's grandmother turned ninety."),
        ("study-notes", "The user failed the chemistry exam."),
        ("tech", "The user bought a laptop."),
        ("home", "Mira is renovating the kitchen."),
    ] {
        let categories = [(name, ""), ("stamps", "Postage stamps")];
        assert_eq!(
            names(("profile", summary), &categories),
            [name],
            "{summary}"
        );
    }
}

#[test]
fn names_match_whatever_the_inflection_and_script() {
    let categories = [("gliders", ""), ("健康", ""), ("Fußball", "")];
    for (summary, wanted) in [
        ("Otto owns a glider.", &["gliders"][..]),
        ("用户的健康状况良好。", &["健康"]),
        ("Otto spielt fußball.", &["Fußball"]),
    ] {
        assert_eq!(
            names(("profile", summary), &categories),
            wanted,
            "{summary}"
        );
    }
}

#[test]
fn words_that_only_say_category_file_nothing() {
    let categories = [(
        "misc_information",
        "Various other facts and details about the user",
    )];
    let item = (
        "profile",
        "The user gave details about other people and facts.",
    );
    assert!(names(item, &categories).is_empty());
}

#[test]
fn a_default_name_keeps_its_lexicon_beside_a_description_of_its_own() {
    let categories = [("Work Life", "The lighthouse on the northern island")];
    let filed = |summary| names(("profile", summary), &categories);
    assert_eq!(filed("Otto was promoted."), ["Work Life"]);
    assert_eq!(filed("The lighthouse lamp is new."), ["Work Life"]);
    assert!(filed("Otto sings.").is_empty());
}

#[test]
fn what_fits_nowhere_is_filed_nowhere() {
    for item in [
        ("profile", ""),
        ("profile", "🥲 … ?!"),
        ("profile", "Hm, well, there it is."),
        ("tool", "web_search returned 200"),
        ("profile", "Purple umbrella seven."),
    ] {
        assert!(names(item, &DEFAULTS).is_empty(), "{item:?}");
    }
    assert!(names(("profile", "Mira loves tea."), &[]).is_empty());
}

#[test]
fn scores_are_sorted_bounded_and_respect_the_threshold() {
    let item = (
        "event",
        "Mira's sister wants to work as a nurse and loves her job.",
    );
    for threshold in [0.0, 0.25, 0.5, 0.9, 1.0, f32::NAN] {
        let filed = filed_under(item, &DEFAULTS, threshold);
        assert!(filed.is_sorted_by(|(_, one), (_, other)| one >= other));
        assert!(
            filed
                .iter()
                .all(|(_, score)| *score >= threshold && *score > 0.0 && *score < 1.0)
        );
    }
    assert!(filed_under(item, &DEFAULTS, 0.25).len() >= 3);
    assert!(filed_under(item, &DEFAULTS, 1.0).is_empty());
}

#[test]
fn equal_scores_keep_the_configured_order() {
    let item = ("profile", "Otto sold the anvil and the bellows.");
    for categories in [
        [("anvil", ""), ("bellows", "")],
        [("bellows", ""), ("anvil", "")],
    ] {
        assert_eq!(names(item, &categories), categories.map(|(name, _)| name));
    }
}

#[test]
fn the_answers_are_in_the_order_of_the_items() {
    let texts = ["Mira prefers tea.", "", "Otto works as a baker."];
    let request = CategorizeRequest {
        items: texts
            .map(|text| ("profile".to_owned(), text.to_owned()))
            .into(),
        categories: ["work_life", "preferences"]
            .map(|name| CategoryTopic {
                name: name.to_owned(),
                description: String::new(),
            })
            .into(),
        threshold: 0.25,
    };
    let categorizer = LocalCategorizer::new(Arc::new(InlineExecutor));
    let calls = Calls::unkept();
    let mut future = pin!(categorizer.categorize(request, &calls));
    let Poll::Ready(Ok(filed)) = future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    else {
        panic!("the inline executor answers at once");
    };
    let indexes: Vec<Vec<usize>> = filed
        .iter()
        .map(|filed| filed.iter().map(|(index, _)| *index).collect())
        .collect();
    assert_eq!(indexes, [vec![1], vec![], vec![0]]);
}

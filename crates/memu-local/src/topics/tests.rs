use jiff::civil;

use super::*;

fn drafts(texts: &[&str]) -> Vec<Draft> {
    texts
        .iter()
        .enumerate()
        .map(|(index, text)| Draft {
            speaker: Some(["Rosa", "Emil"][index % 2].to_owned()),
            text: (*text).to_owned(),
            ..Draft::default()
        })
        .collect()
}

const TWO_SUBJECTS: [&str; 16] = [
    "Rosa here! Did the tomatoes in the greenhouse survive the frost?",
    "Most tomatoes did, Rosa, but the greenhouse lost a pane.",
    "A greenhouse pane is cheap. How are the bean seedlings?",
    "The seedlings are strong, I put compost on them.",
    "Compost helps tomatoes too. I have some spare seedlings.",
    "I will take tomatoes, my compost heap is full.",
    "Then the greenhouse will be green by June.",
    "Yes, tomatoes and beans in the greenhouse, at last.",
    "By the way, my violin teacher has a new orchestra.",
    "Which orchestra? Do you still play the violin on Mondays?",
    "The chamber orchestra; we rehearse a Dvorak symphony.",
    "A symphony with one rehearsal a week is brave for a violin student.",
    "The rehearsal is long, and the orchestra has two concerts.",
    "I want to hear the concert. Is the symphony hard?",
    "The violin part is hard, the concert is in May.",
    "Then I will be at the concert and hear the orchestra.",
];

#[test]
fn a_conversation_about_two_subjects_has_two_topics_with_telling_captions() {
    let mut drafts = drafts(&TWO_SUBJECTS);
    assign(&mut drafts);
    let topics: Vec<_> = drafts.iter().map(|draft| draft.topic).collect();
    assert_eq!(topics, [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
    let captions: Vec<_> = drafts
        .iter()
        .filter_map(|d| d.topic_caption.as_deref())
        .collect();
    assert_eq!(
        captions,
        [
            "tomatoes, greenhouse pane, bean seedlings, compost",
            "violin, orchestra, rehearsal, symphony, concert",
        ]
    );
    assert!(drafts[0].topic_caption.is_some() && drafts[8].topic_caption.is_some());
}

#[test]
fn sessions_and_pauses_of_more_than_half_an_hour_end_a_topic() {
    let mut drafts = drafts(&["a boat", "a boat", "a boat", "a boat"]);
    let times = [(10, 0), (10, 30), (11, 1), (11, 2)];
    for (draft, (hour, minute)) in drafts.iter_mut().zip(times) {
        draft.happened_at = Some(civil::date(2024, 5, 1).at(hour, minute, 0, 0));
    }
    drafts[3].session = 1;
    assign(&mut drafts);
    let topics: Vec<_> = drafts.iter().map(|draft| draft.topic).collect();
    assert_eq!(topics, [0, 0, 1, 2]);
}

#[test]
fn long_talk_about_one_subject_is_divided_and_short_talk_is_not() {
    let mut long = drafts(&["the harbour and the boat"; 50]);
    assign(&mut long);
    assert!(
        (3..=9).contains(&(long[49].topic + 1)),
        "{}",
        long[49].topic
    );
    let mut short = drafts(&["the harbour", "my violin", "a compost heap", "two beans"]);
    assign(&mut short);
    assert!(short.iter().all(|draft| draft.topic == 0));
}

#[test]
fn the_caption_of_a_picture_is_kept() {
    let mut drafts = drafts(&["look at my boat", "a fine boat"]);
    drafts[0].caption = Some("a red boat on a lake".to_owned());
    assign(&mut drafts);
    assert_eq!(drafts[0].caption.as_deref(), Some("a red boat on a lake"));
    assert_eq!(drafts[1].caption, None);
}

#[test]
fn greetings_and_names_make_no_caption() {
    let mut drafts = drafts(&[
        "Hello Emil!",
        "Hi Rosa, I’ll thank you, we'll see!",
        "",
        "42 😀",
    ]);
    assign(&mut drafts);
    assert!(drafts.iter().all(|draft| draft.topic_caption.is_none()));
    assign(&mut []);
}

#[test]
fn the_same_drafts_have_the_same_topics() {
    let mut first = drafts(&TWO_SUBJECTS);
    let mut second = first.clone();
    assign(&mut first);
    assign(&mut second);
    assert_eq!(first, second);
}

#[test]
fn what_every_topic_mentions_is_in_no_caption() {
    let subjects = [
        "boat harbour",
        "violin concert",
        "compost beans",
        "mountain rope",
    ];
    let texts: Vec<_> = subjects
        .iter()
        .flat_map(|subject| [format!("(casual) {subject}"), format!("{subject} casual")])
        .collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    let mut drafts = drafts(&texts);
    for (session, pair) in (0..).zip(drafts.chunks_mut(2)) {
        for draft in pair {
            draft.session = session;
        }
    }
    assign(&mut drafts);
    let captions: Vec<_> = drafts
        .iter()
        .filter_map(|d| d.topic_caption.as_deref())
        .collect();
    assert_eq!(captions, subjects);
}

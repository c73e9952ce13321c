use super::{by, drawn, extract, from, request, summaries};
use memu_core::records::{Modality, Role};

#[test]
fn a_short_answer_is_told_with_its_question() {
    let cases = [
        (
            "What time did you go to bed?",
            "2:30 AM",
            "Asked \"What time did you go to bed?\", the user said: \"2:30 AM.\"",
        ),
        (
            "Where do you keep the boat?",
            "In a shed near Hoorn.",
            "Asked \"Where do you keep the boat?\", the user said: \"In a shed near Hoorn.\"",
        ),
        (
            "Was it the violin?",
            "Yeah, a rented one though",
            "Asked \"Was it the violin?\", the user confirmed: \"A rented one though.\"",
        ),
        (
            "Do you have kids?",
            "No, only nephews.",
            "Asked \"Do you have kids?\", the user said no: \"Only nephews.\"",
        ),
        (
            "Do you own a boat?",
            "Yes!",
            "Asked \"Do you own a boat?\", the user said yes.",
        ),
        (
            "Nice. How is your thesis going?",
            "It's nearly done.",
            "Asked \"How is your thesis going?\", the user said: \"It's nearly done.\"",
        ),
    ];
    for (question, answer, expected) in cases {
        let items = drawn(vec![
            from(Role::Assistant, question),
            from(Role::User, answer),
        ]);
        let found: Vec<_> = items.iter().map(|item| item.summary.as_str()).collect();
        assert_eq!(found, [expected]);
        assert_eq!(items[0].segments, [0, 1]);
    }
}

#[test]
fn a_full_sentence_answers_for_itself() {
    let found = summaries(vec![
        by("Ben", "Where do you live?"),
        by("Nora", "I live on a houseboat in Delft."),
    ]);
    assert_eq!(found, ["Nora lives on a houseboat in Delft."]);
}

#[test]
fn what_the_assistant_recalls_about_the_user_is_told_with_the_question() {
    let found = summaries(vec![
        from(Role::User, "What else do I like to drink?"),
        from(Role::Assistant, "Ginger tea and cold milk."),
    ]);
    assert_eq!(
        found,
        [
            "Asked \"What else do I like to drink?\", the assistant said: \"Ginger tea and cold milk.\""
        ]
    );
}

#[test]
fn offers_and_tags_are_no_questions() {
    for question in [
        "Want to hear a story?",
        "Okay?",
        "Can I help with that?",
        "It works, right?",
    ] {
        let found = summaries(vec![
            from(Role::Assistant, question),
            from(Role::User, "Yes!"),
        ]);
        assert!(found.is_empty(), "{question}: {found:?}");
    }
}

#[test]
fn a_question_of_another_session_is_not_answered() {
    let mut answer = by("Nora", "2:30 AM");
    answer.session = 1;
    assert!(summaries(vec![by("Ben", "When did you get up?"), answer]).is_empty());
}

#[test]
fn known_segments_are_context_and_are_not_cited() {
    let mut request = request(
        vec![
            by("Ben", "I own a sawmill in Kent. When did you get up?"),
            by("Nora", "6:45 AM"),
        ],
        Modality::Conversation,
    );
    request.first = 1;
    let items = extract(&request);
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].segments, [1]);
    assert_eq!(
        items[0].summary,
        "Asked \"When did you get up?\", Nora said: \"6:45 AM.\""
    );
}

#[test]
fn a_guess_that_is_confirmed_answers_the_question_before_it() {
    let conversation = vec![
        from(Role::User, "So what did I drink last night?"),
        from(
            Role::Assistant,
            "Let me think... was it three cups of mint tea?",
        ),
        from(Role::User, "Yes, with far too much honey"),
    ];
    let items = extract(&request(conversation, Modality::Conversation));
    assert_eq!(items.len(), 1);
    assert_eq!(
        items[0].summary,
        "The user asked on 10 May 2023 \"What did I drink last night?\" and confirmed \"Was it \
         three cups of mint tea?\": \"With far too much honey.\""
    );
    assert_eq!(items[0].segments, [0, 1, 2]);
    assert_eq!(
        items[0].happened.unwrap().start.date().to_string(),
        "2023-05-09"
    );
}

#[test]
fn a_guess_needs_an_open_question_of_the_one_who_answers() {
    let found = summaries(vec![
        from(Role::User, "Do you like riddles?"),
        from(Role::Assistant, "Was it 1:30 AM?"),
        from(Role::User, "Yes, by the kitchen clock"),
    ]);
    assert_eq!(
        found,
        ["Asked \"Was it 1:30 AM?\", the user confirmed: \"By the kitchen clock.\""]
    );
}

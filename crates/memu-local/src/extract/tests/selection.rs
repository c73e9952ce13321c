use super::{by, drawn, from, joined, nora, summaries, user};
use memu_core::records::Role;

#[test]
fn talk_that_tells_nothing_is_left_out() {
    let chatter = [
        "Hey Ben! How have you been?",
        "Thanks!",
        "Thank you so much, Ben!",
        "That's great!",
        "Wow, cool!",
        "lol",
        "hahaha",
        "Good morning",
        "Sounds good, Ben.",
        "You got this!",
        "You're doing an awesome job!",
        "I'm so proud of you!",
        "I'm really happy for you, Ben!",
        "I totally agree.",
        "I hope it goes well!",
        "I can't wait to see it!",
        "Glad to hear it!",
        "Take care!",
        "Talk to you soon!",
        "Keep it up!",
        "Congrats on the new job!",
        "Your support means a lot.",
        "What do you think?",
        "Have you ever tried pottery?",
        "So cool that you went!",
        "It's great to see you happy.",
        "Let's do it!",
        "Let me know how it goes.",
        "🎉🎉🎉",
        "❤️",
        "(sticker) head pat",
        "<action>wave</action>",
        "*waves*",
        "Never give up!",
        "Have fun!",
        "Good luck with everything!",
        "When I relax I tend to...",
        "",
        "   \n ",
        "?!",
    ];
    let kept: Vec<_> = chatter
        .into_iter()
        .map(|text| (text, joined(nora(text))))
        .filter(|(_, drawn)| !drawn.is_empty())
        .collect();
    assert!(kept.is_empty(), "{kept:#?}");
}

#[test]
fn requests_to_an_assistant_are_no_memories_but_what_leads_up_to_them_is() {
    assert_eq!(joined(user("Can you help me write a poem?")), "");
    assert_eq!(joined(user("How do I boil an egg")), "");
    assert_eq!(
        joined(user("My team uses Kanban, could you explain WIP limits?")),
        "The user's team uses Kanban."
    );
}

#[test]
fn stage_directions_are_no_words() {
    let items = drawn(vec![
        from(Role::User, "Hello."),
        from(
            Role::Assistant,
            "(pleased) I remember you said you like sesame noodles. <action>play audio</action>",
        ),
    ]);
    assert_eq!(
        joined(items),
        "The user said the user likes sesame noodles."
    );
}

#[test]
fn of_an_agent_only_what_it_knows_or_promises_is_kept() {
    let draw = |text: &str| {
        summaries(vec![
            from(Role::User, "Hello."),
            from(Role::Assistant, text),
        ])
    };
    assert!(draw("That sounds like a lovely plan! Shall I help you with it?").is_empty());
    assert!(draw("I can help you with anything you need.").is_empty());
    assert_eq!(
        draw("Tomorrow at noon I'll remind you to water the ferns."),
        ["On 11 May 2023 at noon the assistant will remind the assistant's user to water the ferns."
            .replace("the assistant's user", "the user")]
    );
    assert_eq!(
        draw("How about lentil soup? You said you loved it."),
        ["The assistant said: \"How about lentil soup? You said you loved it.\""]
    );
}

#[test]
fn pictures_are_told_when_the_message_points_to_them() {
    let with = |text: &str, caption: &str| {
        let mut segment = by("Nora", text);
        segment.caption = Some(caption.to_owned());
        joined(drawn(vec![by("Ben", "Hey."), segment]))
    };
    let shared = "Nora shared a picture: a red kite over a beach.";
    assert_eq!(with("Look at this!", "a red kite over a beach"), shared);
    assert_eq!(with("", "a red kite over a beach"), shared);
    // The words of a topic describe no picture.
    assert_eq!(with("Look at this!", "kites, beach, summer trip"), "");
    assert_eq!(with("Good night!", "a red kite over a beach"), "");
    assert_eq!(
        joined(nora("Here it is! [image: a photo of a blue door]")),
        "Nora shared a picture: a photo of a blue door."
    );
}

#[test]
fn a_message_of_many_sentences_is_bounded() {
    let text = "I bought a red bike in Rome. ".repeat(200);
    assert!(nora(&text).len() <= 12);
}

#[test]
fn ten_megabytes_in_one_message_end_in_a_few_short_memories() {
    let sentences = "I bought a bike in Rome last week. ".repeat(300_000);
    let unbroken = "word ".repeat(2_000_000);
    let glued = "x".repeat(10_000_000);
    for text in [sentences, unbroken, glued] {
        let items = nora(&text);
        assert!(items.len() <= 12);
        for item in items {
            assert!(item.summary.split_whitespace().count() <= 60);
        }
    }
}

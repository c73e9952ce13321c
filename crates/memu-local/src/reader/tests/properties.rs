use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Pieces that the layouts are made of, to get further than random bytes do.
fn fragments() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
        "\n",
        "\r\n",
        " ",
        "Anna: ",
        "[2024-05-01 10:00] ",
        "\"role\"",
        "\"content\"",
        "\"messages\"",
        "\"text\"",
        "null",
        "1e9",
        "\\ud83d",
        "# ",
        "```",
        "---\n",
        "word ",
        "é",
        "😀",
        "\0",
        "1/5/24, ",
        "10:00 ",
        "- ",
        "PM",
        "**",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn name() -> impl Strategy<Value = String> {
    "[A-Z][a-z]{3,8}( [A-Z][a-z]{1,6})?".prop_filter("a role or a label", |name| {
        memu_core::records::Role::from_name(name).is_none()
            && super::super::line::opening(&format!("{name}: x")).is_some()
    })
}

/// One line of lower-case words, so that no line looks like a speaker.
fn text() -> impl Strategy<Value = String> {
    "[a-zé😀]{1,8}( [a-z0-9,.!?]{1,8}){0,12}"
}

fn line() -> impl Strategy<Value = String> {
    let stamp = prop::sample::select(vec![
        "",
        "",
        "[2024-05-01 10:00] ",
        "1/5/24, 19:00 - ",
        "10:00 ",
    ]);
    let label = prop::sample::select(vec!["", "", "Anna: ", "ben: ", "User: ", "AI: ", "Note: "]);
    (stamp, label, text()).prop_map(|(stamp, label, text)| format!("{stamp}{label}{text}"))
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for modality in Modality::ALL {
            let _ = read_as(modality, &bytes);
        }
    }

    #[test]
    fn no_text_panics_and_spans_are_exact(text in fragments()) {
        for modality in Modality::ALL {
            if let Ok(reading) = read_as(modality, &text) {
                prop_assert!(!reading.drafts.is_empty());
                for draft in &reading.drafts {
                    if let Some(span) = draft.span {
                        let slice = &text[span.start as usize..span.end as usize];
                        prop_assert_eq!(slice, &draft.text);
                    }
                }
            }
        }
    }

    #[test]
    fn documents_lose_nothing(text in fragments()) {
        if let Ok(reading) = read_as(Modality::Document, &text) {
            let solid = |text: &str| text.split_whitespace().collect::<String>();
            let read: String = reading.drafts.iter().map(|draft| solid(&draft.text)).collect();
            prop_assert_eq!(read, solid(&text));
        }
    }

    #[test]
    fn messages_round_trip_through_three_layouts(
        messages in prop::collection::vec((name(), text()), 1..30)
    ) {
        let objects: Vec<_> = messages
            .iter()
            .map(|(name, text)| json!({"name": name, "content": text}))
            .collect();
        let list = json!(objects).to_string();
        let lines: Vec<_> = objects.iter().map(ToString::to_string).collect();
        let transcript: Vec<_> = messages
            .iter()
            .map(|(name, text)| format!("{name}: {text}"))
            .collect();
        for layout in [list, lines.join("\n"), transcript.join("\n")] {
            let drafts = conversation(&layout);
            let read: Vec<_> = drafts
                .iter()
                .map(|draft| (draft.speaker.clone().unwrap_or_default(), draft.text.clone()))
                .collect();
            prop_assert_eq!(&read, &messages);
            assert_spans_are_the_texts(layout.as_bytes(), &drafts);
        }
    }

    #[test]
    fn a_growing_transcript_keeps_all_but_its_last_message(
        lines in prop::collection::vec(line(), 1..20)
    ) {
        let Ok(whole) = read_as(Modality::Conversation, lines.join("\n")) else {
            return Ok(());
        };
        for length in 1..lines.len() {
            let Ok(part) = read_as(Modality::Conversation, lines[..length].join("\n")) else {
                continue;
            };
            let known = part.drafts.len() - 1;
            let part: Vec<_> = part.drafts[..known].iter().map(lasting).collect();
            let begin: Vec<_> = whole.drafts[..known].iter().map(lasting).collect();
            prop_assert_eq!(part, begin);
        }
    }
}

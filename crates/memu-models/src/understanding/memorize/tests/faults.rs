use memu_core::ErrorKind;
use proptest::prelude::*;

use super::super::super::salvage::Repair;
use super::super::{Note, read_segment};
use super::{Example, contents};

const GOOD: &str = r#"{"caption": "Canoes", "items": [
 {"memory_type": "event", "content": "Ines sold her canoe.", "message_numbers": [14], "categories": ["activities"], "happened_at": "2023-05-07", "when_to_use": null},
 {"memory_type": "profile", "content": "Tom's nephew lives in Oslo.", "message_numbers": [15], "categories": [], "happened_at": null, "when_to_use": null}
]}"#;

/// How far the text of each memory of [`GOOD`] reaches.
fn ends() -> [usize; 2] {
    let first = GOOD.find("},").unwrap();
    [first + 1, GOOD.rfind("}\n").unwrap() + 1]
}

#[test]
fn every_form_of_the_same_reply_says_the_same() {
    let example = Example::new();
    let good = example.read(GOOD);
    assert_eq!(good.drafts.len(), 2);
    let (first, rest) = GOOD.split_once("\n {\"memory_type\": \"profile\"").unwrap();
    let second = format!(
        "{{\"memory_type\": \"profile\"{}",
        rest.trim_end_matches(['\n', ']', '}'])
    ) + "}";
    for reply in [
        format!("```json\n{GOOD}\n```"),
        format!("Here is what I found [all of it]:\n\n```JSON\n{GOOD}\n```\nLet me know!"),
        format!("<think>The user wants {{JSON}}.</think>\n{GOOD}"),
        GOOD.replace("\n]", ",\n]"),
        GOOD.replace("null", "None"),
        GOOD.replace("\"caption\"", "caption")
            .replace("\"items\"", "items"),
        GOOD.replace("\"Canoes\"", "“Canoes”"),
        GOOD.replace("\"Canoes\"", "'Canoes' /* the topic */"),
        format!("{}\n]}}\n{second}", first.trim_end_matches(',')),
        format!("[{GOOD}]"),
        format!("{{\"result\": {GOOD}}}"),
        format!("\u{feff}{GOOD}\0"),
        serde_json::to_string(GOOD).unwrap(),
    ] {
        let reading = example.read(&reply);
        assert_eq!(reading.drafts, good.drafts, "{reply}");
        assert_eq!(reading.caption, good.caption, "{reply}");
        assert!(!reading.repairs.is_lossy(), "{reply}");
    }
}

#[test]
fn at_every_truncation_the_complete_memories_stay_and_the_cut_one_goes() {
    let example = Example::new();
    let good = example.read(GOOD);
    for length in 0..GOOD.len() {
        let part = GOOD.get(..length).unwrap();
        let complete = ends().iter().filter(|end| **end <= length).count();
        match read_segment(part, &example.task()) {
            Ok(reading) => {
                assert_eq!(reading.drafts, good.drafts[..complete], "{part}");
                assert!(reading.repairs.count(Repair::CutOff) > 0, "{part}");
            }
            Err(error) => {
                assert_eq!(complete, 0, "{part}");
                assert_eq!(error.kind(), ErrorKind::Model);
            }
        }
    }
}

#[test]
fn at_every_truncation_of_xml_the_complete_memories_stay_and_the_cut_one_goes() {
    let mut example = Example::new();
    example.memory_types.truncate(1);
    let memory = |text: &str| {
        format!(
            "<memory><content>{text}</content><categories><category>activities</category></categories></memory>\n"
        )
    };
    let (first, second) = (memory("Ines sold her canoe."), memory("Tom lives in Oslo."));
    let text = format!("```xml\n<item>\n{first}{second}</item>\n```");
    let end = text.find(&second).unwrap();
    let ends = [end - 1, end + second.len() - 1];
    let good = example.read(&text).drafts;
    assert_eq!(good.len(), 2);
    for length in 0..text.len() {
        let part = text.get(..length).unwrap();
        let complete = ends.iter().filter(|end| **end <= length).count();
        let read = read_segment(part, &example.task());
        let drafts = read.map(|reading| reading.drafts).unwrap_or_default();
        assert_eq!(drafts, good[..complete], "{part}");
    }
}

#[test]
fn a_cut_off_memory_is_noted() {
    let reading = Example::new().read(GOOD.split_once("\"categories\": []").unwrap().0);
    assert_eq!(contents(&reading), ["Ines sold her canoe."]);
    assert_eq!(reading.notes, [Note::CutOff]);
}

#[test]
fn the_example_of_the_prompt_is_no_memory() {
    let reply = "{\"items\": [{\"memory_type\": \"event\", \"message_numbers\": [14], \"content\": \
                 \"Ines sold her blue canoe to Tom's nephew on 7 May 2023.\"}]}";
    let mut example = Example::new();
    assert_eq!(example.read(reply).drafts.len(), 1);
    example.messages.remove(0);
    example.messages[0].text = "It rains.".into();
    example.messages[0].speaker = None;
    let error = read_segment(reply, &example.task()).unwrap_err();
    assert!(
        error.to_string().contains(&Note::Echo.to_string()),
        "{error}"
    );
}

#[test]
fn replies_without_anything_usable_are_errors_that_say_so() {
    let example = Example::new();
    for (reply, part) in [
        ("", "holds no memory"),
        (
            "I'm sorry, but I can't help with that.",
            "(reply: I'm sorry, but",
        ),
        ("{\"error\": \"overloaded\"}", "overloaded"),
        (
            "<html><body>502 Bad Gateway</body></html>",
            "502 Bad Gateway",
        ),
        (
            "{\"items\": [{\"memory_type\": \"event\", \"content\": \"Ines so",
            "cut off",
        ),
        ("[[[[", "cut off"),
    ] {
        let error = read_segment(reply, &example.task()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Model);
        assert!(error.to_string().contains(part), "{error}");
    }
}

proptest! {
    #[test]
    fn any_reply_is_survived(text in any::<String>(), at in any::<prop::sample::Index>(), new in any::<char>()) {
        let example = Example::new();
        drop(read_segment(&text, &example.task()));
        let mut damaged: Vec<char> = GOOD.chars().collect();
        let at = at.index(damaged.len());
        damaged[at] = new;
        let damaged: String = damaged.into_iter().collect();
        if let Ok(reading) = read_segment(&damaged, &example.task()) {
            for draft in &reading.drafts {
                prop_assert!(!draft.item.segments.is_empty());
                prop_assert!(draft.item.segments.iter().all(|at| *at < 3));
            }
        }
    }
}

use std::collections::BTreeSet;
use std::fmt::Write as _;

use memu_core::ErrorKind;
use proptest::prelude::*;
use serde_json::json;

use super::super::caption::{CaptionTask, caption_request};
use super::super::memorize::{MemoryType, NumberedMessage, SegmentTask, memory_type_request};
use super::*;

/// A request as it is sent, for snapshots.
pub(in super::super) fn shown(request: &Prompted) -> String {
    let mut text = format!("{} v{}\n", request.name.as_str(), request.version);
    for message in &request.chat.messages {
        let images = message.images.len();
        let _ = writeln!(
            text,
            "\n--- {} ({images} images)\n{}",
            message.role, message.content
        );
    }
    if let Some(format) = &request.chat.format {
        let schema = serde_json::to_string_pretty(&format.schema).unwrap();
        let _ = writeln!(text, "\n--- format {}\n{schema}", format.name);
    }
    text
}

fn custom(value: Value) -> CustomPrompt {
    serde_json::from_value(value).unwrap()
}

/// A request for boats by a custom prompt, from one message.
fn boats(prompt: CustomPrompt) -> Result<Prompted> {
    let memory_type = MemoryType {
        prompt: Some(prompt),
        ..MemoryType::named("boats")
    };
    let messages = [NumberedMessage {
        number: 1,
        text: "Ines sold her canoe.".into(),
        ..NumberedMessage::default()
    }];
    let task = SegmentTask {
        messages: &messages,
        memory_types: std::slice::from_ref(&memory_type),
        categories: &[],
    };
    memory_type_request(&task, &memory_type)
}

#[test]
fn every_prompt_of_ours_mentions_exactly_its_variables() {
    for name in PromptName::ALL {
        let template = name.template().unwrap();
        let mentioned: BTreeSet<&str> = template.mentioned().into_iter().collect();
        let declared: BTreeSet<&str> = name.variables().iter().map(|one| one.name).collect();
        assert_eq!(mentioned, declared, "{}", name.as_str());
        assert!(template.version >= 1);
        assert!(template.layout(None).unwrap().our_output);
    }
}

#[test]
fn a_missing_or_strange_value_is_an_error() {
    for values in [
        &[][..],
        &[("question", String::new()), ("context", String::new())],
        &[
            ("context", String::new()),
            ("question", String::new()),
            ("x", String::new()),
        ],
    ] {
        let error = prompted(
            PromptName::Route,
            Filling {
                values,
                custom: None,
                schema: json!({}),
                images: Vec::new(),
            },
        );
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Internal);
    }
}

#[test]
fn a_text_with_the_material_in_it_is_the_whole_prompt() {
    for text in [
        "Find boats in {resource} for {categories_str}. Answer {\"boats\": []}.",
        "Find boats in {{conversation}} for {{categories}}. Answer {\"boats\": []}.",
    ] {
        let request = boats(custom(json!(text))).unwrap();
        let [system, user] = &*request.chat.messages else {
            panic!("{request:?}");
        };
        assert_eq!(system.content, DATA_NOTE);
        assert!(user.content.starts_with("Find boats in <conversation-"));
        assert!(user.content.contains("[1] Ines sold her canoe."));
        assert!(user.content.ends_with("Answer {\"boats\": []}."));
        assert_eq!(request.chat.format, None);
    }
}

#[test]
fn a_text_without_the_material_says_what_to_look_for() {
    let request = boats(custom(json!("Boats, who owns them and where they lie."))).unwrap();
    let system = &request.chat.messages[0].content;
    assert!(system.starts_with("Boats, who owns them"), "{system}");
    assert!(system.contains("message_numbers"));
    assert!(!system.contains("You keep the long-term memory"));
    assert!(
        request.chat.messages[1]
            .content
            .contains("Ines sold her canoe.")
    );
    assert!(request.chat.format.is_some());
}

#[test]
fn blocks_are_replaced_added_moved_and_left_out_by_name() {
    let request = boats(custom(json!({
        "objective": {"prompt": "Look for boats."},
        "examples": {"ordinal": 15, "prompt": "A canoe is a boat."},
        "harbours": {"ordinal": 35, "prompt": "Mind the harbours in {{categories}}."},
        "rules": {"ordinal": -1},
        "workflow": {"ordinal": 20},
        "category": {"label": "filing", "ordinal": 95},
    })))
    .unwrap();
    let system = &request.chat.messages[0].content;
    let places: Vec<usize> = [
        "Look for",
        "A canoe",
        "Mind the harbours",
        "Answer with one",
        "File each",
    ]
    .iter()
    .map(|part| system.find(part).unwrap())
    .collect();
    assert!(places.is_sorted(), "{system}");
    assert!(!system.contains("A memory stands alone"));
    assert!(request.chat.format.is_some());

    // Who says what a reply looks like gets no schema that says otherwise.
    let request = boats(custom(json!({"output": {"prompt": "Answer in XML."}}))).unwrap();
    assert_eq!(request.chat.format, None);
}

#[test]
fn another_wording_has_another_hash_and_other_material_has_not() {
    let first = boats(custom(json!("Boats."))).unwrap();
    let second = boats(custom(json!("Ships."))).unwrap();
    assert_ne!(first.hash, second.hash);
    let caption = |text: &str| {
        let task = CaptionTask::Document { text: text.into() };
        caption_request(&task, None).unwrap()
    };
    assert_eq!(caption("a").hash, caption("b").hash);
    assert_ne!(caption("a").chat, caption("b").chat);
    assert_eq!(caption("a"), caption("a"));
}

#[test]
fn unusable_custom_prompts_are_refused_with_what_is_wrong() {
    for (prompt, what) in [
        (json!(" "), "a custom prompt is empty"),
        (
            json!("Boats in {{resorce}}"),
            "there is no variable \"resorce\"; use memory_type, categories, guidance, conversation",
        ),
        (
            json!({"rules": {"prompt": "{{x}}"}}),
            "there is no variable \"x\"",
        ),
        (json!({"rules": {"prompt": ""}}), "a custom prompt is empty"),
        (
            json!({"harbours": {"ordinal": 3}}),
            "the block \"harbours\" has no prompt",
        ),
        (
            json!({"input": {"prompt": "Here you are."}}),
            "the prompt never mentions its material: use {{conversation}}",
        ),
        (
            json!({"input": {"ordinal": -1}}),
            "the prompt never mentions its material",
        ),
    ] {
        let error = validate(&custom(prompt), PromptName::MemorizeType).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().starts_with(what), "{error}");
    }
    let image = custom(json!("Say what is written: {hint}"));
    validate(&image, PromptName::Image).unwrap();
    let document = custom(json!("Condense {document_text}."));
    validate(&document, PromptName::Document).unwrap();
}

#[test]
fn settings_hold_a_text_or_blocks_and_errors_name_the_field() {
    for value in [
        json!("text"),
        json!({"rules": {"ordinal": 30, "prompt": "x"}, "output": {"label": "y"}}),
        json!({}),
    ] {
        assert_eq!(serde_json::to_value(custom(value.clone())).unwrap(), value);
    }
    for (value, what) in [
        (json!({"rules": {"ordinl": 3}}), "unknown field `ordinl`"),
        (
            json!({"rules": {"ordinal": "x"}}),
            "invalid type: string \"x\"",
        ),
        (json!(3), "expected the text of a prompt, or blocks by name"),
    ] {
        let error = serde_json::from_value::<CustomPrompt>(value).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[test]
fn a_code_is_in_none_of_the_texts_whatever_they_hold() {
    let text = "hello";
    let code = Code::of(&[text]);
    // A text that was made to hold the code of what it will be.
    let hostile = format!("hello {code:?}");
    let around = Code::of(&[&hostile]).around("text", &hostile);
    let closing = around.rsplit_once('\n').unwrap().1;
    assert_eq!(around.matches(closing).count(), 1);
    assert_eq!(Code::of(&[text]), code);
}

proptest! {
    #[test]
    fn no_material_closes_its_own_tag_or_begins_another_message(
        text in "(</?conversation-[0-9a-f]{8}>|\\[[0-9]\\] |\r|\n|\u{2028}|\u{85}|[a-f0-9]{1,8}|\\{\\{conversation\\}\\}|\\{resource\\}| ){0,24}",
        speaker in "(\n|\\[7\\] |Ines|: ){0,4}",
    ) {
        let messages = [1, 2].map(|number| NumberedMessage {
            number,
            speaker: Some(speaker.clone()),
            text: text.clone(),
            caption: Some(text.clone()),
            ..NumberedMessage::default()
        });
        let memory_types = [MemoryType::named("event")];
        let task = SegmentTask { messages: &messages, memory_types: &memory_types, categories: &[] };
        let request = super::super::memorize::segment_request(&task).unwrap();
        let user = &request.chat.messages[1].content;
        let closing = user.lines().last().unwrap();
        prop_assert!(closing.starts_with("</conversation-"));
        prop_assert_eq!(user.matches(closing).count(), 1, "{}", user);
        let heads = user.lines().filter(|line| line.starts_with('['));
        prop_assert_eq!(heads.count(), 2, "{}", user);
        prop_assert_eq!(&request.chat.messages[0].content, &{
            let empty = SegmentTask { messages: &[], ..task };
            super::super::memorize::segment_request(&empty).unwrap().chat.messages[0].content.clone()
        });
    }
}

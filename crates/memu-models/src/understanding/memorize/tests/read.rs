use serde_json::json;

use super::super::super::salvage::Repair;
use super::super::{MemoryType, Note, Provenance, read_memory_type};
use super::{Example, contents};

/// A reply of one event with these fields in place of the usual ones.
fn reply(fields: &serde_json::Value) -> String {
    let mut item = json!({
        "memory_type": "event",
        "content": "Ines sold her blue canoe.",
        "message_numbers": [14],
        "categories": ["activities"],
        "happened_at": null,
        "when_to_use": null,
    });
    for (name, value) in fields.as_object().unwrap() {
        item[name] = value.clone();
    }
    json!({"caption": "Canoes", "items": [item]}).to_string()
}

#[test]
fn a_good_reply_is_taken_as_it_is() {
    let example = Example::new();
    let reading = example.read(&reply(&json!({
        "message_numbers": [15, 14],
        "happened_at": "2023-05-07",
        "categories": ["work_life", "activities"],
        "when_to_use": "When canoes come up.",
    })));
    assert_eq!(reading.caption.as_deref(), Some("Canoes"));
    assert_eq!(reading.notes, []);
    assert!(reading.repairs.is_empty());
    let [draft] = &*reading.drafts else {
        panic!("{reading:?}");
    };
    assert_eq!(draft.item.memory_type, "event");
    assert_eq!(draft.item.summary, "Ines sold her blue canoe.");
    assert_eq!(draft.item.segments, [0, 1]);
    assert_eq!(draft.provenance, Provenance::Cited);
    assert_eq!(draft.item.categories, ["work_life", "activities"]);
    let happened = draft.item.happened.unwrap();
    assert_eq!(happened.start.date().to_string(), "2023-05-07");
    assert_eq!(draft.item.extra["when_to_use"], "When canoes come up.");
}

#[test]
fn nothing_worth_keeping_is_an_answer() {
    let example = Example::new();
    for reply in [
        "{\"caption\": \"Hi\", \"items\": []}",
        "{\"items\": []}",
        "```json\n{\"items\": []}\n```",
        "<items></items>",
    ] {
        assert!(example.read(reply).drafts.is_empty(), "{reply}");
    }
}

#[test]
fn numbers_outside_the_segment_are_dropped() {
    let reading = Example::new().read(&reply(&json!({"message_numbers": [14, 2, "16", 99]})));
    assert_eq!(reading.drafts[0].item.segments, [0, 2]);
    assert_eq!(
        reading.notes,
        [Note::NumberOutside(2), Note::NumberOutside(99)]
    );
}

#[test]
fn a_memory_without_numbers_is_placed_by_its_words() {
    let example = Example::new();
    for numbers in [json!([]), json!(null), json!([1]), json!("none")] {
        let reading = example.read(&reply(&json!({"message_numbers": numbers})));
        assert_eq!(reading.drafts[0].item.segments, [0], "{numbers}");
        assert_eq!(reading.drafts[0].provenance, Provenance::Located);
        assert_eq!(reading.notes.last(), Some(&Note::Located));
    }
    let reading = example.read(&reply(&json!({
        "content": "Es war ein schöner Tag.",
        "message_numbers": [],
    })));
    assert_eq!(reading.drafts[0].item.segments, [0, 1, 2]);
    assert_eq!(reading.drafts[0].provenance, Provenance::WholeSegment);
    assert_eq!(reading.notes, [Note::Unplaced]);
}

#[test]
fn types_and_categories_are_mapped_by_case_and_punctuation() {
    let example = Example::new();
    for named in ["Event", "EVENTS", "e-vent"] {
        let reading = example.read(&reply(&json!({"memory_type": named})));
        assert_eq!(reading.drafts[0].item.memory_type, "event");
    }
    for categories in [
        json!(["Work Life", "Boats", "ACTIVITIES", "work_life"]),
        json!("Work Life, Boats; activities"),
        json!({"category": ["work-life", {"name": "Boats"}, "activities"]}),
    ] {
        let reading = example.read(&reply(&json!({"categories": categories})));
        assert_eq!(
            reading.drafts[0].item.categories,
            ["work_life", "activities"],
            "{categories}"
        );
        assert_eq!(reading.notes, [Note::UnknownCategory("Boats".into())]);
    }
}

#[test]
fn a_memory_of_an_unknown_type_is_given_the_nearest_or_the_first() {
    let example = Example::new();
    for (named, taken) in [
        (json!("dream"), "profile"),
        (json!("user_profile"), "profile"),
        (json!("eventful"), "event"),
        (json!("Skillset"), "skill"),
        (json!(7), "profile"),
    ] {
        let reading = example.read(&reply(&json!({"memory_type": named})));
        assert_eq!(contents(&reading), ["Ines sold her blue canoe."]);
        assert_eq!(reading.drafts[0].item.memory_type, taken, "{named}");
        assert!(matches!(&reading.notes[..], [Note::UnknownType(Some(_))]));
    }
    let reading = example.read(&reply(&json!({"memory_type": null})));
    assert_eq!(reading.drafts[0].item.memory_type, "profile");
    assert_eq!(reading.notes, [Note::UnknownType(None)]);
}

#[test]
fn memories_of_the_same_words_are_merged() {
    let reply = json!({"items": [
        {"memory_type": "event", "content": "Ines sold her canoe.", "message_numbers": [14], "categories": ["activities"]},
        {"memory_type": "profile", "content": " ines sold her  canoe", "message_numbers": [16], "categories": ["work_life"]},
        {"memory_type": "event", "content": "", "message_numbers": [14]},
        {"memory_type": "event", "content": "...", "message_numbers": [14]},
    ]});
    let reading = Example::new().read(&reply.to_string());
    assert_eq!(contents(&reading), ["Ines sold her canoe."]);
    assert_eq!(reading.drafts[0].item.segments, [0, 2]);
    assert_eq!(
        reading.drafts[0].item.categories,
        ["activities", "work_life"]
    );
    assert_eq!(reading.notes, [Note::Duplicate, Note::Empty, Note::Empty]);
}

#[test]
fn a_time_that_cannot_be_read_is_noted() {
    let example = Example::new();
    let reading = example.read(&reply(&json!({"happened_at": "the other day"})));
    assert_eq!(reading.drafts[0].item.happened, None);
    assert_eq!(reading.notes, [Note::UnknownTime("the other day".into())]);
    let reading = example.read(&reply(&json!({"happened_at": ""})));
    assert_eq!(reading.notes, []);
}

#[test]
fn lists_by_type_are_understood() {
    let reply = "{\"event\": [{\"content\": \"Ines sold her canoe.\", \"message_numbers\": [14]}], \
                 \"Profiles\": [\"Tom's nephew lives in Oslo.\"]}";
    let reading = Example::new().read(reply);
    let types: Vec<&str> = reading
        .drafts
        .iter()
        .map(|draft| &*draft.item.memory_type)
        .collect();
    assert_eq!(types, ["event", "profile"]);
    assert_eq!(reading.drafts[1].item.segments, [1]);
}

#[test]
fn replies_to_prompts_of_memu_1x_are_understood() {
    let mut example = Example::new();
    example.memory_types = vec![MemoryType::named("event")];
    let task = example.task();
    for reply in [
        "```xml\n<item>\n<memory>\n<content>Ines sold her canoe & oar.</content>\n<categories>\n<category>Activities</category>\n</categories>\n</memory>\n</item>\n```",
        "<events><memory><content>Ines sold her canoe &amp; oar.</content><categories><category>activities</category></categories></memory></events>",
        "<item><memory>Ines sold her canoe & oar.</memory><categories><category>activities</category></categories></item>",
        "{\"memories_items\": [{\"memory\": {\"content\": \"Ines sold her canoe & oar.\", \"categories\": [\"activities\"]}}]}",
        "[{\"content\": \"Ines sold her canoe & oar.\", \"categories\": [\"activities\"]}]",
    ] {
        let reading = read_memory_type(reply, &task, &example.memory_types[0]).unwrap();
        assert_eq!(
            contents(&reading),
            ["Ines sold her canoe & oar."],
            "{reply}"
        );
        assert_eq!(reading.drafts[0].item.memory_type, "event");
        assert_eq!(reading.drafts[0].item.categories, ["activities"]);
        assert_eq!(reading.drafts[0].item.segments, [0]);
    }
    let two = "<item><memory>Ines sold her canoe.</memory></item>\n<item><memory>Tom has a nephew.</memory></item>";
    let reading = read_memory_type(two, &task, &example.memory_types[0]).unwrap();
    assert_eq!(
        contents(&reading),
        ["Ines sold her canoe.", "Tom has a nephew."]
    );
    assert!(reading.repairs.count(Repair::Xml) > 0);
}

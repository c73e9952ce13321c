use serde_json::json;

use super::super::super::prompt::tests::shown;
use super::super::{MemoryType, memory_type_request, segment_request};
use super::Example;

#[test]
fn a_segment_is_asked_for_once() {
    let example = Example::new();
    insta::assert_snapshot!(shown(&segment_request(&example.task()).unwrap()));
}

#[test]
fn a_type_with_a_prompt_of_its_own_is_asked_for_alone() {
    let mut example = Example::new();
    example.memory_types.push(MemoryType {
        name: "boats".into(),
        description: "boats, and who owns them".into(),
        prompt: Some(serde_json::from_value(json!({"rules": {"prompt": "Only boats."}})).unwrap()),
    });
    let task = example.task();
    let shared = shown(&segment_request(&task).unwrap());
    assert!(!shared.contains("boats"), "{shared}");
    insta::assert_snapshot!(shown(
        &memory_type_request(&task, &example.memory_types[3]).unwrap()
    ));
}

#[test]
fn nothing_to_choose_from_makes_no_impossible_schema() {
    let mut example = Example::new();
    example.categories.clear();
    example.memory_types.clear();
    let request = segment_request(&example.task()).unwrap();
    let schema = request.chat.format.unwrap().schema.to_string();
    assert!(!schema.contains("enum"), "{schema}");
    assert!(request.chat.messages[0].content.contains("(there are none"));
}

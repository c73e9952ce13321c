use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::{Step, salvage};

/// Any JSON list or object, a few levels deep.
fn document() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>(),
        "[ a-c\"'“”{}\\[\\]:,<>&/#`\\\\\n.…-]{0,12}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // Those that come back from their text as they were.
        (-1000..1000i32).prop_map(|number| json!(f64::from(number) / 8.0)),
        text.clone().prop_map(Value::from),
    ];
    let tree = leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    });
    prop::collection::vec(tree, 0..4).prop_map(|list| json!({"caption": "c", "items": list}))
}

fn texts<'v>(value: &'v Value, into: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => into.push(text),
        Value::Array(list) => list.iter().for_each(|one| texts(one, into)),
        Value::Object(map) => map.iter().for_each(|(key, one)| {
            into.push(key);
            texts(one, into);
        }),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn valid_json_is_read_as_it_is(document in document(), pretty in any::<bool>()) {
        let text = if pretty {
            serde_json::to_string_pretty(&document).unwrap()
        } else {
            document.to_string()
        };
        let found = salvage(&text);
        prop_assert!(found.repairs.is_empty(), "{} in {}", found.repairs, text);
        prop_assert_eq!(&found.roots[0].value, &document);
        prop_assert_eq!(found.roots.len(), 1);
    }

    #[test]
    fn every_truncation_keeps_the_items_that_were_complete(document in document()) {
        let text = document.to_string();
        // Where each item ends in the text.
        let mut ends = Vec::new();
        let mut written = json!({"caption": "c", "items": []}).to_string().len() - 2;
        for item in document["items"].as_array().unwrap() {
            written += item.to_string().len() + usize::from(!ends.is_empty());
            ends.push(written);
        }
        for end in 1..text.len() {
            let Some(part) = text.get(..end) else { continue };
            let found = salvage(part);
            // A scalar at the very end may go on behind it.
            let sure = ends.iter().filter(|item_end| **item_end < end).count();
            let expected = &document["items"].as_array().unwrap()[..sure];
            let root = found.roots.first();
            let items = root.and_then(|root| root.value["items"].as_array());
            let items = items.cloned().unwrap_or_default();
            prop_assert!(items.starts_with(expected), "{part}\n{items:?}\n{expected:?}");
            // None of them is taken for incomplete.
            let cut = root.and_then(|root| root.cut.as_deref()).unwrap_or_default();
            prop_assert!(!matches!(cut, [_, Step::Index(at), ..] if *at < sure), "{}", part);
            prop_assert!(found.repairs.is_lossy(), "{}", part);
        }
    }

    #[test]
    fn arbitrary_text_is_never_added_to(text in r#"[ a-c\[\]{}"'“”:,<>/!?&#`.…1\n-]{0,64}"#) {
        // Without escapes and entities, whatever is read stands in the text as it is.
        prop_assume!(!text.contains(';'));
        let found = salvage(&text);
        for root in &found.roots {
            let mut all = Vec::new();
            texts(&root.value, &mut all);
            for one in all {
                prop_assert!(text.contains(one) || one == "#text" || joined(&text, one), "{one:?} is not in {text:?}");
            }
        }
    }

    #[test]
    fn any_text_at_all_is_survived(text in any::<String>(), bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        drop(salvage(&text));
        drop(salvage(&String::from_utf8_lossy(&bytes)));
    }

    #[test]
    fn a_damaged_reply_is_survived(document in document(), at in any::<prop::sample::Index>(), new in any::<char>()) {
        let text = document.to_string();
        let mut characters: Vec<char> = text.chars().collect();
        let at = at.index(characters.len());
        characters[at] = new;
        drop(salvage(&characters.into_iter().collect::<String>()));
    }
}

/// Text of an element that other elements interrupt: its pieces stand in the text in order.
fn joined(text: &str, one: &str) -> bool {
    let mut rest = text;
    one.chars()
        .all(|character| match rest.split_once(character) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
}

use super::*;

fn schema(fields: &[&str]) -> ScopeSchema {
    ScopeSchema::new(fields).unwrap()
}

#[test]
fn keys_differ_by_field_and_survive_a_wider_schema() {
    let narrow = schema(&["user_id"]);
    let wide = schema(&["user_id", "agent_id"]);
    let alice = narrow.scope([("user_id", "alice")]).unwrap();
    assert_eq!(
        alice.key(),
        wide.scope([("user_id", "alice")]).unwrap().key()
    );
    assert_ne!(
        alice.key(),
        wide.scope([("agent_id", "alice")]).unwrap().key()
    );
    assert_ne!(
        wide.scope([("user_id", "ab"), ("agent_id", "c")])
            .unwrap()
            .key(),
        wide.scope([("user_id", "a"), ("agent_id", "bc")])
            .unwrap()
            .key()
    );
    assert_ne!(alice.key(), narrow.empty_scope().key());
}

#[test]
fn bad_fields_and_values_are_named() {
    for (fields, expected) in [
        (vec![], "a scope needs at least one field"),
        (
            vec!["user_id", "user_id"],
            "the scope field \"user_id\" repeats",
        ),
        (
            vec!["id"],
            "\"id\" cannot name a scope field, because records use",
        ),
        (
            vec!["User"],
            "\"User\" cannot name a scope field; use lower-case",
        ),
        (
            vec!["a__b"],
            "\"a__b\" cannot name a scope field; use lower-case",
        ),
    ] {
        let error = ScopeSchema::new(fields).unwrap_err();
        assert!(error.message().starts_with(expected), "{error}");
    }
    let schema = schema(&["user_id"]);
    let long = "x".repeat(MAX_SCOPE_VALUE_BYTES + 1);
    for (field, value, expected) in [
        (
            "agent",
            "a",
            "unknown scope field \"agent\"; this store has user_id",
        ),
        (
            "user_id",
            "",
            "user_id is empty; leave the field out instead",
        ),
        (
            "user_id",
            &long,
            "user_id has 513 bytes; at most 512 are allowed",
        ),
    ] {
        let error = schema.scope([(field, value)]).unwrap_err();
        assert_eq!(error.message(), expected);
    }
}

#[test]
fn json_scopes_take_scalars_and_null() {
    let schema = schema(&["user_id", "agent_id"]);
    let object = serde_json::json!({"user_id": 7, "agent_id": null});
    let scope = schema.scope_from_json(object.as_object().unwrap()).unwrap();
    assert_eq!(scope.to_string(), "user_id=7");
    let object = serde_json::json!({"user_id": ["a"]});
    let error = schema
        .scope_from_json(object.as_object().unwrap())
        .unwrap_err();
    assert_eq!(error.message(), "user_id must be a string, not an array");
}

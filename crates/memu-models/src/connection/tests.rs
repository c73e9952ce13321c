use memu_core::Secret;
use serde_json::json;

use super::*;
use crate::surroundings::Variables;

fn connect(profile: serde_json::Value, variables: Variables) -> Result<Connection> {
    let profile: Profile = serde_json::from_value(profile).unwrap();
    let surroundings = Surroundings {
        variables,
        ..Surroundings::default()
    };
    Connection::new("main", &profile, &surroundings)
}

fn url(profile: serde_json::Value, variables: Variables, path: &str) -> String {
    let connection = connect(profile, variables).unwrap();
    connection.target("chat", path).unwrap().url.to_string()
}

#[test]
fn the_address_is_that_of_the_profile_then_of_the_variable_then_of_the_preset() {
    let both = Variables::fixed([
        ("OPENAI_API_KEY", "k"),
        ("OPENAI_BASE_URL", "http://proxy:1/openai/v1/"),
    ]);
    let path = "/chat/completions";
    assert_eq!(
        url(json!({"base_url": "https://own/a/b"}), both.clone(), path),
        "https://own/a/b/chat/completions"
    );
    assert_eq!(
        url(json!({}), both, path),
        "http://proxy:1/openai/v1/chat/completions"
    );
    let key = Variables::fixed([("OPENAI_API_KEY", "k")]);
    assert_eq!(
        url(json!({}), key, path),
        "https://api.openai.com/v1/chat/completions"
    );
}

#[test]
fn a_version_in_the_address_is_not_repeated_and_a_query_is_kept() {
    let key = || Variables::fixed([("ANTHROPIC_API_KEY", "k"), ("AZURE_OPENAI_API_KEY", "k")]);
    for base in [
        "https://host/claude",
        "https://host/claude/v1",
        "https://host/claude/v1/",
    ] {
        let profile = json!({"provider": "anthropic", "base_url": base});
        assert_eq!(
            url(profile, key(), "/v1/messages"),
            "https://host/claude/v1/messages"
        );
    }
    let azure = json!({"provider": "azure", "base_url": "https://x/openai/v1?api-version=preview"});
    assert_eq!(
        url(azure, key(), "/chat/completions"),
        "https://x/openai/v1/chat/completions?api-version=preview"
    );
}

#[test]
fn variables_of_the_providers_mean_what_their_own_programs_take_them_for() {
    for (provider, name, value, expected) in [
        (
            "ollama",
            "OLLAMA_HOST",
            "0.0.0.0",
            "http://127.0.0.1:11434/x",
        ),
        ("ollama", "OLLAMA_HOST", ":8000", "http://127.0.0.1:8000/x"),
        (
            "ollama",
            "OLLAMA_HOST",
            "https://there/a",
            "https://there/a/x",
        ),
        ("groq", "GROQ_BASE_URL", "http://p", "http://p/openai/v1/x"),
        (
            "azure",
            "AZURE_OPENAI_ENDPOINT",
            "https://a/",
            "https://a/openai/v1/x",
        ),
        (
            "azure",
            "AZURE_OPENAI_ENDPOINT",
            "https://a/openai/v1",
            "https://a/openai/v1/x",
        ),
    ] {
        let profile = json!({"provider": provider, "api_key": "k"});
        assert_eq!(
            url(profile, Variables::fixed([(name, value)]), "/x"),
            expected
        );
    }
}

#[test]
fn a_path_can_be_overridden_with_the_names_of_memu() {
    let profile = json!({
        "api_key": "k",
        "base_url": "https://host/base",
        "endpoint_overrides": {"summary": "/own/path"},
    });
    let address = url(profile, Variables::fixed([]), "/chat/completions");
    assert_eq!(address, "https://host/base/own/path");
}

#[test]
fn a_missing_key_names_the_profile_the_provider_and_the_variable() {
    let none = || Variables::fixed([("OPENAI_API_KEY", "  ")]);
    let message = |profile| {
        let connection = connect(profile, none()).unwrap();
        connection.check_key().unwrap_err().to_string()
    };
    assert_eq!(
        message(json!({})),
        "llm_profiles.main has no key for the provider \"openai\": the environment variable \
         OPENAI_API_KEY is not set (or set api_key)"
    );
    assert_eq!(
        message(json!({"provider": "groq", "api_key": "MY_GROQ_KEY"})),
        "llm_profiles.main has no key for the provider \"groq\": the environment variable \
         MY_GROQ_KEY is not set (or set api_key)"
    );
    let ollama = connect(json!({"provider": "ollama"}), none()).unwrap();
    ollama.check_key().unwrap();
}

#[test]
fn a_key_is_a_literal_or_the_name_of_a_variable() {
    let find = |key: Option<&str>, variables| {
        let profile = Profile {
            provider: "cohere".to_owned(),
            api_key: key.map(Secret::new),
            ..Profile::default()
        };
        let preset = Preset::named("cohere", "main").unwrap();
        let found = key::find("main", &profile, preset, &variables, true).unwrap();
        found.map(|key| key.reveal().to_owned()).unwrap()
    };
    let set = || Variables::fixed([("MINE", "mine"), ("COHERE_API_KEY", "preset's")]);
    assert_eq!(find(Some("MINE"), set()), "mine");
    assert_eq!(find(Some(" a literal "), set()), "a literal");
    assert_eq!(
        find(Some("UPPER_CASE_LITERAL"), set()),
        "UPPER_CASE_LITERAL"
    );
    assert_eq!(find(None, set()), "preset's");
}

#[test]
fn an_address_that_cannot_be_used_is_refused_without_showing_it() {
    for (base, expected) in [
        (
            "nonsense",
            "llm_profiles.main.base_url is no URL such as https://host/v1",
        ),
        (
            "ftp://host",
            "llm_profiles.main.base_url must start with http:// or https://",
        ),
        (
            "https://user:secret@host",
            "llm_profiles.main.base_url holds a user name or a password; use api_key",
        ),
    ] {
        let error = connect(json!({"base_url": base}), Variables::fixed([])).unwrap_err();
        assert_eq!(error.message(), expected);
    }
    let azure = connect(json!({"provider": "azure"}), Variables::fixed([])).unwrap_err();
    assert_eq!(
        azure.message(),
        "llm_profiles.main needs a base_url: the provider \"azure\" has one for every customer \
         (or set AZURE_OPENAI_ENDPOINT)"
    );
}

#[test]
fn a_key_with_a_line_end_in_it_is_refused_and_not_shown() {
    let error = connect(json!({"api_key": "sk-a\nb"}), Variables::fixed([])).unwrap_err();
    assert!(error.to_string().contains("line ends"), "{error}");
    assert!(!format!("{error:?}").contains("sk-a"), "{error:?}");
}

#[test]
fn nothing_shows_a_key_when_it_is_debugged() {
    let variables = Variables::fixed([("OPENAI_API_KEY", "sk-very-secret")]);
    let connection = connect(json!({}), variables.clone()).unwrap();
    let chat = connection.chat_model().unwrap();
    let shown = format!("{connection:?} {chat:?} {variables:?}");
    assert!(!shown.contains("very"), "{shown}");
    assert!(
        shown.contains("Connection(main: openai at api.openai.com)"),
        "{shown}"
    );
}

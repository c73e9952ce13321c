//! A key is nowhere but where it was handed over: not in the database, nor in anything shown.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::path::Path;
use std::sync::{Arc, Mutex};

use memu::providers::{Connection, Profile, Surroundings, Variables};
use memu::settings::{LlmProfile, Secret, Settings};
use memu::{MemoryServiceBuilder, RetrieveRequest};
use memu_testkit::models::{Asked, FakeProvider, Fault};
use serde_json::json;
use support::models::{NoPause, memorize, memorize_parrot, model, replies, settings};

/// Looks like base64, so that it is written in several ways.
const KEY: &str = "Ab3d/Ef6+Hi9kLm0/Vw7=";

/// The key, as providers may repeat it in JSON.
fn echoes() -> Vec<String> {
    let percent = KEY.replace('/', "%2F").replace('+', "%2B");
    vec![
        KEY.to_owned(),
        KEY.replace('/', "\\/"),
        KEY.replace('/', "\\u002f").replace('+', "\\u002B"),
        KEY.replace('/', "&#x2F;").replace('+', "&#43;"),
        percent.replace('=', "%3D"),
        "Ab3d/Ef6****/Vw7=".to_owned(),
    ]
}

/// What goes wrong with a request, and repeats the key.
fn faults() -> Vec<Fault> {
    let said = |echo: &String| {
        let error = format!(r#"{{"error":{{"message":"Incorrect key {echo}","code":401}}}}"#);
        let useless = format!(r#"{{"choices":[{{"message":{{"content":"I have {echo}"}}}}]}}"#);
        [
            Fault::status(401).saying(&error),
            Fault::status(500).saying(&error),
            Fault::Body(useless),
            Fault::Body(format!("<p>{echo}</p>")),
            Fault::Body(error.get(..error.len() - 3).unwrap().to_owned()),
            Fault::Body(error),
        ]
    };
    echoes().iter().flat_map(said).collect()
}

/// Any form of the key, or its beginning, which tells that it is there in part.
fn check(what: &str, shown: &[u8]) {
    for form in echoes()
        .iter()
        .chain([&"Ab3d".to_owned(), &"Vw7".to_owned()])
    {
        let mut windows = shown.windows(form.len());
        assert!(
            !windows.any(|part| part == form.as_bytes()),
            "{what} has {form}"
        );
    }
}

/// Looks into every file of a folder; tells how many there are.
fn check_files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap();
    let files = entries.map(|entry| entry.unwrap().path()).map(|path| {
        if path.is_dir() {
            return check_files(&path);
        }
        check(&path.display().to_string(), &std::fs::read(&path).unwrap());
        1
    });
    files.sum()
}

#[tokio::test]
async fn a_key_is_in_no_file_and_nothing_shown_whatever_a_provider_repeats() {
    let folder = tempfile::tempdir().unwrap();
    let ill: Arc<Mutex<Option<Fault>>> = Arc::default();
    let fault = ill.clone();
    let server = FakeProvider::builder()
        .chat(|asked: &Asked| model(asked).replace("Somebody", &format!("With {KEY} somebody")))
        .fault_when(move |_| fault.lock().unwrap().clone())
        .start();
    let mut settings = settings(&server);
    let profile = settings.llm_profiles.get_mut("default").unwrap();
    profile.api_key = Some(Secret::new(KEY));
    profile.max_retries = Some(0);
    let recording = folder.path().join("recording.jsonl");
    let recording = recording.display().to_string();
    let surroundings = Surroundings {
        pause: Arc::new(NoPause),
        variables: Variables::fixed([("MEMU_RECORD", &recording)]),
        ..Surroundings::default()
    };
    let builder = MemoryServiceBuilder::new()
        .settings(settings.clone())
        .surroundings(surroundings.clone())
        .database(&folder.path().join("memu.db").display().to_string());
    let remote = settings.llm_profiles["default"].remote().unwrap();
    let connection = Connection::new("default", &remote, &surroundings).unwrap();
    for shown in [
        format!("{settings:?} {settings:#?}"),
        format!("{remote:?} {connection:?} {builder:?} {surroundings:?}"),
        format!("{:?}", connection.chat_model().unwrap()),
        format!("{:?}", connection.embedder().await.unwrap()),
        serde_json::to_string(&settings).unwrap(),
    ] {
        check("what is shown", shown.as_bytes());
    }
    let service = builder.build().await.unwrap();
    let question = || RetrieveRequest::question("violin strings").matching("user_id", "nora");
    memorize(&service).await.unwrap();
    service.retrieve(question()).await.unwrap();
    for fault in faults() {
        *ill.lock().unwrap() = Some(fault.clone());
        for error in [
            memorize_parrot(&service).await.unwrap_err(),
            service.retrieve(question()).await.unwrap_err(),
        ] {
            let shown = format!("{error:?} {error} {}", error.to_json());
            check(&format!("{fault:?}: {shown}"), shown.as_bytes());
        }
    }
    *ill.lock().unwrap() = None;
    memorize_parrot(&service).await.unwrap();
    let found = service.retrieve(question()).await.unwrap();
    check("an answer", format!("{found:?}").as_bytes());
    check("the service", format!("{service:?}").as_bytes());
    let kept = replies(&service).await;
    assert!(kept.iter().any(|reply| reply.text.contains("***")));
    check("the replies", format!("{kept:?}").as_bytes());
    // The file and its log, and the recording.
    assert!(check_files(folder.path()) >= 3);
    service.close().await.unwrap();
    assert!(check_files(folder.path()) >= 2);
}

#[test]
fn a_password_in_an_address_is_not_shown_before_it_is_refused() {
    let address = format!("https://nora:{KEY}@h.example/v1?key={KEY}&api-version=3");
    let profile = json!({
        "base_url": address,
        "chat_model": "one",
        "endpoint_overrides": {"chat": address},
    });
    let settings: Settings = serde_json::from_value(json!({
        "llm_profiles": {"default": profile},
        "database_config": {"metadata_store": {"dsn": format!("postgresql://nora:{KEY}@h/x")}},
    }))
    .unwrap();
    let profile: LlmProfile = settings.llm_profiles["default"].clone();
    let remote: Profile = profile.remote().unwrap();
    let builder = MemoryServiceBuilder::new()
        .settings(settings.clone())
        .database(&format!("postgresql://nora:{KEY}@h/x"));
    let shown = format!("{settings:?} {settings:#?} {profile:?} {remote:?} {builder:?}");
    check("settings", shown.as_bytes());
    for part in [
        "https://***@h.example/v1?key=***&api-version=3",
        "\"chat_model\":\"one\"",
    ] {
        assert!(shown.contains(part), "{shown}");
    }
    let refused = Connection::new("default", &remote, &Surroundings::default()).unwrap_err();
    let shown = format!("{refused:?}");
    check("a refusal", shown.as_bytes());
    assert!(shown.contains("llm_profiles.default.base_url"), "{shown}");
}

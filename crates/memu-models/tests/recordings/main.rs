//! Exchanges with providers that are recorded and replayed.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop"
)]

mod keys;
#[path = "../support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use memu_core::provider::{ChatModel, Embedder, Media};
use memu_core::{Error, ErrorKind, Secret};
use memu_models::{Connection, Pause, Profile, Surroundings, Variables};
use memu_testkit::models::{Answer, FakeProvider, Fault};
use serde_json::Value;
use support::{KEY, format, profile, question};
use tempfile::TempDir;

/// Nobody may wait.
#[derive(Debug)]
struct Impatient(bool);

#[async_trait::async_trait]
impl Pause for Impatient {
    async fn pause(&self, _: Duration) {
        assert!(self.0, "a replay waits");
    }
}

/// A place for a recording.
struct Tape {
    folder: TempDir,
}

impl Tape {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("run.jsonl")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.path()).unwrap()
    }

    fn lines(&self) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn recorded(&self, profile: &Profile) -> Connection {
        connected(profile, "MEMU_RECORD", &self.path()).unwrap()
    }

    fn replayed(&self, profile: &Profile) -> Connection {
        connected(profile, "MEMU_REPLAY", &self.path()).unwrap()
    }
}

fn connected(profile: &Profile, variable: &str, path: &Path) -> Result<Connection, Error> {
    let surroundings = Surroundings {
        variables: Variables::fixed([(variable, path.to_str().unwrap())]),
        pause: Arc::new(Impatient(variable == "MEMU_RECORD")),
        ..Surroundings::default()
    };
    Connection::new("main", profile, &surroundings)
}

/// The profile of somebody who has neither the server nor the key.
fn elsewhere(provider: &str) -> Profile {
    Profile {
        provider: provider.to_owned(),
        max_retries: 2,
        ..Profile::default()
    }
}

#[tokio::test]
async fn every_form_of_request_is_replayed_without_a_server_an_address_or_a_key() {
    for provider in ["openai", "anthropic", "gemini", "ollama", "azure"] {
        let tape = Tape::new();
        let server = FakeProvider::builder()
            .chat(|asked: &memu_testkit::models::Asked| Answer::from(format!("{}!", asked.prompt)))
            .start();
        let with = |profile: Profile| Profile {
            chat_model: Some("one".to_owned()),
            embed_model: Some("two".to_owned()),
            transcribe_model: Some("three".to_owned()),
            ..profile
        };
        let recorded = tape.recorded(&with(profile(provider, &server)));
        let said = answers(&recorded).await;
        drop(server);
        let replayed = tape.replayed(&with(elsewhere(provider)));
        assert_eq!(answers(&replayed).await, said, "{provider}");
        assert!(said[0].contains("Hello!"), "{said:?}");
        assert!(!tape.text().contains(KEY));
    }
}

/// What a provider answers to all that it can be asked.
async fn answers(connection: &Connection) -> Vec<String> {
    let mut answers = Vec::new();
    let chat = connection.chat_model().unwrap();
    let mut asked = question("Hello");
    answers.push(chat.chat(&asked).await.unwrap().body.to_string());
    asked.format = Some(format());
    asked.temperature = Some(0.5);
    answers.push(chat.chat(&asked).await.unwrap().body.to_string());
    if connection.provider().embed.is_some() {
        let embedder = connection.embedder().await.unwrap();
        let vectors = embedder.embed(&["Nora rows", "", "Ines swims"]).await;
        answers.push(format!("{:?}", vectors.unwrap()));
    }
    if connection.provider().transcribe.is_some() {
        let recording = Media {
            media_type: "audio/wav".to_owned(),
            bytes: vec![0, 159, 146, 150].into(),
        };
        let reply = chat.transcribe(&recording).await.unwrap();
        answers.push(reply.body.to_string());
    }
    answers
}

#[tokio::test]
async fn a_line_holds_what_was_asked_and_what_came() {
    let tape = Tape::new();
    let server = FakeProvider::start();
    let client = tape.recorded(&profile("openai", &server));
    let chat = client.chat_model().unwrap();
    chat.chat(&question("Hello")).await.unwrap();
    let sound = Media {
        media_type: "audio/wav".to_owned(),
        bytes: vec![0, 159, 146, 150].into(),
    };
    chat.transcribe(&sound).await.unwrap();
    let lines = tape.lines();
    let (asked, heard) = (&lines[0], &lines[1]);
    assert_eq!(asked["recording"], 1);
    assert_eq!(
        (&asked["profile"], &asked["method"]),
        (&"main".into(), &"POST".into())
    );
    let url = format!("{}/chat/completions", server.base_url());
    assert_eq!(
        (&asked["url"], &asked["path"]),
        (&url.into(), &"/chat/completions".into())
    );
    assert_eq!(asked["content_type"], "application/json");
    assert_eq!(asked["request"]["messages"][1]["content"], "Hello");
    assert_eq!(asked["status"], 200);
    assert_eq!(asked["body"]["choices"][0]["message"]["content"], "ok");
    assert!(asked["latency"].as_f64().unwrap() > 0.0);
    assert!(heard["form"]["bytes"].as_u64().unwrap() > 100);
    assert!(heard.get("request").is_none());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(tape.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn refusals_and_lost_connections_come_again_and_nobody_waits() {
    let faults = [
        Fault::status(429).retry_after("7"),
        Fault::ResetBeforeHeaders,
        Fault::status(500).saying("<html>oh\nno</html>"),
        Fault::ResetAfterHeaders,
        Fault::Garbage,
    ];
    let tape = Tape::new();
    let server = FakeProvider::builder().faults(faults).start();
    let outcomes = async |connection: Connection| {
        let chat = connection.chat_model().unwrap();
        let mut outcomes = Vec::new();
        for _ in 0..3 {
            let came = chat.chat(&question("Hello")).await;
            outcomes.push(
                came.map(|raw| (raw.body, raw.attempts))
                    .map_err(|error| error.to_string()),
            );
        }
        outcomes
    };
    let recorded = outcomes(tape.recorded(&profile("openai", &server))).await;
    drop(server);
    assert_eq!(tape.lines()[0]["headers"]["retry-after"], "7");
    assert_eq!(tape.lines()[2]["text"], "<html>oh\nno</html>");
    assert!(tape.lines()[1]["lost"]["retryable"].as_bool().unwrap());
    let replayed = outcomes(tape.replayed(&elsewhere("openai"))).await;
    assert_eq!(replayed, recorded);
    assert!(
        recorded[0].as_ref().unwrap_err().contains("500"),
        "{recorded:?}"
    );
    assert_eq!(recorded[1].as_ref().unwrap().1, 2);
    assert_eq!(recorded[2].as_ref().unwrap().1, 1);
}

#[tokio::test]
async fn equal_requests_take_turns_and_the_last_answer_stays() {
    let tape = Tape::new();
    let count = std::sync::atomic::AtomicUsize::new(0);
    let server = FakeProvider::builder()
        .chat(move |_: &memu_testkit::models::Asked| {
            let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Answer::from(format!("answer {number}"))
        })
        .start();
    let said = async |connection: &Connection| {
        let chat = connection.chat_model().unwrap();
        let raw = chat.chat(&question("Hello")).await.unwrap();
        chat.read(&raw).unwrap().text
    };
    let recorded = tape.recorded(&profile("openai", &server));
    for number in 0..2 {
        assert_eq!(said(&recorded).await, format!("answer {number}"));
    }
    let replayed = tape.replayed(&elsewhere("openai"));
    for number in [0, 1, 1] {
        assert_eq!(said(&replayed).await, format!("answer {number}"));
    }
}

#[tokio::test]
async fn a_request_that_was_not_recorded_is_an_error_that_shows_the_nearest() {
    let tape = Tape::new();
    let server = FakeProvider::start();
    let recorded = tape
        .recorded(&profile("openai", &server))
        .chat_model()
        .unwrap();
    for text in ["Something else", "What does Nora like?"] {
        recorded.chat(&question(text)).await.unwrap();
    }
    server.forget_requests();
    let replayed = tape.replayed(&profile("openai", &server));
    let chat = replayed.chat_model().unwrap();
    let error = chat
        .chat(&question("What does Nora eat?"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Model);
    assert!(!error.is_retryable());
    let path = tape.path();
    assert_eq!(
        error.to_string(),
        format!(
            "the recording {} has no such request to /chat/completions; the nearest, in line 2, \
             differs at /messages/1/content: \"What does Nora eat?\" here, \"What does Nora \
             like?\" in the recording (profile: main, model: openai/gpt-4o-mini, attempts: 1)",
            path.display()
        )
    );
    let embedder = replayed.embedder().await.unwrap();
    let error = embedder.embed(&["Nora"]).await.unwrap_err();
    assert!(
        error
            .message()
            .ends_with("has no such request to /embeddings, nor any other to that path"),
        "{error}"
    );
    assert_eq!(server.request_count(), 0);
}

#[tokio::test]
async fn a_recording_that_cannot_be_used_is_refused_by_file_and_line() {
    let tape = Tape::new();
    let replay = || {
        let error = connected(&elsewhere("openai"), "MEMU_REPLAY", &tape.path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        format!("{error:?}")
    };
    let file = tape.path().display().to_string();
    let missing = replay();
    assert!(
        missing.contains("cannot be read") && missing.contains(&file),
        "{missing}"
    );
    let server = FakeProvider::start();
    let chat = tape
        .recorded(&profile("openai", &server))
        .chat_model()
        .unwrap();
    chat.chat(&question("Hello")).await.unwrap();
    let good = tape.text();
    for (bad, why) in [
        ("{\"recording\":1".to_owned(), "EOF"),
        (
            good.replace("\"recording\":1", "\"recording\":2"),
            "its format is 2",
        ),
        (
            good.replace("\"status\":200", "\"status\":7"),
            "its status is none of HTTP",
        ),
        (
            good.replace("\"status\":200,", ""),
            "either a status or what was lost",
        ),
        ("[]".to_owned(), "invalid length"),
    ] {
        std::fs::write(tape.path(), format!("{good}\n{bad}\n")).unwrap();
        let error = replay();
        assert!(error.contains(&format!("file: {file}, line: 3")), "{error}");
        assert!(error.contains(why), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_recording_is_not_added_to() {
    let tape = Tape::new();
    std::fs::write(tape.path(), "SQLite format 3").unwrap();
    let record = |path: &Path| connected(&elsewhere("ollama"), "MEMU_RECORD", path).unwrap_err();
    let error = record(&tape.path());
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains("is no recording"), "{error}");
    assert_eq!(tape.text(), "SQLite format 3");
    let error = record(&tape.folder.path().join("no/such/folder"));
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains("cannot be written"), "{error}");
}

#[test]
fn one_run_is_not_recorded_and_replayed() {
    let surroundings = Surroundings {
        variables: Variables::fixed([("MEMU_RECORD", "a"), ("MEMU_REPLAY", "b")]),
        ..Surroundings::default()
    };
    let error = surroundings.open_traffic().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(
        error
            .message()
            .contains("MEMU_RECORD and MEMU_REPLAY are both set")
    );
}

#[tokio::test]
async fn all_connections_of_a_process_share_a_recording() {
    let tape = Tape::new();
    let server = FakeProvider::start();
    let surroundings = Surroundings {
        variables: Variables::fixed([("MEMU_RECORD", tape.path().to_str().unwrap())]),
        ..Surroundings::default()
    };
    let connect = |name: &str, key: &str| {
        let profile = Profile {
            api_key: Some(Secret::new(key)),
            ..profile("openai", &server)
        };
        Connection::new(name, &profile, &surroundings)
            .unwrap()
            .chat_model()
            .unwrap()
    };
    let clients = [
        connect("one", "key-number-one"),
        connect("two", "key-number-two"),
    ];
    let asked = question("Hello");
    let calls = (0..40).map(|number| clients[number % 2].chat(&asked));
    assert!(
        futures_util::future::join_all(calls)
            .await
            .iter()
            .all(Result::is_ok)
    );
    let lines = tape.lines();
    assert_eq!(lines.len(), 40);
    let of_two = lines.iter().filter(|line| line["profile"] == "two");
    assert_eq!(of_two.count(), 20);
}

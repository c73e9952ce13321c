//! Pictures and recordings, read by models that see and hear; documents, which need none.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use memu::core::records::ReplyState;
use memu::settings::Settings;
use memu::{ErrorKind, MemorizeRequest, Modality, RetrieveRequest};
use memu_testkit::models::{Answer, Asked, FakeProvider, Fault, Language, Recorded};
use serde_json::json;
use support::media::{CAPTION, DESCRIPTION, media, memorize, seeing, segments, texts, told, with};
use support::models::{counts, replies, service, settings};

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\nnot much of a picture";
const RECORDING: &[u8] = b"ID3\x04not much of a recording";
#[tokio::test]
async fn a_picture_is_described_once_and_found_by_what_it_shows() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder().chat(seeing).start();
    let service = service(&folder.path().join("memu.db"), settings(&server)).await;
    let done = memorize(&service, PICTURE, "jetty.png", Modality::Image)
        .await
        .unwrap();
    assert_eq!(done.resource.caption.as_deref(), Some(CAPTION));
    assert!(!done.items.is_empty());
    let kept = segments(&service).await;
    assert_eq!(kept[0].text, DESCRIPTION);
    assert_eq!(
        (kept[0].caption.as_deref(), kept[0].span),
        (Some(CAPTION), None)
    );
    assert_eq!(media(&server), (1, 0));
    let request = server.requests()[0].json();
    let shown = request["messages"].to_string();
    assert!(shown.contains("data:image/png;base64,"), "{shown}");
    assert!(shown.contains("The file is called jetty.png"), "{shown}");
    let kept = replies(&service).await;
    let reply = kept
        .iter()
        .find(|one| one.step == "preprocess_multimodal")
        .unwrap();
    assert_eq!(reply.state, ReplyState::Parsed);
    assert!(reply.text.contains("yellow coat"));
    let question = RetrieveRequest::question("yellow coat").matching("user_id", "nora");
    let found = service.retrieve(question).await.unwrap();
    assert_eq!(found.resources[0].resource.url, "jetty.png");
    server.forget_requests();
    memorize(&service, PICTURE, "jetty.png", Modality::Image)
        .await
        .unwrap();
    assert_eq!(server.request_count(), 0);
}

#[tokio::test]
async fn a_recording_is_written_down_and_cleaned_up() {
    let folder = tempfile::tempdir().unwrap();
    let raw = "uh we sail on on sunday yann brings the bread";
    let server = FakeProvider::builder().chat(seeing).transcript(raw).start();
    let service = service(&folder.path().join("memu.db"), settings(&server)).await;
    let done = memorize(&service, RECORDING, "talk.mp3", Modality::Audio)
        .await
        .unwrap();
    assert_eq!(
        done.resource.caption.as_deref(),
        Some("A talk about sailing.")
    );
    assert_eq!(
        texts(&service).await,
        ["We sail on Sunday. Yann brings the bread."]
    );
    assert_eq!(media(&server), (0, 1));
    let kept = replies(&service).await;
    let heard: Vec<_> = kept.iter().filter(|one| one.text.contains(raw)).collect();
    assert_eq!(heard[0].model, "gpt-4o-mini-transcribe");
    assert_eq!(heard[0].usage["input_tokens"], 12);
    let stats = service.stats(&support::user("nora"), false).await.unwrap();
    let calls = stats
        .model_calls
        .iter()
        .filter(|one| one.step == "preprocess_multimodal");
    assert_eq!(calls.map(|one| one.calls).sum::<u64>(), 2);
}

#[tokio::test]
async fn what_a_recording_says_stays_as_it_is_when_no_model_can_clean_it_up() {
    let raw = "we sail on sunday and yann brings the bread and the cheese";
    for answer in [
        // One that leaves most of it out, one that says nothing, one that refuses.
        json!({"caption": "A talk.", "text": "Sailing."}).to_string(),
        "{}".to_owned(),
        "I'm sorry, I can't help with that.".to_owned(),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let useless = answer.clone();
        let server = FakeProvider::builder()
            .transcript(raw)
            .chat(move |asked: &Asked| {
                let properties = &asked.schema.clone().unwrap_or_default()["properties"];
                if properties.get("text").is_some() {
                    return Answer::from(useless.as_str());
                }
                seeing(asked)
            });
        let server = server.start();
        let service = service(&folder.path().join("memu.db"), settings(&server)).await;
        memorize(&service, RECORDING, "talk.mp3", Modality::Audio)
            .await
            .unwrap();
        assert_eq!(texts(&service).await, [raw], "{answer}");
    }
}

#[tokio::test]
async fn words_that_are_handed_in_are_taken_and_nobody_is_asked_to_look() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder().chat(seeing).start();
    let service = service(&folder.path().join("memu.db"), settings(&server)).await;
    for (bytes, name, modality) in [
        (PICTURE, "a.png", Modality::Image),
        (RECORDING, "a.mp3", Modality::Audio),
        (b"a film", "a.mp4", Modality::Video),
    ] {
        let mut request = MemorizeRequest::content(bytes.to_vec(), name, modality);
        request.caption = Some("Yann mends the sail.".to_owned());
        let done = service
            .memorize(request.user("user_id", "nora"))
            .await
            .unwrap();
        assert_eq!(
            done.resource.caption.as_deref(),
            Some("Yann mends the sail.")
        );
    }
    assert_eq!(media(&server), (0, 0));
    assert_eq!(texts(&service).await, ["Yann mends the sail."; 3]);
}

#[tokio::test]
async fn a_description_that_is_none_is_asked_for_three_times_and_nothing_is_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let healthy = Arc::new(AtomicBool::new(false));
    let is_healthy = healthy.clone();
    let server = FakeProvider::builder().chat(move |asked: &Asked| {
        if asked.media > 0 && !is_healthy.load(Ordering::SeqCst) {
            return Answer::from("I'm sorry, I can't see it.");
        }
        seeing(asked)
    });
    let server = server.start();
    let service = service(&folder.path().join("memu.db"), settings(&server)).await;
    let error = memorize(&service, PICTURE, "a.png", Modality::Image)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Model);
    let said = told(&error);
    for expected in ["declined to describe it", "answers=3", "profile=default"] {
        assert!(said.contains(expected), "{said}");
    }
    assert_eq!(counts(&service).await, [0; 4]);
    assert_eq!(media(&server), (3, 0));
    let failed = replies(&service).await;
    assert!(failed.iter().all(|one| one.state == ReplyState::Failed));
    healthy.store(true, Ordering::SeqCst);
    memorize(&service, PICTURE, "a.png", Modality::Image)
        .await
        .unwrap();
    assert_eq!(counts(&service).await[0], 1);
}

#[tokio::test]
async fn the_next_attempt_pays_only_for_what_failed() {
    for (name, fault) in [
        ("refused as too many", Fault::status(429).retry_after("0")),
        ("an error of the server", Fault::status(500)),
        ("a page instead of JSON", Fault::Garbage),
    ] {
        for ill_at in [Language::OpenAiTranscription, Language::OpenAiChat] {
            let folder = tempfile::tempdir().unwrap();
            let healthy = Arc::new(AtomicBool::new(false));
            let is_healthy = healthy.clone();
            let spoiled = fault.clone();
            let server = FakeProvider::builder()
                .chat(seeing)
                .transcript("we sail on sunday")
                .fault_when(move |request| {
                    let ill = request.asked().language == Some(ill_at);
                    (ill && !is_healthy.load(Ordering::SeqCst)).then(|| spoiled.clone())
                })
                .start();
            let service = service(&folder.path().join("memu.db"), settings(&server)).await;
            let audio = Modality::Audio;
            let error = memorize(&service, RECORDING, "a.mp3", audio)
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Model, "{name}: {error}");
            assert!(
                told(&error).contains("step=preprocess_multimodal"),
                "{}",
                told(&error)
            );
            assert_eq!(counts(&service).await, [0; 4], "{name}");
            server.forget_requests();
            healthy.store(true, Ordering::SeqCst);
            memorize(&service, RECORDING, "a.mp3", audio).await.unwrap();
            let heard = usize::from(ill_at == Language::OpenAiTranscription);
            assert_eq!(media(&server).1, heard, "{name}");
        }
    }
}

#[tokio::test]
async fn who_cannot_hear_is_named_before_anything_is_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder().chat(seeing).start();
    // Anthropic's models do not hear.
    let mut deaf = settings(&server);
    let address = server.base_url();
    let profile = json!({"provider": "anthropic", "api_key": "sk-1", "base_url": address});
    let profile = serde_json::from_value(profile).unwrap();
    deaf.llm_profiles.insert("eyes".to_owned(), profile);
    let deaf = with(deaf, json!({"preprocess_llm_profile": "eyes"}));
    let service = service(&folder.path().join("memu.db"), deaf).await;
    let request = MemorizeRequest::url("no-such.mp3", Modality::Audio);
    let error = service
        .memorize(request.user("user_id", "nora"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let said = told(&error);
    for expected in [
        "no model that hears recordings",
        "modality=audio",
        "profile=eyes",
        "memorize_config.preprocess_llm_profile",
        "hand in a transcript",
    ] {
        assert!(said.contains(expected), "{said}");
    }
    assert_eq!(server.request_count(), 0);
}

#[tokio::test]
async fn formats_that_models_do_not_take_are_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder().chat(seeing).start();
    let service = service(&folder.path().join("memu.db"), settings(&server)).await;
    for (bytes, modality, expected) in [
        (
            &b"\0\0\0\x18ftypheic"[..],
            Modality::Image,
            "the format HEIC",
        ),
        (b"no picture", Modality::Image, "no picture in PNG"),
        (b"\x01\x02\xFF\xFE", Modality::Audio, "no recording in MP3"),
    ] {
        let error = memorize(&service, bytes, "a", modality).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        assert!(error.message().contains(expected), "{error}");
        assert!(told(&error).contains("file=a"), "{error}");
    }
    assert_eq!(server.request_count(), 0);
    assert_eq!(counts(&service).await, [0; 4]);
}

#[tokio::test]
async fn documents_are_condensed_only_where_there_is_a_prompt_for_it() {
    let text = "We sail on Sunday, said everybody, and everybody said that Yann brings the bread.";
    for own in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let server = FakeProvider::builder().chat(seeing).start();
        let prompts = if own {
            json!({"document": {"rules": {"prompt": "Keep names of people."}}})
        } else {
            json!({"image": "Say what is written in it: {hint}"})
        };
        let config = json!({"multimodal_preprocess_prompts": prompts});
        let service = service(
            &folder.path().join("memu.db"),
            with(settings(&server), config),
        )
        .await;
        let document = Modality::Document;
        let done = memorize(&service, text.as_bytes(), "a.md", document)
            .await
            .unwrap();
        let asked = server.requests();
        let asked = asked.iter().map(Recorded::asked);
        let condensing = asked.filter(|one| one.system.contains("Keep names of people."));
        assert_eq!(condensing.count(), usize::from(own));
        let expected = if own {
            "We sail on Sunday. Yann brings the bread."
        } else {
            text
        };
        assert_eq!(texts(&service).await, [expected]);
        let about = own.then_some("A talk about sailing.");
        assert_eq!(done.resource.caption.as_deref(), about);
    }
}

#[tokio::test]
async fn rich_documents_are_read_without_a_model_and_their_headings_lead_to_them() {
    let folder = tempfile::tempdir().unwrap();
    let service = service(&folder.path().join("memu.db"), Settings::default()).await;
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../memu-documents/tests/fixtures");
    for name in ["libreoffice.docx", "libreoffice.pdf", "harbour.epub"] {
        let path = fixtures.join(name).display().to_string();
        let request = MemorizeRequest::url(&path, Modality::Document).user("user_id", "nora");
        let done = service.memorize(request.clone()).await.unwrap();
        assert!(done.new_segments >= 4, "{name}: {}", done.new_segments);
        let again = service.memorize(request).await.unwrap();
        assert_eq!(again.new_segments, 0, "{name}");
    }
    let kept = segments(&service).await;
    assert!(kept.iter().all(|segment| segment.span.is_none()));
    let repairs = kept.iter().filter(|one| {
        one.caption
            .as_deref()
            .is_some_and(|caption| caption.ends_with("Boats › Repairs"))
    });
    assert!(repairs.count() >= 3);
    let page = b"<!DOCTYPE html><title>Port</title><h1>Berths</h1><p>Mira lies at B12.</p>";
    let done = memorize(&service, page, "berths", Modality::Document)
        .await
        .unwrap();
    assert_eq!(done.resource.caption.as_deref(), Some("Port"));
    let locked = fixtures.join("locked.pdf").display().to_string();
    let request = MemorizeRequest::url(&locked, Modality::Document).user("user_id", "nora");
    let before = counts(&service).await;
    let error = service.memorize(request).await.unwrap_err();
    assert!(told(&error).contains("locked with a password"), "{error}");
    assert_eq!(counts(&service).await, before);
}

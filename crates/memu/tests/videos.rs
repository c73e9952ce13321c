//! Videos, taken apart by ffmpeg and read by models that see and hear.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use memu::{ErrorKind, Modality};
use memu_testkit::models::{FakeProvider, Fault};
use memu_testkit::skip_unless_set;
use serde_json::json;
use support::media::{CAPTION, DESCRIPTION, media, memorize, seeing, texts, told, with};
use support::models::{counts, service, settings};

#[tokio::test]
async fn without_ffmpeg_a_video_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder().chat(seeing).start();
    let settings = with(settings(&server), json!({"ffmpeg_path": "/no/such/ffmpeg"}));
    let service = service(&folder.path().join("memu.db"), settings).await;
    let error = memorize(&service, b"film", "a.mp4", Modality::Video)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    for expected in ["not at /no/such/ffmpeg", "MEMU_FFMPEG", "hand in"] {
        assert!(error.message().contains(expected), "{error}");
    }
    assert_eq!(server.request_count(), 0);
}

/// Has ffmpeg make a film of three seconds.
fn film(ffmpeg: &Path, place: &Path, more: &[&str]) -> Vec<u8> {
    let pictures = [
        "-f",
        "lavfi",
        "-i",
        "testsrc=duration=3:size=1600x900:rate=5",
    ];
    let made = Command::new(ffmpeg)
        .args(["-v", "error", "-y"])
        .args(pictures)
        .args(more)
        .arg(place)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    std::fs::read(place).unwrap()
}

#[tokio::test]
async fn of_a_video_frames_are_shown_and_its_sound_is_written_down() {
    let test = "of_a_video_frames_are_shown_and_its_sound_is_written_down";
    let Some(ffmpeg) = skip_unless_set("MEMU_FFMPEG", test) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let healthy = Arc::new(AtomicBool::new(false));
    let is_healthy = healthy.clone();
    let server = FakeProvider::builder()
        .chat(seeing)
        .transcript("we sail on sunday")
        .fault_when(move |request| {
            let summary = request.asked().system.contains("summar");
            (summary && !is_healthy.load(Ordering::SeqCst)).then(|| Fault::status(500))
        })
        .start();
    let config = json!({"ffmpeg_path": ffmpeg, "video_frames": 4});
    let service = service(
        &folder.path().join("memu.db"),
        with(settings(&server), config),
    )
    .await;
    let sound = [
        "-f",
        "lavfi",
        "-i",
        "sine=duration=3",
        "-shortest",
        "-c:a",
        "aac",
    ];
    let video = film(&ffmpeg, &folder.path().join("a.mp4"), &sound);
    memorize(&service, &video, "a.mp4", Modality::Video)
        .await
        .unwrap_err();
    assert_eq!(counts(&service).await, [0; 4]);
    assert_eq!(media(&server), (1, 1));
    let frames: Vec<usize> = server
        .requests()
        .iter()
        .map(|one| one.asked().media)
        .collect();
    assert!(frames.contains(&4), "{frames:?}");
    // What was seen and heard is known, though the frames were taken anew.
    server.forget_requests();
    healthy.store(true, Ordering::SeqCst);
    let done = memorize(&service, &video, "a.mp4", Modality::Video)
        .await
        .unwrap();
    assert_eq!(media(&server), (0, 0));
    assert_eq!(done.resource.caption.as_deref(), Some(CAPTION));
    let expected = [
        format!("# What is seen\n\n{DESCRIPTION}"),
        "# What is said\n\nwe sail on sunday".to_owned(),
    ];
    assert_eq!(texts(&service).await, expected);
}

#[tokio::test]
async fn videos_without_sound_or_length_are_seen_and_what_is_none_is_refused() {
    let test = "videos_without_sound_or_length_are_seen_and_what_is_none_is_refused";
    let Some(ffmpeg) = skip_unless_set("MEMU_FFMPEG", test) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder().chat(seeing).start();
    let config = json!({"ffmpeg_path": ffmpeg});
    let service = service(
        &folder.path().join("memu.db"),
        with(settings(&server), config),
    )
    .await;
    // As browsers record it: a stream that does not know how long it will be.
    let live = film(
        &ffmpeg,
        &folder.path().join("a.webm"),
        &["-live", "1", "-c:v", "libvpx"],
    );
    memorize(&service, &live, "a.webm", Modality::Video)
        .await
        .unwrap();
    assert_eq!(media(&server), (1, 0));
    let frames = server.requests().iter().map(|one| one.asked().media).max();
    assert_eq!(frames, Some(8));
    assert_eq!(texts(&service).await, [DESCRIPTION]);
    server.forget_requests();
    let sound = folder.path().join("a.m4a");
    let made = Command::new(&ffmpeg)
        .args(["-v", "error", "-f", "lavfi", "-i", "sine=duration=1"])
        .arg(&sound)
        .status();
    assert!(made.unwrap().success());
    let list = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n".to_vec();
    for (bytes, expected) in [
        (
            std::fs::read(&sound).unwrap(),
            "no pictures; memorize it as audio",
        ),
        (b"no film at all".to_vec(), "ffmpeg finds no video in it"),
        (list, "ffmpeg finds no video in it"),
    ] {
        let error = memorize(&service, &bytes, "b.mp4", Modality::Video)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        assert!(error.message().contains(expected), "{error}");
        assert!(told(&error).contains("file=b.mp4"), "{}", told(&error));
    }
    assert_eq!(server.request_count(), 0);
}

//! Pictures that come with a message.

use memu_core::time::When;

use super::drawn::Drawn;
use super::kind::MemoryKind;
use super::message::Message;
use super::telling::finished;
use super::worth::KEPT;

/// "Caroline shared a picture: …", where a message comes with one.
pub(super) fn shared(message: &Message<'_>) -> Option<Drawn> {
    let shown = match &message.clean.picture {
        Some(shown) => shown.as_str(),
        None => message.segment.caption.as_deref().filter(|caption| {
            is_description(caption) && (message.text().trim().is_empty() || points(message.text()))
        })?,
    };
    let shown: Vec<&str> = shown.split_whitespace().take(40).collect();
    if shown.is_empty() {
        return None;
    }
    let summary = format!(
        "{} shared a picture: {}",
        message.party.lead(),
        shown.join(" ")
    );
    Some(Drawn {
        kind: MemoryKind::Event,
        summary: finished(summary),
        happened: message.day().map(When::day),
        segments: vec![message.index],
        worth: KEPT,
    })
}

/// Whether a caption describes a picture. What a topic is about is a list of key
/// phrases, with commas and without articles.
fn is_description(caption: &str) -> bool {
    let mut words = caption.split_whitespace();
    let first = words.next().unwrap_or_default().to_lowercase();
    let described = matches!(
        first.as_str(),
        "a" | "an"
            | "the"
            | "two"
            | "three"
            | "four"
            | "several"
            | "some"
            | "people"
            | "photo"
            | "picture"
            | "there"
            | "this"
            | "someone"
            | "selfie"
            | "screenshot"
    );
    described && words.count() >= 2
}

/// Whether the text points to a picture.
fn points(text: &str) -> bool {
    let lower = text.to_lowercase();
    [
        "photo", "pic", "image", "look", "this", "here's", "here is", "here are", "check", "show",
        "see", "took", "snap", "selfie", "these",
    ]
    .iter()
    .any(|word| lower.contains(word))
}

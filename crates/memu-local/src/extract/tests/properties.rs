use std::sync::Arc;

use memu_core::environment::InlineExecutor;
use memu_core::provider::{Calls, Extractor};
use memu_core::records::{Modality, Role};
use proptest::prelude::*;

use super::{by, extract, from, request};
use crate::extract::LocalExtractor;

/// Texts that look like messages: words that rules know, in any order.
fn message() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("I"),
        Just("I'm"),
        Just("my"),
        Just("we"),
        Just("you"),
        Just("your"),
        Just("it's"),
        Just("and"),
        Just("yesterday"),
        Just("last"),
        Just("May"),
        Just("7"),
        Just("2023"),
        Just("for"),
        Just("five"),
        Just("years"),
        Just("now"),
        Just("ago"),
        Just("at"),
        Just("3pm"),
        Just("."),
        Just("?"),
        Just("!"),
        Just(","),
        Just("\""),
        Just("("),
        Just(")"),
        Just("["),
        Just("<"),
        Just(">"),
        Just("\n"),
        Just("…"),
        Just("..."),
        Just("😀"),
        Just("went"),
        Just("love"),
        Just("Always"),
        Just("don't"),
        Just("Nora"),
        Just("is"),
        Just("hiking"),
        Just("1"),
        Just("/"),
        Just("-"),
        Just("*"),
        Just("é"),
        Just("日本"),
        Just("since"),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.join(" "))
}

fn check(texts: &[String], first: usize, modality: Modality) -> Result<(), TestCaseError> {
    let segments = texts
        .iter()
        .enumerate()
        .map(|(at, text)| match at % 3 {
            0 => by("Nora", text),
            1 => from(Role::Assistant, text),
            _ => from(Role::User, text),
        })
        .collect();
    let mut request = request(segments, modality);
    request.first = first;
    let items = extract(&request);
    let mut last = 0;
    for item in &items {
        prop_assert!(!item.segments.is_empty());
        prop_assert!(
            item.segments
                .iter()
                .all(|at| *at >= first && *at < texts.len())
        );
        prop_assert!(item.summary.ends_with(['.', '"']), "{}", item.summary);
        prop_assert!(request.memory_types.contains(&item.memory_type));
        let at = item.segments.last().copied().unwrap_or_default();
        prop_assert!(at >= last);
        last = at;
    }
    prop_assert_eq!(items, extract(&request));
    Ok(())
}

proptest! {
    #[test]
    fn any_text_is_survived_and_cited(texts in prop::collection::vec(any::<String>(), 0..6), first in 0_usize..8) {
        check(&texts, first, Modality::Conversation)?;
        check(&texts, first, Modality::Document)?;
    }

    #[test]
    fn any_words_are_survived_and_cited(texts in prop::collection::vec(message(), 0..6), first in 0_usize..3) {
        check(&texts, first, Modality::Conversation)?;
        check(&texts, first, Modality::Document)?;
    }

    #[test]
    fn mentions_lie_within_the_text(text in message()) {
        let anchor = jiff::civil::date(2024, 2, 29).at(12, 0, 0, 0);
        for mention in crate::temporal::find(&text, Some(anchor)) {
            prop_assert!(text.get(mention.range).is_some_and(|words| !words.is_empty()));
            prop_assert!(mention.when.end.is_none_or(|end| end > mention.when.start));
        }
    }
}

#[test]
fn the_trait_gives_what_the_function_gives() {
    let request = request(
        vec![by("Nora", "I bought a sloop yesterday.")],
        Modality::Conversation,
    );
    let extractor = LocalExtractor::new(Arc::new(InlineExecutor));
    let calls = Calls::unkept();
    let mut future = std::pin::pin!(extractor.extract(request.clone(), &calls));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(items) = future.as_mut().poll(&mut context) else {
        panic!("the inline executor is done at once");
    };
    assert_eq!(items.unwrap().items, extract(&request));
}

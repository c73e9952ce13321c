use super::*;

fn captions(drafts: &[Draft]) -> Vec<Option<&str>> {
    drafts
        .iter()
        .map(|draft| draft.caption.as_deref())
        .collect()
}

fn topics(drafts: &[Draft]) -> Vec<u32> {
    drafts.iter().map(|draft| draft.topic).collect()
}

/// A paragraph of `count` sentences of eight words.
fn paragraph(count: usize) -> String {
    (0..count)
        .map(|i| format!("Sentence number {i} tells of the old harbour."))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Fails when a character that is not white space is in no passage, or in two.
fn assert_all_is_covered(text: &str, drafts: &[Draft]) {
    assert_spans_are_the_texts(text.as_bytes(), drafts);
    let mut end = 0;
    for draft in drafts {
        let span = draft.span.unwrap();
        assert!(end <= span.start as usize);
        assert_eq!(text[end..span.start as usize].trim(), "");
        end = span.end as usize;
    }
    assert_eq!(text[end..].trim(), "");
}

#[test]
fn a_short_text_is_one_passage() {
    let text = "  Hard-wrapped\r\nlines belong\r\ntogether.  \n";
    let drafts = document(text);
    assert_eq!(
        texts(&drafts),
        ["Hard-wrapped\r\nlines belong\r\ntogether."]
    );
    assert_eq!((drafts[0].session, drafts[0].role), (0, None));
    assert_all_is_covered(text, &drafts);
}

#[test]
fn passages_have_about_a_hundred_words_and_whole_sentences() {
    let text = paragraph(100).replace(" of the ", " of\nthe ");
    let drafts = document(&text);
    assert!(drafts.len() >= 7);
    let (last, full) = drafts.split_last().unwrap();
    assert!(last.text.split_whitespace().count() <= 120);
    for draft in full {
        let words = draft.text.split_whitespace().count();
        assert!((80..=120).contains(&words), "{words}");
        assert!(draft.text.starts_with("Sentence") && draft.text.ends_with("harbour."));
    }
    assert_all_is_covered(&text, &drafts);
}

#[test]
fn short_paragraphs_share_a_passage_and_stay_whole() {
    let text = [5, 5, 5, 5].map(paragraph).join("\n\n");
    let drafts = document(&text);
    let sentences: Vec<_> = drafts
        .iter()
        .map(|d| d.text.matches("tells").count())
        .collect();
    assert_eq!(sentences, [15, 5]);
    assert_all_is_covered(&text, &drafts);
}

#[test]
fn headings_part_passages_and_caption_them() {
    let text = format!(
        "Preface.\n\n# Guide\n\n## Install\n\nRun it.\n\n## Use\n{}\n\n# Notes\n# End\nBye.\n\n## Last",
        paragraph(20)
    );
    let drafts = document(&text);
    let (install, using) = (Some("Guide › Install"), Some("Guide › Use"));
    assert_eq!(
        captions(&drafts),
        [
            None,
            install,
            using,
            using,
            Some("Notes"),
            Some("End"),
            Some("End › Last")
        ]
    );
    assert_eq!(topics(&drafts), [0, 1, 2, 2, 3, 4, 5]);
    assert_eq!(drafts[1].text, "# Guide\n\n## Install\n\nRun it.");
    assert!(drafts[2].text.starts_with("## Use\nSentence"));
    assert_all_is_covered(&text, &drafts);
}

#[test]
fn code_stays_whole_up_to_two_hundred_words() {
    let code = format!("```rust\n{}```", "let a = b;\n\n".repeat(40));
    let text = format!("Intro.\n\n{}\n\n{code}\n\nOutro.", paragraph(10));
    let drafts = document(&text);
    assert!(
        drafts.iter().any(|draft| draft.text.contains(&code)),
        "{drafts:?}"
    );
    assert_all_is_covered(&text, &drafts);

    let long = format!("```\n{}```", "let a = b;\n".repeat(200));
    let drafts = document(&long);
    assert!(drafts.len() > 4);
    assert_all_is_covered(&long, &drafts);
}

#[test]
fn front_matter_is_a_passage_of_its_own() {
    let text = "---\ntitle: Boats\n---\nText.";
    let drafts = document(text);
    assert_eq!(texts(&drafts), ["---\ntitle: Boats\n---", "Text."]);
    assert_all_is_covered(text, &drafts);
}

#[test]
fn list_items_and_rows_are_not_torn() {
    let items: Vec<_> = (0..60)
        .map(|i| format!("- item {i} with four more words"))
        .collect();
    let text = items.join("\n");
    let drafts = document(&text);
    assert!(drafts.len() > 2);
    assert!(
        drafts
            .iter()
            .all(|d| d.text.starts_with("- item") && d.text.ends_with("words"))
    );
    assert_all_is_covered(&text, &drafts);
}

#[test]
fn text_without_stops_or_spaces_is_still_divided_and_kept() {
    let words = "word ".repeat(1000);
    let drafts = document(&words);
    assert_eq!(drafts.len(), 10);
    assert_all_is_covered(&words, &drafts);

    let chinese = "我们今天去了海边，天气很好。".repeat(200);
    let drafts = document(&chinese);
    assert!(drafts.len() > 5, "{}", drafts.len());
    assert_all_is_covered(&chinese, &drafts);

    let huge = "\0x😀".repeat(2 * 1024 * 1024);
    assert_eq!(texts(&document(&huge)), [huge]);
}

#[test]
fn json_and_transcripts_given_as_documents_are_documents() {
    for text in ["{\"a\": 1}", "Anna: hi\nBen: yo"] {
        assert_eq!(texts(&document(text)), [text]);
    }
}

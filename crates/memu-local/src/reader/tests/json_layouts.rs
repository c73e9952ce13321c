use memu_core::records::Role;

use super::*;

#[test]
fn a_list_of_messages() {
    let bytes = br#"[{"role":"user","content":"Hi, I am Ada."},
                     {"role":"assistant","content":"Hello Ada!"}]"#;
    let drafts = conversation(bytes);
    assert_eq!(texts(&drafts), ["Hi, I am Ada.", "Hello Ada!"]);
    assert_eq!(drafts[0].role, Some(Role::User));
    assert_eq!(drafts[1].role, Some(Role::Assistant));
    assert_eq!(drafts[0].speaker, None);
    assert_spans_are_the_texts(bytes, &drafts);
}

#[test]
fn an_object_with_content_objects_and_times() {
    let drafts = conversation(
        r#"{"content":[
            {"role":"user","content":{"text":"Good morning"},"created_at":"2025-10-20 11:36:14"},
            {"role":"assistant","content":{"text":"Morning."},"created_at":"2025-10-20 11:36:20"}]}"#,
    );
    assert_eq!(texts(&drafts), ["Good morning", "Morning."]);
    assert_eq!(
        drafts[0].happened_at_text.as_deref(),
        Some("2025-10-20 11:36:14")
    );
    assert_eq!(
        drafts[0].happened_at,
        Some(civil::date(2025, 10, 20).at(11, 36, 14, 0))
    );
}

#[test]
fn the_neutral_layout_keeps_ids_sessions_names_and_times() {
    let reading = read_as(
        Modality::Conversation,
        r#"{"id":"trip-7","messages":[
            {"id":"D1:1","session":3,"role":null,"name":"Ada","content":"Hi","created_at":"2024-05-01T10:00:00"},
            {"id":"D2:1","session":5,"role":"user","name":"Ben","content":"Yo","created_at":null},
            {"id":7,"session":3,"role":"narrator of sorts 2","name":null,"content":"Again","created_at":1714557600}]}"#,
    )
    .unwrap();
    assert_eq!(reading.external_id.as_deref(), Some("trip-7"));
    let drafts = reading.drafts;
    assert_eq!(sessions(&drafts), [0, 1, 0]);
    assert_eq!(drafts[0].message_id.as_deref(), Some("D1:1"));
    assert_eq!(drafts[2].message_id.as_deref(), Some("7"));
    assert_eq!(
        (drafts[0].role, drafts[0].speaker.as_deref()),
        (None, Some("Ada"))
    );
    assert_eq!(
        (drafts[1].role, drafts[1].speaker.as_deref()),
        (Some(Role::User), Some("Ben"))
    );
    assert_eq!((drafts[2].role, drafts[2].speaker.as_deref()), (None, None));
    assert_eq!(drafts[1].happened_at_text, None);
    assert_eq!(drafts[2].happened_at, Some(at(2024, 5, 1, 10, 0)));
    assert_eq!(drafts[2].happened_at_text.as_deref(), Some("1714557600"));
}

#[test]
fn openai_messages_with_parts_pictures_and_tool_calls() {
    let drafts = conversation(
        r#"{"thread_id":42,"messages":[
            {"role":"developer","content":"Be kind."},
            {"role":"user","name":"Ada","content":[{"type":"text","text":"Look"},
                {"type":"image_url","image_url":{"url":"x"}},{"type":"text","text":"here"}]},
            {"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]},
            {"role":"user","content":[{"type":"input_image","alt":"a red kite"}]},
            {"role":"assistant","content":null,"tool_calls":[
                {"id":"c1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Oslo\"}"}},
                {"id":"c2","type":"function","function":{"name":"clock","arguments":{"zone":"CET"}}}]},
            {"role":"tool","tool_call_id":"c1","content":"7 degrees"},
            {"role":"assistant","content":null,"function_call":{"name":"stop","arguments":"{}"}},
            {"role":"assistant","content":[{"type":"tool_use","name":"find","input":{"q":"a"}},
                {"type":"tool_result","content":[{"type":"text","text":"found"}]}]}]}"#,
    );
    assert_eq!(
        texts(&drafts),
        [
            "Be kind.",
            "Look\nhere",
            "[image]",
            "",
            "weather({\"city\":\"Oslo\"})\nclock({\"zone\":\"CET\"})",
            "7 degrees",
            "stop({})",
            "find({\"q\":\"a\"})\nfound",
        ]
    );
    assert_eq!(drafts[3].caption.as_deref(), Some("a red kite"));
    assert_eq!(drafts[0].role, Some(Role::System));
    assert_eq!(drafts[1].speaker.as_deref(), Some("Ada"));
    assert_eq!(drafts[5].role, Some(Role::Tool));
}

#[test]
fn messages_under_conversation_and_turns() {
    for field in ["conversation", "turns", "messages", "content"] {
        let json = format!(r#"{{"id":"x","{field}":[{{"speaker":"Ada","text":"hello"}}]}}"#);
        let drafts = conversation(json);
        assert_eq!(texts(&drafts), ["hello"], "{field}");
        assert_eq!(drafts[0].speaker.as_deref(), Some("Ada"));
    }
}

#[test]
fn synonyms_of_every_field() {
    for speaker in ["name", "speaker", "author", "from", "sender"] {
        for text in ["content", "text", "message", "body"] {
            let json = format!(r#"[{{"{speaker}":"Ada","{text}":"hello"}}]"#);
            let drafts = conversation(&json);
            assert_eq!(drafts[0].speaker.as_deref(), Some("Ada"), "{json}");
            assert_eq!(drafts[0].text, "hello", "{json}");
        }
    }
    for id in ["id", "message_id", "dia_id"] {
        for caption in ["caption", "blip_caption", "image_caption"] {
            let json = format!(r#"[{{"{id}":"m1","text":"t","{caption}":"a boat"}}]"#);
            let drafts = conversation(&json);
            assert_eq!(drafts[0].message_id.as_deref(), Some("m1"), "{json}");
            assert_eq!(drafts[0].caption.as_deref(), Some("a boat"), "{json}");
        }
    }
    for time in ["created_at", "timestamp", "time", "date", "ts"] {
        let json = format!(r#"[{{"text":"t","{time}":"2024-05-01 10:00"}}]"#);
        assert_eq!(
            conversation(&json)[0].happened_at,
            Some(at(2024, 5, 1, 10, 0)),
            "{json}"
        );
    }
    let json = r#"[{"text":"t","date":"2024-05-01","time":"10:00"}]"#;
    assert_eq!(
        conversation(json)[0].happened_at,
        Some(at(2024, 5, 1, 10, 0))
    );
    for (conversation_id, expected) in [("id", None), ("conversation_id", Some("c"))] {
        let json = format!(r#"[{{"text":"t","{conversation_id}":"c"}}]"#);
        let reading = read_as(Modality::Conversation, json).unwrap();
        assert_eq!(reading.external_id.as_deref(), expected);
    }
}

#[test]
fn a_role_that_is_a_name_is_the_speaker_and_a_name_that_is_a_role_is_none() {
    let drafts = conversation(
        r#"[{"role":"Grandma Lu","text":"a"},{"role":"unknown","text":"b"},
            {"from":"human","value":"c"},{"role":"user","name":"User","text":"d"},
            {"role":"ASSISTANT","name":"Claudia","text":"e"},
            {"author":{"name":"Ada","role":"user"},"text":"f"}]"#,
    );
    let who: Vec<_> = drafts
        .iter()
        .map(|draft| (draft.role, draft.speaker.as_deref()))
        .collect();
    assert_eq!(
        who,
        [
            (None, Some("Grandma Lu")),
            (None, None),
            (Some(Role::User), None),
            (Some(Role::User), None),
            (Some(Role::Assistant), Some("Claudia")),
            (Some(Role::User), Some("Ada")),
        ]
    );
}

#[test]
fn json_lines_of_messages_and_of_conversations() {
    let bytes = b"{\"role\":\"user\",\"content\":\"one\",\"conversation_id\":\"c9\"}\r\n\r\n\
                  {\"role\":\"assistant\",\"content\":\"two\"}\n";
    let reading = read_as(Modality::Conversation, bytes).unwrap();
    assert_eq!(texts(&reading.drafts), ["one", "two"]);
    assert_eq!(reading.external_id.as_deref(), Some("c9"));
    assert_spans_are_the_texts(bytes, &reading.drafts);

    let reading = read_as(
        Modality::Conversation,
        "{\"id\":\"a\",\"messages\":[{\"role\":\"user\",\"content\":\"one\",\"session\":1}]}\n\
         {\"id\":\"b\",\"messages\":[{\"role\":\"user\",\"content\":\"two\",\"session\":1},\
         {\"role\":\"user\",\"content\":\"three\",\"session\":2}]}",
    )
    .unwrap();
    assert_eq!(texts(&reading.drafts), ["one", "two", "three"]);
    assert_eq!(sessions(&reading.drafts), [0, 1, 2]);
    assert_eq!(reading.external_id.as_deref(), Some("a"));
}

#[test]
fn a_single_line_of_json_lines_and_a_message_in_an_envelope() {
    assert_eq!(
        texts(&conversation(r#"{"role":"user","content":"one"}"#)),
        ["one"]
    );
    let drafts = conversation(
        r#"{"type":"user","message":{"role":"user","content":[{"type":"text","text":"one"}]},"timestamp":"2024-05-01T10:00:00Z"}"#,
    );
    assert_eq!(
        (texts(&drafts), drafts[0].role),
        (vec!["one"], Some(Role::User))
    );
    assert_eq!(drafts[0].happened_at, Some(at(2024, 5, 1, 10, 0)));
}

#[test]
fn messages_without_text_are_left_out_and_the_others_keep_their_ids() {
    let drafts = conversation(
        r#"[{"id":1,"text":"one"},{"id":2,"text":" "},{"id":3,"text":null},{"id":4},
            {"id":5,"text":"","caption":"a boat"},{"id":6,"content":"","text":"six"}]"#,
    );
    let ids: Vec<_> = drafts
        .iter()
        .map(|d| d.message_id.as_deref().unwrap())
        .collect();
    assert_eq!(ids, ["1", "5", "6"]);
    assert_eq!((drafts[1].text.as_str(), drafts[1].span), ("", None));
}

#[test]
fn texts_with_escapes_have_no_span_and_the_others_have_theirs() {
    let bytes =
        r#"[{"text":"same"},{"text":"a\nb"},{"text":"same"},{"text":"déjà 😀"}]"#.as_bytes();
    let drafts = conversation(bytes);
    assert_eq!(texts(&drafts), ["same", "a\nb", "same", "déjà 😀"]);
    assert_eq!(
        spanned(bytes, &drafts),
        [Some("same"), None, Some("same"), Some("déjà 😀")]
    );
    assert!(drafts[0].span.unwrap().end < drafts[2].span.unwrap().start);
}

#[test]
fn nul_emoji_and_ten_megabytes_are_kept() {
    let huge = "no stop ".repeat(10 * 1024 * 1024 / 8);
    let json =
        format!("[{{\"text\":\"nul \\u0000 and \\ud83d\\ude00 😀\"}},{{\"text\":\"{huge}\"}}]");
    let drafts = conversation(&json);
    assert_eq!(drafts[0].text, "nul \0 and 😀 😀");
    assert_eq!(drafts[1].text, huge);
    assert_eq!(drafts[1].span.unwrap().end as usize, json.len() - 3);
}

#[test]
fn a_time_that_cannot_be_read_is_kept_as_text() {
    let drafts = conversation(r#"[{"text":"x","created_at":"the other day"}]"#);
    assert_eq!(drafts[0].happened_at, None);
    assert_eq!(drafts[0].happened_at_text.as_deref(), Some("the other day"));
}

#[test]
fn sessions_part_at_pauses_of_more_than_six_hours() {
    let drafts = conversation(
        r#"[{"text":"a","ts":"2024-05-01 06:00"},{"text":"b","ts":"2024-05-01 12:00"},
            {"text":"c"},{"text":"d","ts":"2024-05-01 18:00:01"},
            {"text":"e","ts":"2024-05-01 01:00"},{"text":"f","session_id":"s","ts":"2024-05-01 01:01"},
            {"text":"g","ts":"2024-05-01 01:02"},{"text":"h","ts":"2024-05-02 01:02"}]"#,
    );
    assert_eq!(sessions(&drafts), [0, 0, 0, 1, 1, 2, 2, 3]);
}

#[test]
fn a_file_of_several_conversations_is_several_sessions() {
    let drafts = conversation(
        r#"{"name":"all","conversations":[{"id":"a","messages":[{"text":"one"}]},
            {"id":"b","messages":[{"text":"two"}]}]}"#,
    );
    assert_eq!(
        (texts(&drafts), sessions(&drafts)),
        (vec!["one", "two"], vec![0, 1])
    );
}

#[test]
fn a_conversation_that_grows_keeps_its_messages() {
    let messages: Vec<String> = (0..60)
        .map(|i| {
            let hour = i * 7 % 24;
            format!(
                r#"{{"id":"m{i}","role":"user","text":"Message {i} about the garden","ts":"2024-05-{:02} {hour:02}:00"}}"#,
                1 + i / 4
            )
        })
        .collect();
    let whole = conversation(format!("[{}]", messages.join(",")));
    for length in [1, 2, 17, 59] {
        let part = conversation(format!("[{}]", messages[..length].join(",")));
        let part: Vec<_> = part.iter().map(lasting).collect();
        let begin: Vec<_> = whole[..length].iter().map(lasting).collect();
        assert_eq!(part, begin);
        let lines = conversation(messages[..length].join("\n"));
        assert_eq!(texts(&lines), texts(&part));
    }
}

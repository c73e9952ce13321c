//! No key gets into a recording.

use super::*;

#[tokio::test]
async fn keys_are_in_no_recording() {
    let other = format!("sk-ant-{}", "api03-Ab3dEf6hIj9kLmNoPq2sTu");
    let echo =
        format!("{{\"echo\": \"{KEY}\", \"other\": \"{other}\", \"fine\": \"Bearer of news\"}}");
    let quoted = format!("Incorrect API key: {KEY}, also sk-test-0****cdef");
    let faults = [
        Fault::Body(echo),
        Fault::status(401).saying(&quoted),
        Fault::status(401)
            .saying(&quoted)
            .header("retry-after", KEY),
    ];
    let tape = Tape::new();
    let server = FakeProvider::builder().faults(faults).start();
    let profile = Profile {
        max_retries: 0,
        base_url: Some(format!(
            "{}/v1?api-version=3&code=hidden",
            server.base_url()
        )),
        ..profile("openai", &server)
    };
    let connection = tape.recorded(&profile);
    let chat = connection.chat_model().unwrap();
    let asked = question(&format!("My key is {KEY}"));
    // A run sees what is written.
    let body = chat.chat(&asked).await.unwrap().body;
    assert_eq!(
        &*body,
        r#"{"echo": "***", "other": "***", "fine": "Bearer of news"}"#
    );
    chat.chat(&asked).await.unwrap_err();
    chat.chat(&asked).await.unwrap_err();
    let text = tape.text();
    for secret in [KEY, &other, "sk-test", "hidden", "cdef"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(text.contains("api-version=3"), "{text}");
    assert_eq!(
        tape.lines()[0]["request"]["messages"][1]["content"],
        "My key is ***"
    );
    // The request is still known, also without the key.
    let once = Profile {
        max_retries: 0,
        ..elsewhere("openai")
    };
    let replayed = tape.replayed(&once).chat_model().unwrap();
    assert_eq!(replayed.chat(&asked).await.unwrap().body, body);
}

#[tokio::test]
async fn an_exchange_that_still_holds_the_key_is_refused_and_not_written() {
    let percent: Vec<String> = KEY.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let percent = percent.concat();
    let escaped = KEY.replace('-', "\\u002d");
    for hidden in [
        percent,
        format!("{{\\\"a\\\": \\\"{}\\\"}}", escaped.replace('\\', "\\\\")),
    ] {
        let tape = Tape::new();
        let server = FakeProvider::start();
        let chat = tape
            .recorded(&profile("openai", &server))
            .chat_model()
            .unwrap();
        let error = chat.chat(&question(&hidden)).await.unwrap_err();
        let expected = format!(
            "an exchange with the provider was not recorded in {}: it holds the key of the \
             profile in a form that cannot be taken out",
            tape.path().display()
        );
        assert_eq!(error.message(), expected);
        assert_eq!(tape.text(), "");
    }
}

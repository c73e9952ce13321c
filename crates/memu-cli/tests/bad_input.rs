//! Every kind of bad input: the message, the exit code, and a store left as it was.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod support;

use support::Home;

/// Runs a memorize that must fail in a store that holds something, and shows that the
/// store is left as it was.
fn refused(home: &Home, arguments: &[&str], code: i32) -> String {
    home.ok(&["add", "Ann likes tea", "--user", "alice"]);
    let before = home.everything();
    let run = home.run(arguments);
    assert_eq!(run.code, Some(code), "{run:?}");
    assert_eq!(run.stdout, "", "an error leaves stdout empty");
    assert_eq!(home.everything(), before, "nothing was changed");
    run.stderr
}

fn memorize(home: &Home, source: &str, modality: &str) -> String {
    refused(
        home,
        &[
            "memorize",
            source,
            "--modality",
            modality,
            "--user",
            "alice",
        ],
        1,
    )
}

#[test]
fn a_missing_file() {
    let home = Home::new();
    let message = memorize(&home, "gone.json", "conversation");
    // The last line is the operating system's.
    let (ours, cause) = message.split_at(message.find("  because: ").unwrap());
    assert_eq!(ours, "error: the file does not exist\n  file: gone.json\n");
    assert_eq!(cause.lines().count(), 1, "{cause}");
}

#[test]
fn a_folder() {
    let home = Home::new();
    std::fs::create_dir(home.path("chats")).unwrap();
    let message = memorize(&home, "chats", "conversation");
    assert_eq!(
        message,
        "error: this is a folder, not a file\n  file: chats\n"
    );
}

#[test]
fn an_empty_file() {
    let home = Home::new();
    home.write("empty.json", "");
    let message = memorize(&home, "empty.json", "conversation");
    assert_eq!(message, "error: the content is empty\n  file: empty.json\n");
}

#[test]
fn text_that_is_not_utf_8() {
    let home = Home::new();
    home.write("latin.txt", b"Ann likes caf\xe9 au lait.");
    let message = memorize(&home, "latin.txt", "document");
    assert_eq!(
        message,
        "error: the input is not text in UTF-8, nor in UTF-16 with a byte order mark\n  \
         file: latin.txt\n  byte: 13\n"
    );
}

#[test]
fn broken_json() {
    let home = Home::new();
    home.write("broken.json", "[{\"role\": \"user\",\n \"content\": }]");
    let message = memorize(&home, "broken.json", "conversation");
    assert_eq!(
        message,
        "error: the JSON is broken: expected value\n  file: broken.json\n  line: 2\n  \
         column: 13\n"
    );
}

#[test]
fn json_of_another_shape() {
    let home = Home::new();
    home.write("shape.json", "{\"weather\": \"fine\"}");
    let message = memorize(&home, "shape.json", "conversation");
    assert_eq!(
        message,
        "error: expected a list of messages, or an object that holds one under `messages`, \
         `conversation`, `turns` or `content`; found an object with the fields weather\n  \
         file: shape.json\n"
    );
    home.write("number.json", "[{\"role\": \"user\", \"content\": 7}]");
    let message = memorize(&home, "number.json", "conversation");
    assert_eq!(
        message,
        "error: expected a text, an object with a text, or a list of parts, found a number\n  \
         file: number.json\n  pointer: /0/content\n"
    );
}

#[test]
fn lone_surrogates() {
    let home = Home::new();
    home.write(
        "lone.json",
        "[{\"role\": \"user\", \"content\": \"\\ud83d\"}]",
    );
    let message = memorize(&home, "lone.json", "conversation");
    assert_eq!(
        message,
        "error: the JSON is broken: half of a surrogate pair, an escape such as \\ud83d without \
         its other half\n  file: lone.json\n  line: 1\n  column: 37\n"
    );
}

#[test]
fn top_k_of_zero_or_below() {
    let home = Home::new();
    for top_k in ["0", "-1", "10001", "all"] {
        let message = refused(
            &home,
            &["retrieve", "tea?", "--user", "alice", "-k", top_k],
            2,
        );
        assert_eq!(
            message,
            format!(
                "error: invalid value '{top_k}' for '--top-k <N>': it must be a number from 1 to \
                 10000\n\nFor more information, try '--help'.\n"
            )
        );
    }
    home.write("memu.toml", "[retrieve_config.item]\ntop_k = 0\n");
    let run = home.run(&["retrieve", "tea?", "--user", "alice"]);
    assert_eq!(run.code, Some(2));
    assert_eq!(
        run.stderr,
        "error: retrieve_config.item.top_k is 0; it must be from 1 to 10000\n"
    );
}

#[test]
fn an_unreachable_url() {
    let home = Home::new();
    // A port of this machine that nobody listens on.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/chat.json", free.local_addr().unwrap());
    drop(free);
    let message = memorize(&home, &url, "conversation");
    // The other lines are the web client's and the operating system's.
    let (ours, cause) = message.split_at(message.find("  because: ").unwrap());
    assert_eq!(
        ours,
        format!("error: the URL cannot be reached\n  url: {url}\n")
    );
    assert!(
        cause.lines().all(|line| line.starts_with("  because: ")),
        "{cause}"
    );
}

#[test]
fn a_url_that_answers_with_an_error_or_another_kind_of_content() {
    let home = Home::new();
    let url = serve("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
    let message = memorize(&home, &url, "conversation");
    assert_eq!(
        message,
        format!("error: the server answered 404 Not Found\n  url: {url}\n")
    );
    let url =
        serve("HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 4\r\n\r\n\x11PNG");
    let message = memorize(&home, &url, "conversation");
    assert_eq!(
        message,
        format!(
            "error: the content is image/png, which cannot be read as a conversation\n  file: {url}\n"
        )
    );
}

/// Answers one request on a port of this machine.
fn serve(response: &'static str) -> String {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        let _ = stream.read(&mut request).unwrap();
        stream.write_all(response.as_bytes()).unwrap();
    });
    format!("http://{address}/chat.json")
}

#[test]
fn over_long_ids_and_scopes() {
    let home = Home::new();
    let long = "x".repeat(300);
    let message = refused(&home, &["show", &long, "--user", "alice"], 1);
    assert_eq!(
        message,
        "error: an id has 300 bytes; at most 256 are allowed\n"
    );
    let long = "x".repeat(600);
    let message = refused(&home, &["list", "items", "--user", &long], 2);
    assert_eq!(
        message,
        "error: user_id has 600 bytes; at most 512 are allowed\n"
    );
    let message = refused(&home, &["add", "tea", "--user", &long], 2);
    assert_eq!(
        message,
        "error: user_id has 600 bytes; at most 512 are allowed\n"
    );
}

#[test]
fn tool_calls_that_cannot_be() {
    let home = Home::new();
    let tool = home.json(&["add", "Tides", "--type", "tool", "--user", "bob"]);
    let tool = tool["memory_item"]["id"].as_str().unwrap().to_owned();
    let event = home.json(&["add", "Bob sailed", "--user", "bob"]);
    let event = event["memory_item"]["id"].as_str().unwrap().to_owned();
    for (id, more, expected) in [
        (
            &tool,
            ["--score", "2"],
            "score of a tool call is 2; it must be from 0 to 1",
        ),
        (
            &tool,
            ["--seconds", "-1"],
            "time_cost of a tool call is -1; it must be at least 0",
        ),
        (
            &tool,
            ["--input", "{\"a\""],
            "--input begins as a JSON object and is none",
        ),
        (
            &event,
            ["--output", "x"],
            "tool calls are noted with memories of type \"tool\"; this one is of type \"knowledge\"",
        ),
    ] {
        let start = ["add-tool-call", id, "--tool", "tides", "--user", "bob"];
        let message = refused(&home, &[&start[..], &more].concat(), 1);
        let first = message.lines().next().unwrap();
        assert_eq!(first, format!("error: {expected}"));
    }
    let message = refused(
        &home,
        &["edit", &event, "--when-to-use", " ", "--user", "bob"],
        1,
    );
    let first = message.lines().next().unwrap();
    assert_eq!(first, "error: when_to_use of a memory must be a text");
}

#[test]
fn content_that_is_too_large() {
    let home = Home::new();
    home.write("memu.toml", "[memorize_config]\nmax_resource_bytes = 100\n");
    home.write("large.json", "x".repeat(101));
    let message = memorize(&home, "large.json", "conversation");
    assert_eq!(
        message,
        "error: the content is larger than 100 bytes (memorize_config.max_resource_bytes)\n  \
         file: large.json\n"
    );
}

#[test]
fn an_unknown_setting_names_the_nearest() {
    let home = Home::new();
    home.ok(&["add", "Ann likes tea", "--user", "alice"]);
    home.write("other.toml", "[retrieve_config.item]\ntop_kk = 3\n");
    let run = home.run(&["list", "items", "--config", "other.toml"]);
    assert_eq!(run.code, Some(2));
    assert_eq!(
        run.stderr,
        "error: unknown setting \"retrieve_config.item.top_kk\"; did you mean \"top_k\"?\n"
    );
}

#[test]
fn an_unknown_filter_or_scope_lists_the_valid_ones() {
    let home = Home::new();
    let message = refused(
        &home,
        &["list", "items", "--user", "alice", "--where", "colour=red"],
        2,
    );
    assert_eq!(
        message,
        "error: unknown filter field \"colour\"; use user_id, memory_type, modality, category, \
         resource_id, created_at, updated_at, happened_at\n"
    );
    let message = refused(&home, &["add", "x", "--scope", "agent=a"], 2);
    assert_eq!(
        message,
        "error: unknown scope field \"agent\"; this store has user_id\n"
    );
}

#[test]
fn errors_as_json_go_to_stderr() {
    let home = Home::new();
    let run = home.run(&["memorize", "gone.json", "--json", "--user", "alice"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    let error: serde_json::Value = serde_json::from_str(&run.stderr).unwrap();
    assert_eq!(error["error"]["kind"], "input");
    assert_eq!(error["error"]["context"]["file"], "gone.json");
    assert_eq!(error["error"]["retryable"], false);
}

#[test]
fn a_ten_megabyte_message_nul_and_emoji_are_stored_faithfully() {
    let home = Home::new();
    let text = format!("start 🦀 \u{0} {}end", "word ".repeat(2_000_000));
    let chat = serde_json::json!([{"role": "user", "content": text}]);
    home.write("large.json", serde_json::to_vec(&chat).unwrap());
    home.ok(&["memorize", "large.json", "--user", "alice"]);
    let answer = home.json(&["retrieve", "where does it end?", "--user", "alice"]);
    assert_eq!(answer["segments"][0]["text"].as_str().unwrap(), text);
}

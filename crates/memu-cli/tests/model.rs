//! `memu model`: fetching, checking and listing models; and what needs one.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;

use memu_testkit::skip_unless_set;
use support::{Home, Run};

/// A server on loopback that answers each request for a file of a folder, until the test
/// ends; what is missing is not found. Returns its URL.
fn serve(folder: &Path) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let folder = folder.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let request = lines.next().unwrap().unwrap();
            lines.find(|line| line.as_ref().unwrap().is_empty());
            let name = request.split(' ').nth(1).unwrap().trim_start_matches('/');
            let (status, body) = match std::fs::read(folder.join(name)) {
                Ok(body) => ("200 OK", body),
                Err(_) => ("404 Not Found", Vec::new()),
            };
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).unwrap();
            // A client that has seen enough hangs up.
            let _ = stream.write_all(&body);
        }
    });
    url
}

fn pull(home: &Home, url: &str, arguments: &[&str]) -> Run {
    let mut command = home.command(&[&["model", "pull"], arguments].concat());
    command
        .env("MEMU_MODEL_URL", url)
        .env("MEMU_MODELS_DIR", home.path("models"));
    support::finished(command.output().unwrap())
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_model_is_pulled_and_checked_and_not_fetched_again() {
    let test = "model::a_model_is_pulled_and_checked_and_not_fetched_again";
    let Some(model) = skip_unless_set("MEMU_MINILM_DIR", test) else {
        return;
    };
    let home = Home::new();
    let run = pull(&home, &serve(&model), &[]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run:?}");
    assert!(
        run.stdout.starts_with("minilm  all-MiniLM-L6-v2"),
        "{run:?}"
    );
    let folder = home.path("models").join("all-MiniLM-L6-v2");
    assert_eq!(files(&folder), ["config.json", "model.safetensors"]);
    // Nobody answers there: everything is here already.
    let run = pull(&home, "http://127.0.0.1:1", &["--json"]);
    let shown: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(shown["here"], true, "{run:?}");
}

#[test]
fn another_file_than_the_known_one_is_refused_and_leaves_nothing() {
    let home = Home::new();
    let served = home.path("served");
    std::fs::create_dir(&served).unwrap();
    std::fs::write(served.join("config.json"), "{}").unwrap();
    let run = pull(&home, &serve(&served), &["--to", "here"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr
            .starts_with("error: the server sent another file than the one that is known\n"),
        "{run:?}"
    );
    assert!(files(&home.path("here")).is_empty());
    std::fs::write(served.join("config.json"), "x".repeat(10_000)).unwrap();
    let run = pull(&home, &serve(&served), &["--to", "here"]);
    assert!(
        run.stderr
            .starts_with("error: the server sends more than the file has\n"),
        "{run:?}"
    );
    assert!(files(&home.path("here")).is_empty());
}

#[test]
fn without_a_network_it_says_what_to_do() {
    let home = Home::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let run = pull(&home, &url, &["--to", "here"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.starts_with(
            "error: the model cannot be fetched; where there is no network, copy its files here \
             from a machine that has one\n"
        ),
        "{run:?}"
    );
    let run = pull(&home, &url, &["maxilm"]);
    assert_eq!(
        run.stderr,
        "error: there is no model \"maxilm\"; there is minilm\n"
    );
}

#[test]
fn models_are_listed() {
    let home = Home::new();
    let mut command = home.command(&["model", "list"]);
    command.env("MEMU_MODELS_DIR", home.path("models"));
    let run = support::finished(command.output().unwrap());
    assert!(
        run.stdout.starts_with(
            "minilm  all-MiniLM-L6-v2, an embedder for English (Apache-2.0), 91 MB  not here\n"
        ),
        "{run:?}"
    );
}

#[test]
fn an_embedder_that_cannot_run_says_what_is_missing() {
    let home = Home::new();
    home.write("tiny.json", r#"{"conversations": []}"#);
    let recall = ["eval", "recall", "--data", "tiny.json", "--embedder"];
    let run = home.run(&[&recall[..], &["minilm=nowhere"]].concat());
    assert!(
        run.code == Some(if cfg!(feature = "minilm") { 2 } else { 1 }),
        "{run:?}"
    );
    let expected = if cfg!(feature = "minilm") {
        "error: nowhere/config.json cannot be read; `memu model pull` fetches the model\n"
    } else {
        "error: this build has no model runner; build it with the feature minilm"
    };
    assert!(run.stderr.starts_with(expected), "{run:?}");
    let run = home.run(&[&recall[..], &["maxilm"]].concat());
    assert_eq!(run.code, Some(2));
    assert!(
        run.stderr
            .contains("it must be words, minilm or minilm=DIR"),
        "{run:?}"
    );
}

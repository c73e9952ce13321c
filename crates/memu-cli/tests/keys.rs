//! No command shows a key or writes it down, whatever a provider repeats.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use memu_testkit::models::{FakeProvider, Fault, obliging};
use support::{Home, Run, finished};

/// Looks like base64, so that it is written in several ways.
const KEY: &str = "Ab3d/Ef6+Hi9kLm0/Vw7=";
/// The ways in which it is repeated.
const ECHOES: [&str; 5] = [
    KEY,
    r"Ab3d\/Ef6\u002bHi9kLm0\/Vw7=",
    "Ab3d%2FEf6%2BHi9kLm0%2FVw7%3D",
    "Ab3d&#47;Ef6&plus;Hi9kLm0&#x2f;Vw7=",
    "Ab3d/Ef6****/Vw7=",
];

fn run(home: &Home, arguments: &[&str]) -> Run {
    let mut command = home.command(arguments);
    command
        .env("KEY_OF_NORA", KEY)
        .env("MEMU_RECORD", home.path("recording.jsonl"));
    finished(command.output().unwrap())
}

/// Neither what was printed nor a file of the home has a part of the key that tells something.
fn check(home: &Home, run: &Run) {
    let files = std::fs::read_dir(home.folder.path()).unwrap();
    let files = files.map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.is_file());
    let files = files.map(|path| (path.display().to_string(), std::fs::read(path).unwrap()));
    let printed = [("stdout", &run.stdout), ("stderr", &run.stderr)];
    let printed = printed.map(|(name, text)| (name.to_owned(), text.clone().into_bytes()));
    for (name, bytes) in files.chain(printed) {
        for part in ["Ab3d", "Vw7"] {
            let mut windows = bytes.windows(part.len());
            assert!(
                !windows.any(|one| one == part.as_bytes()),
                "{name} after {run:?}"
            );
        }
    }
}

#[test]
fn a_key_that_a_provider_repeats_is_in_no_output_and_no_file() {
    for echo in ECHOES {
        let error = format!(r#"{{"error":{{"message":"Incorrect key {echo}","code":401}}}}"#);
        for fault in [
            Fault::status(401).saying(&error),
            Fault::Body(error),
            Fault::Body(format!("<p>{echo}</p>")),
        ] {
            let home = Home::new();
            let ill = FakeProvider::builder().fault_when(move |_| Some(fault.clone()));
            let (ill, well) = (ill.start(), FakeProvider::builder().chat(obliging).start());
            let settings = |server: &FakeProvider| {
                format!(
                    "[llm_profiles.default]\nbase_url = \"{}/v1\"\napi_key = \"KEY_OF_NORA\"\n\
                     chat_model = \"one\"\nembed_model = \"two\"\ndimension = 8\n\
                     max_retries = 0\n",
                    server.base_url()
                )
            };
            home.write(
                "chat.json",
                r#"[{"role": "user", "content": "I keep bees"}]"#,
            );
            home.write("memu.toml", settings(&well));
            let memorize = ["memorize", "chat.json", "--user", "nora"];
            let done = run(&home, &memorize);
            assert_eq!(done.code, Some(0), "{done:?}");
            check(&home, &done);
            home.write("memu.toml", settings(&ill));
            home.write(
                "chat.json",
                r#"[{"role": "user", "content": "I keep goats"}]"#,
            );
            for arguments in [
                &memorize[..],
                &["--json", "memorize", "chat.json", "--user", "nora"],
                &["retrieve", "Who keeps bees?", "--user", "nora"],
                &["add", "Nora keeps ducks", "--user", "nora"],
                &["models", "test"],
                &["--json", "models", "test"],
            ] {
                let failed = run(&home, arguments);
                assert_eq!(failed.code, Some(1), "{failed:?}");
                check(&home, &failed);
            }
            let recorded = std::fs::read_to_string(home.path("recording.jsonl")).unwrap();
            assert!(recorded.contains("***"), "{recorded}");
        }
    }
}

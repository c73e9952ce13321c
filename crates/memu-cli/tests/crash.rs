//! The crash suite: processes of the library and of the binary change one file until they
//! are killed, and after every round everything that was acknowledged is there, nothing is
//! there in part, and the file is sound. `just crash` runs it in full.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]
#![cfg(unix)]

mod support;
#[path = "../../memu/tests/support/workload.rs"]
mod workload;

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use memu::MemoryService;
use memu::core::store::Severity;
use support::Home;
use workload::{Change, Random, conversation, make, memorize, next_change, picture, sentence};

/// Tells a child process of these tests which file to change, whose memory, and how.
const FILE: &str = "MEMU_TEST_CRASH_FILE";
const USER: &str = "MEMU_TEST_CRASH_USER";
const SEED: &str = "MEMU_TEST_CRASH_SEED";

/// How many rounds there are when MEMU_CRASH_ROUNDS says nothing else.
const FEW: u64 = 12;

/// The longest time until the last process of a round is killed, in milliseconds.
const LONGEST: u64 = 260;

/// Whose memories are changed: the first by the library, the last by the binary.
const USERS: [&str; 3] = ["ann", "ben", "cleo"];

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[tokio::test]
async fn child_that_works_until_it_is_killed() {
    let (Ok(file), Ok(user)) = (std::env::var(FILE), std::env::var(USER)) else {
        return;
    };
    let seed = number(SEED).unwrap();
    let service = memu::open(&file).await.unwrap();
    let mut random = Random::new(seed);
    for count in 0.. {
        let mark = format!("{user}{seed}x{count}");
        let change = next_change(&service, &user, &mut random, &mark).await;
        say(&format!(
            "begin {}",
            serde_json::to_string(&change).unwrap()
        ));
        make(&service, &user, &change).await.unwrap();
        say("done");
        // Some changes follow each other closely, some do not.
        if random.once_in(6) {
            tokio::time::sleep(Duration::from_millis(random.below(60))).await;
        }
    }
}

/// Says something in one piece, past what the test's harness prints.
fn say(line: &str) {
    let mut stderr = std::io::stderr().lock();
    stderr.write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// What one writer did in a round.
#[derive(Debug, Default)]
struct Done {
    acknowledged: Vec<Change>,
    in_flight: Option<Change>,
}

/// Changes a memory through the library, in a process that is killed after a while.
fn work_in_library(file: &Path, user: &str, seed: u64, killed_after: Duration) -> Done {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "child_that_works_until_it_is_killed",
            "--nocapture",
        ])
        .env(FILE, file)
        .env(USER, user)
        .env(SEED, seed.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Read beside it: a full pipe would hold the child up.
    let mut stderr = child.stderr.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut said = String::new();
        stderr.read_to_string(&mut said).unwrap();
        said
    });
    std::thread::sleep(killed_after);
    child.kill().unwrap();
    child.wait().unwrap();
    heard(&reader.join().unwrap())
}

fn heard(said: &str) -> Done {
    let mut done = Done::default();
    for line in said.lines() {
        if line == "done" {
            done.acknowledged.push(done.in_flight.take().unwrap());
        } else if let Some(change) = line.strip_prefix("begin ") {
            // A line that was cut off was not followed by its change.
            done.in_flight = serde_json::from_str(change).ok();
        } else {
            panic!("a child failed before it was killed: {said}");
        }
    }
    done
}

/// Changes a memory through the binary, whose last run is killed.
fn work_in_binary(home: &Home, user: &str, seed: u64, killed_after: Duration) -> Done {
    let mut random = Random::new(seed);
    let deadline = Instant::now() + killed_after;
    let mut done = Done::default();
    for count in 0.. {
        let mark = format!("{user}{seed}x{count}");
        let change = match random.below(10) {
            0..5 => Change::Create(sentence(&mut random, &mark, 0)),
            5..9 => memorize(&mut random, &mark),
            _ => Change::Forget,
        };
        let mut child = start(home, user, &change);
        if !ended(&mut child, deadline) {
            child.kill().unwrap();
            child.wait().unwrap();
            done.in_flight = Some(change);
            break;
        }
        done.acknowledged.push(change);
    }
    done
}

fn start(home: &Home, user: &str, change: &Change) -> Child {
    let mut arguments = vec!["--quiet", "--user", user];
    match change {
        Change::Create(content) => arguments.extend(["add", content, "--type", "profile"]),
        Change::Memorize { name, messages } => {
            home.write(name, conversation(name, messages));
            arguments.extend(["memorize", name]);
        }
        _ => arguments.extend(["forget", "--yes"]),
    }
    let mut command = home.command(&arguments);
    command.stdout(Stdio::null()).spawn().unwrap()
}

/// Waits for a process until the deadline; says whether it ended, and demands success then.
fn ended(child: &mut Child, deadline: Instant) -> bool {
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            // Nothing to forget is said with an exit code of its own.
            assert!(matches!(status.code(), Some(0 | 3)), "{status}");
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// One to three writers at once, each killed at a moment of its own.
fn work(home: &Home, seed: u64) -> Vec<Done> {
    let file = home.path("memu.db");
    let mut random = Random::new(seed);
    let writers = 1 + random.below(3);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3)
            .map(|at| {
                let killed_after = Duration::from_millis(1 + random.below(LONGEST));
                let (file, user, seed) = (&file, USERS[at], random.below(1 << 40));
                // Each of them is alone in some rounds.
                let works = (seed + at as u64) % 3 < writers;
                scope.spawn(move || match at {
                    _ if !works => Done::default(),
                    2 => work_in_binary(home, user, seed, killed_after),
                    _ => work_in_library(file, user, seed, killed_after),
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

/// Compares a user's memory with the reference, which follows what was acknowledged, and
/// what was in flight if that is there.
async fn compare(
    service: &MemoryService,
    reference: &MemoryService,
    user: &str,
    done: Done,
) -> Result<(), String> {
    for change in &done.acknowledged {
        make(reference, user, change).await.unwrap();
    }
    let found = picture(service, user)
        .await
        .map_err(|error| format!("{error:?}"))?;
    let before = picture(reference, user).await.unwrap();
    if found == before {
        return Ok(());
    }
    let Some(change) = &done.in_flight else {
        return Err(format!("{user} has {found:#?} instead of {before:#?}"));
    };
    make(reference, user, change).await.unwrap();
    let after = picture(reference, user).await.unwrap();
    if found == after {
        return Ok(());
    }
    Err(format!(
        "{user} has {found:#?}: neither {before:#?} nor that after {change:?}"
    ))
}

/// Says what is wrong after a round.
async fn check(home: &Home, reference: &MemoryService, done: Vec<Done>) -> Result<(), String> {
    let (file, copy) = (home.path("memu.db"), home.path("copy.db"));
    let told = |error: memu::Error| format!("{error:?}");
    let service = memu::open(&file.display().to_string())
        .await
        .map_err(told)?;
    // Now the file alone is complete. Another process copies it: this one would let go of
    // its locks.
    let copied = Command::new("cp").arg(&file).arg(&copy).status().unwrap();
    assert!(copied.success());
    for (user, done) in USERS.iter().zip(done) {
        compare(&service, reference, user, done).await?;
    }
    let report = service.check(false).await.map_err(told)?;
    if report.severity() != Severity::Ok {
        return Err(format!("{report:#?}"));
    }
    let of_copy = memu::open(&copy.display().to_string())
        .await
        .map_err(told)?;
    for user in USERS {
        let copied = picture(&of_copy, user).await.map_err(told)?;
        if copied != picture(&service, user).await.map_err(told)? {
            return Err(format!("the file alone lacks something of {user}"));
        }
    }
    of_copy.close().await.map_err(told)?;
    service.close().await.map_err(told)?;
    sound_by_itself(&copy)
}

/// Says what SQLite finds in a file.
fn sound_by_itself(file: &Path) -> Result<(), String> {
    let connection = rusqlite::Connection::open(file).unwrap();
    for check in ["integrity_check", "foreign_key_check"] {
        let mut statement = connection.prepare(&format!("PRAGMA {check}")).unwrap();
        let rows = statement
            .query_map([], |row| row.get::<_, String>(0))
            .unwrap();
        let found: Vec<String> = rows.map(Result::unwrap).collect();
        if found.iter().any(|line| line != "ok") {
            return Err(format!("{check}: {found:?}"));
        }
    }
    Ok(())
}

#[test]
fn processes_killed_at_random_lose_nothing_and_leave_nothing_in_part() {
    let rounds = number("MEMU_CRASH_ROUNDS").unwrap_or(FEW);
    let first = number("MEMU_CRASH_SEED").unwrap_or(1);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let reference = runtime.block_on(memu::open("inmemory")).unwrap();
    let home = Home::new();
    let (mut acknowledged, mut in_flight) = (0, 0);
    for seed in first..first + rounds {
        let done = work(&home, seed);
        acknowledged += done
            .iter()
            .map(|done| done.acknowledged.len())
            .sum::<usize>();
        in_flight += done.iter().filter(|done| done.in_flight.is_some()).count();
        if let Err(wrong) = runtime.block_on(check(&home, &reference, done)) {
            let kept = home.folder.path().display();
            panic!("round {} (seed {seed}) in {kept}: {wrong}", seed - first);
        }
    }
    assert!(acknowledged > 0, "no process had time to do anything");
    assert!(
        in_flight > 0,
        "no process was killed in the middle of anything"
    );
}

//! How long an answer takes.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use memu::{Error, MemoryService, Result, RetrieveRequest};

use super::files::{RARE_TYPE, items, open_comparing};
use super::row::{Row, percentile};
use super::texts::{Language, Random};
use super::vectors::Vectors;
use crate::progress::Progress;

/// Fills a file with so many scopes of so many memories.
pub(super) async fn fill(
    path: &Path,
    language: &Language,
    scopes: usize,
    each: usize,
    progress: &Progress,
) -> Result<()> {
    let service = memu::open(&path.display().to_string()).await?;
    fill_open(&service, language, scopes, each, progress).await?;
    service.close().await
}

/// The same with a memory that is open.
pub(super) async fn fill_open(
    service: &MemoryService,
    language: &Language,
    scopes: usize,
    each: usize,
    progress: &Progress,
) -> Result<()> {
    let mut random = Random::new(5);
    progress.start(scopes * each);
    for scope in 0..scopes {
        let mut left = each;
        while left > 0 {
            let now = left.min(10_000);
            let request = items(language, &mut random, now, &format!("user {scope}"));
            service.create_memory_items(request).await?;
            left -= now;
            progress.reach((scope * each + each - left) as u64);
        }
    }
    progress.finish();
    Ok(())
}

/// Of so many questions the words have to be found out that a process meets for the first time.
const FIRST: usize = 300;

/// How many questions have a filter.
const FILTERED: usize = 30;

/// Questions to scopes, one after the other.
pub(super) async fn retrieve(
    what: &str,
    path: &Path,
    language: &Language,
    scopes: usize,
    questions: usize,
) -> Result<Vec<Row>> {
    let service = memu::open(&path.display().to_string()).await?;
    let rows = asked(what, &service, language, scopes, questions).await?;
    service.close().await?;
    Ok(rows)
}

/// The same to a memory that is open.
pub(super) async fn asked(
    what: &str,
    service: &MemoryService,
    language: &Language,
    scopes: usize,
    questions: usize,
) -> Result<Vec<Row>> {
    let mut random = Random::new(6);
    let mut times = Vec::with_capacity(questions);
    let mut unanswered = 0;
    let (first, _) = ask(service, language, &mut random, scopes, None).await?;
    for _ in 0..questions {
        let (time, found) = ask(service, language, &mut random, scopes, None).await?;
        times.push(time);
        unanswered += usize::from(found == 0);
    }
    // A small scope may hold none of a question's words, but hardly ever.
    if unanswered * 100 > questions {
        return Err(Error::internal(format!(
            "{unanswered} of {questions} questions of the benchmark found nothing"
        )));
    }
    let mut after_writes = Vec::new();
    for _ in 0..20 {
        let request = items(language, &mut random, 1, "user 0");
        service.create_memory_items(request).await?;
        let (time, _) = ask(service, language, &mut random, 1, None).await?;
        after_writes.push(time);
    }
    let mut filtered = Vec::new();
    for _ in 0..FILTERED {
        let (time, _) = ask(service, language, &mut random, scopes, Some(RARE_TYPE)).await?;
        filtered.push(time);
    }
    let mut rows = vec![Row::new(format!("{what}: first"), first, "ms")];
    if let Some(firsts) = times.get(..FIRST) {
        let p50 = percentile(&mut firsts.to_vec(), 0.5);
        rows.push(Row::new(
            format!("{what}: p50 of the first {FIRST}"),
            p50,
            "ms",
        ));
    }
    rows.extend([
        Row::new(format!("{what}: p50"), percentile(&mut times, 0.5), "ms"),
        Row::new(format!("{what}: p99"), percentile(&mut times, 0.99), "ms"),
        Row::new(
            format!("{what}: p50 right after a write"),
            percentile(&mut after_writes, 0.5),
            "ms",
        ),
        Row::new(
            format!("{what}: p50 with a filter that one memory in ten passes"),
            percentile(&mut filtered, 0.5),
            "ms",
        ),
    ]);
    Ok(rows)
}

/// Questions to one scope of a memory whose vectors are compared with theirs: those that the store
/// finds, beside all of them in memory.
pub(super) async fn compared(what: &str, dsn: &str, language: &Language) -> Result<Vec<Row>> {
    let mut sides = Vec::new();
    // The first one warms what the others find warm.
    for in_memory in [None, Some(1_000_000_000), None] {
        let service = open_comparing(dsn, Vectors::Words, in_memory).await?;
        sides.push(asked(what, &service, language, 1, 100).await?);
        service.close().await?;
    }
    let [_, all, found] = <[Vec<Row>; 3]>::try_from(sides)
        .map_err(|_| Error::internal("two ways were to be compared"))?;
    let rows = found.into_iter().zip(all);
    Ok(rows
        .map(|(row, all)| row.beside("all vectors in memory", Some(all.value)))
        .collect())
}

/// The milliseconds that a question takes, and the memories that it finds.
async fn ask(
    service: &MemoryService,
    language: &Language,
    random: &mut Random,
    scopes: usize,
    memory_type: Option<&str>,
) -> Result<(f64, usize)> {
    let question = language.question(random);
    let user = format!("user {}", random.below(scopes));
    let mut request = RetrieveRequest::question(question).matching("user_id", user);
    if let Some(memory_type) = memory_type {
        request = request.matching("memory_type", memory_type);
    }
    let started = Instant::now();
    let answer = service.retrieve(request).await?;
    Ok((started.elapsed().as_secs_f64() * 1e3, answer.items.len()))
}

/// A new process that opens a file and answers a question in a small scope.
pub(super) fn new_process(path: &Path, user: &str, question: &str, times: usize) -> Result<f64> {
    let program = std::env::current_exe()
        .map_err(|cause| Error::internal("this program cannot find itself").caused_by(cause))?;
    let mut all = Vec::new();
    for _ in 0..times {
        let started = Instant::now();
        let output = Command::new(&program)
            .args(["--db"])
            .arg(path)
            .args(["--user", user, "--json", "retrieve", question])
            .output()
            .map_err(|cause| Error::internal("this program cannot be run").caused_by(cause))?;
        all.push(started.elapsed().as_secs_f64() * 1e3);
        if !output.status.success() {
            return Err(Error::internal("the question failed")
                .with("said", String::from_utf8_lossy(&output.stderr)));
        }
    }
    Ok(percentile(&mut all, 0.5))
}

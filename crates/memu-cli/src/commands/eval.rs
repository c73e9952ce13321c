use std::path::PathBuf;

use clap::{Args, Subcommand};
use memu::Result;
use serde_json::{Value, json};

use crate::args::Global;
use crate::eval::{self, Corpus, Extras};
use crate::output::Printer;
use crate::progress::Progress;
use crate::session;

/// Measure MemU on conversations with known answers.
#[derive(Debug, Args)]
pub(crate) struct Eval {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// How much of each question's evidence is found, beside plain BM25
    Recall(Recall),
    /// How two runs over the same questions differ, and whether that is chance
    Compare(Compare),
}

/// Compares outputs of `memu eval recall --json --per-question`, pooled over all files, by
/// a paired bootstrap that draws whole conversations.
#[derive(Debug, Args)]
struct Compare {
    /// Outputs of the runs before
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    before: Vec<PathBuf>,
    /// Outputs of the runs after, over the same questions
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    after: Vec<PathBuf>,
}

/// Memorizes each conversation into a memory of its own, asks its questions, and
/// compares what is found with the evidence. Nothing is kept, and no database of
/// yours is touched.
#[derive(Debug, Args)]
struct Recall {
    /// The file: LoCoMo's or LongMemEval's layout, or {"conversations": [{"id", "messages", "questions":
    /// [{"question", "category", "evidence": [message ids]}]}]}
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Only questions of these categories
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    categories: Vec<String>,
    /// Add each message as a memory of its own, which cites nothing, instead of memorizing the
    /// conversations
    #[arg(long)]
    directly: bool,
    /// List the questions whose evidence is not among the first ten messages
    #[arg(long)]
    explain_misses: bool,
    /// What makes the vectors: words, or minilm, whose folder may follow
    #[arg(long, value_name = "words|minilm[=DIR]", value_parser = embedder)]
    embedder: Option<Value>,
    /// Add every question's figures, for `memu eval compare`
    #[arg(long)]
    per_question: bool,
}

impl Eval {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        match self.what {
            What::Recall(verb) => verb.run(global, printer).await,
            What::Compare(verb) => {
                let comparison = eval::compare(&verb.before, &verb.after)?;
                printer.response(&comparison, eval::show_comparison)
            }
        }
    }
}

impl Recall {
    async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        let mut corpus = Corpus::read(&self.data)?;
        if !self.categories.is_empty() {
            corpus.retain_categories(&self.categories)?;
        }
        // In SQLite, like the memory of a user, but gone at the end.
        let global = Global {
            db: Some("sqlite:///:memory:".to_owned()),
            ..global.clone()
        };
        let extras = Extras {
            directly: self.directly,
            misses: self.explain_misses,
            per_question: self.per_question,
        };
        let progress = Progress::new(&global);
        let settings = match self.embedder {
            Some(profile) => json!({"llm_profiles": {"embedding": profile}}),
            None => json!({}),
        };
        let service = session::open_with(&global, &progress, settings).await?;
        let measured = eval::run(&service, &corpus, extras, &progress).await?;
        progress.finish();
        service.close().await?;
        printer.response(&measured, eval::show)
    }
}

/// Reads `words`, `minilm` or `minilm=DIR` as the profile of an embedder.
fn embedder(text: &str) -> std::result::Result<Value, String> {
    match text.split_once('=') {
        None if ["words", "minilm"].contains(&text) => {
            Ok(json!({"provider": "local", "model": text}))
        }
        Some(("minilm", path)) if !path.is_empty() => {
            Ok(json!({"provider": "local", "model": "minilm", "path": path}))
        }
        _ => Err("it must be words, minilm or minilm=DIR".to_owned()),
    }
}

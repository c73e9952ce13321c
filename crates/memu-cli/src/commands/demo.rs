use std::path::PathBuf;

use clap::Args;
use memu::{Error, MemorizeRequest, MemoryService, Modality, Result, RetrieveRequest};
use serde_json::json;

use super::{memorize, retrieve};
use crate::args::Global;
use crate::output::{Line, Printer, Tone, wrapped};
use crate::progress::Progress;
use crate::session;

/// The user whose memory the demo fills.
const USER: &str = "demo";

/// Bundled texts, written for this purpose.
const SAMPLES: [(&str, &[u8], Modality); 3] = [
    (
        "friends.json",
        include_bytes!("../../samples/friends.json"),
        Modality::Conversation,
    ),
    (
        "assistant.json",
        include_bytes!("../../samples/assistant.json"),
        Modality::Conversation,
    ),
    (
        "garden.md",
        include_bytes!("../../samples/garden.md"),
        Modality::Document,
    ),
];

/// What the demo asks.
const QUESTIONS: [&str; 6] = [
    "When did Theo move, and where to?",
    "What is Nora allergic to?",
    "What happened to the teapot?",
    "How should the assistant answer me?",
    "Who drew the sea star?",
    "Which food stays out of the compost?",
];

/// Memorize sample conversations into a new file and ask them questions.
#[derive(Debug, Args)]
pub(crate) struct Demo {}

impl Demo {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        let mut global = global.clone();
        let database = new_database(global.db.as_deref())?;
        global.db = Some(database.clone());
        let progress = Progress::new(&global);
        let service = session::open(&global, &progress).await?;
        let mut transcript = Vec::new();
        heading(
            printer,
            "1. Memorizing three samples: no key, no model, no network",
        )?;
        for (name, bytes, modality) in SAMPLES {
            let request = MemorizeRequest::content(bytes, name, modality).user("user_id", USER);
            let response = service.memorize(request).await?;
            if !printer.is_json() {
                printer.lines(&memorize::show(&response))?;
            }
            transcript.push(json!(response));
        }
        heading(printer, "2. Asking questions")?;
        for question in QUESTIONS {
            transcript.push(ask(&service, question, printer).await?);
        }
        service.close().await?;
        if printer.is_json() {
            return printer.response(&transcript, |_| Vec::new());
        }
        closing(printer, &database)
    }
}

async fn ask(
    service: &MemoryService,
    question: &str,
    printer: &Printer,
) -> Result<serde_json::Value> {
    let mut request = RetrieveRequest::question(question).matching("user_id", USER);
    request.top_k = Some(2);
    let response = service.retrieve(request).await?;
    if !printer.is_json() {
        let lead = Line::new().add(Tone::Name, "? ");
        printer.lines(&[Line::new()])?;
        printer.lines(&wrapped(&lead, Tone::Heading, question))?;
        printer.lines(&retrieve::show(&response))?;
    }
    Ok(json!(response))
}

fn heading(printer: &Printer, text: &str) -> Result<()> {
    if printer.is_json() {
        return Ok(());
    }
    printer.lines(&[Line::new(), Line::new().add(Tone::Heading, text)])
}

fn closing(printer: &Printer, database: &str) -> Result<()> {
    printer.lines(&[
        Line::new(),
        Line::new().add(Tone::Heading, "3. Go on yourself"),
        Line::new().plain(&format!("  export MEMU_DB={database} MEMU_USER={USER}")),
        Line::new().plain("  memu retrieve \"what does Biscuit eat?\""),
        Line::new().plain("  memu list categories"),
        Line::new().plain("  memu add \"Nora's birthday is on 12 August\" --type profile"),
    ])
}

/// A file that does not exist yet: the one that was named, or one in the folder for
/// temporary files.
fn new_database(named: Option<&str>) -> Result<String> {
    if let Some(named) = named {
        let path = named.strip_prefix("sqlite:///").unwrap_or(named);
        if std::path::Path::new(path).exists() {
            return Err(
                Error::input("the demo wants a new file, and this one exists").with("file", path),
            );
        }
        return Ok(named.to_owned());
    }
    let folder: PathBuf = std::env::temp_dir();
    (1..10_000)
        .map(|number| folder.join(format!("memu-demo-{number}.db")))
        .find(|path| !path.exists())
        .map(|path| path.display().to_string())
        .ok_or_else(|| Error::input("too many demo files in the folder for temporary files"))
}

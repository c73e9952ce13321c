use std::io::{BufRead, IsTerminal, Write};

use clap::Args;
use memu::{ClearResponse, Error, Result};

use super::memorize::counted;
use crate::args::Global;
use crate::output::{Line, Printer, Tone};
use crate::progress::Progress;
use crate::session;

/// Forget everything of a user or scope, without a trace.
#[derive(Debug, Args)]
pub(crate) struct Forget {
    /// Forget every scope
    #[arg(long)]
    all_scopes: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

impl Forget {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        let service = session::open(global, &Progress::new(global)).await?;
        let user = session::user(global);
        if user.is_empty() && !self.all_scopes {
            return Err(Error::scope(
                "name whose memory to forget: --user, --scope or --all-scopes",
            ));
        }
        if !self.yes {
            confirm(&user, self.all_scopes)?;
        }
        let response = service.clear_memory(&user, self.all_scopes).await?;
        service.close().await?;
        if response.deleted_scopes == 0 && !self.all_scopes {
            return Err(Error::not_found("there is nothing to forget of that scope"));
        }
        printer.response(&response, |response| vec![forgotten(response)])
    }
}

fn confirm(user: &serde_json::Map<String, serde_json::Value>, all: bool) -> Result<()> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(Error::config(
            "nobody is there to ask; pass --yes to forget",
        ));
    }
    let whom = if all && user.is_empty() {
        "everything in this store".to_owned()
    } else {
        format!("everything of {}", serde_json::Value::Object(user.clone()))
    };
    let mut prompt = anstream::stderr();
    let asked = write!(prompt, "Forget {whom}? This cannot be undone. [y/N] ");
    let mut answer = String::new();
    let read = asked
        .and_then(|()| prompt.flush())
        .and_then(|()| stdin.lock().read_line(&mut answer));
    match read {
        Ok(_) if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") => Ok(()),
        _ => Err(Error::cancelled("nothing was forgotten")),
    }
}

fn forgotten(response: &ClearResponse) -> Line {
    Line::new().add(Tone::Good, "Forgot ").plain(&format!(
        "{}, {}, {} and {}.",
        counted(response.deleted_resources.len(), "resource"),
        counted(response.deleted_segments, "segment"),
        counted(response.deleted_items.len(), "memory"),
        counted(response.deleted_categories.len(), "category"),
    ))
}

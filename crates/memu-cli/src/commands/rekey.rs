use std::env::VarError;

use clap::Args;
use memu::backup::{RekeyReport, rekey};
use memu::sqlite::Key;
use memu::{Error, Result};

use crate::args::Global;
use crate::output::{Line, Printer, Tone};
use crate::session;

/// The variable that holds the new key.
const NEW_KEY: &str = "MEMU_NEW_KEY";

/// Encrypt the memory, change its key, or decrypt it.
///
/// Its key, if it has one, is in MEMU_KEY, the new one in MEMU_NEW_KEY. Nobody else may use
/// the memory meanwhile. It is written anew and verified, and takes the place of the old
/// file last. Older copies keep their key, or their lack of one.
#[derive(Debug, Args)]
pub(crate) struct Rekey {
    /// Decrypt the memory
    #[arg(long)]
    remove: bool,
}

impl Rekey {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        let new = new_key(self.remove)?;
        let report = rekey(&session::place(global)?, new).await?;
        printer.response(&report, show)
    }
}

fn new_key(remove: bool) -> Result<Option<Key>> {
    match (std::env::var(NEW_KEY), remove) {
        (Err(VarError::NotPresent), true) => Ok(None),
        (Ok(key), false) => Key::new(&key).map(Some),
        (Err(VarError::NotUnicode(_)), _) => Err(Error::config("MEMU_NEW_KEY is not in Unicode")),
        (Ok(_), true) => Err(Error::config(
            "--remove takes the encryption away, but MEMU_NEW_KEY gives a new key; leave out one \
             of them",
        )),
        (Err(VarError::NotPresent), false) => Err(Error::config(
            "there is no new key: give it in the variable MEMU_NEW_KEY, or decrypt with --remove",
        )),
    }
}

fn show(report: &RekeyReport) -> Vec<Line> {
    let warning = |what: &str, about: &str| Line::new().add(Tone::Warning, what).plain(about);
    let mut lines = vec![done(report)];
    for file in &report.files_left {
        lines.push(warning("  still legible: ", &file.display().to_string()));
    }
    if !report.files_left.is_empty() {
        let advice = "remove what no other memory needs";
        lines.push(Line::new().add(Tone::Faint, &format!("  {advice}")));
    }
    let problems = report.problems.iter();
    lines.extend(problems.map(|problem| warning("  problem: ", problem)));
    lines
}

fn done(report: &RekeyReport) -> Line {
    let done = match (report.was_encrypted, report.is_encrypted) {
        (false, _) => "Encrypted ",
        (true, true) => "Changed the key of ",
        (true, false) => "Decrypted ",
    };
    let files = match report.files_taken_in {
        0 => String::new(),
        1 => ", with 1 large file".to_owned(),
        files => format!(", with {files} large files"),
    };
    let size = format!(" ({} KiB{files}, verified)", report.bytes.div_ceil(1024));
    Line::new()
        .add(Tone::Good, done)
        .add(Tone::Label, &report.database.display().to_string())
        .add(Tone::Faint, &size)
}

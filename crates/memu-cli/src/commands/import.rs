use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use memu::core::transfer::markdown::ImportOptions;
use memu::core::transfer::{Imported, import_lines, read_header};
use memu::moving::open_to_import;
use memu::{Error, Result};

use super::folder;
use crate::args::Global;
use crate::output::{Line, Printer, Tone};
use crate::progress::Progress;
use crate::session;

/// Read what memu export wrote.
///
/// Records arrive as they were, with their ids and times. Those that the memory holds already
/// stay; those that it holds in an older form are replaced; where it holds something else under
/// an id, nothing more is read. Batches of up to 1,000 lines take effect as a whole; a line that
/// is no record is named, and the mended file can be read again.
///
/// From a folder of Markdown, what was edited there since the export is taken in, each scope in
/// one transaction; what the memory changed as well is a conflict, and then nothing is changed.
/// docs/formats.md says what may be edited.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file, or the folder of Markdown; - for standard input
    #[arg(value_name = "FROM")]
    from: PathBuf,
    /// How it is written; found by what is there where it is not given
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    #[command(flatten)]
    of_folder: OfFolder,
}

/// Options for a folder of Markdown.
#[derive(Debug, Args)]
struct OfFolder {
    /// Of a folder: only tell what would be changed
    #[arg(long)]
    dry_run: bool,
    /// Of a folder: remove memories whose lines are gone; otherwise they are named and kept
    #[arg(long)]
    delete_missing: bool,
    /// Of a folder: leave the summaries of the categories as they are, where the pages do not
    /// change them
    #[arg(long)]
    no_propagate: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// JSON Lines
    Jsonl,
    /// A folder of Markdown
    Markdown,
}

impl Import {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        if self.is_folder()? {
            let options = ImportOptions {
                delete_missing: self.of_folder.delete_missing,
                dry_run: self.of_folder.dry_run,
                propagate: !self.of_folder.no_propagate,
            };
            return folder::import(global, printer, &self.from, options).await;
        }
        let mut lines: Box<dyn BufRead + Send> = if self.from == Path::new("-") {
            Box::new(BufReader::new(std::io::stdin()))
        } else {
            let file = File::open(&self.from).map_err(|cause| self.unread(cause))?;
            Box::new(BufReader::new(file))
        };
        let named = |error: Error| error.with("file", self.from.display());
        let header = read_header(&mut *lines).map_err(named)?;
        let target = open_to_import(session::here(global)?, &header.scope_fields).await?;
        let progress = Progress::new(global);
        progress.start_records();
        let tell = |done| progress.reach_in("importing", done, 0);
        let imported = import_lines(&target.side, &header, &mut *lines, &tell).await;
        progress.finish();
        let closed = target.side.store.close().await;
        printer.response(&imported.map_err(named)?, show)?;
        closed
    }

    /// Whether it is a folder that is to be read.
    fn is_folder(&self) -> Result<bool> {
        let is_folder = self.from.is_dir();
        let here = |error: Error| Err(error.with("file", self.from.display()));
        if self.format == Some(Format::Jsonl) && is_folder {
            return here(Error::input("this is a folder and no file of JSON Lines"));
        }
        if self.format == Some(Format::Markdown) && self.from.exists() && !is_folder {
            return here(Error::input("this is a file and no folder of Markdown"));
        }
        let is_folder = is_folder || self.format == Some(Format::Markdown);
        let OfFolder {
            dry_run,
            delete_missing,
            no_propagate,
        } = self.of_folder;
        if !is_folder && (dry_run || delete_missing || no_propagate) {
            return here(Error::input(
                "--dry-run, --delete-missing and --no-propagate are for a folder of Markdown",
            ));
        }
        Ok(is_folder)
    }

    fn unread(&self, cause: std::io::Error) -> Error {
        let error = match cause.kind() {
            std::io::ErrorKind::NotFound => Error::not_found("there is no such file"),
            _ => Error::input("the file cannot be read"),
        };
        error.with("file", self.from.display()).caused_by(cause)
    }
}

fn show(imported: &Imported) -> Vec<Line> {
    let text = format!("{} records", imported.records);
    let new = format!(" ({} put, the others were there)", imported.put);
    vec![
        Line::new()
            .add(Tone::Good, "Imported ")
            .plain(&text)
            .add(Tone::Faint, &new),
    ]
}

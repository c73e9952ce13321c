use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use memu::core::filter::Filter;
use memu::core::scope::Scope;
use memu::core::service::select_scopes;
use memu::core::transfer::{Exported, Side, Transfer, export_lines};
use memu::moving::{End, open_source, open_target};
use memu::{Error, Result};

use super::folder;
use crate::args::{Global, pair};
use crate::output::{Line, Printer, Tone};
use crate::progress::Progress;
use crate::session;

/// Write the memory into a file, complete, so that other programs can read it.
///
/// Everything of the scopes is written: resources with content, segments, items, categories,
/// relations, vectors bit by bit, replies of models. docs/formats.md shows the lines;
/// `memu import` reads them back. With --format markdown, a folder for people: a page for each
/// category with its memories, and one for each conversation or document; `memu import` takes in
/// what is edited there.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The file, which must not be there yet; - for standard output. With --format markdown, a
    /// folder that is new, empty, or of an earlier export
    #[arg(value_name = "TO", default_value = "-")]
    to: PathBuf,
    /// How it is written
    #[arg(long, value_enum, default_value_t = Format::Jsonl, value_name = "FORMAT")]
    format: Format,
    /// A condition on scope fields, as of retrieve; may be repeated
    #[arg(long = "where", short = 'w', value_name = "KEY=VALUE", value_parser = pair)]
    conditions: Vec<(String, String)>,
    /// Export everybody's memories
    #[arg(long)]
    all_scopes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// JSON Lines: a line for each record
    Jsonl,
    /// A new file that is a memory itself, as memu migrate makes it
    Sqlite,
    /// A folder of Markdown that people read and edit
    Markdown,
}

impl Export {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        let source = open_source(session::here(global)?).await?;
        let filter = session::filter(global, &self.conditions);
        let store = &source.side.store;
        let selection = select_scopes(&**store, &filter, self.all_scopes).await?;
        if !selection.filter.is_empty() {
            return Err(Error::input(
                "whole scopes are exported; name conditions on scope fields only",
            ));
        }
        let progress = Progress::new(global);
        let exported = match self.format {
            Format::Jsonl => {
                self.written(&source.side, &selection.scopes, &progress)
                    .await
            }
            Format::Sqlite => {
                let filter = Filter::parse(&filter, store.schema())?;
                self.moved(global, &source, filter, &progress).await
            }
            Format::Markdown => {
                folder::export(&source.side, &selection.scopes, &self.to, &progress).await
            }
        };
        progress.finish();
        let exported = exported?;
        store.close().await?;
        if self.to == Path::new("-") {
            for line in show(&exported, "standard output") {
                printer.remark(&line.to_string());
            }
            return Ok(());
        }
        let to = self.to.display().to_string();
        printer.response(&exported, |exported| show(exported, &to))
    }

    /// Makes a memory of the scopes.
    async fn moved(
        &self,
        global: &Global,
        source: &End,
        filter: Filter,
        progress: &Progress,
    ) -> Result<Exported> {
        if self.to == Path::new("-") {
            return Err(Error::input(
                "a memory is no text for standard output; name a file",
            ));
        }
        check_absent(&self.to)?;
        let to = format!("sqlite:///{}", self.to.display());
        let target = open_target(session::elsewhere(global, &to)?, source).await?;
        progress.start_records();
        let transfer = Transfer {
            from: source.side.clone(),
            to: target.side.clone(),
            filter,
        };
        let tell = |_, done, total| progress.reach_in("exporting", done, total);
        let plan = transfer.plan(&tell).await?;
        let moved = transfer.run(plan, &tell).await?;
        target.side.store.close().await?;
        Ok(Exported {
            scopes: moved.plan.scopes.len(),
            records: moved.put,
            broken_files: moved.plan.broken_files,
        })
    }

    async fn written(
        &self,
        side: &Side,
        scopes: &[Scope],
        progress: &Progress,
    ) -> Result<Exported> {
        progress.start_records();
        let tell = |done| progress.reach_in("exporting", done, 0);
        if self.to == Path::new("-") {
            let mut out = BufWriter::new(std::io::stdout());
            return export_lines(side, scopes, &mut out, &tell).await;
        }
        let unfinished = Unfinished::new(&self.to)?;
        let mut out = BufWriter::new(&unfinished.file);
        let exported = export_lines(side, scopes, &mut out, &tell).await?;
        drop(out);
        unfinished.finish()?;
        Ok(exported)
    }
}

fn check_absent(to: &Path) -> Result<()> {
    if to.exists() {
        return Err(
            Error::input("this file is there already; name another or remove it")
                .with("file", to.display()),
        );
    }
    Ok(())
}

/// A file that gets its name when it is complete.
struct Unfinished {
    file: File,
    place: PathBuf,
    to: PathBuf,
}

impl Unfinished {
    fn new(to: &Path) -> Result<Self> {
        check_absent(to)?;
        let mut place = to.as_os_str().to_owned();
        place.push(".unfinished");
        let place = PathBuf::from(place);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let file = options.open(&place).map_err(|cause| {
            Error::permission("the file cannot be written")
                .with("file", place.display())
                .caused_by(cause)
        })?;
        Ok(Self {
            file,
            place,
            to: to.to_owned(),
        })
    }

    fn finish(mut self) -> Result<()> {
        let finished = self.file.flush().and_then(|()| self.file.sync_all());
        let named = finished.and_then(|()| std::fs::rename(&self.place, &self.to));
        named.map_err(|cause| {
            Error::storage("the file cannot be written")
                .with("file", self.to.display())
                .caused_by(cause)
        })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // One that got its name is not there any more; of any other nothing is to be left.
        let _ = std::fs::remove_file(&self.place);
    }
}

fn show(exported: &Exported, to: &str) -> Vec<Line> {
    let scopes = match exported.scopes {
        1 => "1 scope".to_owned(),
        scopes => format!("{scopes} scopes"),
    };
    let mut lines = vec![
        Line::new()
            .add(Tone::Good, "Exported ")
            .plain("to ")
            .add(Tone::Label, to)
            .add(
                Tone::Faint,
                &format!(" ({scopes}, {} records)", exported.records),
            ),
    ];
    for file in &exported.broken_files {
        let text = format!("  missing or damaged, left out: {file}");
        lines.push(Line::new().add(Tone::Warning, &text));
    }
    lines
}

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use clap::Args;
use memu::core::transfer::{Imported, import_lines, read_header};
use memu::moving::open_to_import;
use memu::{Error, Result};

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
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file; - for standard input
    #[arg(value_name = "FROM")]
    from: PathBuf,
}

impl Import {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
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

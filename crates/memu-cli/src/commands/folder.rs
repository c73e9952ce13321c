//! Exporting into a folder of Markdown, and importing its edits.

use std::path::Path;

use memu::core::scope::Scope;
use memu::core::transfer::markdown::{
    Change, FolderImported, ImportOptions, Left, What, Why, export_folder, import_folder,
    read_folder,
};
use memu::core::transfer::{Exported, Side};
use memu::markdown::{Target, note_imported, read};
use memu::{Error, Result};

use crate::args::Global;
use crate::output::{Line, Printer, Tone};
use crate::progress::Progress;
use crate::session;

/// Writes scopes into a folder.
pub(super) async fn export(
    side: &Side,
    scopes: &[Scope],
    to: &Path,
    progress: &Progress,
) -> Result<Exported> {
    if to == Path::new("-") {
        return Err(Error::input(
            "Markdown is a folder and no text for standard output; name a folder",
        ));
    }
    progress.start_records();
    let tell = |done| progress.reach_in("exporting", done, 0);
    let mut target = Target::open(to)?;
    let (exported, manifest) = export_folder(&*side.store, scopes, &mut target, &tell).await?;
    target.finish(manifest)?;
    Ok(exported)
}

/// Takes in the edits of a folder.
pub(super) async fn import(
    global: &Global,
    printer: &Printer,
    from: &Path,
    options: ImportOptions,
) -> Result<()> {
    let sources = read(from)?;
    let named = |error: Error| error.with("folder", from.display());
    let folder = read_folder(&sources).map_err(named)?;
    let progress = Progress::new(global);
    let fields = folder.scope_fields();
    let service = session::open_to_import(global, &progress, fields, options.dry_run).await?;
    progress.start_records();
    let tell = |done, total| progress.reach_in("importing", done, total);
    let imported = import_folder(&service, &folder, options, &tell).await;
    progress.finish();
    let closed = service.close().await;
    let imported = imported.map_err(named)?;
    if !imported.dry_run {
        note_imported(from, sources)?;
    }
    printer.response(&imported, show)?;
    closed
}

fn show(imported: &FolderImported) -> Vec<Line> {
    let mut lines: Vec<Line> = imported.changes.iter().map(change).collect();
    lines.extend(imported.left.iter().map(left));
    let mut remarks = Vec::new();
    for folder in &imported.missing_scopes {
        remarks.push(format!(
            "the folder {folder} is missing; its memories are kept (memu forget removes them)"
        ));
    }
    for file in &imported.not_taken_in {
        remarks.push(format!(
            "{file} is for reading; what was edited there is not taken in"
        ));
    }
    for file in &imported.unread {
        remarks.push(format!("{file} is none of an export and was not read"));
    }
    if imported.without_sources > 0 {
        remarks.push(format!(
            "{} memories came from conversations or documents, which a folder does not carry",
            imported.without_sources
        ));
    }
    for remark in remarks {
        lines.push(Line::new().add(Tone::Warning, &remark));
    }
    if !imported.summaries.is_empty() {
        let names = imported.summaries.join(", ");
        lines.push(
            Line::new()
                .add(Tone::Faint, "summaries that follow: ")
                .add(Tone::Label, &names),
        );
    }
    lines.push(total(imported));
    lines
}

fn total(imported: &FolderImported) -> Line {
    let count = match imported.changes.len() {
        0 => return Line::new().add(Tone::Good, "Nothing to change"),
        1 => "1 change".to_owned(),
        count => format!("{count} changes"),
    };
    if imported.dry_run {
        return Line::new()
            .plain(&count)
            .plain(" would be made; nothing was changed");
    }
    Line::new().add(Tone::Good, "Imported ").plain(&count)
}

fn change(change: &Change) -> Line {
    let what = match change.what {
        What::CategoryAdded => "new category",
        What::CategoryChanged => "changed category",
        What::MemoryAdded => "new",
        What::MemoryChanged => "changed",
        What::MemoryRemoved => "removed",
        What::Filed => "filed",
        What::TakenOut => "taken out",
    };
    let line = change
        .line
        .map_or_else(String::new, |line| format!(":{line}"));
    Line::new()
        .add(Tone::Label, what)
        .add(Tone::Faint, &format!("  {}{line}  ", change.file))
        .add(Tone::Memory, first_line(&change.text))
}

fn left(left: &Left) -> Line {
    let why = match left.why {
        Why::LineMissing => "kept, though its line is gone (--delete-missing removes it)",
        Why::PageMissing => "kept, though its page is gone",
        Why::RemovedSince => "not brought back: removed from the memory since the export",
    };
    Line::new()
        .add(Tone::Warning, why)
        .add(Tone::Faint, &format!("  {}  ", left.file))
        .add(Tone::Memory, first_line(&left.text))
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

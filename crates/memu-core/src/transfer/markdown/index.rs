//! The page that leads to all others.

use std::fmt::Write as _;

use super::front::Writer;
use super::kinds;
use super::resource::{Sources, label};
use crate::records::MemoryCategory;
use crate::scope::Scope;

/// How it explains itself.
const ABOUT: &str = "\
Every page of a category holds its summary and its memories, and may be edited: texts, types and
dates can be changed, lines added under a category (without a `^reference`), moved from one page
to another, or removed. `memu import` takes the edits in. This page and those of conversations
and documents are for reading.
";

/// The index of an export, as it grows.
#[derive(Debug, Default)]
pub(super) struct Index {
    scopes: String,
}

impl Index {
    /// Begins a scope.
    pub(super) fn begin(&mut self, scope: &Scope) {
        let _ = writeln!(self.scopes, "\n## {}\n", label(&scope.to_string()));
    }

    pub(super) fn category(&mut self, category: &MemoryCategory, file: &str, items: usize) {
        let about = label(&category.description);
        let about = if about.is_empty() {
            about
        } else {
            format!(": {about}")
        };
        let name = label(&category.name);
        let _ = writeln!(
            self.scopes,
            "- [{name}]({file}), {}{about}",
            memories(items)
        );
    }

    pub(super) fn unfiled(&mut self, file: &str, items: usize) {
        let _ = writeln!(
            self.scopes,
            "- [Without a category]({file}), {}",
            memories(items)
        );
    }

    pub(super) fn resources(&mut self, sources: &Sources) {
        if !sources.all.is_empty() {
            self.scopes.push_str("\nWhere they come from:\n\n");
        }
        for source in &sources.all {
            let parts = match source.segments {
                1 => "1 part".to_owned(),
                parts => format!("{parts} parts"),
            };
            let _ = writeln!(
                self.scopes,
                "- [{}]({}), {} of {parts}",
                source.label, source.file, source.modality
            );
        }
    }

    pub(super) fn text(&self) -> String {
        let front = Writer::new(kinds::INDEX).end();
        format!("{front}\n# A memory\n\n{ABOUT}{}", self.scopes)
    }
}

fn memories(count: usize) -> String {
    match count {
        1 => "1 memory".to_owned(),
        count => format!("{count} memories"),
    }
}

//! Pages of resources, for reading only, and links to them.

use std::fmt::Write as _;

use rustc_hash::FxHashMap;

use super::front::Writer;
use super::names::last_part;
use super::{dates, kinds};
use crate::records::{Id, MemoryItem, Resource, Segment};
use crate::time::{Precision, When};

/// The page of a resource: its messages with speaker and time, or its passages.
pub(super) fn page(resource: &Resource, segments: &[Segment]) -> String {
    let mut page = Writer::new(kinds::RESOURCE)
        .text("id", resource.meta.id.as_str())
        .text("url", &resource.url)
        .text("modality", resource.modality.as_str())
        .scope(&resource.meta.scope)
        .end();
    let _ = write!(
        page,
        "\n# {}\n\nFor reading: what is changed here is not imported.\n",
        label(last_part(&resource.url))
    );
    if let Some(caption) = &resource.caption {
        page.push('\n');
        quote(&mut page, caption);
    }
    let mut session = segments.first().map(|segment| segment.session);
    for segment in segments {
        if session != Some(segment.session) {
            session = Some(segment.session);
            page.push_str("\n---\n");
        }
        let _ = writeln!(page, "\n{}^m{}\n", header(segment), segment.ordinal);
        quote(&mut page, &segment.text);
        if let Some(caption) = &segment.caption {
            page.push_str(">\n");
            quote(&mut page, caption);
        }
    }
    page
}

/// Who says it and when.
fn header(segment: &Segment) -> String {
    let speaker = segment
        .attribution()
        .map(|name| format!("**{}**", label(name)));
    let time = segment.happened_at.map(|at| {
        let minute = at
            .with()
            .second(0)
            .subsec_nanosecond(0)
            .build()
            .unwrap_or(at);
        dates::write(&When {
            start: minute,
            end: None,
            precision: Precision::Minute,
        })
    });
    let mut header = speaker
        .into_iter()
        .chain(time)
        .collect::<Vec<_>>()
        .join(", ");
    if !header.is_empty() {
        header.push(' ');
    }
    header
}

/// A text as a quotation, so that nothing in it reaches what follows.
fn quote(page: &mut String, text: &str) {
    for line in text.lines() {
        page.push_str(if line.is_empty() { ">" } else { "> " });
        page.push_str(line);
        page.push('\n');
    }
}

/// A text without what means something in a link or a line of Markdown.
pub(super) fn label(text: &str) -> String {
    let clean = |c: char| match c {
        '[' | ']' | '(' | ')' | '<' | '>' | '*' | '`' | '\\' | '^' | '|' | '!' => '-',
        c if c.is_control() => ' ',
        c => c,
    };
    text.chars().map(clean).collect()
}

/// A page of a resource.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) file: String,
    pub(super) label: String,
    pub(super) modality: &'static str,
    pub(super) segments: u32,
}

/// Where items find what they were drawn from.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// In stored order.
    pub(super) all: Vec<Source>,
    places: FxHashMap<Id, usize>,
    /// The resource of each segment that is cited, and its place there.
    segments: FxHashMap<Id, (Id, u32)>,
}

impl Sources {
    pub(super) fn add(&mut self, resource: &Resource, file: String) {
        self.places.insert(resource.meta.id.clone(), self.all.len());
        self.all.push(Source {
            file,
            label: label(last_part(&resource.url)),
            modality: resource.modality.as_str(),
            segments: resource.segment_count,
        });
    }

    pub(super) fn add_segment(&mut self, segment: &Segment) {
        let place = (segment.resource_id.clone(), segment.ordinal);
        self.segments.insert(segment.meta.id.clone(), place);
    }

    /// Links from a page, which is `up` below the folder of the scope, to what an item cites.
    pub(super) fn links(&self, item: &MemoryItem, up: &str) -> Vec<String> {
        let cited = item
            .segment_ids
            .iter()
            .filter_map(|id| self.segments.get(id));
        let mut cited: Vec<(&Id, Option<u32>)> =
            cited.map(|(id, ordinal)| (id, Some(*ordinal))).collect();
        if cited.is_empty() {
            cited.extend(item.resource_id.as_ref().map(|id| (id, None)));
        }
        let link = |(number, (id, ordinal)): (usize, &(&Id, Option<u32>))| {
            let source = self.all.get(*self.places.get(*id)?)?;
            let (_, file) = source.file.split_once('/')?;
            let label = if number == 0 {
                source.label.clone()
            } else {
                (number + 1).to_string()
            };
            let place = ordinal.map_or_else(String::new, |at| format!("#^m{at}"));
            Some(format!("[{label}]({up}{file}{place})"))
        };
        cited.iter().enumerate().filter_map(link).collect()
    }
}

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use memu::{
    Error, MemorizeRequest, MemorizeResponse, MemorizeStatus, MemoryService, Modality, Result,
    Source,
};

use super::modality::{by_content, by_name};
use crate::args::Global;
use crate::output::{Line, Printer, Tone, date, wrapped};
use crate::progress::Progress;
use crate::session;

/// How many new memories are shown.
const SHOWN: usize = 8;

/// Remember conversations, documents, pictures and recordings.
///
/// Conversations: JSON messages ([{role, content}], {"content": […]}, OpenAI-style
/// {"messages": […]}), JSON Lines, and `Name: text` transcripts. Documents: text, Markdown,
/// PDF, DOCX, HTML and EPUB. Pictures, recordings and videos need a model that sees or hears
/// (llm_profiles), or a caption or transcript. Memorizing the same content again changes
/// nothing; a conversation that has grown adds only what is new.
#[derive(Debug, Args)]
pub(crate) struct Memorize {
    /// Files or URLs; - for standard input
    #[arg(required_unless_present = "resume", value_name = "FILE|URL|-")]
    sources: Vec<String>,
    /// Go on with everything that was cut off because a model failed; what it answered is known,
    /// and not paid for again
    #[arg(long, conflicts_with_all = ["sources", "modality", "caption"])]
    resume: bool,
    /// What they are; by default decided by name and content
    #[arg(long, short, value_name = "MODALITY", value_parser = modality)]
    modality: Option<Modality>,
    /// What a picture shows or a recording says, in words; no model is asked then
    #[arg(long, visible_alias = "transcript", value_name = "TEXT")]
    caption: Option<String>,
    /// A file with the caption or transcript
    #[arg(long, visible_alias = "transcript-file", value_name = "FILE")]
    #[arg(conflicts_with = "caption")]
    caption_file: Option<PathBuf>,
}

fn modality(name: &str) -> Result<Modality, String> {
    name.parse()
        .map_err(|error: Error| error.message().to_owned())
}

impl Memorize {
    pub(crate) async fn run(mut self, global: &Global, printer: &Printer) -> Result<()> {
        if let Some(file) = &self.caption_file {
            self.caption = Some(read_caption(file)?);
        }
        let progress = Progress::new(global);
        let service = session::open(global, &progress).await?;
        let requests = if self.resume {
            unfinished(&service, global, printer).await?
        } else {
            let sources = self.sources.iter();
            sources
                .map(|source| Ok((source.clone(), self.request(source, global)?)))
                .collect::<Result<_>>()?
        };
        let mut left = requests.len();
        progress.start(left);
        for (name, request) in requests {
            progress.working_on(&name);
            let memorized = service.memorize(request).await;
            if memorized.is_err() {
                progress.finish();
                tell_how_to_go_on(&service, global, printer, &name).await;
            }
            let response = memorized?;
            progress.advance();
            left -= 1;
            if left == 0 {
                progress.finish();
            }
            printer.response(&response, show)?;
        }
        service.close().await
    }

    fn request(&self, source: &str, global: &Global) -> Result<MemorizeRequest> {
        if source == "-" {
            let bytes = read_stdin()?;
            let modality = self.modality.unwrap_or_else(|| by_content(&bytes));
            let mut request = MemorizeRequest::content(bytes, "-", modality);
            request.caption.clone_from(&self.caption);
            request.user = session::user(global);
            return Ok(request);
        }
        let modality = self.modality.unwrap_or_else(|| by_name(source));
        let mut request = MemorizeRequest::url(source, modality);
        request.source = Source::Url(source.to_owned());
        request.caption.clone_from(&self.caption);
        request.user = session::user(global);
        Ok(request)
    }
}

/// What was cut off, by name. What was handed over as it was cannot be fetched again.
async fn unfinished(
    service: &MemoryService,
    global: &Global,
    printer: &Printer,
) -> Result<Vec<(String, MemorizeRequest)>> {
    let filter = session::filter(global, &[]);
    let waiting = service.unfinished(&filter, filter.is_empty()).await?;
    if waiting.is_empty() {
        printer.remark("Nothing was cut off.");
    }
    let (at_hand, waiting): (Vec<_>, Vec<_>) =
        waiting.into_iter().partition(|one| one.source.at_hand);
    for one in at_hand {
        let name = one.source.url;
        printer.remark(&format!(
            "{name} is not kept; hand it over once more to go on"
        ));
    }
    let requests = waiting
        .iter()
        .map(|one| (one.source.url.clone(), one.request()));
    Ok(requests.collect())
}

/// After a failure: what models answered is kept, if they did, and can be fetched again.
async fn tell_how_to_go_on(
    service: &MemoryService,
    global: &Global,
    printer: &Printer,
    name: &str,
) {
    let filter = session::filter(global, &[]);
    // The error that is shown is the one before.
    let waiting = service.unfinished(&filter, filter.is_empty()).await;
    let kept = waiting.unwrap_or_default();
    let mut kept = kept.iter().map(|one| &one.source);
    if kept.any(|source| source.url == name && !source.at_hand) {
        printer.remark("What models answered is kept; to go on: memu memorize --resume");
    }
}

fn read_caption(file: &Path) -> Result<String> {
    let caption = std::fs::read_to_string(file).map_err(|cause| {
        Error::input("the caption cannot be read")
            .with("file", file.display())
            .caused_by(cause)
    })?;
    if caption.trim().is_empty() {
        return Err(Error::input("the caption is empty").with("file", file.display()));
    }
    Ok(caption)
}

fn read_stdin() -> Result<Vec<u8>> {
    let mut stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Err(Error::input(
            "nothing is piped into standard input; try: memu memorize - < chat.json",
        ));
    }
    let mut bytes = Vec::new();
    stdin
        .read_to_end(&mut bytes)
        .map_err(|cause| Error::input("standard input cannot be read").caused_by(cause))?;
    Ok(bytes)
}

pub(super) fn show(response: &MemorizeResponse) -> Vec<Line> {
    let resource = &response.resource;
    let mut lines = vec![match response.status {
        MemorizeStatus::Unchanged => Line::new().add(Tone::Good, "Unchanged: ").plain(&format!(
            "{} is memorized already; nothing was added",
            resource.url
        )),
        MemorizeStatus::Created => memorized("Memorized ", response),
        MemorizeStatus::Extended => memorized("Extended ", response),
    }];
    if response.status == MemorizeStatus::Unchanged {
        return lines;
    }
    for item in response.items.iter().take(SHOWN) {
        let mut text = item.summary.clone();
        if let Some(when) = &item.happened {
            text = format!("{text} ({})", date(when));
        }
        lines.extend(wrapped(&Line::new().plain("  • "), Tone::Plain, &text));
    }
    if response.items.len() > SHOWN {
        let rest = response.items.len() - SHOWN;
        lines.push(Line::new().add(
            Tone::Faint,
            &format!("  … and {rest} more: memu list items"),
        ));
    }
    lines
}

fn memorized(verb: &str, response: &MemorizeResponse) -> Line {
    let resource = &response.resource;
    let what = if resource.modality == Modality::Conversation {
        "message"
    } else {
        "passage"
    };
    let mut counts = vec![
        counted(response.new_segments, what),
        counted(response.items.len(), "new memory"),
    ];
    if !response.reinforced.is_empty() {
        counts.push(format!("{} met again", response.reinforced.len()));
    }
    Line::new()
        .add(Tone::Good, verb)
        .add(Tone::Heading, &resource.url)
        .plain(&format!(": {}", counts.join(", ")))
}

/// `1 message`, `2 messages`, `2 new memories`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    let plural = match noun.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{noun}s"),
    };
    let noun = if count == 1 { noun } else { &plural };
    format!("{count} {noun}")
}

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use memu::{
    Error, MemorizeRequest, MemorizeResponse, MemorizeStatus, MemoryService, Modality, Result,
    Source, Unfinished,
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
    /// Let go of what was cut off: remove what models answered about it, by the name under which
    /// it was handed over
    #[arg(long, requires = "sources", conflicts_with_all = ["modality", "caption"])]
    give_up: bool,
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
        let ended = if self.resume {
            resume(&service, global, printer, &progress).await
        } else if self.give_up {
            self.give_up(&service, global, printer).await
        } else {
            self.memorize(&service, global, printer, &progress).await
        };
        progress.finish();
        ended?;
        service.close().await
    }

    async fn memorize(
        &self,
        service: &MemoryService,
        global: &Global,
        printer: &Printer,
        progress: &Progress,
    ) -> Result<()> {
        progress.start(self.sources.len());
        for source in &self.sources {
            progress.working_on(source);
            let memorized = service.memorize(self.request(source, global)?).await;
            if memorized.is_err() {
                progress.finish();
                tell_how_to_go_on(service, global, printer, source).await;
            }
            let response = memorized?;
            progress.advance();
            if self.sources.last() == Some(source) {
                progress.finish();
            }
            printer.response(&response, show)?;
        }
        Ok(())
    }

    /// Lets go of what was cut off, by the names under which it was handed over.
    async fn give_up(
        &self,
        service: &MemoryService,
        global: &Global,
        printer: &Printer,
    ) -> Result<()> {
        let waiting = unfinished(service, global).await?;
        for name in &self.sources {
            let named = |one: &&Unfinished| {
                one.source.url == *name || one.source.location.as_ref() == Some(name)
            };
            let mut found = waiting.iter().filter(named).peekable();
            if found.peek().is_none() {
                return Err(Error::not_found("nothing of this name was cut off").with("file", name));
            }
            for one in found {
                let replies = service.give_up(one).await?;
                printer.remark(&format!("Gave up {name}: {}", counted(replies, "reply")));
            }
        }
        Ok(())
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

/// Goes on with all that was cut off; what fails again does not keep the rest from going on.
async fn resume(
    service: &MemoryService,
    global: &Global,
    printer: &Printer,
    progress: &Progress,
) -> Result<()> {
    let waiting = unfinished(service, global).await?;
    if waiting.is_empty() {
        printer.remark("Nothing was cut off.");
    }
    progress.start(waiting.len());
    let mut failed = 0;
    for one in &waiting {
        progress.working_on(&one.source.url);
        let resumed = service.resume(one).await;
        progress.advance();
        match resumed {
            Ok(response) => printer.response(&response, show)?,
            Err(error) => {
                failed += 1;
                printer.remark(&format!("{}: {error}", one.source.url));
            }
        }
    }
    match failed {
        0 => Ok(()),
        _ => Err(Error::model(format!(
            "{failed} of {} could not go on; `memu memorize --give-up NAME` lets go of one",
            waiting.len()
        ))),
    }
}

async fn unfinished(service: &MemoryService, global: &Global) -> Result<Vec<Unfinished>> {
    let filter = session::filter(global, &[]);
    service.unfinished(&filter, filter.is_empty()).await
}

/// After a failure: what models answered is kept, if they did, and can be fetched again.
async fn tell_how_to_go_on(
    service: &MemoryService,
    global: &Global,
    printer: &Printer,
    name: &str,
) {
    // The error that is shown is the one before.
    let kept = unfinished(service, global).await.unwrap_or_default();
    let mut kept = kept.iter().map(|one| &one.source);
    if kept.any(|source| source.url == name && source.location.is_some()) {
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

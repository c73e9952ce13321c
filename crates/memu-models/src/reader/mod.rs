//! Pictures, recordings and videos, read by models that see and hear.

mod format;
mod hearing;
mod parts;
mod video;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::{join, join_all};
use memu_core::provider::{Calls, Media, ReadRequest, Reader, Reading};
use memu_core::records::{Modality, public_address};
use memu_core::{Error, Result};

use crate::retrieval::ProfiledModel;
use crate::understanding::caption::{Caption, CaptionTask, caption_request, read_caption};
use crate::understanding::prompt::{CustomPrompt, PromptName};
use hearing::Hearing;
pub use video::{Footage, VideoCutter};

/// The step that asks.
const STEP: &str = "preprocess_multimodal";
/// Of a transcript that is longer, in characters, no model is asked to clean it up: its answer
/// would have to be as long.
const LONGEST_CLEANED: usize = 40_000;
/// A cleaned transcript that has fewer of the words of the recording, of 100, left something out.
const LEAST_WORDS: usize = 50;

/// Has a model describe pictures, write down recordings and look at frames of videos; what it
/// writes goes to another reader, as does all text.
///
/// Documents are condensed only when there is a prompt for that; conversations never.
#[derive(Debug)]
pub struct ModelReader {
    text: Arc<dyn Reader>,
    model: ProfiledModel,
    prompts: BTreeMap<String, CustomPrompt>,
    video: Arc<dyn VideoCutter>,
    frames: usize,
}

impl ModelReader {
    /// A reader that asks a model. `text` reads what models write, `prompts` are users' own by
    /// modality (`image`, `video`, `audio`, `document`), and of each video the model is shown this
    /// many frames.
    pub fn new(
        text: Arc<dyn Reader>,
        model: ProfiledModel,
        prompts: BTreeMap<String, CustomPrompt>,
        video: Arc<dyn VideoCutter>,
        frames: usize,
    ) -> Self {
        Self {
            text,
            model,
            prompts,
            video,
            frames,
        }
    }

    /// The prompt for a modality that can have one of the user's own.
    pub fn prompt_name(modality: Modality) -> Option<PromptName> {
        Some(match modality {
            Modality::Image => PromptName::Image,
            Modality::Video => PromptName::Video,
            Modality::Audio => PromptName::Audio,
            Modality::Document => PromptName::Document,
            Modality::Conversation => return None,
        })
    }

    async fn caption(&self, task: &CaptionTask, calls: &Calls) -> Result<Caption> {
        let own = self.prompts.get(task.prompt_name().as_str());
        let prompted = caption_request(task, own)?;
        self.model.ask(STEP, prompted, calls, read_caption).await
    }

    /// The same where there is something else to go on with when no answer can be used. That no
    /// answer came is an error all the same: the next attempt may get one.
    async fn caption_if_usable(
        &self,
        task: &CaptionTask,
        calls: &Calls,
    ) -> Result<Option<Caption>> {
        match self.caption(task, calls).await {
            Err(error) if Calls::were_unusable(&error) => Ok(None),
            caption => caption.map(Some),
        }
    }

    async fn image(&self, request: ReadRequest, calls: &Calls) -> Result<Reading> {
        let image = format::image(&request, self.model.model.name())?;
        let task = CaptionTask::Image {
            image,
            hint: hint(&request.url),
        };
        let caption = self.caption(&task, calls).await?;
        let text = caption.text.unwrap_or_else(|| caption.caption.clone());
        self.described(request, text, Some(caption.caption), calls)
            .await
    }

    async fn audio(&self, request: ReadRequest, calls: &Calls) -> Result<Reading> {
        let Some(recording) = format::recording(&request, self.model.model.name())? else {
            // A transcript that calls itself a recording, as memU takes them, too.
            return self.text.read(request, calls).await;
        };
        let transcript = self.transcript(&recording, calls).await?;
        if transcript.is_empty() {
            return Err(Error::input(
                "the model heard nobody say anything in it; hand in a transcript, or a caption",
            )
            .with("file", &request.url));
        }
        let (text, caption) = self.cleaned(transcript, calls).await?;
        self.written(request, text, caption, calls).await
    }

    async fn transcript(&self, recording: &Media, calls: &Calls) -> Result<String> {
        let hearing = Hearing::of(&*self.model.model);
        hearing
            .transcript(STEP, &self.model.profile, recording, calls)
            .await
    }

    /// A transcript cleaned up, with what it is about; as it is where the model cannot do that
    /// without leaving something out.
    async fn cleaned(&self, raw: String, calls: &Calls) -> Result<(String, Option<String>)> {
        if raw.chars().count() > LONGEST_CLEANED {
            return Ok((raw, None));
        }
        let task = CaptionTask::Audio {
            transcript: raw.clone(),
        };
        let Some(caption) = self.caption_if_usable(&task, calls).await? else {
            return Ok((raw, None));
        };
        let words = |text: &str| text.split_whitespace().map(str::len).sum::<usize>();
        let whole = |text: &String| words(text) * 100 >= words(&raw) * LEAST_WORDS;
        let text = caption.text.filter(whole).unwrap_or(raw);
        Ok((text, Some(caption.caption)))
    }

    async fn video(&self, request: ReadRequest, calls: &Calls) -> Result<Reading> {
        let hears = self.model.model.transcriber().is_some();
        let cut = self.video.cut(request.bytes.clone(), self.frames, hears);
        let footage = cut
            .await
            .map_err(|error| error.with("file", &request.url))?;
        let task = CaptionTask::Video {
            frames: footage.frames,
            hint: hint(&request.url),
        };
        let heard = async {
            match &footage.sound {
                Some(sound) => self.transcript(sound, calls).await,
                None => Ok(String::new()),
            }
        };
        // Both are waited for, also when one fails: what was answered need not be asked again.
        let (caption, heard) = join(self.caption(&task, calls), heard).await;
        let (caption, heard) = (caption?, heard?);
        let mut text = caption.text.unwrap_or_else(|| caption.caption.clone());
        if !heard.is_empty() {
            text = format!("# What is seen\n\n{text}\n\n# What is said\n\n{heard}");
        }
        self.described(request, text, Some(caption.caption), calls)
            .await
    }

    /// A document, condensed part by part; a part of which no answer can be used stays as it is.
    async fn document(&self, mut request: ReadRequest, calls: &Calls) -> Result<Reading> {
        let Ok(text) = std::str::from_utf8(&request.bytes) else {
            return self.text.read(request, calls).await;
        };
        let parts = parts::parts(text);
        let captions = join_all(parts.iter().map(async |part| {
            let text = (*part).to_owned();
            let task = CaptionTask::Document { text };
            self.caption_if_usable(&task, calls).await
        }));
        let mut condensed: Vec<String> = Vec::new();
        let mut about = None;
        for (part, caption) in parts.iter().zip(captions.await) {
            let caption = caption?;
            let text = caption.as_ref().and_then(|caption| caption.text.clone());
            condensed.push(text.unwrap_or_else(|| (*part).to_owned()));
            about = about.or(caption.map(|caption| caption.caption));
        }
        request.bytes = condensed.join("\n\n").into_bytes().into();
        let mut reading = self.text.read(request, calls).await?;
        without_spans(&mut reading);
        reading.caption = reading.caption.or(about);
        Ok(reading)
    }

    /// Reads what was written about a picture or a video: every passage of it is about the same.
    async fn described(
        &self,
        request: ReadRequest,
        text: String,
        caption: Option<String>,
        calls: &Calls,
    ) -> Result<Reading> {
        let mut reading = self.written(request, text, caption, calls).await?;
        for draft in &mut reading.drafts {
            let about = reading.caption.clone().filter(|about| *about != draft.text);
            draft.caption = draft.caption.take().or(about);
        }
        Ok(reading)
    }

    async fn written(
        &self,
        mut request: ReadRequest,
        text: String,
        caption: Option<String>,
        calls: &Calls,
    ) -> Result<Reading> {
        request.caption = Some(text);
        let mut reading = self.text.read(request, calls).await?;
        without_spans(&mut reading);
        reading.caption = caption;
        Ok(reading)
    }

    fn missing(&self, modality: Modality, what: &str, instead: &str) -> Error {
        Error::unsupported(format!(
            "the provider of the profile {:?} has no model that {what}, which a resource of \
             modality {modality} needs; name the profile of one that has in \
             memorize_config.preprocess_llm_profile, or hand in {instead}",
            self.model.profile
        ))
        .with("modality", modality)
        .with("profile", &self.model.profile)
        .with("model", self.model.model.name())
    }
}

/// What a model wrote is not to be found in the bytes.
fn without_spans(reading: &mut Reading) {
    for draft in &mut reading.drafts {
        draft.span = None;
    }
}

/// What the name of a file tells about what is in it.
fn hint(url: &str) -> Option<String> {
    let url = public_address(url);
    let path = url.split(['?', '#']).next().unwrap_or(&url);
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let tells = name.chars().any(char::is_alphabetic);
    tells.then(|| format!("The file is called {name}"))
}

#[async_trait]
impl Reader for ModelReader {
    fn check(&self, modality: Modality) -> Result<()> {
        let model = &self.model.model;
        match modality {
            Modality::Conversation | Modality::Document => self.text.check(modality),
            Modality::Image | Modality::Video if !model.sees() => {
                Err(self.missing(modality, "sees pictures", "a caption"))
            }
            Modality::Audio if model.transcriber().is_none() => {
                Err(self.missing(modality, "hears recordings", "a transcript"))
            }
            Modality::Video => self.video.check(),
            Modality::Image | Modality::Audio => Ok(()),
        }
    }

    async fn read(&self, request: ReadRequest, calls: &Calls) -> Result<Reading> {
        if request.caption.is_some() {
            return self.text.read(request, calls).await;
        }
        match request.modality {
            Modality::Image => self.image(request, calls).await,
            Modality::Audio => self.audio(request, calls).await,
            Modality::Video => self.video(request, calls).await,
            Modality::Document if self.prompts.contains_key("document") => {
                self.document(request, calls).await
            }
            Modality::Document | Modality::Conversation => self.text.read(request, calls).await,
        }
    }
}

#[cfg(test)]
mod tests;

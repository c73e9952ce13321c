use std::time::Instant;

use clap::{Args, Subcommand};
use memu::core::provider::{ChatMessage, ChatModel, ChatRequest, Embedder};
use memu::core::records::Role;
use memu::providers::presets::{self, Preset};
use memu::providers::{Connection, Profile, Surroundings};
use memu::{Error, Result};
use serde::Serialize;

use crate::args::Global;
use crate::output::{Line, Printer, Tone, columns};
use crate::session;

/// Providers of models: which there are, and whether the configured ones answer.
#[derive(Debug, Args)]
pub(crate) struct Models {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the providers that profiles may name, with their defaults
    List,
    /// Ask the model of each configured profile for a word and a vector
    Test(Test),
}

#[derive(Debug, Args)]
struct Test {
    /// Only this profile
    profile: Option<String>,
}

/// How a profile answered.
#[derive(Debug, Serialize)]
struct Tested {
    profile: String,
    /// The model that chats or embeds.
    model: String,
    /// What was asked for: `chat` or `embed`.
    what: &'static str,
    /// How long it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    milliseconds: Option<f64>,
    /// How many numbers a vector has.
    #[serde(skip_serializing_if = "Option::is_none")]
    dimension: Option<u32>,
    /// Why it did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Models {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        match self.what {
            None | Some(What::List) => printer.response(&presets::ALL, |all| table(all)),
            Some(What::Test(test)) => test.run(global, printer).await,
        }
    }
}

/// Each provider with its models, and below where it is and which variable holds its key: all
/// side by side would not fit on a screen.
fn table(all: &[Preset]) -> Vec<Line> {
    let names = all.iter().map(|preset| preset.name.len());
    let indent = " ".repeat(names.max().unwrap_or_default());
    let headings = ["provider", "chat model", "embedding model"];
    let below = [indent.as_str(), "address", "key"];
    let [headings, below] = [headings, below].map(|texts| {
        let cells = texts.map(|text| (Tone::Heading, text.to_owned()));
        cells.to_vec()
    });
    let models: Vec<_> = std::iter::once(headings)
        .chain(all.iter().map(models))
        .collect();
    let places: Vec<_> = std::iter::once(below)
        .chain(all.iter().map(|preset| place(preset, &indent)))
        .collect();
    let lines = columns(&models).into_iter().zip(columns(&places));
    lines.flat_map(|(models, place)| [models, place]).collect()
}

fn models(preset: &Preset) -> Vec<(Tone, String)> {
    let model = |kind: Option<Option<&str>>| match kind {
        None => "–".to_owned(),
        Some(None) => "(name one)".to_owned(),
        Some(Some(model)) => model.to_owned(),
    };
    vec![
        (Tone::Label, preset.name.to_owned()),
        (Tone::Plain, model(preset.chat.map(|chat| chat.model))),
        (Tone::Plain, model(preset.embed.map(|embed| embed.model))),
    ]
}

fn place(preset: &Preset, indent: &str) -> Vec<(Tone, String)> {
    let address = match (preset.base_url, preset.url_variable) {
        (Some(address), _) => address.to_owned(),
        (None, Some(variable)) => format!("(base_url or {variable})"),
        (None, None) => "(base_url)".to_owned(),
    };
    let key = preset.key_variables.first().copied();
    vec![
        (Tone::Plain, indent.to_owned()),
        (Tone::Faint, address),
        (Tone::Faint, key.unwrap_or("–").to_owned()),
    ]
}

impl Test {
    async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        let settings = session::settings(global)?;
        let wanted = |name: &str| self.profile.as_deref().is_none_or(|wanted| wanted == name);
        let profiles = settings.llm_profiles.iter();
        let profiles: Vec<(&String, Profile)> = profiles
            .filter(|(name, _)| wanted(name))
            .filter_map(|(name, profile)| Some((name, profile.remote()?)))
            .collect();
        if profiles.is_empty() {
            return Err(match &self.profile {
                Some(name) => Error::input(format!("llm_profiles has no model named {name:?}")),
                None => Error::input(
                    "no model is configured: llm_profiles names none, so this process does all",
                ),
            });
        }
        let surroundings = Surroundings::default();
        surroundings.open_traffic()?;
        let mut tested = Vec::new();
        for (name, profile) in &profiles {
            tested.extend(test(name, profile, &surroundings).await?);
        }
        printer.response(&tested, |tested| tested.iter().map(line).collect())?;
        match tested.iter().filter(|one| one.error.is_some()).count() {
            0 => Ok(()),
            failed => Err(Error::model(format!(
                "{failed} of {} models did not answer",
                tested.len()
            ))),
        }
    }
}

/// Asks what the provider of a profile can do; a profile named for embedding only embeds.
async fn test(name: &str, profile: &Profile, surroundings: &Surroundings) -> Result<Vec<Tested>> {
    let preset = profile.validate(name)?;
    let connection = Connection::new(name, profile, surroundings)?;
    let mut tested = Vec::new();
    if preset.chat.is_some() && name != "embedding" {
        tested.push(chat(name, &connection).await);
    }
    if preset.embed.is_some() {
        tested.push(embed(name, &connection).await);
    }
    Ok(tested)
}

async fn chat(name: &str, connection: &Connection) -> Tested {
    let mut tested = Tested::new(name, "chat");
    let started = Instant::now();
    let asked = async {
        let model = connection.chat_model()?;
        let request = ChatRequest {
            messages: vec![ChatMessage::new(Role::User, "Answer with the word ok.")],
            format: None,
            temperature: None,
            max_tokens: None,
        };
        let reply = model.read(&model.chat(&request).await?)?;
        reply.complete_text()?;
        Ok(model.name().to_owned())
    };
    tested.note(asked.await, started);
    tested
}

async fn embed(name: &str, connection: &Connection) -> Tested {
    let mut tested = Tested::new(name, "embed");
    let started = Instant::now();
    let asked = async {
        let embedder = connection.embedder().await?;
        embedder.embed(&["ok"]).await?;
        let identity = embedder.identity();
        tested.dimension = Some(identity.dimension);
        Ok(format!("{}/{}", identity.provider, identity.model))
    };
    let asked = asked.await;
    tested.note(asked, started);
    tested
}

impl Tested {
    fn new(profile: &str, what: &'static str) -> Self {
        Self {
            profile: profile.to_owned(),
            model: String::new(),
            what,
            milliseconds: None,
            dimension: None,
            error: None,
        }
    }

    fn note(&mut self, asked: Result<String>, started: Instant) {
        match asked {
            Ok(model) => {
                self.model = model;
                self.milliseconds = Some(started.elapsed().as_secs_f64() * 1e3);
            }
            Err(error) => self.error = Some(error.to_string()),
        }
    }
}

fn line(tested: &Tested) -> Line {
    let line = Line::new()
        .add(Tone::Label, &format!("{:<12}", tested.profile))
        .plain(&format!("{:<6}", tested.what));
    let dimension = tested
        .dimension
        .map_or(String::new(), |numbers| format!(", {numbers} numbers"));
    match (&tested.error, tested.milliseconds) {
        (Some(error), _) => line.add(Tone::Error, error),
        (None, time) => line.plain(&format!(
            "{} in {:.0} ms{dimension}",
            tested.model,
            time.unwrap_or_default()
        )),
    }
}

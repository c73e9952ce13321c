use std::path::PathBuf;

use clap::{Args, Subcommand};
use memu::Result;
use memu::models::{self, MINILM, Model as Known};
use serde::Serialize;

use crate::args::Global;
use crate::output::{Line, Printer, Tone};
use crate::progress::Progress;

/// Fetch models that run on this machine.
#[derive(Debug, Args)]
pub(crate) struct Model {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Fetch a model, checked by its SHA-256
    Pull(Pull),
    /// Which models there are, and which are here
    List,
}

#[derive(Debug, Args)]
struct Pull {
    /// The model
    #[arg(default_value = MINILM.name)]
    name: String,
    /// The folder to put it in [default: the user's folder for program data]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

/// A model, as it is shown.
#[derive(Debug, Serialize)]
struct Shown {
    name: &'static str,
    about: &'static str,
    bytes: u64,
    path: PathBuf,
    here: bool,
}

impl Shown {
    fn new(model: Known, folder: PathBuf) -> Self {
        Self {
            name: model.name,
            about: model.about,
            bytes: model.bytes(),
            here: model.is_in(&folder),
            path: folder,
        }
    }
}

impl Model {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        match self.what {
            What::Pull(pull) => pull.run(global, printer).await,
            What::List => {
                let shown = models::ALL
                    .into_iter()
                    .map(|model| Ok(Shown::new(model, model.folder()?)))
                    .collect::<Result<Vec<Shown>>>()?;
                printer.response(&shown, |shown| shown.iter().flat_map(lines).collect())
            }
        }
    }
}

impl Pull {
    async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        let model = Known::named(&self.name)?;
        let folder = match self.to {
            Some(folder) => folder,
            None => model.folder()?,
        };
        let progress = Progress::new(global);
        progress.start_bytes(model.bytes());
        progress.working_on(model.name);
        let pulled = model.pull(&folder, |bytes| progress.reach(bytes)).await;
        progress.finish();
        pulled?;
        printer.response(&Shown::new(model, folder), lines)
    }
}

fn lines(shown: &Shown) -> Vec<Line> {
    let state = if shown.here { "here" } else { "not here" };
    let tone = if shown.here { Tone::Good } else { Tone::Faint };
    let megabytes = shown.bytes as f64 / 1e6;
    vec![
        Line::new()
            .add(Tone::Label, shown.name)
            .plain(&format!("  {}, {megabytes:.0} MB  ", shown.about))
            .add(tone, state),
        Line::new().add(Tone::Faint, &format!("  {}", shown.path.display())),
    ]
}

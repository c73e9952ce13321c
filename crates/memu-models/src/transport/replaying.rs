//! Exchanges with providers, out of a recording.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use memu_core::{Error, Result};
use serde_json::Value;

use super::difference::{difference, in_common};
use super::exchange::{Answer, Exchange};
use super::secrets::Secrets;
use super::{Call, Failure};

/// A recording that answers in place of providers.
#[derive(Debug)]
pub(crate) struct Replay {
    path: PathBuf,
    /// By line.
    exchanges: Vec<(usize, Exchange)>,
    turns: HashMap<String, Turns>,
}

/// The exchanges that have the same request, in the order in which they were recorded.
#[derive(Debug, Default)]
struct Turns {
    places: Vec<usize>,
    next: AtomicUsize,
}

impl Turns {
    /// The place of the next one; the last one is repeated.
    fn next(&self) -> Option<usize> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        self.places.get(turn).or(self.places.last()).copied()
    }
}

impl Replay {
    /// Reads a recording.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let named = |message: &'static str| Error::config(message).with("file", path.display());
        let text = std::fs::read_to_string(path).map_err(|cause| {
            named("the recording that MEMU_REPLAY names cannot be read").caused_by(cause)
        })?;
        let mut exchanges = Vec::new();
        let mut turns: HashMap<String, Turns> = HashMap::new();
        let lines = (1_usize..).zip(text.lines());
        for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
            let exchange = Exchange::read(line).map_err(|why| {
                named("a line of the recording that MEMU_REPLAY names cannot be used")
                    .with("line", number)
                    .caused_by(why)
            })?;
            let same = turns.entry(exchange.request_hash.clone()).or_default();
            same.places.push(exchanges.len());
            exchanges.push((number, exchange));
        }
        Ok(Self {
            path: path.to_owned(),
            exchanges,
            turns,
        })
    }

    /// What came of the same request when it was recorded.
    pub(super) fn answer(&self, call: &Call) -> Result<Answer, Failure> {
        let place = self.turns.get(&call.hash()).and_then(Turns::next);
        match place.and_then(|place| self.exchanges.get(place)) {
            Some((_, exchange)) => exchange.came(),
            None => Err(Failure::new(self.missing(call), false)),
        }
    }

    /// Says that there is no such request, and how the nearest differs.
    fn missing(&self, call: &Call) -> String {
        let (file, path) = (self.path.display(), &call.path);
        let message = format!("the recording {file} has no such request to {path}");
        let there = self
            .exchanges
            .iter()
            .filter(|(_, exchange)| exchange.path == *path);
        let here = str::from_utf8(&call.body).ok();
        let here = here.and_then(|text| Secrets::new(None).json(text).ok().flatten());
        let nearest = there.max_by_key(|(_, exchange)| match (&here, &exchange.request) {
            (Some(here), Some(there)) => in_common(here.get(), there.get()),
            _ => (0, 0),
        });
        let Some((line, nearest)) = nearest else {
            return format!("{message}, nor any other to that path");
        };
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        let how = match (&here, &nearest.request) {
            (Some(here), Some(there)) => difference(&read(here.get()), &read(there.get())),
            _ => None,
        };
        let how = how.unwrap_or_else(|| "in bytes that are not recorded".to_owned());
        format!("{message}; the nearest, in line {line}, differs {how}")
    }
}

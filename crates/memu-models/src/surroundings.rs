//! What clients need from the world, so that tests control it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use memu_core::Result;
use memu_core::environment::{Clock, IdSource as _, RandomIds, SystemClock};

use crate::transport::Traffic;

/// What clients need from the world.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Where keys and addresses may come from.
    pub variables: Variables,
    /// How long to wait before a call is made again.
    pub delays: Delays,
    /// What waits.
    pub pause: Arc<dyn Pause>,
    /// What tells how far off a date is that a provider names.
    pub clock: Arc<dyn Clock>,
    /// Where the random part of the delays starts; a number of its own for every process, so
    /// that they do not all come back at the same moment.
    pub seed: u64,
    /// Whether calls go over the network, are recorded (the variable `MEMU_RECORD`) or come out
    /// of a recording (`MEMU_REPLAY`).
    pub traffic: Traffic,
}

impl Surroundings {
    /// Opens the recording that the variables name, if they do: otherwise the first connection
    /// does.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](memu_core::ErrorKind::Config) when both are set, or when a file
    /// cannot be used, naming it and the line.
    pub fn open_traffic(&self) -> Result<()> {
        self.traffic.route(&self.variables).map(drop)
    }
}

impl Default for Surroundings {
    fn default() -> Self {
        let id = RandomIds.next_id().to_string();
        let digits = id.chars().filter(char::is_ascii_hexdigit).take(16);
        let seed = u64::from_str_radix(&digits.collect::<String>(), 16);
        Self {
            variables: Variables::default(),
            delays: Delays::default(),
            pause: Arc::new(TokioPause),
            clock: Arc::new(SystemClock),
            seed: seed.unwrap_or_default(),
            traffic: Traffic::default(),
        }
    }
}

/// How long to wait before a call is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delays {
    /// After the first attempt, at most; half of it at least. It doubles with every further
    /// one. Default: 0.5 s.
    pub first: Duration,
    /// What it doubles up to. Default: 20 s.
    pub longest: Duration,
    /// However long a provider asks to wait, no longer than this. Default: 60 s.
    pub longest_asked: Duration,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(20),
            longest_asked: Duration::from_mins(1),
        }
    }
}

/// Waits.
#[async_trait]
pub trait Pause: fmt::Debug + Send + Sync {
    /// Waits for so long.
    async fn pause(&self, time: Duration);
}

/// Waits by the clock of tokio.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioPause;

#[async_trait]
impl Pause for TokioPause {
    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// Environment variables: those of the process, or fixed ones.
#[derive(Clone, Default)]
pub struct Variables(Option<Arc<BTreeMap<String, String>>>);

impl Variables {
    /// These and no others.
    pub fn fixed<const N: usize>(variables: [(&str, &str); N]) -> Self {
        let owned = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self(Some(Arc::new(owned.into())))
    }

    /// The value of a variable that is set and not blank.
    pub fn get(&self, name: &str) -> Option<String> {
        let value = match &self.0 {
            None => std::env::var(name).ok(),
            Some(fixed) => fixed.get(name).cloned(),
        };
        let value = value.map(|value| value.trim().to_owned());
        value.filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for Variables {
    // Among the values are keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            None => "Variables(of the process)",
            Some(_) => "Variables(fixed)",
        })
    }
}

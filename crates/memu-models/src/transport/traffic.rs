use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use memu_core::{Error, Result};

use super::recording::Recorder;
use super::replaying::Replay;
use crate::surroundings::Variables;

/// The variable that names a file to record in.
const RECORD: &str = "MEMU_RECORD";
/// The variable that names a recording that answers.
const REPLAY: &str = "MEMU_REPLAY";

/// How requests reach providers: as [`Surroundings::variables`](crate::Surroundings) say when
/// it is asked for first. Clones share it, so that all connections record in one file, and take
/// turns in one recording.
#[derive(Clone, Default)]
pub struct Traffic(Arc<Mutex<Option<Route>>>);

/// How requests reach providers.
#[derive(Clone, Debug)]
pub(crate) enum Route {
    /// Over the network.
    Direct,
    /// The same, and it is written down.
    Recorded(Arc<Recorder>),
    /// Not at all.
    Replayed(Arc<Replay>),
}

impl Traffic {
    pub(crate) fn route(&self, variables: &Variables) -> Result<Route> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = &*known {
            return Ok(route.clone());
        }
        let route = match (variables.get(RECORD), variables.get(REPLAY)) {
            (None, None) => Route::Direct,
            (Some(file), None) => Route::Recorded(Arc::new(Recorder::open(Path::new(&file))?)),
            (None, Some(file)) => Route::Replayed(Arc::new(Replay::open(Path::new(&file))?)),
            (Some(_), Some(_)) => {
                return Err(Error::config(
                    "MEMU_RECORD and MEMU_REPLAY are both set; a run is either recorded or \
                     replayed, so unset one of them",
                ));
            }
        };
        Ok(known.insert(route).clone())
    }
}

impl fmt::Debug for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Traffic")
    }
}

impl Route {
    /// Whether a recording answers.
    pub(crate) fn is_replay(&self) -> bool {
        matches!(self, Self::Replayed(_))
    }
}

use jiff::civil;
use rustc_hash::FxHashMap;

/// The longest pause within a session, in seconds: six hours.
const LONGEST_PAUSE: i64 = 6 * 60 * 60;

/// Numbers sessions from 0 in the order of their first appearance: as the input
/// names them, otherwise split at pauses of more than six hours. Looks back only,
/// so that what comes later changes no number.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    numbers: FxHashMap<String, u32>,
    next: u32,
    current: Option<u32>,
    last_time: Option<civil::DateTime>,
}

impl Sessions {
    /// Forgets what the input called its sessions so far: those of another
    /// conversation are others.
    pub(super) fn start_conversation(&mut self) {
        self.numbers.clear();
        self.current = None;
        self.last_time = None;
    }

    /// The session of the next message. One that names no session stays in the
    /// current one unless a pause parts them.
    pub(super) fn number(&mut self, name: Option<&str>, time: Option<civil::DateTime>) -> u32 {
        let paused = self.pause_before(time) > LONGEST_PAUSE;
        if time.is_some() {
            self.last_time = time;
        }
        let number = match (name, self.current) {
            (Some(name), _) => self.numbers.get(name).copied().unwrap_or_else(|| {
                let number = self.open();
                self.numbers.insert(name.to_owned(), number);
                number
            }),
            (None, Some(current)) if !paused => current,
            (None, _) => self.open(),
        };
        self.current = Some(number);
        number
    }

    fn open(&mut self) -> u32 {
        let number = self.next;
        self.next += 1;
        number
    }

    fn pause_before(&self, time: Option<civil::DateTime>) -> i64 {
        match (self.last_time, time) {
            (Some(before), Some(now)) => seconds_between(before, now),
            _ => 0,
        }
    }
}

/// Seconds from `before` to `now`; negative when `now` is earlier.
pub(crate) fn seconds_between(before: civil::DateTime, now: civil::DateTime) -> i64 {
    now.duration_since(before).as_secs()
}

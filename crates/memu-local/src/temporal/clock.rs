//! Clock times, which make a day more exact when they stand in its clause.

use jiff::civil::Time;
use memu_core::time::{Precision, When};

use super::Found;
use super::tokens::Tokens;

/// How many tokens may lie between a day and its clock time.
const REACH: usize = 8;

/// Gives each day the nearest clock time of its clause.
pub(super) fn attach(tokens: &Tokens<'_>, founds: &mut [Found]) {
    if !founds.iter().any(Found::is_single_day) {
        return;
    }
    for index in 0..tokens.len() {
        let Some(clock) = read(tokens, index) else {
            continue;
        };
        let nearest = founds
            .iter_mut()
            .filter(|found| found.is_single_day())
            .filter_map(|found| Some((distance(tokens, found, index)?, found)))
            .min_by_key(|(distance, _)| *distance);
        if let Some((_, found)) = nearest {
            refine(tokens, found, clock);
        }
    }
}

/// How far the clock time at `index` is from `found`, if it is in its clause.
fn distance(tokens: &Tokens<'_>, found: &Found, index: usize) -> Option<usize> {
    let between = if index >= found.tokens.end {
        found.tokens.end..index
    } else {
        index..found.tokens.start
    };
    let same_clause = between.len() <= REACH
        && !between
            .clone()
            .any(|at| matches!(tokens.word(at), ";" | "!" | "?" | "but"));
    same_clause.then_some(between.len())
}

fn refine(tokens: &Tokens<'_>, found: &mut Found, clock: Clock) {
    let last = tokens.word(found.tokens.end - 1);
    let Some(hour) = clock.hour_in(last) else {
        return;
    };
    let mut date = found.when.start.date();
    // "Last night at 2 AM" is already the next day.
    if last.ends_with("night") && hour < 6 {
        date = date.tomorrow().unwrap_or(date);
    }
    if let Ok(time) = Time::new(hour, clock.minute, 0, 0) {
        found.when = When {
            start: date.to_datetime(time),
            end: None,
            precision: Precision::Minute,
        };
    }
}

/// A reading of the clock.
#[derive(Clone, Copy, Debug)]
struct Clock {
    hour: i8,
    minute: i8,
    /// Whether the hour counts from midnight, not from noon or midnight.
    certain: bool,
}

impl Clock {
    /// The hour from 0 to 23, where the part of the day may have to tell; `None`
    /// where it stays open.
    fn hour_in(self, part_of_day: &str) -> Option<i8> {
        if self.certain {
            return Some(self.hour);
        }
        match part_of_day {
            "morning" => Some(self.hour),
            "afternoon" | "evening" | "night" | "tonight" if self.hour < 12 => Some(self.hour + 12),
            _ => None,
        }
    }
}

fn read(tokens: &Tokens<'_>, index: usize) -> Option<Clock> {
    let word = tokens.word(index);
    match word {
        "noon" | "midday" => return Some(certain(12, 0)),
        "midnight" => return Some(certain(0, 0)),
        _ => {}
    }
    if !word.starts_with(|c: char| c.is_ascii_digit())
        || matches!(tokens.before(index), ":" | "$" | ".") && tokens.touches_next(index - 1)
    {
        return None;
    }
    let (hour_text, attached) = split_suffix(word);
    let hour: i8 = hour_text.parse().ok()?;
    if tokens.word(index + 1) == ":" && tokens.touches_next(index) {
        let (minute_text, attached) = split_suffix(tokens.word(index + 2));
        let minute: i8 = minute_text
            .parse()
            .ok()
            .filter(|_| minute_text.len() == 2)?;
        let half = attached.or_else(|| half_of_day(tokens, index + 3));
        return build(hour, minute, half).or_else(|| on_24_hours(hour, minute, hour_text));
    }
    if matches!(tokens.word(index + 1), "o'clock" | "o\u{2019}clock") {
        return build(hour, 0, half_of_day(tokens, index + 2)).or_else(|| uncertain(hour, 0));
    }
    build(hour, 0, attached.or_else(|| half_of_day(tokens, index + 1)))
}

fn certain(hour: i8, minute: i8) -> Clock {
    Clock {
        hour,
        minute,
        certain: true,
    }
}

fn uncertain(hour: i8, minute: i8) -> Option<Clock> {
    (1..=12).contains(&hour).then_some(Clock {
        hour: hour % 12,
        minute,
        certain: false,
    })
}

fn on_24_hours(hour: i8, minute: i8, text: &str) -> Option<Clock> {
    if hour > 12 || text.len() == 2 && text.starts_with('0') {
        return (hour < 24 && minute < 60).then(|| certain(hour, minute));
    }
    uncertain(hour, minute).filter(|_| minute < 60)
}

/// `hour:minute` before (`false`) or after (`true`) noon.
fn build(hour: i8, minute: i8, after_noon: Option<bool>) -> Option<Clock> {
    let after_noon = after_noon?;
    ((1..=12).contains(&hour) && (0..60).contains(&minute))
        .then(|| certain(hour % 12 + if after_noon { 12 } else { 0 }, minute))
}

/// `3pm` is 3 and after noon.
fn split_suffix(word: &str) -> (&str, Option<bool>) {
    if let Some(digits) = word.strip_suffix("pm") {
        (digits, Some(true))
    } else if let Some(digits) = word.strip_suffix("am") {
        (digits, Some(false))
    } else {
        (word, None)
    }
}

fn half_of_day(tokens: &Tokens<'_>, index: usize) -> Option<bool> {
    let dotted = tokens.word(index + 1) == "." && tokens.word(index + 2) == "m";
    match tokens.word(index) {
        "pm" => Some(true),
        "am" => Some(false),
        "p" if dotted => Some(true),
        "a" if dotted => Some(false),
        _ => None,
    }
}

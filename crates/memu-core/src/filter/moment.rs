use std::fmt;

use jiff::{ToSpan, civil};

use crate::error::{Error, Result};
use crate::time::{Timestamp, civil_micros, parse_civil};

/// A span of time `[start, end)` in microseconds since the epoch, as precise as
/// it was written: `2023` is a year, `2023-05` a month, `2023-05-08` a day,
/// `2023-05-08T13:56` a minute, with seconds a second, with a fraction a
/// microsecond. An offset or `Z` is honoured; otherwise the time is taken as
/// written (UTC for stored instants, the wall clock for events).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The first microsecond.
    pub start: i64,
    /// One past the last microsecond.
    pub end: i64,
}

impl Moment {
    /// Reads a moment.
    ///
    /// # Errors
    /// [`ErrorKind::Filter`](crate::ErrorKind::Filter) when the text is not a time.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let unreadable = || {
            Error::filter(format!(
                "{text:?} is not a time; write 2023, 2023-05, 2023-05-08 or 2023-05-08T13:56:00"
            ))
        };
        let number = |part: &str| part.parse::<i16>().ok();
        let parts: Vec<&str> = text.split('-').collect();
        let month = |year: &str, month: &str| {
            let (year, month) = (number(year)?, month.parse::<i8>().ok()?);
            civil::Date::new(year, month, 1).ok()
        };
        let span = match parts.as_slice() {
            [year] if year.len() == 4 => month(year, "1").map(|start| (start, 1.year())),
            [year, of_year] if year.len() == 4 => {
                month(year, of_year).map(|start| (start, 1.month()))
            }
            _ => text
                .parse::<civil::Date>()
                .ok()
                .filter(|_| text.len() == 10)
                .map(|day| (day, 1.day())),
        };
        if let Some((start, length)) = span {
            let end = start.checked_add(length).map_err(|_| unreadable())?;
            return Ok(Self {
                start: civil_micros(start.to_datetime(civil::Time::midnight())),
                end: civil_micros(end.to_datetime(civil::Time::midnight())),
            });
        }
        let start = match text.parse::<jiff::Timestamp>() {
            Ok(instant) => Timestamp::from_micros(instant.as_microsecond()).as_micros(),
            Err(_) => civil_micros(parse_civil(text).map_err(|_| unreadable())?),
        };
        let clock = text.split_once([':']).map_or("", |(_, rest)| rest);
        let width = if clock.contains('.') {
            1
        } else if clock.contains(':')
            && clock.find(':') < clock.find(['+', '-']).or(Some(usize::MAX))
        {
            1_000_000
        } else {
            60_000_000
        };
        Ok(Self {
            start,
            end: start.saturating_add(width),
        })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Timestamp::from_micros(self.start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_as_long_as_it_was_written() {
        let day = 86_400_000_000;
        for (text, length) in [
            ("2023", 365 * day),
            ("2024", 366 * day),
            ("2023-05", 31 * day),
            ("2023-05-08", day),
            ("2023-05-08T13:56", 60_000_000),
            ("2023-05-08 13:56:00", 1_000_000),
            ("2023-05-08T13:56:00Z", 1_000_000),
            ("2023-05-08T13:56:00+02:00", 1_000_000),
            ("2023-05-08T13:56+02:00", 60_000_000),
            ("2023-05-08T13:56:00.25", 1),
        ] {
            let moment = Moment::parse(text).unwrap();
            assert_eq!(moment.end - moment.start, length, "{text}");
        }
        for text in ["", "May", "2023-13", "2023-02-30", "20230508T", "5"] {
            let error = Moment::parse(text).unwrap_err();
            assert!(error.message().contains("is not a time"), "{text}: {error}");
        }
    }

    #[test]
    fn an_offset_is_honoured() {
        assert_eq!(
            Moment::parse("2023-05-08T13:56:00+02:00").unwrap(),
            Moment::parse("2023-05-08T11:56:00").unwrap()
        );
    }
}

//! Instants, civil times and what people say about time.
//!
//! Stored instants are UTC with microseconds, written as the original writes
//! them (`2026-11-22 12:26:07.575130`). Times of messages and events are *civil*:
//! what the calendar and clock on the wall showed, without a zone.

use std::fmt;

pub use jiff::civil;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Result};

/// A point in time, in UTC, with microsecond precision.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Days from `earlier` to `self`; negative when `earlier` is later.
    pub fn days_since(self, earlier: Self) -> f64 {
        (self.0 - earlier.0) as f64 / 86_400e6
    }

    /// The UTC calendar and clock reading of this instant.
    pub fn to_civil(self) -> civil::DateTime {
        jiff::Timestamp::from_microsecond(self.0)
            .map(|instant| jiff::tz::Offset::UTC.to_datetime(instant))
            .unwrap_or_default()
    }

    /// Reads `2026-11-22 12:26:07.575130` (UTC when no offset is given), with `T`
    /// or a space, `Z` or an offset, with or without fractional seconds.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) when the text is not a date and time.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Ok(Self(instant.as_microsecond()));
        }
        let civil = parse_civil(text)?;
        let instant = jiff::tz::Offset::UTC
            .to_timestamp(civil)
            .map_err(|cause| Error::input(format!("{text:?} is out of range")).caused_by(cause))?;
        Ok(Self(instant.as_microsecond()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = self.to_civil();
        write!(
            f,
            "{} {:02}:{:02}:{:02}.{:06}",
            civil.date(),
            civil.hour(),
            civil.minute(),
            civil.second(),
            civil.subsec_nanosecond() / 1_000
        )
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Reads a civil date and time; a bare date is midnight. An offset is dropped,
/// because the wall clock is what was asked for.
///
/// # Errors
/// [`ErrorKind::Input`](crate::ErrorKind::Input) when the text is not a date.
pub fn parse_civil(text: &str) -> Result<civil::DateTime> {
    let text = text.trim();
    let unzoned = strip_offset(text);
    unzoned.parse::<civil::DateTime>().map_err(|cause| {
        Error::input(format!(
            "{text:?} is not a date and time such as 2023-05-08T13:56:00"
        ))
        .caused_by(cause)
    })
}

/// Where wall clock readings are counted from.
const EPOCH: civil::DateTime = civil::date(1970, 1, 1).at(0, 0, 0, 0);

/// Microseconds from 1970-01-01T00:00:00 to a wall clock reading; what is finer is dropped.
pub fn civil_micros(civil: civil::DateTime) -> i64 {
    let since = civil.duration_since(EPOCH);
    since.as_secs() * 1_000_000 + i64::from(since.subsec_nanos()).div_euclid(1_000)
}

/// The wall clock reading of so many microseconds since 1970-01-01T00:00:00; `None` outside
/// of the years -9999 to 9999.
pub fn civil_from_micros(micros: i64) -> Option<civil::DateTime> {
    EPOCH
        .checked_add(jiff::SignedDuration::from_micros(micros))
        .ok()
}

/// Drops a trailing `Z` or `±hh[:mm]` that follows a clock reading.
fn strip_offset(text: &str) -> &str {
    if let Some(rest) = text.strip_suffix(['Z', 'z']) {
        return rest;
    }
    let Some(clock) = text.find(':') else {
        return text;
    };
    let tail = text.get(clock..).unwrap_or_default();
    let Some((reading, offset)) = tail.rsplit_once(['+', '-']) else {
        return text;
    };
    // What follows otherwise, such as PostgreSQL's ` BC`, is not to be dropped.
    if !offset.chars().all(|c| c.is_ascii_digit() || c == ':') {
        return text;
    }
    let end = clock + reading.len();
    text.get(..end).unwrap_or(text).trim_end()
}

/// How exactly a time is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// A year ("in 2022").
    Year,
    /// A season or quarter ("last summer").
    Season,
    /// A month ("in June").
    Month,
    /// A week ("last week").
    Week,
    /// A day ("yesterday").
    Day,
    /// A clock time ("at 3 pm yesterday").
    Minute,
}

impl Precision {
    /// The stable name, as stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Season => "season",
            Self::Month => "month",
            Self::Week => "week",
            Self::Day => "day",
            Self::Minute => "minute",
        }
    }

    /// The precision with this stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Year,
            Self::Season,
            Self::Month,
            Self::Week,
            Self::Day,
            Self::Minute,
        ]
        .into_iter()
        .find(|precision| precision.as_str() == name)
    }
}

/// When something happened: a civil interval `[start, end)` and how exactly it
/// is known. `end` is `None` when `start` and `precision` say it all for a
/// minute; spans such as "from May to July" carry their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct When {
    /// The beginning, inclusive.
    pub start: civil::DateTime,
    /// The end, exclusive.
    pub end: Option<civil::DateTime>,
    /// How exactly the beginning is known.
    pub precision: Precision,
}

impl When {
    /// The minute of a reading of a clock; what it says about a zone is dropped.
    ///
    /// # Errors
    /// As [`parse_civil`].
    pub fn minute(text: &str) -> Result<Self> {
        Ok(Self {
            start: parse_civil(text)?,
            end: None,
            precision: Precision::Minute,
        })
    }

    /// A whole day.
    pub fn day(date: civil::Date) -> Self {
        Self {
            start: date.to_datetime(civil::Time::midnight()),
            end: date
                .tomorrow()
                .ok()
                .map(|next| next.to_datetime(civil::Time::midnight())),
            precision: Precision::Day,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_offset_is_dropped() {
        let expected = civil::date(2026, 11, 22).at(12, 26, 7, 0);
        for text in [
            "2026-11-22 12:26:07Z",
            "2026-11-22T12:26:07+01:00",
            "2026-11-22 12:26:07 -0530",
            "2026-11-22 12:26:07+00",
        ] {
            assert_eq!(parse_civil(text).unwrap(), expected, "{text}");
        }
        for text in [
            "0044-03-15 12:00:00+00 BC",
            "0044-03-15 12:00:00 BC",
            "infinity",
        ] {
            assert!(parse_civil(text).is_err(), "{text}");
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
        let instant = Timestamp::parse("2026-11-22 12:26:07.57513+00").unwrap();
        assert_eq!(instant.to_string(), "2026-11-22 12:26:07.575130");
    }

    #[test]
    fn wall_clock_readings_are_counted_over_all_years() {
        for text in [
            "-009999-01-01T00:00:00",
            "1969-12-31T23:59:59.999999",
            "1970-01-01T00:00:00",
            "2026-11-22T12:26:07.57513",
            "9999-12-31T23:59:59.999999",
        ] {
            let civil: civil::DateTime = text.parse().unwrap();
            assert_eq!(
                civil_from_micros(civil_micros(civil)),
                Some(civil),
                "{text}"
            );
        }
        assert_eq!(
            civil_micros(civil::date(1970, 1, 2).at(0, 0, 0, 7_000)),
            86_400_000_007
        );
        let finer = civil::date(1969, 12, 31).at(23, 59, 59, 999_999_500);
        assert_eq!(civil_micros(finer), -1);
        assert_eq!(civil_from_micros(i64::MAX), None);
    }

    #[test]
    fn timestamps_round_trip_in_the_form_of_the_original() {
        let text = "2026-11-22 12:26:07.575130";
        let stamp = Timestamp::parse(text).unwrap();
        assert_eq!(stamp.to_string(), text);
        assert_eq!(
            Timestamp::parse("2026-11-22T13:26:07.57513+01:00").unwrap(),
            stamp
        );
        assert_eq!(
            Timestamp::parse("2026-11-22T12:26:07.57513Z").unwrap(),
            stamp
        );
    }

    #[test]
    fn civil_times_keep_the_wall_clock_whatever_the_offset() {
        for text in [
            "2023-05-08T13:56:00",
            "2023-05-08 13:56",
            "2023-05-08T13:56:00Z",
            "2023-05-08T13:56:00+02:00",
            "2023-05-08T13:56:00-0700",
        ] {
            assert_eq!(
                parse_civil(text).unwrap(),
                civil::date(2023, 5, 8).at(13, 56, 0, 0),
                "{text}"
            );
        }
        assert_eq!(
            parse_civil("2023-05-08").unwrap(),
            civil::date(2023, 5, 8).at(0, 0, 0, 0)
        );
        assert!(parse_civil("yesterday").is_err());
    }
}

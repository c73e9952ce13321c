//! When something happened, as people write it: `28 February 2026`, `May 2026 to July 2026`.
//!
//! What has no such form is written as `start/end/precision`, so that every time comes back.

use crate::time::{Precision, When, civil};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// Each with the month in which it begins.
const SEASONS: [(&str, i8); 4] = [("spring", 3), ("summer", 6), ("autumn", 9), ("winter", 12)];
/// Between two times.
const TO: &str = " to ";

/// Writes a time; [`read`] gives it back.
pub(super) fn write(when: &When) -> String {
    let one = unit(when.start, when.precision);
    if let Some(one) = one.filter(|text| read(text) == Some(*when)) {
        return one;
    }
    span(when)
        .filter(|text| read(text) == Some(*when))
        .unwrap_or_else(|| exact(when))
}

fn exact(when: &When) -> String {
    let end = when.end.map_or_else(String::new, |end| end.to_string());
    format!("{}/{end}/{}", when.start, when.precision.as_str())
}

/// From the first unit to the last one.
fn span(when: &When) -> Option<String> {
    let end = when.end?;
    let last = match when.precision {
        Precision::Minute => end,
        _ => end.checked_sub(jiff::Span::new().try_days(1).ok()?).ok()?,
    };
    let last = match when.precision {
        Precision::Season => last
            .checked_sub(jiff::Span::new().try_months(2).ok()?)
            .ok()?,
        Precision::Week => last.checked_sub(jiff::Span::new().try_days(6).ok()?).ok()?,
        _ => last,
    };
    let (first, last) = (
        unit(when.start, when.precision)?,
        unit(last, when.precision)?,
    );
    Some(format!("{first}{TO}{last}"))
}

fn unit(at: civil::DateTime, precision: Precision) -> Option<String> {
    let year = at.year();
    if !(0..=9999).contains(&year) {
        return None;
    }
    let month = MONTHS.get(usize::try_from(at.month()).ok()? - 1)?;
    let day = format!("{} {month} {year:04}", at.day());
    Some(match precision {
        Precision::Year => format!("{year:04}"),
        Precision::Season => {
            let (name, _) = SEASONS.iter().find(|(_, month)| *month == at.month())?;
            format!("{name} {year:04}")
        }
        Precision::Month => format!("{month} {year:04}"),
        Precision::Week => format!("week of {day}"),
        Precision::Day => day,
        Precision::Minute => format!("{day} {:02}:{:02}", at.hour(), at.minute()),
    })
}

/// Reads a time: what [`write`] gives, and `2026-02-28`, `2026-02`, `2026-02-28 09:30`,
/// `February 28, 2026`. `None` for anything else.
pub(super) fn read(text: &str) -> Option<When> {
    let text = text.trim();
    if let Some((start, rest)) = text.split_once('/') {
        let (end, precision) = rest.split_once('/')?;
        let end = match end {
            "" => None,
            end => Some(end.parse().ok()?),
        };
        return Some(When {
            start: start.parse().ok()?,
            end,
            precision: Precision::from_name(precision)?,
        });
    }
    let Some((first, last)) = text.split_once(TO) else {
        return read_unit(text);
    };
    let (first, last) = (read_unit(first)?, read_unit(last)?);
    let end = last.end.unwrap_or(last.start);
    (first.precision == last.precision && first.start < end).then_some(When {
        end: Some(end),
        ..first
    })
}

fn read_unit(text: &str) -> Option<When> {
    let text = text.trim();
    if let Some(day) = text.strip_prefix("week of ") {
        let start = read_day(day)?.to_datetime(civil::Time::midnight());
        return ending(start, jiff::Span::new().try_weeks(1).ok()?, Precision::Week);
    }
    if let Some((day, clock)) = text.rsplit_once([' ', 'T'])
        && let Some((hour, minute)) = clock.split_once(':')
    {
        let time = civil::Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()?;
        return Some(When {
            start: read_day(day)?.to_datetime(time),
            end: None,
            precision: Precision::Minute,
        });
    }
    if let Some(day) = read_day(text) {
        return Some(When::day(day));
    }
    let months = |year, month, count, precision| {
        let start = civil::Date::new(year, month, 1).ok()?;
        let start = start.to_datetime(civil::Time::midnight());
        ending(start, jiff::Span::new().try_months(count).ok()?, precision)
    };
    if let Some(year) = read_year(text) {
        return months(year, 1, 12, Precision::Year);
    }
    if let Some((year, month)) = text.split_once('-') {
        let month = month.parse().ok().filter(|_| month.len() == 2)?;
        return months(read_year(year)?, month, 1, Precision::Month);
    }
    let (name, year) = text.rsplit_once(' ')?;
    let year = read_year(year)?;
    let is_name = |known: &&(&str, i8)| known.0.eq_ignore_ascii_case(name);
    match SEASONS.iter().find(is_name) {
        Some((_, month)) => months(year, *month, 3, Precision::Season),
        None => months(year, read_month(name)?, 1, Precision::Month),
    }
}

fn ending(start: civil::DateTime, after: jiff::Span, precision: Precision) -> Option<When> {
    Some(When {
        start,
        end: Some(start.checked_add(after).ok()?),
        precision,
    })
}

/// `28 February 2026`, `February 28, 2026` or `2026-02-28`.
fn read_day(text: &str) -> Option<civil::Date> {
    let text = text.trim().trim_end_matches(',');
    let parts: Vec<&str> = text.split_whitespace().collect();
    let (year, month, day) = match parts.as_slice() {
        [one] => {
            let [year, month, day] = one.split('-').collect::<Vec<_>>().try_into().ok()?;
            let month = month.parse().ok().filter(|_| month.len() == 2)?;
            (year, month, day)
        }
        [first, second, year] => match read_month(second) {
            Some(month) => (*year, month, *first),
            None => (*year, read_month(first)?, second.trim_end_matches(',')),
        },
        _ => return None,
    };
    civil::Date::new(read_year(year)?, month, day.parse().ok()?).ok()
}

fn read_year(text: &str) -> Option<i16> {
    let is_year = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_year)
}

/// The name of a month, or the first three letters of it.
fn read_month(text: &str) -> Option<i8> {
    let is_name = |month: &&str| {
        let short = month.get(..3).unwrap_or(month);
        month.eq_ignore_ascii_case(text) || short.eq_ignore_ascii_case(text)
    };
    let place = MONTHS.iter().position(is_name)?;
    i8::try_from(place + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn when(start: &str, end: &str, precision: Precision) -> When {
        When {
            start: start.parse().unwrap(),
            end: (!end.is_empty()).then(|| end.parse().unwrap()),
            precision,
        }
    }

    #[test]
    fn times_are_written_as_people_do_and_come_back() {
        use Precision::{Day, Minute, Month, Season, Week, Year};
        for (start, end, precision, expected) in [
            (
                "2026-02-28T00:00",
                "2026-03-01T00:00",
                Day,
                "28 February 2026",
            ),
            (
                "2026-02-28T00:00",
                "2026-03-03T00:00",
                Day,
                "28 February 2026 to 2 March 2026",
            ),
            ("2026-05-01T00:00", "2026-06-01T00:00", Month, "May 2026"),
            (
                "2026-05-01T00:00",
                "2026-08-01T00:00",
                Month,
                "May 2026 to July 2026",
            ),
            ("2026-01-01T00:00", "2027-01-01T00:00", Year, "2026"),
            ("0800-01-01T00:00", "0900-01-01T00:00", Year, "0800 to 0899"),
            (
                "2025-12-01T00:00",
                "2026-03-01T00:00",
                Season,
                "winter 2025",
            ),
            (
                "2026-03-01T00:00",
                "2026-09-01T00:00",
                Season,
                "spring 2026 to summer 2026",
            ),
            (
                "2026-03-02T00:00",
                "2026-03-09T00:00",
                Week,
                "week of 2 March 2026",
            ),
            (
                "2026-03-02T00:00",
                "2026-03-16T00:00",
                Week,
                "week of 2 March 2026 to week of 9 March 2026",
            ),
            ("2026-03-02T09:05", "", Minute, "2 March 2026 09:05"),
            (
                "2026-03-02T09:05",
                "2026-03-02T10:00",
                Minute,
                "2 March 2026 09:05 to 2 March 2026 10:00",
            ),
            (
                "2026-03-02T09:05:07",
                "",
                Minute,
                "2026-03-02T09:05:07//minute",
            ),
            ("2026-02-28T00:00", "", Day, "2026-02-28T00:00:00//day"),
            (
                "2026-02-01T00:00",
                "2026-05-01T00:00",
                Season,
                "2026-02-01T00:00:00/2026-05-01T00:00:00/season",
            ),
            (
                "-000044-03-15T00:00",
                "-000044-03-16T00:00",
                Day,
                "-000044-03-15T00:00:00/-000044-03-16T00:00:00/day",
            ),
            ("9999-12-31T00:00", "", Day, "31 December 9999"),
        ] {
            let when = when(start, end, precision);
            let text = write(&when);
            assert_eq!(read(&text), Some(when), "{text}");
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn other_ways_to_write_a_time_are_read() {
        for (text, expected) in [
            ("2026-02-28", "28 February 2026"),
            ("2026-02", "February 2026"),
            ("28 feb 2026", "28 February 2026"),
            ("February 28, 2026", "28 February 2026"),
            ("2026-02-28 09:30", "28 February 2026 09:30"),
            ("2026-02-28T09:30", "28 February 2026 09:30"),
            ("2 March 2026, 09:12", "2 March 2026 09:12"),
            ("Summer 2026", "summer 2026"),
        ] {
            assert_eq!(
                read(text).map(|when| write(&when)).as_deref(),
                Some(expected)
            );
        }
        for text in [
            "",
            "yesterday",
            "30 February 2026",
            "26",
            "May 2026 to 2027",
            "2027 to 2026",
            "a/b/c",
            "1/2",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}

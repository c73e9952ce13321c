//! Times as models are asked to write them: `2023`, `2023-summer`, `2023-05`, `2023-W19`,
//! `2023-05-07`, `2023-05-07T15:00`, and two of them with a slash between.

use jiff::civil::{Date, DateTime, ISOWeekDate, Time, Weekday};
use jiff::{Span, ToSpan};
use memu_core::time::{Precision, When, parse_civil};
use serde_json::Value;

use super::fields;

/// Meteorological seasons of the northern hemisphere, by the month in which they begin.
/// Winter belongs to the year of its December.
const SEASONS: [(&str, i8); 5] = [
    ("spring", 3),
    ("summer", 6),
    ("autumn", 9),
    ("fall", 9),
    ("winter", 12),
];

/// The time that a value tells; `None` when it is none.
pub(super) fn read(value: &Value) -> Option<When> {
    let map = match value {
        Value::String(text) => return parse(text),
        // A year by itself.
        Value::Number(number) => return parse(&number.to_string()),
        Value::Object(map) => map,
        _ => return None,
    };
    let text = |names: &[&str]| fields::member(map, names).and_then(fields::text);
    let start = parse(&text(&["start", "date", "time", "value", "from", "#text"])?)?;
    let precision =
        text(&["precision"]).and_then(|name| Precision::from_name(&name.to_lowercase()));
    let start = precision.map_or(Some(start), |precision| widened(start, precision))?;
    match text(&["end", "to", "until"]).and_then(|text| parse(&text)) {
        Some(last) => between(start, last),
        None => Some(start),
    }
}

/// The time that a text tells; `None` when it is none.
pub(super) fn parse(text: &str) -> Option<When> {
    let text = text.trim();
    match text.split_once('/') {
        Some((first, last)) => between(single(first)?, single(last)?),
        None => single(text),
    }
}

fn between(first: When, last: When) -> Option<When> {
    let end = last.end.unwrap_or(last.start);
    (end > first.start).then_some(When {
        end: Some(end),
        ..first
    })
}

fn single(text: &str) -> Option<When> {
    let text = text.trim();
    if let Ok(date) = text.parse::<Date>()
        && !text.contains([':', 'T'])
    {
        return Some(When::day(date));
    }
    if let Ok(start) = parse_civil(text) {
        // Midnight is how a day without a time is written.
        return Some(if start.time() == Time::midnight() {
            When::day(start.date())
        } else {
            When {
                start,
                end: None,
                precision: Precision::Minute,
            }
        });
    }
    let (year, part) = text.split_once('-').unwrap_or((text, ""));
    if year.len() != 4 || !year.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let year: i16 = year.parse().ok()?;
    let part = part.to_lowercase();
    if part.is_empty() {
        return span(Date::new(year, 1, 1).ok()?, 1.year(), Precision::Year);
    }
    if let Some((_, month)) = SEASONS.iter().find(|(name, _)| *name == part) {
        return span(
            Date::new(year, *month, 1).ok()?,
            3.months(),
            Precision::Season,
        );
    }
    if let Some(week) = part.strip_prefix('w') {
        let monday = ISOWeekDate::new(year, week.parse().ok()?, Weekday::Monday).ok()?;
        return span(monday.date(), 1.week(), Precision::Week);
    }
    let month = Date::new(year, part.parse().ok()?, 1).ok()?;
    span(month, 1.month(), Precision::Month)
}

fn span(first: Date, length: Span, precision: Precision) -> Option<When> {
    let midnight = |date: Date| date.to_datetime(Time::midnight());
    Some(When {
        start: midnight(first),
        end: Some(midnight(first.checked_add(length).ok()?)),
        precision,
    })
}

/// The whole unit around the beginning of a time that is known less exactly than written.
fn widened(when: When, precision: Precision) -> Option<When> {
    if precision >= when.precision {
        return Some(when);
    }
    let date = when.start.date();
    let month = |month: i8| Date::new(date.year(), month, 1).ok();
    match precision {
        Precision::Year => span(month(1)?, 1.year(), precision),
        Precision::Season => span(month(date.month())?, 3.months(), precision),
        Precision::Month => span(month(date.month())?, 1.month(), precision),
        Precision::Week => {
            let past = i64::from(date.weekday().to_monday_zero_offset());
            span(date.checked_sub(past.days()).ok()?, 1.week(), precision)
        }
        Precision::Day | Precision::Minute => Some(When::day(date)),
    }
}

/// Writes a time, as models read it.
pub(super) fn write(when: &When) -> String {
    let start = unit(when.start, when.precision);
    let last = when
        .end
        .filter(|end| single(&start).is_none_or(|one| one.end != Some(*end)))
        .and_then(|end| end.checked_sub(1.second()).ok())
        .map(|last| unit(last, when.precision))
        .filter(|last| *last != start);
    match last {
        Some(last) => format!("{start}/{last}"),
        None => start,
    }
}

fn unit(at: DateTime, precision: Precision) -> String {
    let date = at.date();
    let (year, month) = (date.year(), date.month());
    match precision {
        Precision::Year => format!("{year:04}"),
        Precision::Season => match SEASONS.iter().find(|(_, first)| *first == month) {
            Some((name, _)) => format!("{year:04}-{name}"),
            None => format!("{year:04}-{month:02}"),
        },
        Precision::Month => format!("{year:04}-{month:02}"),
        Precision::Week => {
            let week = date.iso_week_date();
            format!("{:04}-W{:02}", week.year(), week.week())
        }
        Precision::Day => date.to_string(),
        Precision::Minute => format!("{date}T{:02}:{:02}", at.hour(), at.minute()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_form_is_read_and_written_alike() {
        for (text, start, end, precision) in [
            ("2023", date(2023, 1, 1), date(2024, 1, 1), Precision::Year),
            (
                "2023-winter",
                date(2023, 12, 1),
                date(2024, 3, 1),
                Precision::Season,
            ),
            (
                "2023-05",
                date(2023, 5, 1),
                date(2023, 6, 1),
                Precision::Month,
            ),
            (
                "2023-W19",
                date(2023, 5, 8),
                date(2023, 5, 15),
                Precision::Week,
            ),
            (
                "2023-05-07",
                date(2023, 5, 7),
                date(2023, 5, 8),
                Precision::Day,
            ),
            (
                "2023-05/2023-07",
                date(2023, 5, 1),
                date(2023, 8, 1),
                Precision::Month,
            ),
            (
                "2023-05-07/2023-05-09",
                date(2023, 5, 7),
                date(2023, 5, 10),
                Precision::Day,
            ),
        ] {
            let when = parse(text).unwrap();
            let midnight = |date: Date| date.to_datetime(Time::midnight());
            assert_eq!(
                (when.start, when.end),
                (midnight(start), Some(midnight(end))),
                "{text}"
            );
            assert_eq!(when.precision, precision, "{text}");
            assert_eq!(write(&when), text);
        }
        let when = parse("2023-05-07T15:04").unwrap();
        assert_eq!((when.end, when.precision), (None, Precision::Minute));
        assert_eq!(write(&when), "2023-05-07T15:04");
    }

    #[test]
    fn other_ways_to_say_it_are_understood() {
        let day = parse("2023-05-07");
        for value in [
            json!("2023-05-07T00:00:00"),
            json!(" 2023-05-07 "),
            json!({"start": "2023-05-07", "precision": "day"}),
            json!({"date": "2023-05-07T00:00:00Z"}),
        ] {
            assert_eq!(read(&value), day, "{value}");
        }
        assert_eq!(
            read(&json!({"date": "2023-05-07", "precision": "month"})),
            parse("2023-05")
        );
        assert_eq!(
            read(&json!({"start": "2023-05", "end": "2023-07"})),
            parse("2023-05/2023-07")
        );
        assert_eq!(read(&json!(2023)), parse("2023"));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for value in [
            json!("yesterday"),
            json!(""),
            json!("null"),
            json!("2023-13"),
            json!("2023-W60"),
            json!("23"),
            json!("9999"),
            json!("2023-07/2023-05"),
            json!("/"),
            json!(true),
            json!({}),
            Value::Null,
        ] {
            assert_eq!(read(&value), None, "{value}");
        }
    }
}

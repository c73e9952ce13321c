//! Times in words that stand alone: "7 May 2023", "the week of 1 May 2023".

use jiff::civil::Date;
use memu_core::time::{Precision, When};

/// The time by itself: "7 May 2023", "the week of 1 May 2023", "2022". `words` are
/// those that it replaces; a part of the day among them is kept.
pub(crate) fn bare(words: &str, when: &When) -> String {
    let start = when.start.date();
    match when.precision {
        Precision::Day | Precision::Minute => days(words, when),
        Precision::Week => format!("the week of {}", day(start)),
        Precision::Month => several(when, month(start), month),
        Precision::Season => season(start),
        Precision::Year => several(when, start.year().to_string(), |last| {
            last.year().to_string()
        }),
    }
}

/// The time with its preposition: "on 7 May 2023", "in 2022", "from May 2023 to
/// July 2023".
pub(crate) fn in_context(words: &str, when: &When) -> String {
    let bare = bare(words, when);
    let preposition = if bare.contains(" to ") {
        "from"
    } else if matches!(when.precision, Precision::Day | Precision::Minute) {
        "on"
    } else {
        "in"
    };
    format!("{preposition} {bare}")
}

fn days(words: &str, when: &When) -> String {
    let start = when.start.date();
    let last = last_day(when).unwrap_or(start);
    let length = (last - start).get_days();
    if when.precision == Precision::Day && length == 1 && starts_on_saturday(start) {
        return format!("the weekend of {}", day(start));
    }
    if when.precision == Precision::Day && length > 0 {
        return format!("{} to {}", day(start), day(last));
    }
    match part_of_day(words) {
        // A night that runs past midnight is named by the day on which it began.
        Some(part) => format!("the {part} of {}", day(start)),
        None => day(start),
    }
}

fn starts_on_saturday(date: Date) -> bool {
    date.weekday() == jiff::civil::Weekday::Saturday
}

fn part_of_day(words: &str) -> Option<&'static str> {
    let last = words.rsplit(' ').next().unwrap_or_default();
    [
        ("tonight", "evening"),
        ("night", "night"),
        ("evening", "evening"),
        ("afternoon", "afternoon"),
        ("morning", "morning"),
    ]
    .into_iter()
    .find(|(word, _)| last.eq_ignore_ascii_case(word))
    .map(|(_, part)| part)
}

fn several(when: &When, first: String, name: impl Fn(Date) -> String) -> String {
    match last_day(when).map(name) {
        Some(last) if last != first => format!("{first} to {last}"),
        _ => first,
    }
}

fn last_day(when: &When) -> Option<Date> {
    when.end?.date().yesterday().ok()
}

fn season(start: Date) -> String {
    let name = match start.month() {
        3 => "the spring",
        6 => "the summer",
        9 => "the autumn",
        12 => "the winter",
        1 => "the first quarter",
        4 => "the second quarter",
        7 => "the third quarter",
        _ => "the fourth quarter",
    };
    format!("{name} of {}", start.year())
}

fn month(date: Date) -> String {
    format!("{} {}", month_name(date), date.year())
}

/// A date as "7 May 2023".
pub(crate) fn day(date: Date) -> String {
    format!("{} {} {}", date.day(), month_name(date), date.year())
}

fn month_name(date: Date) -> &'static str {
    match date.month() {
        1 => "January",
        2 => "February",
        3 => "March",
        4 => "April",
        5 => "May",
        6 => "June",
        7 => "July",
        8 => "August",
        9 => "September",
        10 => "October",
        11 => "November",
        _ => "December",
    }
}

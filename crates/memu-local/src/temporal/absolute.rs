//! Dates of the calendar: "May 7", "7 May 2023", "2023-05-07", "in June", "since
//! 2020", "the summer of 2022", "from May to July".

use jiff::civil::Date;
use memu_core::analysis::is_stop_word;
use memu_core::time::{Precision, When};

use super::names::{self, Unit};
use super::tense::{self, Tense};
use super::{Found, Reader, calendar};

pub(super) fn at(reader: &Reader<'_, '_>, index: usize) -> Option<Found> {
    let tokens = reader.tokens;
    let word = tokens.word(index);
    match word {
        "from" | "between" => return span(reader, index),
        "week" | "weekend" if tokens.word(index + 1) == "of" => return week(reader, index),
        "spring" | "summer" | "autumn" | "fall" | "winter" => return season(reader, index),
        "q1" | "q2" | "q3" | "q4" => return quarter(reader, index),
        _ => {}
    }
    if !word.starts_with(|c: char| c.is_ascii_digit()) && names::month(word).is_none() {
        return None;
    }
    numeric(reader, index)
        .or_else(|| calendar_date(reader, index))
        .or_else(|| bare_year(reader, index))
}

/// A date that may lack its year, its day or its month.
#[derive(Clone, Copy, Debug)]
struct Partial {
    year: Option<i16>,
    month: i8,
    day: Option<i8>,
}

fn calendar_date(reader: &Reader<'_, '_>, index: usize) -> Option<Found> {
    let (partial, end) = partial(reader, index)?;
    if partial.day.is_none() && partial.year.is_none() && !is_a_month(reader, index) {
        return None;
    }
    if let Some(found) = days_of_one_month(reader, index, end, partial) {
        return Some(found);
    }
    let dash = matches!(reader.tokens.word(end), "-" | "\u{2013}");
    if dash && let Some(found) = between(reader, index, index) {
        return Some(found);
    }
    let when = resolve(reader, index, partial)?;
    Some(found(index..end, when, partial.year.is_none()))
}

fn found(tokens: std::ops::Range<usize>, when: When, relative: bool) -> Found {
    Found {
        relative,
        ..Found::absolute(tokens, when)
    }
}

/// Month and day in either order, or a month, with or without a year; and where it
/// ends.
fn partial(reader: &Reader<'_, '_>, index: usize) -> Option<(Partial, usize)> {
    let tokens = reader.tokens;
    if let Some(month) = names::month(tokens.word(index)) {
        let dot = usize::from(tokens.word(index + 1) == "." && tokens.raw(index).len() <= 4);
        let after = index + 1 + dot;
        let the = usize::from(tokens.word(after) == "the");
        let day = names::day_of_month(tokens.word(after + the))
            .filter(|_| is_day_not_amount(reader, index, after + the));
        let end = if day.is_some() {
            after + the + 1
        } else {
            index + 1
        };
        let from = if day.is_some() { end } else { after };
        let (year, end) = year_after(reader, from).map_or((None, end), |(y, e)| (Some(y), e));
        return Some((Partial { year, month, day }, end));
    }
    let day = names::day_of_month(tokens.word(index))?;
    let of = usize::from(tokens.word(index + 1) == "of");
    let month = names::month(tokens.word(index + 1 + of))?;
    let end = index + 2 + of;
    let (year, end) = year_after(reader, end).map_or((None, end), |(y, e)| (Some(y), e));
    let day = Some(day);
    Some((Partial { year, month, day }, end))
}

/// "May 7" but not "May 7:30" and not "march 7 miles".
fn is_day_not_amount(reader: &Reader<'_, '_>, month: usize, day: usize) -> bool {
    let tokens = reader.tokens;
    if tokens.word(day + 1) == ":" && tokens.touches_next(day) || tokens.word(day + 1) == "%" {
        return false;
    }
    let doubtful = matches!(tokens.word(month), "may" | "march") && !tokens.is_capital(month);
    !doubtful || !tokens.is_word(day + 1) || is_stop_word(tokens.word(day + 1)) || {
        tokens
            .number(day + 1)
            .is_some_and(|n| (1900..2100).contains(&n))
    }
}

/// `2023`, `, 2023` or `of 2023`; and where it ends.
fn year_after(reader: &Reader<'_, '_>, index: usize) -> Option<(i16, usize)> {
    let skip = usize::from(matches!(reader.tokens.word(index), "," | "of"));
    year_at(reader, index + skip).map(|year| (year, index + skip + 1))
}

fn year_at(reader: &Reader<'_, '_>, index: usize) -> Option<i16> {
    let year = reader.tokens.number(index)?;
    (reader.tokens.raw(index).len() == 4 && (1500..2100).contains(&year))
        .then(|| i16::try_from(year).ok())
        .flatten()
}

/// Whether a month's name that stands alone is meant as a month: "may" is more
/// often a verb, "April" may be a woman.
fn is_a_month(reader: &Reader<'_, '_>, index: usize) -> bool {
    let tokens = reader.tokens;
    let word = tokens.word(index);
    let capital = tokens.is_capital(index);
    match tokens.before(index) {
        "in" | "since" | "until" | "till" | "during" => word.len() > 3 || capital,
        "by" | "of" | "from" | "to" | "through" | "between" | "before" | "after" | "and"
        | "early" | "late" | "mid" | "around" | "-" | "for" => {
            capital && !is_name_like(reader, index)
        }
        _ => capital && names::is_only_a_month(word),
    }
}

/// "before April left", "for June": as likely a person as a month.
fn is_name_like(reader: &Reader<'_, '_>, index: usize) -> bool {
    let tokens = reader.tokens;
    matches!(tokens.before(index), "for" | "and" | "before" | "after")
        && matches!(
            tokens.word(index),
            "april" | "june" | "may" | "august" | "jan"
        )
}

/// "May 7-9" and "May 7 to 9".
fn days_of_one_month(
    reader: &Reader<'_, '_>,
    index: usize,
    end: usize,
    partial: Partial,
) -> Option<Found> {
    let tokens = reader.tokens;
    let day = partial.day?;
    if !matches!(tokens.word(end), "-" | "\u{2013}" | "to") {
        return None;
    }
    let last = names::day_of_month(tokens.word(end + 1)).filter(|last| *last > day)?;
    if names::month(tokens.word(end + 2)).is_some() || tokens.word(end + 2) == "%" {
        return None;
    }
    let (year, end) =
        year_after(reader, end + 2).map_or((partial.year, end + 2), |(y, e)| (Some(y), e));
    let first = Partial { year, ..partial };
    let start = resolve(reader, index, first)?.start.date();
    let last = Date::new(start.year(), start.month(), last).ok()?;
    let when = calendar::span(start, last.tomorrow().ok()?, Precision::Day);
    Some(found(index..end, when, year.is_none()))
}

/// "from May to July", "between 7 May and 9 June", "from 2019 to 2021".
fn span(reader: &Reader<'_, '_>, index: usize) -> Option<Found> {
    let tokens = reader.tokens;
    if let (Some(first), Some(last)) = (year_at(reader, index + 1), year_at(reader, index + 3)) {
        let whole = calendar::year(first)?;
        let end = calendar::year(last).filter(|_| joins(tokens.word(index + 2)) && first < last)?;
        let when = When {
            end: end.end,
            ..whole
        };
        return Some(Found::absolute(index..index + 4, when));
    }
    between(reader, index, index + 1)
}

/// Two dates that are joined, the first of which begins at `at`.
fn between(reader: &Reader<'_, '_>, index: usize, at: usize) -> Option<Found> {
    let (first, middle) = partial(reader, at)?;
    if !joins(reader.tokens.word(middle)) {
        return None;
    }
    let (last, end) = partial(reader, middle + 1)?;
    let year = first.year.or(last.year);
    let start = resolve(reader, index, Partial { year, ..first })?;
    let stop = Partial {
        year: last.year.or(Some(start.start.date().year())),
        ..last
    };
    let mut stop_when = resolve(reader, index, stop)?;
    if stop_when.start < start.start && last.year.is_none() {
        let year = Some(start.start.date().year() + 1);
        stop_when = resolve(reader, index, Partial { year, ..last })?;
    }
    let end_of_span = stop_when.end.filter(|end| *end > start.start)?;
    let when = When {
        end: Some(end_of_span),
        ..start
    };
    Some(found(index..end, when, year.is_none()))
}

fn joins(word: &str) -> bool {
    matches!(
        word,
        "to" | "until" | "till" | "through" | "and" | "-" | "\u{2013}"
    )
}

/// "the week of May 8", "the weekend of 6 May".
fn week(reader: &Reader<'_, '_>, index: usize) -> Option<Found> {
    let the = usize::from(reader.tokens.word(index + 2) == "the");
    let (partial, end) = partial(reader, index + 2 + the)?;
    partial.day?;
    let date = resolve(reader, index, partial)?.start.date();
    let when = if reader.tokens.word(index) == "week" {
        calendar::week_of(date)?
    } else {
        calendar::weekend_of(date)?
    };
    let article = usize::from(reader.tokens.before(index) == "the");
    Some(found(index - article..end, when, partial.year.is_none()))
}

/// "summer 2022", "the summer of 2022".
fn season(reader: &Reader<'_, '_>, index: usize) -> Option<Found> {
    let season = names::season(reader.tokens.word(index))?;
    let (year, end) = year_after(reader, index + 1)?;
    let article = usize::from(reader.tokens.before(index) == "the");
    let when = calendar::season(year, season)?;
    Some(Found::absolute(index - article..end, when))
}

/// "Q1 2024".
fn quarter(reader: &Reader<'_, '_>, index: usize) -> Option<Found> {
    let first_month = match reader.tokens.word(index) {
        "q1" => 1,
        "q2" => 4,
        "q3" => 7,
        _ => 10,
    };
    let (year, end) = year_after(reader, index + 1)?;
    let when = calendar::quarter_from(year, first_month)?;
    Some(Found::absolute(index..end, when))
}

/// "in 2019", "since 2020": a number that follows such a word and is no amount.
fn bare_year(reader: &Reader<'_, '_>, index: usize) -> Option<Found> {
    let tokens = reader.tokens;
    let year = year_at(reader, index)?;
    let introduced = matches!(
        tokens.before(index),
        "in" | "since"
            | "from"
            | "until"
            | "till"
            | "by"
            | "before"
            | "after"
            | "during"
            | "of"
            | "early"
            | "late"
            | "mid"
            | "around"
            | "year"
    );
    let next = tokens.word(index + 1);
    let stands_alone = !tokens.is_word(index + 1) && !matches!(next, "%" | "-" | "/" | "$" | ":")
        || is_stop_word(next)
        || tokens.is_capital(index + 1)
        || tense::is_past(next);
    (introduced && stands_alone)
        .then(|| calendar::year(year))
        .flatten()
        .map(|when| Found::absolute(index..index + 1, when))
}

/// "2023-05-07", "2023/05/07", "05/07/2023", "07.05.2023".
fn numeric(reader: &Reader<'_, '_>, index: usize) -> Option<Found> {
    let tokens = reader.tokens;
    let mark = tokens.word(index + 1);
    let joined = matches!(mark, "-" | "/" | ".")
        && tokens.word(index + 3) == mark
        && (index..index + 4).all(|at| tokens.touches_next(at));
    if !joined {
        return None;
    }
    let (a, b, c) = (
        tokens.number(index)?,
        tokens.number(index + 2)?,
        tokens.number(index + 4)?,
    );
    let (year, month, day) = match mark {
        _ if tokens.raw(index).len() == 4 && mark != "." => (a, b, c),
        "/" if a > 12 => (c, b, a),
        "/" => (c, a, b),
        "." => (c, b, a),
        _ => return None,
    };
    let year = if (0..100).contains(&year) && mark == "/" {
        year + 2000
    } else {
        year
    };
    let date = Date::new(
        i16::try_from(year)
            .ok()
            .filter(|year| (1900..2100).contains(year))?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
    )
    .ok()?;
    Some(Found::absolute(index..index + 5, When::day(date)))
}

/// The date with its year: as written, else by the tense of the sentence, else the
/// nearest.
fn resolve(reader: &Reader<'_, '_>, index: usize, partial: Partial) -> Option<When> {
    let Some(year) = partial.year else {
        return nearest(reader, index, partial);
    };
    in_year(partial, year)
}

fn in_year(partial: Partial, year: i16) -> Option<When> {
    match partial.day {
        Some(day) => Date::new(year, partial.month, day).ok().map(When::day),
        None => calendar::month(year, partial.month),
    }
}

fn nearest(reader: &Reader<'_, '_>, index: usize, partial: Partial) -> Option<When> {
    let anchor = reader.anchor?;
    let today = calendar::around(
        anchor,
        if partial.day.is_some() {
            Unit::Day
        } else {
            Unit::Month
        },
    )?;
    // "The May 7 meeting" may be planned in any tense.
    let tense =
        tense::around(reader.tokens, index).filter(|_| reader.tokens.before(index) != "the");
    let distance = |when: &When| days_between(when.start.date(), today.start.date());
    let in_any_tense =
        || (anchor.year() - 4..=anchor.year() + 4).filter_map(|year| in_year(partial, year));
    let nearest = in_any_tense().min_by_key(distance)?;
    // A week ahead is likelier than a year ago: people mistake their tense, or the
    // day on which they write, more than that.
    if tense == Some(Tense::Past) && distance(&nearest) <= SLACK_DAYS {
        return Some(nearest);
    }
    in_any_tense()
        .filter(|when| match tense {
            Some(Tense::Past) => when.start <= today.start,
            Some(Tense::Future) => when.start >= today.start,
            None => true,
        })
        .min_by_key(distance)
}

/// How far ahead a date without a year may lie although the sentence is in the past.
const SLACK_DAYS: i32 = 3;

fn days_between(a: Date, b: Date) -> i32 {
    (a - b).get_days().abs()
}

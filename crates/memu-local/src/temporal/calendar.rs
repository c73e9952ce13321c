//! Intervals of the calendar.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time, Weekday};
use memu_core::time::{Precision, When};

use super::names::{Season, Unit};

fn midnight(date: Date) -> DateTime {
    date.to_datetime(Time::midnight())
}

/// The days from `start` until, and without, `end`.
pub(super) fn span(start: Date, end: Date, precision: Precision) -> When {
    When {
        start: midnight(start),
        end: Some(midnight(end)),
        precision,
    }
}

/// The week, from Monday, in which `date` lies.
pub(super) fn week_of(date: Date) -> Option<When> {
    let monday = monday_of(date)?;
    Some(span(monday, plus(monday, Unit::Week, 1)?, Precision::Week))
}

/// The Saturday and Sunday of the week in which `date` lies.
pub(super) fn weekend_of(date: Date) -> Option<When> {
    let saturday = plus(monday_of(date)?, Unit::Day, 5)?;
    Some(span(
        saturday,
        plus(saturday, Unit::Day, 2)?,
        Precision::Day,
    ))
}

/// A whole month.
pub(super) fn month(year: i16, month: i8) -> Option<When> {
    let first = Date::new(year, month, 1).ok()?;
    Some(span(first, plus(first, Unit::Month, 1)?, Precision::Month))
}

/// The three months of a season; winter belongs to the year of its December.
pub(super) fn season(year: i16, season: Season) -> Option<When> {
    quarter_from(year, season.first_month())
}

/// Three months from this one on.
pub(super) fn quarter_from(year: i16, month: i8) -> Option<When> {
    let first = Date::new(year, month, 1).ok()?;
    Some(span(first, plus(first, Unit::Month, 3)?, Precision::Season))
}

/// A whole year.
pub(super) fn year(year: i16) -> Option<When> {
    let first = Date::new(year, 1, 1).ok()?;
    Some(span(first, plus(first, Unit::Year, 1)?, Precision::Year))
}

/// The interval of length `unit` in which `date` lies.
pub(super) fn around(date: Date, unit: Unit) -> Option<When> {
    match unit {
        Unit::Day => Some(When::day(date)),
        Unit::Week => week_of(date),
        Unit::Month => month(date.year(), date.month()),
        Unit::Year => year(date.year()),
    }
}

/// `date` moved by `count` units; the last day of a month stays within it.
pub(super) fn plus(date: Date, unit: Unit, count: i64) -> Option<Date> {
    let span = match unit {
        Unit::Day => jiff::Span::new().try_days(count),
        Unit::Week => jiff::Span::new().try_weeks(count),
        Unit::Month => jiff::Span::new().try_months(count),
        Unit::Year => jiff::Span::new().try_years(count),
    };
    date.checked_add(span.ok()?).ok()
}

fn monday_of(date: Date) -> Option<Date> {
    let past = i64::from(date.weekday().to_monday_zero_offset());
    date.checked_sub(past.days()).ok()
}

/// The day of that name in the week, from Monday, in which `date` lies.
pub(super) fn weekday_in_week_of(date: Date, weekday: Weekday) -> Option<Date> {
    plus(
        monday_of(date)?,
        Unit::Day,
        i64::from(weekday.to_monday_zero_offset()),
    )
}

/// The latest day of that name strictly before `date`.
pub(super) fn weekday_before(date: Date, weekday: Weekday) -> Option<Date> {
    date.nth_weekday(-1, weekday).ok()
}

/// The first day of that name strictly after `date`.
pub(super) fn weekday_after(date: Date, weekday: Weekday) -> Option<Date> {
    date.nth_weekday(1, weekday).ok()
}

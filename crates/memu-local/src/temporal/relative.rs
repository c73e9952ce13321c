//! Times seen from the day of the message: "yesterday", "last Friday", "two weeks
//! ago", "next summer", "for five years now".

use jiff::civil::Date;
use memu_core::time::When;

use super::names::{self, Unit};
use super::tense::{self, Tense};
use super::{Found, Reader, absolute, calendar};

pub(super) fn at(reader: &Reader<'_, '_>, index: usize) -> Option<Found> {
    let anchor = reader.anchor?;
    let word = reader.tokens.word(index);
    match word {
        "today" | "tonight" => day(index, 1, anchor, 0),
        "yesterday" | "tomorrow" => near_day(reader, index, anchor),
        "day" | "week" | "weekend" => twice_removed(reader, index, anchor),
        "this" | "last" | "next" | "previous" => pointed(reader, index, anchor),
        "the" => weekend(reader, index, anchor),
        "in" => ahead(reader, index, anchor),
        "for" => lasting(reader, index, anchor),
        _ => ago(reader, index, anchor).or_else(|| weekday(reader, index, anchor)),
    }
}

fn day(index: usize, length: usize, anchor: Date, offset: i64) -> Option<Found> {
    let date = calendar::plus(anchor, Unit::Day, offset)?;
    Some(Found::relative(index..index + length, When::day(date)))
}

/// "yesterday", "tomorrow morning".
fn near_day(reader: &Reader<'_, '_>, index: usize, anchor: Date) -> Option<Found> {
    // "It feels like just yesterday" is long ago.
    let before = reader.tokens.before(index);
    if before == "like" || before == "just" && reader.tokens.before(index - 1) == "like" {
        return None;
    }
    let offset = if reader.tokens.word(index) == "yesterday" {
        -1
    } else {
        1
    };
    let part = usize::from(names::is_part_of_day(reader.tokens.word(index + 1)));
    day(index, 1 + part, anchor, offset)
}

/// "the day before yesterday", "the day after tomorrow", "the week before last".
fn twice_removed(reader: &Reader<'_, '_>, index: usize, anchor: Date) -> Option<Found> {
    let tokens = reader.tokens;
    let article = usize::from(tokens.before(index) == "the");
    let range = index - article..index + 3;
    let when = match (
        tokens.word(index),
        tokens.word(index + 1),
        tokens.word(index + 2),
    ) {
        ("day", "before", "yesterday") => When::day(calendar::plus(anchor, Unit::Day, -2)?),
        ("day", "after", "tomorrow") => When::day(calendar::plus(anchor, Unit::Day, 2)?),
        ("week", "before", "last") => calendar::week_of(calendar::plus(anchor, Unit::Week, -2)?)?,
        ("week", "after", "next") => calendar::week_of(calendar::plus(anchor, Unit::Week, 2)?)?,
        ("weekend", "before", "last") => {
            calendar::weekend_of(calendar::plus(anchor, Unit::Week, -2)?)?
        }
        _ => return None,
    };
    Some(Found::relative(range, when))
}

/// Which of several like things is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pointer {
    Last,
    This,
    Next,
}

impl Pointer {
    fn offset(self) -> i64 {
        match self {
            Self::Last => -1,
            Self::This => 0,
            Self::Next => 1,
        }
    }
}

/// "this morning", "last Friday", "next summer", "this past weekend".
fn pointed(reader: &Reader<'_, '_>, index: usize, anchor: Date) -> Option<Found> {
    let tokens = reader.tokens;
    let (pointer, noun) = match (tokens.word(index), tokens.word(index + 1)) {
        ("this", "past" | "last") => (Pointer::Last, index + 2),
        ("this" | "next", "coming" | "upcoming") => (Pointer::This, index + 2),
        ("this", _) => (Pointer::This, index + 1),
        ("next", _) => (Pointer::Next, index + 1),
        _ => (Pointer::Last, index + 1),
    };
    let word = tokens.word(noun);
    // "the next day", "the last week of May" are seen from elsewhere.
    let seen_from_here = !matches!(
        tokens.before(index),
        "the" | "my" | "his" | "her" | "their" | "our"
    ) && tokens.word(noun + 1) != "of";
    if !seen_from_here {
        return None;
    }
    if names::is_part_of_day(word) {
        return part_of_day(word, pointer, index..noun + 1, anchor);
    }
    if let Some(weekday) = weekday_named(reader, noun, true) {
        let date = match pointer {
            Pointer::Last => calendar::weekday_before(anchor, weekday)?,
            Pointer::This => this_weekday(reader, index, anchor, weekday)?,
            Pointer::Next => {
                calendar::weekday_in_week_of(calendar::plus(anchor, Unit::Week, 1)?, weekday)?
            }
        };
        let part = usize::from(names::is_part_of_day(tokens.word(noun + 1)));
        return Some(Found::relative(index..noun + 1 + part, When::day(date)));
    }
    let when = period(word, pointer, anchor)?;
    Some(Found::relative(index..noun + 1, when))
}

fn part_of_day(
    word: &str,
    pointer: Pointer,
    range: std::ops::Range<usize>,
    anchor: Date,
) -> Option<Found> {
    let offset = match (pointer, word) {
        (Pointer::Last, "night" | "evening") => -1,
        (Pointer::This, _) => 0,
        _ => return None,
    };
    let date = calendar::plus(anchor, Unit::Day, offset)?;
    Some(Found::relative(range, When::day(date)))
}

/// The named day of this week; seen from the past, one that has already been.
fn this_weekday(
    reader: &Reader<'_, '_>,
    index: usize,
    anchor: Date,
    weekday: jiff::civil::Weekday,
) -> Option<Date> {
    let here = calendar::weekday_in_week_of(anchor, weekday)?;
    let tense = tense::around(reader.tokens, index);
    match tense {
        Some(Tense::Past) if here > anchor => calendar::weekday_before(anchor, weekday),
        Some(Tense::Past) => Some(here),
        _ if here < anchor => calendar::weekday_after(anchor, weekday),
        _ => Some(here),
    }
}

/// A week, weekend, month, year, season or named month, before, at or after now.
fn period(word: &str, pointer: Pointer, anchor: Date) -> Option<When> {
    let offset = pointer.offset();
    match word {
        "week" => calendar::week_of(calendar::plus(anchor, Unit::Week, offset)?),
        "weekend" => calendar::weekend_of(calendar::plus(anchor, Unit::Week, offset)?),
        "month" => calendar::around(first_of_month(anchor, offset)?, Unit::Month),
        "year" => calendar::year(anchor.year().checked_add(i16::try_from(offset).ok()?)?),
        _ => {
            if let Some(season) = names::season(word) {
                return recurring(anchor, pointer, season.first_month(), |year| {
                    calendar::season(year, season)
                });
            }
            let month = names::month(word).filter(|_| word.len() > 3 || word == "may")?;
            recurring(anchor, pointer, month, |year| calendar::month(year, month))
        }
    }
}

fn first_of_month(anchor: Date, offset: i64) -> Option<Date> {
    calendar::plus(anchor.first_of_month(), Unit::Month, offset)
}

/// The latest that is over, the one of this year, or the first to come.
fn recurring(
    anchor: Date,
    pointer: Pointer,
    first_month: i8,
    in_year: impl Fn(i16) -> Option<When>,
) -> Option<When> {
    let year = anchor.year();
    let now = anchor.to_datetime(jiff::civil::Time::midnight());
    match pointer {
        // In January "this winter" is the one that began in December.
        Pointer::This => (year - 1..=year)
            .filter_map(&in_year)
            .find(|when| when.start <= now && when.end.is_some_and(|end| now < end))
            .or_else(|| in_year(year)),
        Pointer::Last => (year - 2..=year)
            .rev()
            .filter_map(&in_year)
            .find(|when| when.end.is_some_and(|end| end <= now)),
        Pointer::Next => {
            let from = if anchor.month() < first_month {
                year
            } else {
                year + 1
            };
            in_year(from)
        }
    }
}

/// "over the weekend".
fn weekend(reader: &Reader<'_, '_>, index: usize, anchor: Date) -> Option<Found> {
    let tokens = reader.tokens;
    let meant = tokens.word(index + 1) == "weekend"
        && matches!(tokens.before(index), "over" | "at" | "during" | "for")
        && !matches!(tokens.word(index + 2), "before" | "after" | "of");
    if !meant {
        return None;
    }
    let past = tense::around(tokens, index) == Some(Tense::Past);
    let this = calendar::weekend_of(anchor)?;
    let is_over = this.start.date() <= anchor;
    let when = if past && !is_over {
        calendar::weekend_of(calendar::plus(anchor, Unit::Week, -1)?)?
    } else {
        this
    };
    Some(Found::relative(index..index + 2, when))
}

/// "in two weeks", unless that is how long something took.
fn ahead(reader: &Reader<'_, '_>, index: usize, anchor: Date) -> Option<Found> {
    let tokens = reader.tokens;
    let (count, unit, end) = amount(reader, index + 1)?;
    let (count, vague) = count;
    let open = !matches!(tokens.word(end), "of" | "or" | "from" | "'" | "time");
    if !open || tense::around(tokens, index) == Some(Tense::Past) {
        return None;
    }
    let when = coarse(calendar::plus(anchor, unit, count)?, unit, vague)?;
    Some(Found {
        vague,
        ..Found::relative(index..end, when)
    })
}

/// "two weeks ago", "a few days from now".
fn ago(reader: &Reader<'_, '_>, index: usize, anchor: Date) -> Option<Found> {
    let ((count, vague), unit, end) = amount(reader, index)?;
    let tokens = reader.tokens;
    let (sign, end) = match (tokens.word(end), tokens.word(end + 1)) {
        ("ago", _) => (-1, end + 1),
        ("from", "now" | "today") => (1, end + 2),
        _ => return None,
    };
    let vague = vague
        || matches!(
            tokens.before(index),
            "about" | "around" | "over" | "almost" | "nearly" | "roughly" | "like" | "than"
        );
    let when = coarse(calendar::plus(anchor, unit, sign * count)?, unit, vague)?;
    Some(Found {
        vague,
        ..Found::relative(index..end, when)
    })
}

/// A vague number of days is known to the week, of weeks to the month, of months
/// to the season.
fn coarse(date: Date, unit: Unit, vague: bool) -> Option<When> {
    match (unit, vague) {
        (Unit::Day, true) => calendar::week_of(date),
        (Unit::Week, true) => calendar::around(date, Unit::Month),
        (Unit::Month, true) => calendar::quarter_from(date.year(), date.month()),
        _ => calendar::around(date, unit),
    }
}

/// A number of units, whether it is vague, and where it ends.
fn amount(reader: &Reader<'_, '_>, index: usize) -> Option<((i64, bool), Unit, usize)> {
    let tokens = reader.tokens;
    let word = tokens.word(index);
    let (count, after) = match (word, tokens.word(index + 1)) {
        ("a", "few") => ((3, true), index + 2),
        ("few" | "several", _) => ((3, true), index + 1),
        ("a", "couple") => ((2, true), index + 2),
        ("couple", _) => ((2, true), index + 1),
        _ => {
            let count = names::count(word).or_else(|| {
                tokens
                    .number(index)
                    .filter(|count| (0..1000).contains(count))
            })?;
            ((count, false), index + 1)
        }
    };
    let after = after + usize::from(tokens.word(after) == "of");
    Some((count, names::unit(tokens.word(after))?, after + 1))
}

/// "for (about) five years now": when it began.
fn lasting(reader: &Reader<'_, '_>, index: usize, anchor: Date) -> Option<Found> {
    let tokens = reader.tokens;
    let skip = usize::from(matches!(
        tokens.word(index + 1),
        "about" | "around" | "over" | "almost" | "nearly" | "roughly"
    ));
    let ((count, _), unit, end) = amount(reader, index + 1 + skip)?;
    if !matches!(tokens.word(end), "now" | "already") {
        return None;
    }
    let when = calendar::around(calendar::plus(anchor, unit, -count)?, unit)?;
    Some(Found {
        vague: true,
        ..Found::relative(index..end + 1, when)
    })
}

/// "on Friday", "Friday night", "Tuesday last week", "Friday, May 7".
fn weekday(reader: &Reader<'_, '_>, index: usize, anchor: Date) -> Option<Found> {
    let tokens = reader.tokens;
    let weekday = weekday_named(reader, index, tokens.before(index) == "on")?;
    if matches!(
        tokens.before(index),
        "every"
            | "each"
            | "most"
            | "any"
            | "a"
            | "some"
            | "black"
            | "good"
            | "sunny"
            | "today's"
            | "happy"
    ) {
        return None;
    }
    let comma = usize::from(tokens.word(index + 1) == ",");
    if let Some(date) = absolute::at(reader, index + 1 + comma)
        && date.when.start.date().weekday() == weekday
    {
        return Some(Found {
            tokens: index..date.tokens.end,
            ..date
        });
    }
    let part = usize::from(names::is_part_of_day(tokens.word(index + 1)));
    let end = index + 1 + part;
    if tokens.word(end + 1) == "week"
        && let Some(offset) = match tokens.word(end) {
            "last" => Some(-1),
            "this" => Some(0),
            "next" => Some(1),
            _ => None,
        }
    {
        let week = calendar::plus(anchor, Unit::Week, offset)?;
        let date = calendar::weekday_in_week_of(week, weekday)?;
        return Some(Found::relative(index..end + 2, When::day(date)));
    }
    let date = match tense::around(tokens, index) {
        Some(Tense::Past) => calendar::weekday_before(anchor, weekday)?,
        _ => calendar::weekday_after(anchor, weekday)?,
    };
    Some(Found::relative(index..end, When::day(date)))
}

/// A weekday's name: full and with a capital, or `introduced` by a word such as
/// "last", when a small letter or a short name will do.
fn weekday_named(
    reader: &Reader<'_, '_>,
    index: usize,
    introduced: bool,
) -> Option<jiff::civil::Weekday> {
    let tokens = reader.tokens;
    let word = tokens.word(index);
    let capital = tokens.is_capital(index);
    names::weekday(word)
        .filter(|_| introduced || capital)
        .or_else(|| names::weekday_abbreviation(word).filter(|_| introduced && capital))
}

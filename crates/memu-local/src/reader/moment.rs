use jiff::{civil, tz};
use memu_core::time::parse_civil;
use serde_json::Number;

/// When a message was said: on the wall clock where that can be read, and as the
/// input wrote it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Moment {
    pub(super) civil: Option<civil::DateTime>,
    pub(super) text: Option<String>,
}

impl Moment {
    /// A written time. One that cannot be read is kept as text.
    pub(super) fn written(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::default();
        }
        Self {
            civil: read_civil(text),
            text: Some(text.to_owned()),
        }
    }

    /// Seconds since 1970 in UTC, or milli-, micro- or nanoseconds where seconds
    /// would lie thousands of years ahead.
    pub(super) fn unix(number: &Number) -> Self {
        Self {
            civil: number.as_f64().and_then(unix_to_civil),
            text: Some(number.to_string()),
        }
    }
}

fn read_civil(text: &str) -> Option<civil::DateTime> {
    if text.len() >= 9
        && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && let Some(civil) = text.parse().ok().and_then(unix_to_civil)
    {
        return Some(civil);
    }
    parse_civil(text).ok().or_else(|| {
        let mut stamp = Stamp::default();
        text.split(|c: char| c.is_whitespace() || c == ',')
            .filter(|token| !token.is_empty())
            .all(|token| stamp.take(token))
            .then(|| stamp.civil())
            .flatten()
    })
}

/// Seconds that no message's clock reaches (the year 5138): more are a finer unit.
const MOST_SECONDS: f64 = 1e11;

fn unix_to_civil(value: f64) -> Option<civil::DateTime> {
    let seconds = match value.abs() {
        size if size < MOST_SECONDS => value,
        size if size < MOST_SECONDS * 1e3 => value / 1e3,
        size if size < MOST_SECONDS * 1e6 => value / 1e6,
        _ => value / 1e9,
    };
    let instant = jiff::Timestamp::from_microsecond((seconds * 1e6).round() as i64).ok()?;
    Some(tz::Offset::UTC.to_datetime(instant))
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Words of a written time that say nothing about it.
const FILLERS: [&str; 22] = [
    "on",
    "at",
    "of",
    "the",
    "um",
    "utc",
    "gmt",
    "z",
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
    "sun",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// A time that is put together token by token, in any order.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stamp {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    clock: Option<civil::Time>,
    /// A date of three numbers, whose order may hang on the clock.
    numbers: Option<(i16, i16, i16)>,
    /// `AM` or `PM` in capitals, as in places that write the month first.
    capital_meridiem: bool,
    has_meridiem: bool,
}

impl Stamp {
    /// Takes a token in; `false` when it is not part of a time.
    pub(super) fn take(&mut self, token: &str) -> bool {
        self.take_clock(token)
            || self.take_meridiem(token)
            || self.take_numeric_date(token)
            || self.take_date_word(token)
    }

    pub(super) fn has_clock(&self) -> bool {
        self.clock.is_some()
    }

    pub(super) fn has_date(&self) -> bool {
        self.numbers.is_some() || self.month.is_some()
    }

    /// `10:00`, `10:00:05.25`, `1:56pm`.
    pub(super) fn take_clock(&mut self, token: &str) -> bool {
        if self.clock.is_some() {
            return false;
        }
        let digits_end = token
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.')))
            .unwrap_or(token.len());
        let Some((digits, meridiem)) = token.split_at_checked(digits_end) else {
            return false;
        };
        let Some(clock) = read_clock(digits) else {
            return false;
        };
        self.clock = Some(clock);
        if meridiem.is_empty() || self.take_meridiem(meridiem) {
            return true;
        }
        self.clock = None;
        false
    }

    /// `am`, `p.m.`, after the clock.
    pub(super) fn take_meridiem(&mut self, token: &str) -> bool {
        let Some(clock) = self.clock.filter(|_| !self.has_meridiem) else {
            return false;
        };
        let letters = token.replace('.', "");
        let hour = match letters.to_ascii_lowercase().as_str() {
            "am" if clock.hour() == 12 => 0,
            "pm" if clock.hour() < 12 => clock.hour() + 12,
            "am" | "pm" => clock.hour(),
            _ => return false,
        };
        self.capital_meridiem = letters.starts_with(char::is_uppercase);
        self.has_meridiem = true;
        self.clock = clock.with().hour(hour).build().ok();
        true
    }

    /// `2024-05-01`, `1/5/24`, `01.05.2024`.
    pub(super) fn take_numeric_date(&mut self, token: &str) -> bool {
        let Some(separator) = token.chars().find(|c| matches!(c, '-' | '/' | '.')) else {
            return false;
        };
        let mut parts = token.trim_end_matches('.').split(separator).map(|part| {
            let short = (1..=4).contains(&part.len());
            part.parse::<i16>().ok().filter(|_| short)
        });
        let (Some(Some(a)), Some(Some(b)), Some(Some(c)), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return false;
        };
        let fresh = !self.has_date();
        self.numbers = Some((a, b, c));
        fresh
    }

    /// A month's name, a day's number, a year, or a filler such as `on`.
    fn take_date_word(&mut self, token: &str) -> bool {
        let word = token.trim_end_matches('.').to_lowercase();
        if FILLERS.contains(&word.as_str()) {
            return true;
        }
        if let Some(month) = month_number(&word) {
            return self.month.replace(month).is_none();
        }
        let number = ["st", "nd", "rd", "th"]
            .iter()
            .find_map(|ending| word.strip_suffix(ending))
            .unwrap_or(&word);
        match (number.len(), number.parse::<i16>()) {
            (1 | 2, Ok(day)) => self.day.replace(day as i8).is_none(),
            (4, Ok(year)) => self.year.replace(year).is_none(),
            _ => false,
        }
    }

    /// The time, if there is a whole date.
    pub(super) fn civil(&self) -> Option<civil::DateTime> {
        let date = match self.numbers {
            Some(numbers) => self.order(numbers)?,
            None => civil::Date::new(self.year?, self.month?, self.day?).ok()?,
        };
        Some(date.to_datetime(self.clock.unwrap_or_default()))
    }

    /// Year first, or else the day first; the month first beside a capital `AM` or
    /// `PM`, and where no other reading is a date.
    fn order(&self, (a, b, c): (i16, i16, i16)) -> Option<civil::Date> {
        let date = |year: i16, month: i16, day: i16| {
            let year = if year < 100 { year + 2000 } else { year };
            civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
        };
        if a > 31 {
            return date(a, b, c);
        }
        let (day_first, month_first) = (date(c, b, a), date(c, a, b));
        if self.capital_meridiem {
            month_first.or(day_first)
        } else {
            day_first.or(month_first)
        }
    }
}

fn read_clock(digits: &str) -> Option<civil::Time> {
    let mut parts = digits.split(':');
    let (hour, minute) = (parts.next()?, parts.next()?);
    let (second, fraction) = match parts.next() {
        Some(rest) => rest.split_once('.').unwrap_or((rest, "")),
        None => ("0", ""),
    };
    if parts.next().is_some() || minute.len() != 2 || hour.len() > 2 {
        return None;
    }
    let nanos: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    civil::Time::new(
        hour.parse().ok()?,
        minute.parse().ok()?,
        second.parse().ok()?,
        nanos.parse().ok()?,
    )
    .ok()
}

/// The month that a name or an abbreviation of at least three letters means.
fn month_number(word: &str) -> Option<i8> {
    (word.len() >= 3)
        .then(|| MONTHS.iter().position(|month| month.starts_with(word)))
        .flatten()
        .and_then(|index| i8::try_from(index + 1).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(text: &str) -> Option<String> {
        read_civil(text).map(|civil| civil.strftime("%Y-%m-%d %H:%M:%S").to_string())
    }

    #[test]
    fn reads_the_common_ways_to_write_a_time() {
        for text in [
            "2024-05-01T13:56:00",
            "2024-05-01 13:56",
            "2024-05-01T13:56:00+02:00",
            "2024-05-01 13:56:00.000 UTC",
            "2024/05/01 13:56",
            "1/5/24, 13:56",
            "01.05.2024 13:56",
            "01.05.2024, 1:56 pm",
            "5/1/24, 1:56\u{202f}PM",
            "1:56 pm on 1 May, 2024",
            "May 1st, 2024 at 1:56PM",
            "Wed, 01 May 2024 13:56:00 GMT",
            "1714571760",
            "1714571760.25",
        ] {
            assert!(
                minute(text).is_some_and(|civil| civil.starts_with("2024-05-01 13:56")),
                "{text}: {:?}",
                minute(text)
            );
        }
        assert_eq!(
            minute("13/05/2024 12:05 AM").unwrap(),
            "2024-05-13 00:05:00"
        );
        assert_eq!(minute("8 May 2023").unwrap(), "2023-05-08 00:00:00");
    }

    #[test]
    fn reads_unix_times_by_their_size() {
        let times = [
            "1714571760",
            "1714571760000",
            "1714571760000000",
            "1714571760000000000",
        ];
        for number in times.map(|text| text.parse::<i64>().unwrap()) {
            let moment = Moment::unix(&number.into());
            assert_eq!(moment.civil, Some(civil::date(2024, 5, 1).at(13, 56, 0, 0)));
            assert_eq!(moment.text, Some(number.to_string()));
        }
        assert_eq!(
            Moment::unix(&u64::MAX.into())
                .civil
                .map(civil::DateTime::year),
            Some(2554)
        );
    }

    #[test]
    fn keeps_what_is_not_a_date_as_text_only() {
        for text in [
            "10:00",
            "yesterday",
            "32/13/2024",
            "May",
            "1.2.3.4",
            "25:61",
            "0:0:0",
        ] {
            assert_eq!(
                Moment::written(text),
                Moment {
                    civil: None,
                    text: Some(text.to_owned())
                },
                "{text}"
            );
        }
        assert_eq!(Moment::written("  "), Moment::default());
    }
}

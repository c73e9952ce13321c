use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use memu_core::time::Timestamp;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// How long a provider asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as a
/// date (RFC 9110, section 10.2.3). A date that is over means not to wait.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let header = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let milliseconds = header("retry-after-ms").and_then(|value| seconds(value, 1e-3));
    milliseconds.or_else(|| {
        let value = header(RETRY_AFTER.as_str())?;
        seconds(value, 1.0).or_else(|| until(value, now))
    })
}

fn seconds(value: &str, unit: f64) -> Option<Duration> {
    let number: f64 = value.parse().ok()?;
    Duration::try_from_secs_f64(number * unit).ok()
}

fn until(value: &str, now: Timestamp) -> Option<Duration> {
    let date = DateTimeParser::new().parse_timestamp(value).ok()?;
    let wait = date.as_microsecond().saturating_sub(now.as_micros());
    Some(Duration::from_micros(u64::try_from(wait).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(name: &'static str, value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        // Sun, 06 Nov 1994 08:49:37 GMT
        retry_after(&headers, Timestamp::from_micros(784_111_777_000_000))
    }

    #[test]
    fn seconds_milliseconds_and_dates_are_understood() {
        let after = Duration::from_secs;
        assert_eq!(wait("retry-after", "7"), Some(after(7)));
        assert_eq!(
            wait("retry-after", "0.25"),
            Some(Duration::from_millis(250))
        );
        assert_eq!(
            wait("retry-after-ms", "1500"),
            Some(Duration::from_millis(1500))
        );
        let date = "Sun, 06 Nov 1994 08:50:07 GMT";
        assert_eq!(wait("retry-after", date), Some(after(30)));
        let past = "Sun, 06 Nov 1994 08:00:00 GMT";
        assert_eq!(wait("retry-after", past), Some(after(0)));
        for nonsense in ["soon", "-1", "NaN", ""] {
            assert_eq!(wait("retry-after", nonsense), None);
        }
    }
}

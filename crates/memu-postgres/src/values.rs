//! Values as PostgreSQL has them.

use std::borrow::Cow;
use std::error::Error as StdError;

use bytes::{BufMut, BytesMut};
use memu_core::scope::{Scope, ScopeKey};
use memu_core::time::{Timestamp, civil};
use memu_core::{Error, Result};
use postgres_types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

type Failure = Box<dyn StdError + Sync + Send>;

/// From 1970 to 2000, from where PostgreSQL counts, in microseconds.
const TO_2000: i64 = 946_684_800_000_000;

/// Stands for U+0000, which PostgreSQL's texts cannot hold, when a digit follows: 0 for
/// it, 1 for this character itself. It is one that Unicode keeps for the inside of programs.
const ESCAPE: char = '\u{FDD0}';

/// A text, whatever is in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'t>(pub(crate) &'t str);

/// A text as PostgreSQL can hold it.
pub(crate) fn held(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return Cow::Borrowed(text);
    }
    let mut held = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\0' => held.extend([ESCAPE, '0']),
            ESCAPE => held.extend([ESCAPE, '1']),
            other => held.push(other),
        }
    }
    Cow::Owned(held)
}

/// The text that [`held`] was made of.
pub(crate) fn told(held: String) -> String {
    if !held.contains(ESCAPE) {
        return held;
    }
    let mut text = String::with_capacity(held.len());
    let mut characters = held.chars();
    while let Some(character) = characters.next() {
        if character != ESCAPE {
            text.push(character);
            continue;
        }
        match characters.next() {
            Some('0') => text.push('\0'),
            Some('1') | None => text.push(ESCAPE),
            // Another program wrote it.
            Some(other) => text.extend([ESCAPE, other]),
        }
    }
    text
}

impl ToSql for Text<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        held(self.0).as_ref().to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        <&str as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

/// A text that is owned.
#[derive(Clone, Debug)]
pub(crate) struct OwnText(pub(crate) String);

impl ToSql for OwnText {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        Text(&self.0).to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        Text::accepts(ty)
    }

    to_sql_checked!();
}

impl<'r> FromSql<'r> for OwnText {
    fn from_sql(ty: &Type, raw: &'r [u8]) -> Result<Self, Failure> {
        String::from_sql(ty, raw).map(|text| Self(told(text)))
    }

    fn accepts(ty: &Type) -> bool {
        <String as FromSql>::accepts(ty)
    }
}

/// A time in microseconds since 1970: of UTC for `timestamptz`, of the wall clock for
/// `timestamp`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Micros(pub(crate) i64);

impl ToSql for Micros {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        let since_2000 = self.0.checked_sub(TO_2000);
        out.put_i64(since_2000.ok_or("value too large for a time")?);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TIMESTAMPTZ || *ty == Type::TIMESTAMP
    }

    to_sql_checked!();
}

impl<'r> FromSql<'r> for Micros {
    fn from_sql(_: &Type, raw: &'r [u8]) -> Result<Self, Failure> {
        let since_2000 = i64::from_be_bytes(raw.try_into()?);
        let micros = since_2000.checked_add(TO_2000);
        Ok(Self(micros.ok_or("an infinite time")?))
    }

    fn accepts(ty: &Type) -> bool {
        <Self as ToSql>::accepts(ty)
    }
}

impl From<Timestamp> for Micros {
    fn from(time: Timestamp) -> Self {
        Self(time.as_micros())
    }
}

impl From<civil::DateTime> for Micros {
    fn from(time: civil::DateTime) -> Self {
        Self(memu_core::time::civil_micros(time))
    }
}

/// The key of a scope, as a `uuid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key(pub(crate) ScopeKey);

impl Key {
    pub(crate) fn of(scope: &Scope) -> Self {
        Self(scope.key())
    }

    /// As PostgreSQL writes it.
    pub(crate) fn text(self) -> String {
        let hex = self.0.to_string();
        let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default().to_owned();
        [
            part(0..8),
            part(8..12),
            part(12..16),
            part(16..20),
            part(20..32),
        ]
        .join("-")
    }
}

impl ToSql for Key {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        out.put_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::UUID
    }

    to_sql_checked!();
}

impl<'r> FromSql<'r> for Key {
    fn from_sql(_: &Type, raw: &'r [u8]) -> Result<Self, Failure> {
        Ok(Self(ScopeKey::from_bytes(raw.try_into()?)))
    }

    fn accepts(ty: &Type) -> bool {
        <Self as ToSql>::accepts(ty)
    }
}

/// JSON, already written, for `jsonb`.
#[derive(Clone, Debug)]
pub(crate) struct Json(pub(crate) String);

impl ToSql for Json {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        if *ty == Type::JSONB {
            out.put_u8(1);
        }
        out.put_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::JSONB || *ty == Type::JSON
    }

    to_sql_checked!();
}

impl<'r> FromSql<'r> for Json {
    fn from_sql(ty: &Type, raw: &'r [u8]) -> Result<Self, Failure> {
        let text = match raw.split_first() {
            Some((1, text)) if *ty == Type::JSONB => text,
            _ => raw,
        };
        Ok(Self(std::str::from_utf8(text)?.to_owned()))
    }

    fn accepts(ty: &Type) -> bool {
        <Self as ToSql>::accepts(ty)
    }
}

/// A count as PostgreSQL stores it.
pub(crate) fn integer(value: u64) -> Result<i64> {
    i64::try_from(value).map_err(|_| Error::input(format!("{value} is too large to be stored")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_they_were_and_hold_no_zero() {
        for text in [
            "",
            "plain",
            "a\0b",
            "\0",
            "\u{FDD0}",
            "\u{FDD0}0 is not \0",
            "\u{FDD0}\0\u{FDD0}1",
            "emoji 🦀\0",
        ] {
            let held = held(text);
            assert!(!held.contains('\0'), "{held:?}");
            assert_eq!(told(held.into_owned()), text);
        }
        // What others wrote is left as it is.
        for foreign in ["\u{FDD0}", "a\u{FDD0}b"] {
            assert_eq!(told(foreign.to_owned()), foreign);
        }
    }

    #[test]
    fn keys_are_written_as_uuids() {
        let key = Key(ScopeKey::from_bytes(*b"0123456789abcdef"));
        assert_eq!(key.text(), "30313233-3435-3637-3839-616263646566");
    }
}

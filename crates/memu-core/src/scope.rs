//! Whose memory it is.
//!
//! A [`ScopeSchema`] names the fields, in order, when a store is created
//! (`user_id` by default). A [`Scope`] gives each of them a value or leaves it
//! empty; all fields empty is a scope of its own. A [`ScopeKey`] is the compact,
//! non-null form that leads every index.

use std::fmt;
use std::sync::Arc;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::error::{Error, Result};

/// The longest accepted scope value, in bytes.
pub const MAX_SCOPE_VALUE_BYTES: usize = 512;

/// Names that records or their tables use themselves and that a scope field may not
/// take.
const RESERVED: [&str; 49] = [
    "item_row",
    "category_row",
    "id",
    "created_at",
    "updated_at",
    "url",
    "modality",
    "local_path",
    "caption",
    "embedding",
    "embedding_json",
    "resource_id",
    "memory_type",
    "summary",
    "happened_at",
    "extra",
    "name",
    "description",
    "item_id",
    "category_id",
    "category",
    "scope_id",
    "scope_key",
    "revision",
    "score",
    "segments",
    "row",
    "seq",
    "derived_seq",
    "valid_from",
    "valid_to",
    "superseded_by",
    "content_hash",
    "external_id",
    "segment_count",
    "happened_end",
    "happened_precision",
    "step_name",
    "model_profile",
    "model_provider",
    "model_name",
    "prompt_hash",
    "request_hash",
    "reply_text",
    "usage_json",
    "finish_reason",
    "reply_state",
    "error_text",
    "source_json",
];

/// The ordered names of a store's scope fields.
#[derive(Clone, PartialEq, Eq)]
pub struct ScopeSchema(Arc<[Arc<str>]>);

impl ScopeSchema {
    /// A schema of these fields, in this order.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when there is none, when a
    /// name repeats, is not a lower-case identifier (`[a-z][a-z0-9_]*`, without
    /// `__`), or is one that records use themselves.
    pub fn new<I, S>(fields: I) -> Result<Self>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        let mut names: Vec<Arc<str>> = Vec::new();
        for field in fields {
            let name = field.as_ref();
            check_field_name(name)?;
            if names.iter().any(|known| &**known == name) {
                return Err(Error::config(format!("the scope field {name:?} repeats")));
            }
            names.push(name.into());
        }
        if names.is_empty() {
            return Err(Error::config("a scope needs at least one field"));
        }
        Ok(Self(names.into()))
    }

    /// The field names, in order.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|name| &**name)
    }

    /// The position of a field.
    pub fn position(&self, field: &str) -> Option<usize> {
        self.0.iter().position(|name| &**name == field)
    }

    /// The scope whose fields are all empty.
    pub fn empty_scope(&self) -> Scope {
        Scope {
            values: vec![None; self.0.len()].into(),
            schema: self.clone(),
        }
    }

    /// A scope with these values; fields that are not named stay empty.
    ///
    /// # Errors
    /// [`ErrorKind::Scope`](crate::ErrorKind::Scope) for a field outside the
    /// schema, an empty value, or one longer than [`MAX_SCOPE_VALUE_BYTES`].
    pub fn scope<'a, I>(&self, values: I) -> Result<Scope>
    where
        I: IntoIterator<Item = (&'a str, &'a str)>,
    {
        let mut slots: Vec<Option<Arc<str>>> = vec![None; self.0.len()];
        for (field, value) in values {
            let slot = self
                .position(field)
                .and_then(|position| slots.get_mut(position))
                .ok_or_else(|| self.unknown_field(field))?;
            check_value(field, value)?;
            *slot = Some(value.into());
        }
        Ok(Scope {
            values: slots.into(),
            schema: self.clone(),
        })
    }

    /// A scope from a JSON object such as `{"user_id": "alice"}`; strings,
    /// numbers and booleans are taken, `null` leaves the field empty.
    ///
    /// # Errors
    /// As [`ScopeSchema::scope`], and for any other type of value.
    pub fn scope_from_json(&self, object: &serde_json::Map<String, Value>) -> Result<Scope> {
        let mut pairs = Vec::with_capacity(object.len());
        for (field, value) in object {
            if self.position(field).is_none() {
                return Err(self.unknown_field(field));
            }
            if let Some(text) = scalar_text(value)
                .map_err(|found| Error::scope(format!("{field} must be a string, not {found}")))?
            {
                pairs.push((field.as_str(), text));
            }
        }
        self.scope(pairs.iter().map(|(field, text)| (*field, text.as_str())))
    }

    pub(crate) fn unknown_field(&self, field: &str) -> Error {
        let valid: Vec<_> = self.fields().collect();
        Error::scope(format!(
            "unknown scope field {field:?}; this store has {}",
            valid.join(", ")
        ))
    }
}

impl Default for ScopeSchema {
    /// One field, `user_id`.
    fn default() -> Self {
        Self([Arc::from("user_id")].into())
    }
}

impl fmt::Debug for ScopeSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.fields()).finish()
    }
}

/// Text of a JSON scalar, `None` for `null`.
pub(crate) fn scalar_text(value: &Value) -> Result<Option<String>, &'static str> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::Bool(flag) => Ok(Some(flag.to_string())),
        Value::Array(_) => Err("an array"),
        Value::Object(_) => Err("an object"),
    }
}

fn check_field_name(name: &str) -> Result<()> {
    let mut characters = name.chars();
    let well_formed = characters.next().is_some_and(|c| c.is_ascii_lowercase())
        && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.contains("__")
        && name.len() <= 63;
    if !well_formed {
        return Err(Error::config(format!(
            "{name:?} cannot name a scope field; use lower-case letters, digits and single \
             underscores, at most 63"
        )));
    }
    if RESERVED.contains(&name) {
        return Err(Error::config(format!(
            "{name:?} cannot name a scope field, because records use that name themselves"
        )));
    }
    Ok(())
}

fn check_value(field: &str, value: &str) -> Result<()> {
    if value.is_empty() {
        return Err(Error::scope(format!(
            "{field} is empty; leave the field out instead"
        )));
    }
    if value.len() > MAX_SCOPE_VALUE_BYTES {
        return Err(Error::scope(format!(
            "{field} has {} bytes; at most {MAX_SCOPE_VALUE_BYTES} are allowed",
            value.len()
        )));
    }
    Ok(())
}

/// One scope: a value, or nothing, for each field of its schema.
#[derive(Clone, PartialEq, Eq)]
pub struct Scope {
    schema: ScopeSchema,
    values: Arc<[Option<Arc<str>>]>,
}

impl Scope {
    /// The schema this scope belongs to.
    pub fn schema(&self) -> &ScopeSchema {
        &self.schema
    }

    /// The value of a field; `None` when it is empty or unknown.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.schema
            .position(field)
            .and_then(|position| self.values.get(position))
            .and_then(Option::as_deref)
    }

    /// Every field with its value, in schema order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Option<&str>)> {
        self.schema
            .fields()
            .zip(self.values.iter().map(Option::as_deref))
    }

    /// Whether every field is empty.
    pub fn is_empty(&self) -> bool {
        self.values.iter().all(Option::is_none)
    }

    /// The compact key: the first 16 bytes of BLAKE3 over the non-empty fields,
    /// each with its name, all length-prefixed. It does not change when a schema
    /// gains a field that stays empty.
    pub fn key(&self) -> ScopeKey {
        let mut hasher = blake3::Hasher::new_derive_key("memu 2026 scope key v1");
        for (field, value) in self.iter() {
            let Some(value) = value else { continue };
            for part in [field, value] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part.as_bytes());
            }
        }
        let mut key = [0; 16];
        hasher.finalize_xof().fill(&mut key);
        ScopeKey(key)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("(no scope)");
        }
        let mut separator = "";
        for (field, value) in self.iter() {
            if let Some(value) = value {
                write!(f, "{separator}{field}={value}")?;
                separator = ", ";
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({self})")
    }
}

/// A scope serialises as its fields, so that records can flatten it.
impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.values.len()))?;
        for (field, value) in self.iter() {
            map.serialize_entry(field, &value)?;
        }
        map.end()
    }
}

/// The compact, non-null identity of a scope.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeKey([u8; 16]);

impl ScopeKey {
    /// The raw key.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// A key from its raw bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for ScopeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ScopeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScopeKey({self})")
    }
}

#[cfg(test)]
mod tests;

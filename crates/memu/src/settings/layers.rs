use std::path::Path;

use memu_core::{Error, Result};
use serde_json::{Map, Value};

use super::Settings;
use super::refusal::{unknown_key, unusable};

/// The file that is read when none is named, where it exists.
pub const CONFIG_FILE: &str = "memu.toml";

/// The variables that hold the key of an encrypted file, the first over the second. It is taken
/// as it is: what looks like a number is a key all the same.
const KEY_VARIABLES: [&str; 2] = [
    "MEMU_KEY",
    "MEMU_DATABASE_CONFIG__METADATA_STORE__ENCRYPTION_KEY",
];

/// The variable that names the program ffmpeg.
const FFMPEG_VARIABLE: &str = "MEMU_FFMPEG";

/// Keys of the original that no longer mean anything; accepted and left alone.
const RETIRED_PROFILE_KEYS: [&str; 2] = ["client_backend", "lazyllm_source"];

/// Settings from several places, the later over the earlier.
// No `Debug`: what is merged may hold a key.
#[derive(Clone, Default)]
pub struct Layers {
    merged: Value,
}

impl Layers {
    /// The defaults alone.
    pub fn new() -> Self {
        Self {
            merged: Value::Object(Map::new()),
        }
    }

    /// Adds a TOML file.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](memu_core::ErrorKind::Config) when it cannot be read or
    /// is not TOML, with the line.
    pub fn file(self, path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|cause| {
            Error::config("the configuration file cannot be read")
                .with("file", path.display())
                .caused_by(cause)
        })?;
        let value: toml::Value = toml::from_str(&text).map_err(|cause| {
            Error::config(format!("not valid TOML: {}", cause.message().trim()))
                .with("file", path.display())
                .with("line", line_of(&text, cause.span()))
        })?;
        let value = serde_json::to_value(value)
            .map_err(|cause| Error::config("not representable").caused_by(cause))?;
        Ok(self.value(value))
    }

    /// Adds the `MEMU_*` variables that name settings: `MEMU_`, then the path in
    /// capitals with `__` between its parts, such as
    /// `MEMU_RETRIEVE_CONFIG__ITEM__TOP_K=10`. Values are read as JSON where they are
    /// JSON, otherwise as text. In whatever order they come, a setting wins over a section that
    /// it is in. `MEMU_KEY` is `database_config.metadata_store.encryption_key`, and wins over it;
    /// `MEMU_FFMPEG` is `memorize_config.ffmpeg_path`.
    #[must_use]
    pub fn variables(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let known = serde_json::to_value(Settings::default()).unwrap_or_default();
        let mut variables: Vec<(String, String)> = variables.into_iter().collect();
        variables.sort_by_cached_key(|(name, _)| {
            let depth = name.matches("__").count();
            (name == "MEMU_KEY", depth, name.clone())
        });
        for (name, text) in variables {
            if KEY_VARIABLES.contains(&name.as_str()) {
                let store = serde_json::json!({"metadata_store": {"encryption_key": text}});
                merge(
                    &mut self.merged,
                    serde_json::json!({ "database_config": store }),
                );
                continue;
            }
            if name == FFMPEG_VARIABLE {
                let ffmpeg = serde_json::json!({"ffmpeg_path": text});
                merge(
                    &mut self.merged,
                    serde_json::json!({ "memorize_config": ffmpeg }),
                );
                continue;
            }
            let Some(path) = name.strip_prefix("MEMU_") else {
                continue;
            };
            let path = path.to_lowercase();
            let parts: Vec<&str> = path.split("__").collect();
            if parts.len() < 2 || parts.first().is_none_or(|first| known.get(first).is_none()) {
                continue;
            }
            let leaf = serde_json::from_str(&text).unwrap_or(Value::String(text));
            let nested = parts.iter().rev().fold(leaf, |value, part| {
                Value::Object(Map::from_iter([((*part).to_owned(), value)]))
            });
            merge(&mut self.merged, nested);
        }
        self
    }

    /// Adds a JSON object of settings.
    #[must_use]
    pub fn value(mut self, value: Value) -> Self {
        merge(&mut self.merged, value);
        self
    }

    /// The settings that result, validated.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](memu_core::ErrorKind::Config) for a key that does not
    /// exist (naming the nearest that does), a value of the wrong type or out of
    /// range.
    pub fn settings(mut self) -> Result<Settings> {
        self.drop_retired_keys();
        let mut unknown = Vec::new();
        let settings: Settings = serde_ignored::deserialize(&self.merged, |path| {
            unknown.push(path.to_string());
        })
        .map_err(|cause| unusable(&self.merged, &cause))?;
        if let Some(path) = unknown.first() {
            return Err(unknown_key(path));
        }
        settings.validate()?;
        Ok(settings)
    }

    fn drop_retired_keys(&mut self) {
        let profiles = self
            .merged
            .get_mut("llm_profiles")
            .and_then(Value::as_object_mut);
        for profile in profiles
            .into_iter()
            .flat_map(|profiles| profiles.values_mut())
        {
            if let Some(profile) = profile.as_object_mut() {
                profile.retain(|key, _| !RETIRED_PROFILE_KEYS.contains(&key.as_str()));
            }
        }
    }
}

/// Puts `over` over `under`: objects are merged, everything else is replaced.
fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                merge(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}

fn line_of(text: &str, span: Option<std::ops::Range<usize>>) -> usize {
    let before = span.and_then(|span| text.get(..span.start));
    before.map_or(1, |before| before.matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn later_layers_win_and_the_rest_keeps_its_default() {
        let settings = Layers::new()
            .value(json!({"retrieve_config": {"item": {"top_k": 7}, "category": {"top_k": 2}}}))
            .variables([
                (
                    "MEMU_RETRIEVE_CONFIG__ITEM__TOP_K".to_owned(),
                    "9".to_owned(),
                ),
                ("MEMU_EVAL_DATA".to_owned(), "/data".to_owned()),
                ("PATH".to_owned(), "/bin".to_owned()),
            ])
            .settings()
            .unwrap();
        assert_eq!(settings.retrieve_config.item.top_k, 9);
        assert_eq!(settings.retrieve_config.category.top_k, 2);
        assert_eq!(settings.retrieve_config.resource.top_k, 5);
    }

    #[test]
    fn unknown_keys_name_the_nearest_and_bad_values_their_range() {
        for (value, expected) in [
            (
                json!({"retrieve_confg": {}}),
                "unknown setting \"retrieve_confg\"; did you mean \"retrieve_config\"?",
            ),
            (
                json!({"retrieve_config": {"item": {"topk": 3}}}),
                "unknown setting \"retrieve_config.item.topk\"; did you mean \"top_k\"?",
            ),
            (
                json!({"user_config": {"zzz": 3}}),
                "unknown setting \"user_config.zzz\"; valid here: model",
            ),
            (
                json!({"retrieve_config": {"item": {"top_k": 0}}}),
                "retrieve_config.item.top_k is 0; it must be from 1 to 10000",
            ),
            (
                json!({"memorize_config": {"category_assign_threshold": 2.0}}),
                "memorize_config.category_assign_threshold is 2; it must be from 0 to 1",
            ),
            (
                json!({"database_config": {"metadata_store": {"pool_size": 0}}}),
                "database_config.metadata_store.pool_size is 0; it must be from 1 to 256",
            ),
            (
                json!({"llm_profiles": {"default": {"provider": "openai", "model": "gpt"}}}),
                "llm_profiles.default.model is for the provider \"local\"; \"openai\" has \
                 chat_model and embed_model",
            ),
            (
                json!({"memorize_config": {"memory_extract_llm_profile": "big"}}),
                "memorize_config.memory_extract_llm_profile names the profile \"big\", which \
                 llm_profiles does not have; it has none",
            ),
        ] {
            let error = Layers::new().value(value).settings().unwrap_err();
            assert_eq!(error.message(), expected);
        }
    }

    #[test]
    fn a_key_is_taken_as_it_is_and_never_shown() {
        for name in KEY_VARIABLES {
            for key in ["1e5", "\"quoted\"", "false", " 007 ", "x'00'"] {
                let layers = Layers::new().variables([(name.to_owned(), key.to_owned())]);
                let settings = layers.settings().unwrap();
                let store = &settings.database_config.metadata_store;
                assert_eq!(store.encryption_key.as_ref().unwrap().reveal(), key);
                let shown = format!("{store:?} {}", serde_json::to_string(&store).unwrap());
                assert!(!shown.contains(key.trim_matches('"')), "{shown}");
            }
        }
    }

    #[test]
    fn a_key_that_is_no_text_is_refused_without_being_shown() {
        for key in [json!(271_828), json!([271_828]), json!({"a": 271_828})] {
            let store = json!({"metadata_store": {"encryption_key": key}});
            let layers = Layers::new().value(json!({ "database_config": store }));
            let error = layers.settings().unwrap_err();
            assert_eq!(
                error.message(),
                "database_config.metadata_store.encryption_key has an unusable value; it must be \
                 a text, in quotes"
            );
        }
    }

    #[test]
    fn what_cannot_be_used_is_named_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("memu.toml");
        let from_file = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Layers::new().file(&path).and_then(Layers::settings)
        };
        let from_variable = |text: &str| {
            let name = "MEMU_DATABASE_CONFIG__METADATA_STORE".to_owned();
            Layers::new()
                .variables([(name, text.to_owned())])
                .settings()
        };
        let store = "database_config.metadata_store has an unusable value; it must be a section \
                     with settings in it";
        for (settings, expected) in [
            (from_variable(r#"{encryption_key: "s3cret"}"#), store),
            (from_variable("s3cret, expected s3cret"), store),
            (
                from_file("[database_config]\nmetadata_store = \"s3cret\""),
                store,
            ),
            (
                from_file("database_config = \"s3cret\""),
                "database_config has an unusable value; it must be a section with settings in it",
            ),
            (
                from_variable(r#"{"pool_size": "s3cret", "ddl_mode": "create"}"#),
                "database_config.metadata_store.pool_size has an unusable value; it must be a whole number",
            ),
            (
                from_variable(r#"{"ddl_mode": "s3cret"}"#),
                "database_config.metadata_store.ddl_mode has an unusable value; it must be \
                 `create` or `validate`",
            ),
        ] {
            let error = settings.unwrap_err();
            assert_eq!(error.message(), expected);
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
        for text in [
            "encryption_key = s3cret",
            "encryption_key = \"s3cret",
            "s3cret",
        ] {
            let error = from_file(text).unwrap_err();
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    }

    #[test]
    fn the_short_variable_of_the_key_wins_in_every_order() {
        let [short, long] = KEY_VARIABLES.map(str::to_owned);
        let section = "MEMU_DATABASE_CONFIG__METADATA_STORE".to_owned();
        let whole = (section, r#"{"encryption_key": "section"}"#.to_owned());
        let (short, long) = ((short, "short".to_owned()), (long, "long".to_owned()));
        for (variables, expected) in [
            (vec![short.clone(), long.clone(), whole.clone()], "short"),
            (vec![whole.clone(), long.clone(), short], "short"),
            (vec![long.clone(), whole.clone()], "long"),
            (vec![whole, long], "long"),
        ] {
            let settings = Layers::new().variables(variables).settings().unwrap();
            let key = settings.database_config.metadata_store.encryption_key;
            assert_eq!(key.unwrap().reveal(), expected);
        }
    }

    #[test]
    fn retired_keys_of_the_original_are_accepted() {
        let profile = json!({"default": {"provider": "local", "client_backend": "sdk"}});
        let layers = Layers::new().value(json!({"llm_profiles": profile}));
        assert!(layers.settings().is_ok());
    }
}

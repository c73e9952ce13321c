use memu_core::Secret;

use crate::presets::Preset;
use crate::profile::Profile;
use crate::surroundings::Variables;

/// The key of a profile; `None` where there is none, and it is not `needed` or the provider needs
/// none. An error says in words what is missing.
pub(super) fn find(
    name: &str,
    profile: &Profile,
    preset: &Preset,
    variables: &Variables,
    needed: bool,
) -> Result<Option<Secret>, String> {
    let needed = needed && preset.needs_key;
    let missing = |variable: &str| {
        format!(
            "llm_profiles.{name} has no key for the provider {:?}: the environment variable \
             {variable} is not set (or set api_key)",
            preset.name
        )
    };
    let configured = profile.api_key.as_ref().map(|key| key.reveal().trim());
    if let Some(key) = configured.filter(|key| !key.is_empty()) {
        return match variables.get(key) {
            Some(value) => Ok(Some(Secret::new(value))),
            None if !looks_like_variable(key, preset) => Ok(Some(Secret::new(key))),
            None if needed => Err(missing(key)),
            None => Ok(None),
        };
    }
    let found = preset
        .key_variables
        .iter()
        .find_map(|name| variables.get(name));
    match found {
        None if needed => Err(missing(preset.key_variables.first().unwrap_or(&"?"))),
        found => Ok(found.map(Secret::new)),
    }
}

/// Whether a text is rather the name of a variable than a key. Only then it may be shown.
fn looks_like_variable(text: &str, preset: &Preset) -> bool {
    let is_name = text
        .chars()
        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let ends = ["_KEY", "_TOKEN", "_SECRET"];
    preset.key_variables.contains(&text)
        || (is_name && ends.iter().any(|ending| text.ends_with(ending)))
}

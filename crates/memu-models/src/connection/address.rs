use memu_core::{Error, Result};
use reqwest::Url;

use crate::presets::Preset;
use crate::profile::Profile;
use crate::surroundings::Variables;

/// Where a provider is that nobody calls.
const NOWHERE: &str = "http://replay.invalid";

/// Where a provider is: as the profile says, or the variable of its own programs, or the preset.
/// It may not be known when it is not `needed`.
pub(super) fn base_url(
    name: &str,
    profile: &Profile,
    preset: &Preset,
    variables: &Variables,
    needed: bool,
) -> Result<Url> {
    if let Some(url) = &profile.base_url {
        return parse_url(name, "base_url", url);
    }
    let variable = preset.url_variable;
    if let Some((variable, value)) = variable.and_then(|name| Some((name, variables.get(name)?))) {
        let url = match preset.name {
            "ollama" => ollama_host(&value),
            _ => with_suffix(&value, preset.url_suffix),
        };
        return parse_url(name, variable, &url);
    }
    match (preset.base_url, variable) {
        (Some(url), _) => parse_url(name, "base_url", url),
        (None, _) if !needed => parse_url(name, "base_url", NOWHERE),
        (None, variable) => Err(Error::config(format!(
            "llm_profiles.{name} needs a base_url: the provider {:?} has one for every customer \
             (or set {})",
            preset.name,
            variable.unwrap_or("it")
        ))),
    }
}

/// What the provider's own programs make of their variable.
fn with_suffix(value: &str, suffix: &str) -> String {
    let value = value.trim_end_matches('/');
    let value = value.strip_suffix(suffix).unwrap_or(value);
    format!("{value}{suffix}")
}

/// `OLLAMA_HOST` tells the server where to listen and its clients where it is: the scheme and
/// the port may be missing, and the host may be that of every interface.
fn ollama_host(value: &str) -> String {
    let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.replace("0.0.0.0", "127.0.0.1");
    let host = match host.as_str() {
        "" => "127.0.0.1".to_owned(),
        port if port.starts_with(':') => format!("127.0.0.1{port}"),
        _ => host,
    };
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| {
        !port.is_empty() && port.chars().all(|digit| digit.is_ascii_digit())
    });
    let port = match (has_port, scheme) {
        (true, _) | (false, "https") => "",
        _ if value.contains("://") => ":80",
        _ => ":11434",
    };
    format!("{scheme}://{host}{port}/{path}")
}

/// Reads an address, and refuses one that holds a password. `setting` is where it stands.
pub(super) fn parse_url(name: &str, setting: &str, text: &str) -> Result<Url> {
    let refuse = |why: &str| {
        let place = match setting {
            "base_url" | "endpoint_overrides" => format!("llm_profiles.{name}.{setting}"),
            variable => format!("{variable}, which llm_profiles.{name} uses,"),
        };
        // Not the text itself: there may be a password in it.
        Error::config(format!("{place} {why}"))
    };
    let url = Url::parse(text.trim()).map_err(|_| refuse("is no URL such as https://host/v1"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(refuse("must start with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("holds a user name or a password; use api_key"));
    }
    Ok(url)
}

//! A profile whose address and key have been found.

mod address;
mod key;

use std::fmt::{self, Write as _};
use std::sync::Arc;

use memu_core::records::public_address;
use memu_core::{Error, Result};
use reqwest::Url;

use crate::embed::EmbeddingClient;
use crate::presets::Preset;
use crate::profile::Profile;
use crate::surroundings::Surroundings;
use crate::transport::{Target, Transport};
use crate::wire::ChatClient;

/// A provider that is ready to be called. All clients that are made of one share its
/// connections and its limit of calls at the same time.
#[derive(Clone)]
pub struct Connection {
    pub(crate) name: Arc<str>,
    pub(crate) profile: Arc<Profile>,
    pub(crate) preset: &'static Preset,
    pub(crate) transport: Arc<Transport>,
    base: Url,
    /// Why it cannot be called: there is no key.
    keyless: Option<String>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.base.host_str().unwrap_or_default();
        write!(
            f,
            "Connection({}: {} at {place})",
            self.name, self.preset.name
        )
    }
}

impl Connection {
    /// Finds the address and the key of a profile. Nothing is called yet; that the key is
    /// missing is an error of the first call, so that what needs no model works without.
    /// `name` is what the profile is called.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](memu_core::ErrorKind::Config), naming the profile, when a setting
    /// cannot be used.
    pub fn new(name: &str, profile: &Profile, surroundings: &Surroundings) -> Result<Self> {
        let preset = profile.validate(name)?;
        let variables = &surroundings.variables;
        let route = surroundings.traffic.route(variables)?;
        // A recording needs neither: nobody is called.
        let needed = !route.is_replay();
        let base = address::base_url(name, profile, preset, variables, needed)?;
        let (key, keyless) = match key::find(name, profile, preset, variables, needed) {
            Ok(key) => (key, None),
            Err(missing) => (None, Some(missing)),
        };
        let transport = Transport::new(name, profile, preset, key, route, surroundings)?;
        Ok(Self {
            name: name.into(),
            profile: Arc::new(profile.clone()),
            preset,
            transport: Arc::new(transport),
            base,
            keyless,
        })
    }

    /// The provider, by the name of its preset.
    pub fn provider(&self) -> &'static Preset {
        self.preset
    }

    /// A client for the model that chats, sees and transcribes.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](memu_core::ErrorKind::Unsupported) when the provider only
    /// embeds; [`ErrorKind::Config`](memu_core::ErrorKind::Config) when no model is named.
    pub fn chat_model(&self) -> Result<ChatClient> {
        ChatClient::new(self)
    }

    /// A client for the model that embeds. When the dimension of its vectors is neither
    /// configured nor known, it is asked for one.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](memu_core::ErrorKind::Unsupported) when the provider does
    /// not embed; [`ErrorKind::Config`](memu_core::ErrorKind::Config) when no model is named;
    /// [`ErrorKind::Model`](memu_core::ErrorKind::Model) when it had to be asked and failed.
    pub async fn embedder(&self) -> Result<EmbeddingClient> {
        EmbeddingClient::connect(self).await
    }

    /// How many numbers the vectors of the model that embeds have, by one call to it.
    ///
    /// # Errors
    /// As [`Self::embedder`].
    pub async fn probe(&self) -> Result<u32> {
        EmbeddingClient::probe(self).await
    }

    /// Whether there is the key that calls need.
    pub fn has_key(&self) -> bool {
        self.keyless.is_none()
    }

    /// Refuses to make a call without the key that it needs.
    pub(crate) fn check_key(&self) -> Result<()> {
        match &self.keyless {
            None => Ok(()),
            Some(missing) => Err(Error::config(missing.clone())),
        }
    }

    /// Where a call goes: the base address with a path, which the profile may override. A base
    /// that ends in a version, as in `…/v1`, replaces that of the path.
    pub(crate) fn target(&self, endpoint: &str, path: &str) -> Result<Target> {
        let path = self.profile.endpoint(endpoint).unwrap_or(path);
        if path.starts_with("http://") || path.starts_with("https://") {
            let url = address::parse_url(&self.name, "endpoint_overrides", path)?;
            let path = url.path().to_owned();
            return Ok(Target { url, path });
        }
        let asked = path.to_owned();
        let base = self.base.path().trim_end_matches('/');
        let path = path.trim_start_matches('/');
        let base_version = base.rsplit('/').next().is_some_and(is_version);
        let path = match path.split_once('/') {
            Some((first, rest)) if base_version && is_version(first) => rest,
            _ => path,
        };
        let mut url = self.base.clone();
        url.set_path(&format!("{base}/{path}"));
        Ok(Target { url, path: asked })
    }

    /// Where the models are, when that is not where the provider always is: its address and the
    /// paths that the profile overrides, without what may be a key.
    pub(crate) fn place(&self) -> Option<String> {
        let fixed = self.preset.base_url.and_then(|url| Url::parse(url).ok());
        let paths = &self.profile.endpoint_overrides;
        let mut paths = paths.iter().filter(|(_, path)| path.contains("://"));
        let known = fixed.is_some_and(|fixed| {
            (fixed.origin(), fixed.path()) == (self.base.origin(), self.base.path())
        });
        if known && paths.clone().next().is_none() {
            return None;
        }
        let base = public_address(self.base.as_str()).into_owned();
        let place = paths.try_fold(base, |mut place, (name, path)| {
            write!(place, " {name}={}", public_address(path)).map(|()| place)
        });
        place.ok()
    }

    /// An error about something that this profile cannot do.
    pub(crate) fn unsupported(&self, what: &str) -> Error {
        Error::unsupported(what.to_owned())
            .with("profile", &self.name)
            .with("provider", self.preset.name)
    }

    /// The model that a profile names, or else that of the preset.
    pub(crate) fn model(
        &self,
        setting: &str,
        named: Option<&String>,
        default: Option<&str>,
    ) -> Result<String> {
        let model = named.map(|name| name.trim()).or(default);
        model.map(str::to_owned).ok_or_else(|| {
            Error::config(format!(
                "llm_profiles.{} names no {setting}, and the provider {:?} has no model that is \
                 always there",
                self.name, self.preset.name
            ))
        })
    }
}

/// `v1`, `v1beta`, ….
fn is_version(segment: &str) -> bool {
    let digit = segment
        .strip_prefix('v')
        .and_then(|rest| rest.chars().next());
    digit.is_some_and(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests;

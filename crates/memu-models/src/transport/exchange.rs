//! One request and what came of it, as a line of a recording.

use std::collections::BTreeMap;
use std::time::Duration;

use memu_core::records::ContentHash;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::secrets::{KeyRemains, Secrets};
use super::{Call, Failure};
use crate::address::masked_address;

/// What this version writes and reads.
const FORMAT: u32 = 1;
/// How every recording begins.
pub(super) const BEGINNING: &str = "{\"recording\":";
/// The headers that tell when to ask again.
const TELLING: [HeaderName; 2] = [RETRY_AFTER, HeaderName::from_static("retry-after-ms")];

/// What a provider answered.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Those that tell when to ask again.
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    /// The headers of a reply that matter.
    pub(super) fn headers(all: &HeaderMap) -> HeaderMap {
        let telling = TELLING.into_iter();
        let found = telling.filter_map(|name| Some((name.clone(), all.get(&name)?.clone())));
        found.collect()
    }
}

/// A line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Exchange {
    /// The version of the format.
    recording: u32,
    profile: String,
    method: String,
    url: String,
    /// What was asked for below the provider's address.
    pub(super) path: String,
    content_type: String,
    /// Equal requests have equal hashes, wherever the provider is.
    pub(super) request_hash: String,
    /// What was sent, if it was JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) request: Option<Box<RawValue>>,
    /// What was sent, if it was a form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    form: Option<Form>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    /// The body, if it is JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Box<RawValue>>,
    /// The body, if it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Why there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lost: Option<Lost>,
    /// In seconds.
    latency: f64,
}

/// What is written of a form, which holds a recording of sound.
#[derive(Debug, Serialize, Deserialize)]
struct Form {
    hash: String,
    bytes: usize,
}

#[derive(Debug, Serialize, Deserialize)]
struct Lost {
    message: String,
    retryable: bool,
}

impl Call {
    /// The hash by which a recorded answer is found. A reply depends on what was asked, not on
    /// where the provider is.
    pub(super) fn hash(&self) -> String {
        let head = format!("POST\n{}\n", self.path);
        ContentHash::of(&[head.as_bytes(), &self.body].concat()).to_string()
    }
}

impl Exchange {
    /// A request and what came of it, without keys.
    pub(super) fn new(
        profile: &str,
        call: &Call,
        came: &Result<Answer, Failure>,
        latency: Duration,
        secrets: &Secrets<'_>,
    ) -> Result<Self, KeyRemains> {
        let request = str::from_utf8(&call.body).ok();
        let request = request
            .map(|text| secrets.json(text))
            .transpose()?
            .flatten();
        let mut exchange = Self {
            recording: FORMAT,
            profile: profile.to_owned(),
            method: "POST".to_owned(),
            url: secrets.text(&masked_address(call.url.as_str()))?,
            path: secrets.text(&call.path)?,
            content_type: call.content_type.clone(),
            request_hash: call.hash(),
            form: request.is_none().then(|| Form {
                hash: ContentHash::of(&call.body).to_string(),
                bytes: call.body.len(),
            }),
            request,
            status: None,
            headers: BTreeMap::new(),
            body: None,
            text: None,
            lost: None,
            latency: latency.as_secs_f64(),
        };
        match came {
            Ok(answer) => exchange.note(answer, secrets)?,
            Err(failure) => {
                exchange.lost = Some(Lost {
                    message: secrets.text(&failure.message)?,
                    retryable: failure.retryable,
                });
            }
        }
        Ok(exchange)
    }

    fn note(&mut self, answer: &Answer, secrets: &Secrets<'_>) -> Result<(), KeyRemains> {
        self.status = Some(answer.status.as_u16());
        for (name, value) in &answer.headers {
            let value = secrets.text(&String::from_utf8_lossy(value.as_bytes()))?;
            self.headers.insert(name.to_string(), value);
        }
        self.body = secrets.json(&answer.body)?;
        if self.body.is_none() {
            self.text = Some(secrets.text(&answer.body)?);
        }
        Ok(())
    }

    /// Reads a line.
    pub(super) fn read(line: &str) -> Result<Self, String> {
        let exchange: Self = serde_json::from_str(line).map_err(|error| error.to_string())?;
        if exchange.recording != FORMAT {
            return Err(format!(
                "its format is {}; this version reads {FORMAT}",
                exchange.recording
            ));
        }
        let status = exchange.status.map(StatusCode::from_u16);
        match (&exchange.lost, status) {
            (None, Some(Ok(_))) | (Some(_), None) => Ok(exchange),
            (None, Some(Err(_))) => Err("its status is none of HTTP".to_owned()),
            _ => Err("it needs either a status or what was lost".to_owned()),
        }
    }

    /// What came.
    pub(super) fn came(&self) -> Result<Answer, Failure> {
        if let Some(lost) = &self.lost {
            return Err(Failure::new(lost.message.clone(), lost.retryable));
        }
        let status = self.status.and_then(|code| StatusCode::from_u16(code).ok());
        let headers = self.headers.iter().filter_map(|(name, value)| {
            Some((
                name.parse::<HeaderName>().ok()?,
                value.parse::<HeaderValue>().ok()?,
            ))
        });
        let json = self.body.as_ref().map(|body| body.get().to_owned());
        Ok(Answer {
            status: status.unwrap_or_default(),
            headers: headers.collect(),
            body: json.or(self.text.clone()).unwrap_or_default(),
        })
    }
}

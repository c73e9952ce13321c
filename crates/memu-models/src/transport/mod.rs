//! The one place that speaks HTTP with providers: time-outs, attempts, limits, and keys that
//! stay where they belong.

mod difference;
mod escapes;
mod exchange;
mod failure;
mod recording;
mod redaction;
mod replaying;
mod retry_after;
mod secrets;
mod traffic;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use memu_core::provider::RawReply;
use memu_core::random::SplitMix;
use memu_core::{Error, Result, Secret};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{StatusCode, Url};
use tokio::sync::Semaphore;

use exchange::Answer;
pub(crate) use failure::Failure;
use failure::beginning;
pub(crate) use redaction::MASK;
use redaction::Redaction;
pub(crate) use traffic::Route;
pub use traffic::Traffic;

use crate::presets::{ChatWire, KeyHeader, Preset};
use crate::profile::Profile;
use crate::surroundings::Surroundings;

/// No provider sends more; whatever does is not one.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// How long the first steps of a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Where a request goes.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) url: Url,
    /// What is asked for below the provider's address; the same wherever that is.
    pub(crate) path: String,
}

/// A request that can be sent as often as it takes.
pub(crate) struct Call {
    url: Url,
    path: String,
    content_type: String,
    body: Vec<u8>,
}

impl Call {
    /// A request with a body of some type.
    pub(crate) fn new(target: Target, content_type: String, body: Vec<u8>) -> Self {
        Self {
            url: target.url,
            path: target.path,
            content_type,
            body,
        }
    }

    /// A request with JSON.
    pub(crate) fn json(target: Target, body: &serde_json::Value) -> Self {
        let body = body.to_string().into_bytes();
        Self::new(target, "application/json".to_owned(), body)
    }
}

/// Sends requests to one provider.
pub(crate) struct Transport {
    profile: Arc<str>,
    route: Route,
    client: reqwest::Client,
    headers: HeaderMap,
    redaction: Redaction,
    permits: Semaphore,
    timeout: Duration,
    max_retries: u32,
    surroundings: Surroundings,
    random: Mutex<SplitMix>,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}

impl Transport {
    pub(crate) fn new(
        name: &str,
        profile: &Profile,
        preset: &Preset,
        key: Option<Secret>,
        route: Route,
        surroundings: &Surroundings,
    ) -> Result<Self> {
        // Another part of the program may have chosen a provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            // A key is for the provider, not for whoever it points to.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("memu/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|cause| Error::internal("no web client can be made").caused_by(cause))?;
        Ok(Self {
            profile: name.into(),
            route,
            client,
            headers: headers(name, preset, key.as_ref())?,
            redaction: Redaction::new(key),
            permits: Semaphore::new(profile.max_concurrency),
            timeout: Duration::from_secs_f64(profile.timeout_s),
            max_retries: profile.max_retries,
            random: Mutex::new(SplitMix::new(surroundings.seed)),
            surroundings: surroundings.clone(),
        })
    }

    /// Sends a request until there is a reply that is not empty, within bounds.
    pub(crate) async fn send(&self, call: &Call) -> Result<RawReply, Failure> {
        let started = Instant::now();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let last = attempts > self.max_retries;
            let wait = match self.attempt(call).await {
                Ok(body) => {
                    return Ok(RawReply {
                        body: Arc::from(body),
                        latency: started.elapsed(),
                        attempts,
                    });
                }
                Err(failure) if last || !failure.retryable => {
                    return Err(Failure {
                        attempts,
                        ..failure
                    });
                }
                Err(failure) => failure.wait,
            };
            self.pause(attempts, wait).await;
        }
    }

    /// Waits before a request is sent again, after so many replies that could not be read.
    pub(crate) async fn rest(&self, replies: u32) {
        self.pause(replies, None).await;
    }

    async fn pause(&self, attempts: u32, asked: Option<Duration>) {
        let delay = self.delay(attempts, asked);
        if !self.route.is_replay() {
            self.surroundings.pause.pause(delay).await;
        }
    }

    /// An error as it may be told: without the key, wherever that came from.
    pub(crate) fn told(&self, error: Error) -> Error {
        self.redaction.error(error)
    }

    /// The beginning of a body, as it may be told.
    pub(crate) fn beginning(&self, body: &str) -> String {
        self.redaction.text(beginning(body))
    }

    /// How long to wait after so many attempts.
    fn delay(&self, attempts: u32, asked: Option<Duration>) -> Duration {
        let delays = &self.surroundings.delays;
        if let Some(asked) = asked {
            return asked.min(delays.longest_asked);
        }
        let doubled = delays.first.saturating_mul(1 << (attempts - 1).min(16));
        let most = doubled.min(delays.longest);
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let part = random.below(1 << 16) as f64 / f64::from(1 << 16);
        most.mul_f64(0.5 + part / 2.0)
    }

    async fn attempt(&self, call: &Call) -> Result<String, Failure> {
        let Ok(_permit) = self.permits.acquire().await else {
            return Err(Failure::new(
                "the connection to the provider is closed",
                false,
            ));
        };
        let answer = self.exchange(call).await?;
        if answer.status.is_success() {
            if answer.body.trim().is_empty() {
                return Err(Failure::new("the provider's reply is empty", true));
            }
            return Ok(answer.body);
        }
        let now = self.surroundings.clock.now();
        let wait = retry_after::retry_after(&answer.headers, now);
        Err(refused(answer.status, answer.body, wait))
    }

    /// What comes of a request: the one place that knows of recordings.
    async fn exchange(&self, call: &Call) -> Result<Answer, Failure> {
        let started = Instant::now();
        match &self.route {
            Route::Direct => self.over_network(call).await,
            Route::Replayed(replay) => replay.answer(call),
            Route::Recorded(recorder) => {
                let came = self.over_network(call).await;
                let key = self.redaction.key();
                recorder.record(&self.profile, call, came, started.elapsed(), key)
            }
        }
    }

    async fn over_network(&self, call: &Call) -> Result<Answer, Failure> {
        let request = self
            .client
            .post(call.url.clone())
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, call.content_type.as_str())
            .timeout(self.timeout)
            .body(call.body.clone());
        let response = request
            .send()
            .await
            .map_err(|cause| self.lost(cause, &call.url))?;
        let status = response.status();
        let headers = Answer::headers(response.headers());
        let body = match self.body(response, &call.url).await {
            // A refusal is one also when the words for it got lost.
            Err(_) if !status.is_success() => String::new(),
            body => body?,
        };
        Ok(Answer {
            status,
            headers,
            body,
        })
    }

    async fn body(&self, mut response: reqwest::Response, url: &Url) -> Result<String, Failure> {
        let refused = !response.status().is_success();
        let mut bytes = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|cause| self.lost(cause, url))?
        {
            if bytes.len() + chunk.len() > MOST_BYTES {
                let message = format!("the provider's reply has more than {MOST_BYTES} bytes");
                return Err(Failure::new(message, false));
            }
            bytes.extend_from_slice(&chunk);
        }
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
        Ok(self.redaction.body(text, refused))
    }

    /// There was no answer, or not all of it.
    fn lost(&self, cause: reqwest::Error, url: &Url) -> Failure {
        let place = url.host_str().unwrap_or("the provider");
        let message = if cause.is_connect() {
            format!("{place} cannot be reached")
        } else if cause.is_timeout() {
            format!(
                "{place} did not answer within {} s",
                self.timeout.as_secs_f64()
            )
        } else {
            format!("the connection to {place} was lost before the reply was complete")
        };
        let late = cause.is_timeout() && !cause.is_connect();
        Failure {
            cause: Some(cause.without_url()),
            timeout: late.then_some(self.timeout),
            ..Failure::new(message, true)
        }
    }
}

fn refused(status: StatusCode, body: String, wait: Option<Duration>) -> Failure {
    // Waiting does not fill an account.
    let no_credit = body.contains("insufficient_quota");
    let passing = matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504 | 529);
    Failure {
        status: Some(status.as_u16()),
        body,
        wait,
        ..Failure::new(
            format!("the provider answered {status}"),
            passing && !no_credit,
        )
    }
}

/// The headers of every request.
fn headers(name: &str, preset: &Preset, key: Option<&Secret>) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    if preset
        .chat
        .is_some_and(|chat| chat.wire == ChatWire::Anthropic)
    {
        headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
    }
    let Some(key) = key.map(Secret::reveal) else {
        return Ok(headers);
    };
    let (header, value) = match preset.key_header {
        KeyHeader::Bearer => ("authorization", format!("Bearer {key}")),
        KeyHeader::Named(header) => (header, key.to_owned()),
    };
    let mut value = HeaderValue::try_from(value).map_err(|_| {
        Error::config(format!(
            "the key of llm_profiles.{name} holds characters that no key has, such as line ends"
        ))
    })?;
    value.set_sensitive(true);
    headers.insert(HeaderName::from_static(header), value);
    Ok(headers)
}

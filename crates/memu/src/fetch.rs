//! Gets content from files and from the web.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use memu_core::environment::{Executor, offload};
use memu_core::service::{Fetched, Fetcher};
use memu_core::{Error, Result};

/// How long a web server may take in all.
const WEB_TIMEOUT: Duration = Duration::from_mins(1);

/// Reads paths, `file://` and `http(s)://` URLs with the rights of this process.
/// A server that takes URLs from strangers must not use it as it is.
#[derive(Debug)]
pub struct SystemFetcher {
    executor: Arc<dyn Executor>,
    client: OnceLock<reqwest::Client>,
}

impl SystemFetcher {
    /// A fetcher that reads files on `executor`.
    pub fn new(executor: Arc<dyn Executor>) -> Self {
        Self {
            executor,
            client: OnceLock::new(),
        }
    }

    /// The web client, made when the first web address is met.
    fn client(&self) -> Result<&reqwest::Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // Another part of the program may have chosen a provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .timeout(WEB_TIMEOUT)
            .user_agent(concat!("memu/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|cause| Error::internal("no web client can be made").caused_by(cause))?;
        Ok(self.client.get_or_init(|| client))
    }

    async fn fetch_web(&self, url: &str, limit: u64) -> Result<Fetched> {
        let unreachable = |cause: reqwest::Error| {
            Error::input("the URL cannot be reached")
                .with("url", url)
                .retryable(cause.is_timeout() || cause.is_connect())
                .caused_by(cause.without_url())
        };
        let mut response = self.client()?.get(url).send().await.map_err(unreachable)?;
        let status = response.status();
        if !status.is_success() {
            return Err(Error::input(format!("the server answered {status}"))
                .with("url", url)
                .retryable(status.is_server_error()));
        }
        let media_type = response
            .headers()
            .get(reqwest::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .map(|value| value.trim().to_lowercase());
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if (bytes.len() + chunk.len()) as u64 > limit {
                return Err(too_large(url, limit));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Fetched {
            bytes: bytes.into(),
            media_type,
        })
    }
}

#[async_trait]
impl Fetcher for SystemFetcher {
    fn locate(&self, url: &str) -> String {
        if url.contains("://") {
            return url.to_owned();
        }
        // A path that has no absolute form keeps the one it has.
        let absolute = std::path::absolute(url);
        absolute.map_or_else(|_| url.to_owned(), |path| path.display().to_string())
    }

    async fn fetch(&self, url: &str, limit: u64) -> Result<Fetched> {
        if url.starts_with("http://") || url.starts_with("https://") {
            return self.fetch_web(url, limit).await;
        }
        let path = match url.split_once("://") {
            None => PathBuf::from(url),
            Some(("file", path)) => PathBuf::from(path),
            Some((scheme, _)) => {
                return Err(Error::input(format!(
                    "{scheme}:// is not supported; use a path, file://, http:// or https://"
                ))
                .with("url", url));
            }
        };
        let bytes = offload(&*self.executor, move || read_file(&path, limit)).await??;
        Ok(Fetched {
            bytes: bytes.into(),
            media_type: None,
        })
    }
}

fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let describe = |cause: io::Error| {
        let error = match cause.kind() {
            io::ErrorKind::NotFound => Error::input("the file does not exist"),
            io::ErrorKind::PermissionDenied => {
                Error::permission("the file cannot be read: permission denied")
            }
            _ => Error::input("the file cannot be read"),
        };
        error.with("file", path.display()).caused_by(cause)
    };
    if path.as_os_str().is_empty() {
        return Err(Error::input("the path is empty"));
    }
    let metadata = std::fs::metadata(path).map_err(describe)?;
    if metadata.is_dir() {
        return Err(Error::input("this is a folder, not a file").with("file", path.display()));
    }
    if metadata.len() > limit {
        return Err(too_large(&path.display().to_string(), limit));
    }
    let file = std::fs::File::open(path).map_err(describe)?;
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    // The file may grow while it is read, and a pipe has no length.
    let mut limited = file.take(limit.saturating_add(1));
    limited.read_to_end(&mut bytes).map_err(describe)?;
    if bytes.len() as u64 > limit {
        return Err(too_large(&path.display().to_string(), limit));
    }
    Ok(bytes)
}

fn too_large(place: &str, limit: u64) -> Error {
    Error::input(format!(
        "the content is larger than {limit} bytes (memorize_config.max_resource_bytes)"
    ))
    .with("file", place)
}

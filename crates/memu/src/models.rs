//! Models that run from files on this machine: where they are, and how to get them.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy as _;
use memu_core::{Error, Result};
use sha2::{Digest, Sha256};

/// Replaces where models are fetched from, for mirrors and tests.
const URL_VARIABLE: &str = "MEMU_MODEL_URL";
/// Replaces the folder for models.
const FOLDER_VARIABLE: &str = "MEMU_MODELS_DIR";

/// A model that can be fetched.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    /// What settings and commands call it.
    pub name: &'static str,
    /// What it is, in a few words, with its licence.
    pub about: &'static str,
    /// The name of its folder.
    folder: &'static str,
    url: &'static str,
    files: &'static [File],
}

/// A file of a model, known by its content.
#[derive(Clone, Copy, Debug)]
struct File {
    name: &'static str,
    bytes: u64,
    sha256: &'static str,
}

/// all-MiniLM-L6-v2, a small embedder for English.
pub const MINILM: Model = Model {
    name: "minilm",
    about: "all-MiniLM-L6-v2, an embedder for English (Apache-2.0)",
    folder: "all-MiniLM-L6-v2",
    url: "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/resolve/main",
    files: &[
        File {
            name: "config.json",
            bytes: 612,
            sha256: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        },
        File {
            name: "model.safetensors",
            bytes: 90_868_376,
            sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        },
    ],
};

/// Every model that can be fetched.
pub const ALL: [Model; 1] = [MINILM];

impl Model {
    /// The model with this name.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](memu_core::ErrorKind::Input) for any other, listing them.
    pub fn named(name: &str) -> Result<Self> {
        ALL.into_iter()
            .find(|model| model.name == name)
            .ok_or_else(|| {
                let names = ALL.map(|model| model.name).join(", ");
                Error::input(format!("there is no model {name:?}; there is {names}"))
            })
    }

    /// Where it is looked for when settings name no path: in `MEMU_MODELS_DIR`, or in the
    /// user's folder for program data.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](memu_core::ErrorKind::Config) when the user has none.
    pub fn folder(&self) -> Result<PathBuf> {
        let models = match std::env::var_os(FOLDER_VARIABLE) {
            Some(folder) => PathBuf::from(folder),
            None => etcetera::base_strategy::choose_native_strategy()
                .map_err(|error| {
                    let what = format!("there is no folder for program data ({error})");
                    Error::config(format!("{what}; set {FOLDER_VARIABLE}"))
                })?
                .data_dir()
                .join("memu")
                .join("models"),
        };
        Ok(models.join(self.folder))
    }

    /// How many bytes its files have.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Whether a folder holds all of its files, by their lengths.
    pub fn is_in(&self, folder: &Path) -> bool {
        self.files.iter().all(|file| {
            let metadata = std::fs::metadata(folder.join(file.name));
            metadata.is_ok_and(|metadata| metadata.len() == file.bytes)
        })
    }

    /// Fetches its files into a folder. Each is checked by its SHA-256 and only then gets
    /// its name; files that are there already are not fetched again. `progress` is told
    /// how many bytes are there.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](memu_core::ErrorKind::Input) when the server cannot be reached
    /// or sends something else; [`ErrorKind::Storage`](memu_core::ErrorKind::Storage) when
    /// the folder cannot be written.
    pub async fn pull(&self, folder: &Path, mut progress: impl FnMut(u64)) -> Result<()> {
        std::fs::create_dir_all(folder).map_err(|cause| unwritable(folder, cause))?;
        let base = std::env::var(URL_VARIABLE).unwrap_or_else(|_| self.url.to_owned());
        let mut there = 0;
        for file in self.files {
            let path = folder.join(file.name);
            if !file.is_at(&path) {
                let url = format!("{}/{}", base.trim_end_matches('/'), file.name);
                file.fetch(&url, &path, |bytes| progress(there + bytes))
                    .await?;
            }
            there += file.bytes;
            progress(there);
        }
        Ok(())
    }
}

impl File {
    fn is_at(&self, path: &Path) -> bool {
        let bytes = std::fs::read(path).unwrap_or_default();
        hex(&Sha256::digest(bytes)) == self.sha256
    }

    async fn fetch(&self, url: &str, path: &Path, mut progress: impl FnMut(u64)) -> Result<()> {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let mut out = std::fs::File::create(&part).map_err(|cause| unwritable(&part, cause))?;
        let mut hash = Sha256::new();
        let mut bytes = 0;
        let fetched = self.stream(url, |chunk| {
            hash.update(chunk);
            bytes += chunk.len() as u64;
            progress(bytes);
            out.write_all(chunk)
                .map_err(|cause| unwritable(&part, cause))
        });
        let fetched = fetched.await.and_then(|()| {
            out.sync_all().map_err(|cause| unwritable(&part, cause))?;
            if hex(&hash.finalize()) != self.sha256 {
                return Err(Error::input(
                    "the server sent another file than the one that is known",
                ));
            }
            std::fs::rename(&part, path).map_err(|cause| unwritable(path, cause))
        });
        fetched.map_err(|error| {
            // What came is of no use to anybody.
            let _ = std::fs::remove_file(&part);
            error.with("url", url)
        })
    }

    /// Hands over the file as it comes.
    async fn stream(&self, url: &str, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let unreachable = |cause: reqwest::Error| {
            Error::input(
                "the model cannot be fetched; where there is no network, copy its files here \
                 from a machine that has one",
            )
            .retryable(cause.is_timeout() || cause.is_connect())
            .caused_by(cause.without_url())
        };
        // Another part of the program may have chosen a provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(20))
            .read_timeout(Duration::from_mins(1))
            .user_agent(concat!("memu/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|cause| Error::internal("no web client can be made").caused_by(cause))?;
        let mut response = client.get(url).send().await.map_err(unreachable)?;
        let status = response.status();
        if !status.is_success() {
            return Err(Error::input(format!("the server answered {status}"))
                .retryable(status.is_server_error()));
        }
        let mut bytes = 0;
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            bytes += chunk.len() as u64;
            if bytes > self.bytes {
                return Err(Error::input("the server sends more than the file has"));
            }
            take(&chunk)?;
        }
        Ok(())
    }
}

fn hex(digest: &[u8]) -> String {
    use std::fmt::Write;

    digest.iter().fold(String::new(), |mut hex, byte| {
        // Writing into a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn unwritable(path: &Path, cause: std::io::Error) -> Error {
    Error::storage("the model cannot be written")
        .with("path", path.display())
        .caused_by(cause)
}

//! Encrypted files: what can be read in them, and who can open them.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![cfg(feature = "sqlcipher")]

mod copies;
mod legible;
mod opening;
mod rekey;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memu::backup::{Place, RekeyReport};
use memu::sqlite::Key;
use memu::{Error, MemorizeRequest, MemoryService, MemoryServiceBuilder, Modality};
use rusqlite::Connection;
use serde_json::json;
use support::{TALK, conversation, memorize};
use tempfile::TempDir;

const SECRET: &str = "it's a \"secret\" \u{1f511}";

/// What may be in no file.
const LEGIBLE: [&str; 8] = [
    "SQLite format 3",
    "CREATE TABLE",
    "memu_items",
    "greyhound",
    "Lisbon",
    "walnut",
    "alice",
    "secret",
];

struct Home {
    folder: TempDir,
}

impl Home {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn builder(&self, name: &str, key: Option<&str>) -> MemoryServiceBuilder {
        let settings = json!({"database_config": {"metadata_store": {"encryption_key": key}}});
        let settings = memu::settings::Layers::new().value(settings).settings();
        MemoryServiceBuilder::new()
            .settings(settings.unwrap())
            .database(&self.path(name).display().to_string())
    }

    async fn open(&self, name: &str, key: Option<&str>) -> memu::Result<MemoryService> {
        self.builder(name, key).build().await
    }

    fn place(&self, name: &str, key: Option<&str>) -> Place {
        self.builder(name, key).place().unwrap()
    }

    /// A memory that is not encrypted, with a picture in a file, closed.
    async fn pictured(&self, place: &Place) -> memu::Resource {
        let resources = place.resources_dir.display().to_string();
        let settings = json!({"blob_config": {"resources_dir": resources}});
        let settings = memu::settings::Layers::new().value(settings).settings();
        let builder = MemoryServiceBuilder::new().settings(settings.unwrap());
        let builder = builder.database(&place.database.display().to_string());
        let service = builder.build().await.unwrap();
        let resource = keep_picture(&service).await;
        service.close().await.unwrap();
        resource
    }

    /// A memory with a talk in it, closed.
    async fn talked(&self, name: &str, key: Option<&str>) {
        let service = self.open(name, key).await.unwrap();
        talk(&service).await;
        service.close().await.unwrap();
    }

    /// Every file in the folder and below, with its bytes.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(self.folder.path(), &mut files);
        files
    }

    fn assert_illegible(&self) {
        for (path, bytes) in self.files() {
            for word in LEGIBLE {
                let found = bytes
                    .windows(word.len())
                    .any(|window| window.eq_ignore_ascii_case(word.as_bytes()));
                assert!(!found, "{} holds {word:?}", path.display());
            }
        }
    }
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.insert(path.clone(), std::fs::read(path).unwrap());
        }
    }
}

async fn talk(service: &MemoryService) {
    let request = memorize(conversation("c", &TALK), "alice");
    service.memorize(request).await.unwrap();
}

async fn refusal(home: &Home, name: &str, key: Option<&str>) -> Error {
    home.open(name, key).await.unwrap_err()
}

async fn change(place: &Place, new: Option<&str>) -> memu::Result<RekeyReport> {
    memu::backup::rekey(place, new.map(|key| Key::new(key).unwrap())).await
}

/// As any program with SQLCipher opens the file.
fn by_hand(path: &Path, key: &str) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "key", key).unwrap();
    connection
        .pragma_update(None, "cipher_page_size", 8192)
        .unwrap();
    connection
}

fn quiet() -> memu::backup::Progress {
    Arc::new(|_, _| {})
}

/// Two MiB with words in them.
fn picture() -> Vec<u8> {
    b"a greyhound in Lisbon ".repeat(100_000)
}

async fn keep_picture(service: &MemoryService) -> memu::Resource {
    let mut request = MemorizeRequest::content(picture(), "dog.png", Modality::Image);
    request.caption = Some("A greyhound asleep on a keyboard.".to_owned());
    let kept = service.memorize(request.user("user_id", "alice")).await;
    kept.unwrap().resource
}

//! Memories behind symbolic links, and copies that nobody else may read.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![cfg(unix)]

mod support;

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;

use memu::backup::{Place, Progress, back_up, restore};
use memu::{CreateItems, ErrorKind, MemoryService, MemoryServiceBuilder, NewItem};
use tempfile::TempDir;

/// `near.db` leads to `far/real.db`, which is not there yet.
fn linked() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("far")).unwrap();
    symlink("far/real.db", folder.path().join("near.db")).unwrap();
    folder
}

fn builder(path: &Path) -> MemoryServiceBuilder {
    MemoryServiceBuilder::new().database(&path.display().to_string())
}

async fn open(path: &Path) -> MemoryService {
    builder(path).build().await.unwrap()
}

fn place(path: &Path) -> Place {
    builder(path).place().unwrap()
}

async fn add(service: &MemoryService, text: &str) -> memu::Result<()> {
    let item = NewItem {
        memory_type: "profile".to_owned(),
        content: text.to_owned(),
        categories: Vec::new(),
        extra: serde_json::Map::new(),
    };
    let items = CreateItems {
        items: vec![item],
        user: support::user("alice"),
        propagate: false,
    };
    service.create_memory_items(items).await.map(drop)
}

fn quiet() -> Progress {
    Arc::new(|_, _| {})
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn allow(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn a_log_that_is_deleted_behind_a_link_is_noticed() {
    let folder = linked();
    let service = open(&folder.path().join("near.db")).await;
    add(&service, "Alice likes tea").await.unwrap();
    std::fs::remove_file(folder.path().join("far/real.db-wal")).unwrap();
    let error = add(&service, "Alice likes figs").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
    assert!(error.message().contains("-wal"), "{error}");
}

#[tokio::test]
async fn copies_and_what_comes_back_go_where_links_lead() {
    let folder = linked();
    let near = folder.path().join("near.db");
    let far = folder.path().join("far/real.db");
    let link = folder.path().join("copy.db");
    let copy = folder.path().join("far/copy.db");
    symlink("far/copy.db", &link).unwrap();
    let service = open(&near).await;
    add(&service, "Alice likes tea").await.unwrap();
    service.close().await.unwrap();
    // The first makes the file, the second replaces it.
    for _ in 0..2 {
        let report = back_up(&place(&near), link.clone(), quiet()).await.unwrap();
        assert_eq!((report.from, report.to), (near.clone(), link.clone()));
        assert!(link.is_symlink() && copy.is_file());
    }
    std::fs::remove_file(&far).unwrap();
    for old in [false, true] {
        let report = restore(link.clone(), &place(&near), old, quiet()).await;
        let report = report.unwrap();
        assert_eq!(report.replaced.is_some(), old);
        assert!(near.is_symlink() && far.is_file());
        if let Some(replaced) = report.replaced {
            assert_eq!(replaced.parent(), far.parent());
            assert!(!replaced.is_symlink() && replaced.is_file());
        }
    }
    add(&open(&near).await, "Alice likes figs").await.unwrap();
}

#[tokio::test]
async fn a_copy_may_be_read_by_those_who_may_read_the_memory() {
    let folder = tempfile::tempdir().unwrap();
    let [memory, copy, other] = ["memu.db", "copy.db", "other.db"].map(|it| folder.path().join(it));
    let service = open(&memory).await;
    add(&service, "Alice likes tea").await.unwrap();
    service.close().await.unwrap();
    for allowed in [0o600, 0o640, 0o644] {
        allow(&memory, allowed);
        back_up(&place(&memory), copy.clone(), quiet())
            .await
            .unwrap();
        assert_eq!(mode(&copy), allowed);
    }
    // What comes back is for those who could read what was there; otherwise, the copy.
    allow(&copy, 0o640);
    restore(copy.clone(), &place(&other), false, quiet())
        .await
        .unwrap();
    assert_eq!(mode(&other), 0o640);
    allow(&memory, 0o600);
    let report = restore(copy, &place(&memory), true, quiet()).await.unwrap();
    assert_eq!(mode(&memory), 0o600);
    assert_eq!(mode(&report.replaced.unwrap()), 0o600);
}

//! Folders of Markdown on this machine: see [`memu_core::transfer::markdown`].

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use memu_core::transfer::markdown::{MANIFEST, Manifest, Pages, Sources, sum_of_file};
use memu_core::{Error, Result};

/// Where pages are kept until all of them are there.
const UNFINISHED: &str = ".memu-unfinished";
/// Where the list of files is written first.
const UNFINISHED_MANIFEST: &str = ".memu-unfinished.json";

/// A folder that an export is written into: all of it at the end, so that an export which
/// fails leaves what was there.
#[derive(Debug)]
pub struct Target {
    folder: PathBuf,
    unfinished: PathBuf,
    before: Option<Manifest>,
    /// Whether the folder was not there before.
    is_new: bool,
}

impl Target {
    /// A folder that is new, empty, or the work of an earlier export.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](memu_core::ErrorKind::Input) when it holds something else;
    /// [`ErrorKind::Permission`](memu_core::ErrorKind::Permission) when it cannot be written.
    pub fn open(folder: &Path) -> Result<Self> {
        let before = match fs::metadata(folder) {
            Ok(found) if !found.is_dir() => {
                return Err(Error::input("this is a file and no folder; name another")
                    .with("folder", folder.display()));
            }
            Ok(_) => manifest_of(folder)?,
            Err(_) => None,
        };
        if before.is_none() && holds_something(folder)? {
            return Err(Error::input(
                "the folder holds something that memu export did not write; name another",
            )
            .with("folder", folder.display()));
        }
        let is_new = !folder.exists();
        let unfinished = folder.join(UNFINISHED);
        remove_unfinished(&unfinished)?;
        fs::create_dir_all(&unfinished).map_err(unwritten(&unfinished))?;
        Ok(Self {
            folder: folder.to_owned(),
            unfinished,
            before,
            is_new,
        })
    }

    /// Puts the pages into their places, removes those of the export before that are not
    /// written any more, and notes what was written.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](memu_core::ErrorKind::Input) when a page was edited and not
    /// imported, or a file that is none of the export is in the way: then nothing is changed;
    /// [`ErrorKind::Storage`](memu_core::ErrorKind::Storage) when a file cannot be written.
    pub fn finish(self, mut manifest: Manifest) -> Result<()> {
        let stale = self.check(&manifest)?;
        let sums = manifest.files.clone();
        // Cut off from here on, the folder is known to hold files of both exports.
        for (name, known) in self.before.iter().flat_map(|before| &before.files) {
            let both = manifest.files.entry(name.clone()).or_default();
            both.extend(known.iter().cloned());
        }
        manifest.complete = false;
        write_manifest(&self.folder, &manifest)?;
        for name in sums.keys() {
            let place = inside(&self.folder, name)?;
            if let Some(parent) = place.parent() {
                fs::create_dir_all(parent).map_err(unwritten(parent))?;
            }
            fs::rename(self.unfinished.join(name), &place).map_err(unwritten(&place))?;
        }
        for name in stale {
            let place = inside(&self.folder, &name)?;
            match fs::remove_file(&place) {
                Err(cause) if cause.kind() != ErrorKind::NotFound => {
                    return Err(unwritten(&place)(cause));
                }
                _ => remove_empty_parents(&self.folder, &name),
            }
        }
        manifest.files = sums;
        manifest.complete = true;
        write_manifest(&self.folder, &manifest)
    }

    /// Which files of the export before go; refuses to lose what others wrote.
    fn check(&self, manifest: &Manifest) -> Result<Vec<String>> {
        let none = BTreeSet::new();
        let before: BTreeSet<&String> = match &self.before {
            Some(before) => before.files.keys().collect(),
            None => none,
        };
        let names: BTreeSet<&String> = manifest
            .files
            .keys()
            .chain(before.iter().copied())
            .collect();
        let (mut edited, mut foreign) = (Vec::new(), Vec::new());
        for name in names {
            let place = inside(&self.folder, name)?;
            let held = match fs::read(&place) {
                Ok(held) => held,
                Err(cause) if cause.kind() == ErrorKind::NotFound => continue,
                Err(cause) => return Err(unread(&place)(cause)),
            };
            let known = self
                .before
                .as_ref()
                .is_some_and(|before| before.knows(name, &held));
            if known || manifest.knows(name, &held) {
                continue;
            }
            if before.contains(name) {
                edited.push(name.as_str());
            } else {
                foreign.push(name.as_str());
            }
        }
        let refused = |message: &'static str, names: &[&str]| {
            Err(Error::input(message)
                .with("folder", self.folder.display())
                .with("files", names.join(", ")))
        };
        if !edited.is_empty() {
            return refused(
                "pages were edited since the export and not imported; import them first, remove \
                 them, or name another folder",
                &edited,
            );
        }
        if !foreign.is_empty() {
            return refused(
                "files are in the way that memu export did not write; move them, or name another \
                 folder",
                &foreign,
            );
        }
        let stale = before
            .into_iter()
            .filter(|name| !manifest.files.contains_key(*name));
        Ok(stale.cloned().collect())
    }
}

impl Pages for Target {
    fn put(&mut self, name: &str, text: &str) -> Result<()> {
        let place = inside(&self.unfinished, name)?;
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).map_err(unwritten(parent))?;
        }
        fs::write(&place, text).map_err(unwritten(&place))
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // Of an export that failed nothing is to be left; nor a folder that was made for it,
        // unless something is in it.
        let _ = fs::remove_dir_all(&self.unfinished);
        if self.is_new {
            let _ = fs::remove_dir(&self.folder);
        }
    }
}

/// Reads a folder that memu export wrote.
///
/// # Errors
/// [`ErrorKind::NotFound`](memu_core::ErrorKind::NotFound) when there is none;
/// [`ErrorKind::Input`](memu_core::ErrorKind::Input) when it is none of an export, or a page
/// cannot be read as text.
pub fn read(folder: &Path) -> Result<Sources> {
    let Some(manifest) = manifest_of(folder)? else {
        let missing = format!(
            "this is no folder that memu export wrote: {MANIFEST}, which belongs to it, is missing"
        );
        return Err(Error::input(missing).with("folder", folder.display()));
    };
    let mut names = Vec::new();
    list(folder, "", &mut names)?;
    names.sort();
    let mut sources = Sources {
        manifest,
        pages: Vec::new(),
        edited: Vec::new(),
        unread: Vec::new(),
    };
    for name in names.into_iter().filter(|name| name != MANIFEST) {
        let place = folder.join(&name);
        if sources.manifest.is_page(&name) {
            let text = fs::read_to_string(&place).map_err(|cause| {
                Error::input("the page cannot be read as text")
                    .with("file", &name)
                    .caused_by(cause)
            })?;
            sources.pages.push((name, text));
        } else if sources.manifest.is_for_reading(&name) {
            let held = fs::read(&place).map_err(unread(&place))?;
            if !sources.manifest.knows(&name, &held) {
                sources.edited.push(name);
            }
        } else {
            sources.unread.push(name);
        }
    }
    Ok(sources)
}

/// Notes that the edits of a folder were imported, so that the next export may write over them.
///
/// # Errors
/// [`ErrorKind::Storage`](memu_core::ErrorKind::Storage) when that cannot be noted; what was
/// imported stays.
pub fn note_imported(folder: &Path, sources: Sources) -> Result<()> {
    let mut manifest = sources.manifest;
    let mut is_new = false;
    for (name, text) in sources.pages {
        if !manifest.knows(&name, text.as_bytes()) {
            let sums = manifest.files.entry(name).or_default();
            sums.push(sum_of_file(text.as_bytes()));
            is_new = true;
        }
    }
    if is_new {
        write_manifest(folder, &manifest)?;
    }
    Ok(())
}

fn manifest_of(folder: &Path) -> Result<Option<Manifest>> {
    let place = folder.join(MANIFEST);
    match fs::read_to_string(&place) {
        Ok(text) => Manifest::parse(&text)
            .map(Some)
            .map_err(|error| error.with("file", place.display())),
        Err(cause) if cause.kind() == ErrorKind::NotFound => match fs::metadata(folder) {
            Ok(_) => Ok(None),
            Err(cause) => Err(Error::not_found("there is no such folder")
                .with("folder", folder.display())
                .caused_by(cause)),
        },
        Err(cause) => Err(unread(&place)(cause)),
    }
}

/// Whether a folder holds anything but what an export that was cut off left.
fn holds_something(folder: &Path) -> Result<bool> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(false),
        Err(cause) => return Err(unread(folder)(cause)),
    };
    for entry in entries {
        let name = entry.map_err(unread(folder))?.file_name();
        if name != UNFINISHED && name != UNFINISHED_MANIFEST {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The names of the files below a folder; hidden ones are none of ours, such as an editor's.
fn list(folder: &Path, inside: &str, names: &mut Vec<String>) -> Result<()> {
    let place = folder.join(inside);
    for entry in fs::read_dir(&place).map_err(unread(&place))? {
        let entry = entry.map_err(unread(&place))?;
        let kind = entry.file_type().map_err(unread(&place))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let name = if inside.is_empty() {
            name
        } else {
            format!("{inside}/{name}")
        };
        if kind.is_dir() {
            list(folder, &name, names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
}

/// The place of a file, unless something on the way leads out of the folder.
fn inside(folder: &Path, name: &str) -> Result<PathBuf> {
    let mut place = folder.to_owned();
    for part in name.split('/') {
        place.push(part);
        let is_link = fs::symlink_metadata(&place).is_ok_and(|found| found.is_symlink());
        if is_link {
            return Err(Error::input(
                "this is a link, which may lead out of the folder; remove it",
            )
            .with("file", place.display()));
        }
    }
    Ok(place)
}

fn remove_unfinished(place: &Path) -> Result<()> {
    match fs::symlink_metadata(place) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(place).map_err(unwritten(place)),
        Ok(_) => fs::remove_file(place).map_err(unwritten(place)),
        Err(_) => Ok(()),
    }
}

/// Removes folders that are empty now; others stay.
fn remove_empty_parents(folder: &Path, name: &str) {
    let mut name = name;
    while let Some((parent, _)) = name.rsplit_once('/') {
        if fs::remove_dir(folder.join(parent)).is_err() {
            break;
        }
        name = parent;
    }
}

/// Writes the list of files, which is complete whenever it is there.
fn write_manifest(folder: &Path, manifest: &Manifest) -> Result<()> {
    let unfinished = folder.join(UNFINISHED_MANIFEST);
    let place = folder.join(MANIFEST);
    fs::write(&unfinished, manifest.text()?).map_err(unwritten(&unfinished))?;
    fs::rename(&unfinished, &place).map_err(unwritten(&place))
}

fn unwritten(place: &Path) -> impl Fn(std::io::Error) -> Error + '_ {
    move |cause| {
        let error = match cause.kind() {
            ErrorKind::PermissionDenied => Error::permission("the file cannot be written"),
            _ => Error::storage("the file cannot be written"),
        };
        error.with("file", place.display()).caused_by(cause)
    }
}

fn unread(place: &Path) -> impl Fn(std::io::Error) -> Error + '_ {
    move |cause| {
        let error = match cause.kind() {
            ErrorKind::PermissionDenied => Error::permission("the file cannot be read"),
            _ => Error::storage("the file cannot be read"),
        };
        error.with("file", place.display()).caused_by(cause)
    }
}

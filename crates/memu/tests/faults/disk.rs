//! A disk that forgets, as disks do when the power goes.
//!
//! What a program writes is seen by every program at once, but it is on the disk only
//! after a sync. Between the two, the disk may have any part of it: all, nothing, some
//! sectors of a write, or noise where a sector was being written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::workload::Random;

/// The smallest piece that a disk writes.
const SECTOR: usize = 512;

/// What the disk is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Write,
    Truncate,
    Sync,
    Create,
    Delete,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Fault {
    #[default]
    None,
    /// From this operation on, nothing happens any more.
    PowerCut(u64),
    /// From this operation on, a process and all before it do nothing any more.
    Kill(u64, u64),
    /// No file can grow.
    Full,
    /// Processes cannot share memory, as on many network file systems.
    NoSharedMemory,
    /// This operation fails, and as many after it as are named.
    Error(u64, u64),
    /// This one of the syncs fails.
    FailedSync(u64),
}

/// What an operation comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    Full,
    Failed,
}

#[derive(Clone, Debug)]
enum Pending {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

#[derive(Clone, Debug, Default)]
struct File {
    /// What is on the disk for sure.
    synced: Vec<u8>,
    /// What may be, in the order in which it was asked for.
    pending: Vec<Pending>,
    /// As long as programs see it.
    length: usize,
}

#[derive(Debug, Default)]
struct State {
    files: Vec<File>,
    /// Names as programs see them, and as the disk has them.
    names: BTreeMap<PathBuf, usize>,
    synced_names: BTreeMap<PathBuf, usize>,
    operations: u64,
    syncs: u64,
    fault: Fault,
    off: bool,
    /// Whoever opens a file now is this process.
    process: u64,
    log: Vec<String>,
}

/// An open file of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handle {
    file: usize,
    process: u64,
}

/// One disk, which holds one folder.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

impl Disk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn set(&self, fault: Fault) {
        self.state().fault = fault;
    }

    pub(crate) fn operations(&self) -> u64 {
        self.state().operations
    }

    pub(crate) fn syncs(&self) -> u64 {
        self.state().syncs
    }

    pub(crate) fn is_off(&self) -> bool {
        self.state().off
    }

    pub(crate) fn has_shared_memory(&self) -> bool {
        !matches!(self.state().fault, Fault::NoSharedMemory)
    }

    /// The last operations, to tell what led to a failure.
    pub(crate) fn log(&self) -> Vec<String> {
        let state = self.state();
        state.log[state.log.len().saturating_sub(60)..].to_vec()
    }

    /// Whatever opens files from now on is another process. Returns the one before.
    pub(crate) fn next_process(&self) -> u64 {
        let mut state = self.state();
        state.process += 1;
        state.process - 1
    }

    /// A file is opened, and made if it is not there. What it has is read when this disk
    /// meets it for the first time, and never later: closing a file that SQLite has open
    /// would let go of its locks.
    pub(crate) fn open(&self, path: &Path) -> Option<Handle> {
        let mut state = self.state();
        let file = match state.names.get(path).copied() {
            Some(file) => file,
            None if path.exists() => state.adopt(path, std::fs::read(path).unwrap()),
            None => {
                let process = state.process;
                if state.begin(Operation::Create, path, process) != Outcome::Done {
                    return None;
                }
                let file = state.files.len();
                state.files.push(File::default());
                state.names.insert(path.to_owned(), file);
                file
            }
        };
        let process = state.process;
        Some(Handle { file, process })
    }

    /// Writes through `write` what programs shall see.
    pub(crate) fn write(
        &self,
        handle: Handle,
        at: usize,
        bytes: &[u8],
        write: impl FnOnce() -> bool,
    ) -> Outcome {
        let mut state = self.state();
        let grows = at + bytes.len() > state.files[handle.file].length;
        if grows && matches!(state.fault, Fault::Full) {
            return Outcome::Full;
        }
        let name = state.describe(handle, at, bytes.len());
        let outcome = state.begin(Operation::Write, &name, handle.process);
        // A write during which the power goes may have reached the disk in part.
        let going = state.off && state.is_now();
        if outcome == Outcome::Done || going {
            let file = &mut state.files[handle.file];
            file.length = file.length.max(at + bytes.len());
            file.pending.push(Pending::Write(at, bytes.to_vec()));
        }
        match outcome {
            Outcome::Done if !write() => Outcome::Failed,
            outcome => outcome,
        }
    }

    pub(crate) fn truncate(
        &self,
        handle: Handle,
        length: usize,
        truncate: impl FnOnce() -> bool,
    ) -> Outcome {
        let mut state = self.state();
        let name = state.describe(handle, length, 0);
        let outcome = state.begin(Operation::Truncate, &name, handle.process);
        if outcome == Outcome::Done {
            let file = &mut state.files[handle.file];
            file.length = length;
            file.pending.push(Pending::Truncate(length));
            if !truncate() {
                return Outcome::Failed;
            }
        }
        outcome
    }

    /// What is pending is on the disk afterwards. A sync that fails has lost some of it for
    /// good, whatever programs go on seeing: the system does not try again.
    pub(crate) fn sync(&self, handle: Handle, with_folder: bool) -> Outcome {
        let mut state = self.state();
        let name = state.describe(handle, 0, 0);
        let outcome = state.begin(Operation::Sync, &name, handle.process);
        if outcome == Outcome::Done && with_folder {
            state.synced_names = state.names.clone();
        }
        let mut random = Random::new(state.operations);
        let has_failed = matches!(state.fault, Fault::Error(..) | Fault::FailedSync(_));
        let went_on = outcome == Outcome::Done || has_failed;
        if !went_on {
            return outcome;
        }
        let file = &mut state.files[handle.file];
        for pending in std::mem::take(&mut file.pending) {
            if outcome == Outcome::Done || random.once_in(2) {
                apply(&mut file.synced, &pending, |_| Sector::New);
            }
        }
        outcome
    }

    pub(crate) fn delete(&self, path: &Path, sync: bool, delete: impl FnOnce() -> bool) -> Outcome {
        let mut state = self.state();
        let process = state.process;
        let outcome = state.begin(Operation::Delete, path, process);
        if outcome == Outcome::Done {
            state.names.remove(path);
            if sync {
                state.synced_names = state.names.clone();
            }
            if !delete() {
                return Outcome::Failed;
            }
        }
        outcome
    }

    /// The files that a computer finds that is switched on again.
    pub(crate) fn survivors(&self, seed: u64) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut random = Random::new(seed);
        // Some disks lose everything that is pending, some nearly nothing.
        let mood = random.below(4);
        let state = self.state();
        let mut found = state.synced_names.clone();
        let names = state.names.keys().chain(state.synced_names.keys());
        for name in names.cloned().collect::<std::collections::BTreeSet<_>>() {
            if random.once_in(2) {
                match state.names.get(&name) {
                    Some(file) => found.insert(name, *file),
                    None => found.remove(&name),
                };
            }
        }
        found
            .into_iter()
            .map(|(name, file)| (name, state.files[file].survive(mood, &mut random)))
            .collect()
    }
}

impl State {
    fn adopt(&mut self, path: &Path, content: Vec<u8>) -> usize {
        let file = self.files.len();
        self.files.push(File {
            length: content.len(),
            synced: content,
            pending: Vec::new(),
        });
        self.names.insert(path.to_owned(), file);
        self.synced_names.insert(path.to_owned(), file);
        file
    }

    /// Counts an operation, and says whether it happens.
    fn begin(&mut self, operation: Operation, what: &Path, process: u64) -> Outcome {
        let at = self.operations + 1;
        let killed = matches!(self.fault, Fault::Kill(last, from) if process <= last && at >= from);
        if self.off || killed {
            return Outcome::Failed;
        }
        self.operations += 1;
        self.syncs += u64::from(operation == Operation::Sync);
        let name = what.file_name().unwrap_or_default();
        let line = format!("{} {operation:?} {}", self.operations, name.display());
        self.log.push(line);
        match self.fault {
            Fault::PowerCut(at) if self.operations >= at => {
                self.off = true;
                Outcome::Failed
            }
            Fault::Full if operation == Operation::Create => Outcome::Full,
            Fault::FailedSync(at) if operation == Operation::Sync && self.syncs == at => {
                Outcome::Failed
            }
            Fault::Error(from, count) if (from..from + count).contains(&self.operations) => {
                Outcome::Failed
            }
            _ => Outcome::Done,
        }
    }

    /// Whether the power went during the operation that was counted last.
    fn is_now(&self) -> bool {
        matches!(self.fault, Fault::PowerCut(at) if at == self.operations)
    }

    fn describe(&self, handle: Handle, at: usize, length: usize) -> PathBuf {
        let name = self.names.iter().find(|(_, file)| **file == handle.file);
        let name = name.map_or("deleted".as_ref(), |(name, _)| name.file_name().unwrap());
        format!("{} {at}+{length}", name.display()).into()
    }
}

/// What a sector has after the power went while it was written.
#[derive(Clone, Copy)]
enum Sector {
    Old,
    New,
    Noise(u8),
}

impl File {
    fn survive(&self, mood: u64, random: &mut Random) -> Vec<u8> {
        let mut content = self.synced.clone();
        for pending in &self.pending {
            let keep = match mood {
                0 => false,
                1 => !random.once_in(16),
                _ => random.once_in(2),
            };
            let torn = mood > 0 && random.once_in(4);
            if torn {
                apply(&mut content, pending, |_| torn_sector(random));
            } else if keep {
                apply(&mut content, pending, |_| Sector::New);
            }
        }
        content
    }
}

fn torn_sector(random: &mut Random) -> Sector {
    match random.below(8) {
        0 => Sector::Noise(random.below(256) as u8),
        1..4 => Sector::Old,
        _ => Sector::New,
    }
}

fn apply(content: &mut Vec<u8>, pending: &Pending, mut sector: impl FnMut(usize) -> Sector) {
    match pending {
        Pending::Truncate(length) => content.resize(*length, 0),
        Pending::Write(at, bytes) => {
            let end = at + bytes.len();
            for start in (*at..end).step_by(SECTOR) {
                let part = start..(start + SECTOR).min(end);
                let kind = sector(start);
                if matches!(kind, Sector::Old) {
                    continue;
                }
                if content.len() < part.end {
                    content.resize(part.end, 0);
                }
                match kind {
                    Sector::Noise(noise) => content[part].fill(noise),
                    _ => content[part.clone()]
                        .copy_from_slice(&bytes[part.start - at..part.end - at]),
                }
            }
        }
    }
}

//! SQLite's own way to the file system, with a [`Disk`] in between for some folders.
//!
//! It is the VFS that SQLite would use anyway. A file in the folder of a disk has four of
//! its methods exchanged: write, truncate, sync and close. Locks and shared memory stay
//! the real ones, so that several connections and processes behave as ever.

#![expect(unsafe_code, reason = "SQLite calls a VFS through C function pointers")]

use std::collections::HashMap;
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::mem::size_of;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::{Mutex, OnceLock};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_io_methods, sqlite3_vfs};

use crate::disk::{Disk, Handle, Outcome};

/// The disks of this process, by the folder that each of them holds.
static DISKS: Mutex<Option<HashMap<PathBuf, Disk>>> = Mutex::new(None);

/// What SQLite had before; set once, and then only read.
static REAL: OnceLock<Real> = OnceLock::new();

struct Real {
    vfs: *mut sqlite3_vfs,
}

// SAFETY: SQLite's default VFS is static and made for all threads.
unsafe impl Send for Real {}
// SAFETY: as above.
unsafe impl Sync for Real {}

/// What a file of a disk has behind the real VFS's own data.
struct Trailer {
    disk: Disk,
    handle: Handle,
    with_folder: bool,
    /// What SQLite calls for this file, and what the real VFS has for it.
    ours: sqlite3_io_methods,
    real: &'static sqlite3_io_methods,
}

/// Files in `folder` are on `disk` from now on.
pub(crate) fn mount(folder: &Path, disk: &Disk) {
    REAL.get_or_init(register);
    let mut disks = DISKS.lock().unwrap();
    let disks = disks.get_or_insert_default();
    disks.insert(folder.canonicalize().unwrap(), disk.clone());
}

fn register() -> Real {
    // SAFETY: `sqlite3_vfs_find` initialises SQLite and returns its static default VFS. The
    // copy that is registered is never freed.
    unsafe {
        let vfs = ffi::sqlite3_vfs_find(ptr::null());
        let ours = Box::leak(Box::new(*vfs));
        ours.zName = c"memu-test-disk".as_ptr();
        ours.pNext = ptr::null_mut();
        ours.szOsFile = (trailer_at(vfs) + size_of::<*mut Trailer>())
            .try_into()
            .unwrap();
        ours.xOpen = Some(open);
        ours.xDelete = Some(delete);
        assert_eq!(ffi::sqlite3_vfs_register(ours, 1), ffi::SQLITE_OK);
        Real { vfs }
    }
}

fn real() -> &'static Real {
    REAL.get().unwrap()
}

/// Where the pointer to the trailer lies in a file's memory.
///
/// # Safety
/// `vfs` is a VFS.
unsafe fn trailer_at(vfs: *mut sqlite3_vfs) -> usize {
    // SAFETY: by this function's contract.
    let size = unsafe { (*vfs).szOsFile } as usize;
    size.next_multiple_of(size_of::<*mut Trailer>())
}

/// # Safety
/// `file` was opened by [`open`], with a trailer.
unsafe fn trailer<'f>(file: *mut sqlite3_file) -> &'f Trailer {
    // SAFETY: `open` stored a valid pointer there, which `close` frees last.
    unsafe { &**place(file) }
}

/// Where a file's memory has the pointer to its trailer.
///
/// # Safety
/// `file` has as much memory as our VFS asks for, aligned as SQLite aligns it, for any type.
unsafe fn place(file: *mut sqlite3_file) -> *mut *mut Trailer {
    // SAFETY: by this function's contract; the offset is a multiple of a pointer's size.
    unsafe { file.byte_add(trailer_at(real().vfs)).cast() }
}

/// # Safety
/// `name` is null or a C string.
unsafe fn path<'n>(name: *const c_char) -> Option<&'n Path> {
    // SAFETY: by this function's contract.
    let name = (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) })?;
    Some(Path::new(OsStr::from_bytes(name.to_bytes())))
}

fn disk_of(path: &Path) -> Option<Disk> {
    let disks = DISKS.lock().unwrap();
    disks.as_ref()?.get(path.parent()?).cloned()
}

fn code(outcome: Outcome, failed: c_int) -> c_int {
    match outcome {
        Outcome::Done => ffi::SQLITE_OK,
        Outcome::Full => ffi::SQLITE_FULL,
        Outcome::Failed => failed,
    }
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let real = real();
    // SAFETY: SQLite passes null or a C string.
    let found = unsafe { path(name) }.and_then(|path| Some((path, disk_of(path)?)));
    let mut on_disk = None;
    if let Some((path, disk)) = found
        && (path.exists() || flags & ffi::SQLITE_OPEN_CREATE != 0)
    {
        let Some(handle) = disk.open(path) else {
            // SAFETY: a null method table tells SQLite that there is nothing to close.
            unsafe { (*file).pMethods = ptr::null() };
            return ffi::SQLITE_CANTOPEN;
        };
        on_disk = Some((disk, handle));
    }
    // SAFETY: the real VFS's own function, with memory of at least the size it asks for.
    unsafe {
        let opened = (*real.vfs).xOpen.unwrap()(real.vfs, name, file, flags, out_flags);
        if let (ffi::SQLITE_OK, Some((disk, handle))) = (opened, on_disk) {
            let methods: &'static sqlite3_io_methods = &*(*file).pMethods;
            // The names of new logs and journals are made durable with their content.
            let logs = ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL;
            let shared_memory = disk.has_shared_memory();
            let trailer = Box::into_raw(Box::new(Trailer {
                disk,
                handle,
                with_folder: flags & logs != 0,
                ours: exchanged(*methods, shared_memory),
                real: methods,
            }));
            place(file).write(trailer);
            (*file).pMethods = &raw const (*trailer).ours;
        }
        opened
    }
}

fn exchanged(real: sqlite3_io_methods, shared_memory: bool) -> sqlite3_io_methods {
    sqlite3_io_methods {
        // Version 2 brings shared memory, 3 memory mapping, past `write`.
        iVersion: 1 + c_int::from(shared_memory),
        xClose: Some(close),
        xWrite: Some(write),
        xTruncate: Some(truncate),
        xSync: Some(sync),
        ..real
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite closes a file once, and only files with our methods this way.
    unsafe {
        let trailer = Box::from_raw(*place(file));
        trailer.real.xClose.unwrap()(file)
    }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    bytes: *const c_void,
    length: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite passes an open file and `length` bytes.
    let (trailer, content) = unsafe {
        let content = std::slice::from_raw_parts(bytes.cast::<u8>(), length as usize);
        (trailer(file), content)
    };
    let through = || {
        // SAFETY: what SQLite asked for, handed on.
        let written = unsafe { trailer.real.xWrite.unwrap()(file, bytes, length, at) };
        written == ffi::SQLITE_OK
    };
    let outcome = trailer
        .disk
        .write(trailer.handle, at as usize, content, through);
    code(outcome, ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite passes an open file.
    let trailer = unsafe { trailer(file) };
    let through = || {
        // SAFETY: what SQLite asked for, handed on.
        unsafe { trailer.real.xTruncate.unwrap()(file, length) == ffi::SQLITE_OK }
    };
    let outcome = trailer
        .disk
        .truncate(trailer.handle, length as usize, through);
    code(outcome, ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _: c_int) -> c_int {
    // SAFETY: SQLite passes an open file.
    let trailer = unsafe { trailer(file) };
    let outcome = trailer.disk.sync(trailer.handle, trailer.with_folder);
    code(outcome, ffi::SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    let real = real();
    let mut result = ffi::SQLITE_OK;
    let mut through = || {
        // SAFETY: what SQLite asked for, handed on.
        result = unsafe { (*real.vfs).xDelete.unwrap()(real.vfs, name, 0) };
        result == ffi::SQLITE_OK
    };
    // SAFETY: SQLite passes a C string.
    match unsafe { path(name) }.and_then(|path| Some((path, disk_of(path)?))) {
        // What is not there is no operation of the disk.
        Some((path, disk)) if path.exists() => {
            let outcome = disk.delete(path, sync != 0, through);
            if result == ffi::SQLITE_OK {
                return code(outcome, ffi::SQLITE_IOERR_DELETE);
            }
        }
        _ => {
            through();
        }
    }
    result
}

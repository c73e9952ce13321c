//! Files that a process had open when another one was forked from it.
//!
//! SQLite keeps account of the locks of a process on each file, found by the numbers of its device
//! and inode, for POSIX forgets all locks of a process on a file when any of its descriptors is
//! closed. A child inherits that account, but none of the locks: it would take its parent's for
//! its own, wait for ever for one that a thread of the parent held, and let the parent remove a log
//! that it writes. So a child is told another number of the device, by which it finds no account
//! and begins its own.

#![expect(
    unsafe_code,
    reason = "SQLite is given a function in place of fstat through its C interface"
)]

use std::ffi::{c_char, c_int};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use rusqlite::ffi;

/// The process that asked for this; those that are forked from it inherit that it did.
static FIRST: AtomicU32 = AtomicU32::new(0);

/// Sees to it that processes forked from now on keep their own account. Only the first call does
/// anything, which must be before a file is opened.
pub(super) fn prepare() {
    static PREPARED: Once = Once::new();
    PREPARED.call_once(|| {
        FIRST.store(std::process::id(), Relaxed);
        install();
    });
}

fn install() {
    // SAFETY: the name is a string of C or null; the default file system, if there is one, lives as
    // long as the process, and its functions may be asked for and set before it has files open.
    unsafe {
        let system = ffi::sqlite3_vfs_find(std::ptr::null());
        if let Some(system) = system.as_mut()
            && let Some(set) = system.xSetSystemCall
        {
            let name: *const c_char = c"fstat".as_ptr();
            let ours: unsafe extern "C" fn(c_int, *mut libc::stat) -> c_int = fstat;
            // What SQLite calls it by: it knows the true type by the name.
            let ours: unsafe extern "C" fn() = std::mem::transmute(ours);
            // Where it cannot be set, a child is no worse off than without it.
            set(system, name, Some(ours));
        }
    }
}

/// `fstat`, which tells a child another number of the device.
unsafe extern "C" fn fstat(file: c_int, told: *mut libc::stat) -> c_int {
    // SAFETY: the caller, SQLite, gives a descriptor and a place for what is told.
    let result = unsafe { libc::fstat(file, told) };
    let process = std::process::id();
    if result == 0 && process != FIRST.load(Relaxed) {
        // SAFETY: as above; it was filled in just now.
        if let Some(told) = unsafe { told.as_mut() } {
            // No device has such a number; and another child of a child has another one.
            #[allow(
                clippy::cast_lossless,
                clippy::cast_possible_wrap,
                reason = "some systems have numbers with a sign"
            )]
            let other = !(process as libc::dev_t);
            told.st_dev = other;
        }
    }
    result
}

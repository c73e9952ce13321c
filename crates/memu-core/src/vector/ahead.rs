//! Asking memory for what will be read soon. It changes nothing but how long that takes.

#![expect(
    clippy::inline_always,
    reason = "it is one instruction between others of a kernel"
)]

/// How many bytes a processor fetches at a time.
const LINE: usize = 64;

/// Asks for the line in which something begins.
#[inline(always)]
pub(super) fn ask_for<T>(what: Option<&T>) {
    #[cfg(target_arch = "x86_64")]
    if let Some(what) = what {
        safe_arch::prefetch_t0(what);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = what;
}

/// Asks for all of an array.
#[inline(always)]
pub(super) fn ask_for_all<T>(array: &[T]) {
    let lines = array.iter().step_by((LINE / size_of::<T>().max(1)).max(1));
    for line in lines {
        ask_for(Some(line));
    }
    ask_for(array.last());
}

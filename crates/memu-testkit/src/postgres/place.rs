use std::env;
use std::fs;
use std::path::PathBuf;

use rustix::fs::statvfs;

/// Memory as a folder, on Linux.
const MEMORY: &str = "/dev/shm";

/// What must be free there, and what must be free of the machine's memory altogether.
const FREE_THERE: u64 = 4 << 30;
const FREE_AT_ALL: u64 = 8 << 30;

/// Where a server lies that may forget everything: the folder that `TMPDIR` names, else memory if
/// there is plenty, else the usual folder of temporary files. Making a database is making 300
/// files, which beside a build takes a disk ten times as long.
pub(super) fn quick_place() -> PathBuf {
    if env::var_os("TMPDIR").is_none() && is_roomy() {
        PathBuf::from(MEMORY)
    } else {
        env::temp_dir()
    }
}

fn is_roomy() -> bool {
    let there = statvfs(MEMORY).map_or(0, |found| found.f_bavail * found.f_frsize);
    there >= FREE_THERE && available().is_some_and(|available| available >= FREE_AT_ALL)
}

/// The memory that could be used without pushing anything out.
fn available() -> Option<u64> {
    let memory = fs::read_to_string("/proc/meminfo").ok()?;
    let line = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes << 10)
}

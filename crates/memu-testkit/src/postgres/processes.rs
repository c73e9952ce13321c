use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// How often something is looked at that will come true.
pub(super) const TICK: Duration = Duration::from_millis(5);

/// Sends a signal; that the process has gone meanwhile is no error.
pub(super) fn send(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = kill_process(pid, signal);
    }
}

/// Ends a server as a failing machine would, together with its children: first it is held, so
/// that it starts no more of them. Returns when all have gone.
pub(super) fn kill_all(server: i32) {
    send(server, Signal::STOP);
    let children = children(server);
    for pid in children.iter().chain([&server]) {
        send(*pid, Signal::KILL);
    }
    // One that still runs would keep the server from starting again.
    while children.iter().any(|child| is_running(*child)) {
        std::thread::sleep(TICK);
    }
}

/// The children of a process. Only Linux tells; elsewhere there are none, and the children of
/// a server end by themselves a moment after it.
fn children(parent: i32) -> Vec<i32> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .filter_map(|process| process.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| status(*pid).is_some_and(|(_, its_parent)| its_parent == parent))
        .collect()
}

/// One that has ended may be listed until somebody asks how.
fn is_running(pid: i32) -> bool {
    status(pid).is_some_and(|(state, _)| !matches!(state.as_str(), "Z" | "X"))
}

/// The state and the parent of a process.
fn status(pid: i32) -> Option<(String, i32)> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may hold anything.
    let mut fields = line.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

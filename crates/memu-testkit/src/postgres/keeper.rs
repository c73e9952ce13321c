use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ExitStatus, Stdio};

use super::programs::Programs;

/// Runs a program and ends with it. When whoever holds the other end of its input is gone,
/// however that ended, it ends the program (`QUIT`: at once) and removes the folders. Again and
/// again, because a program that has just been started does not hear the signal yet, and one that
/// is held (`STOP`) does not follow it.
const SCRIPT: &str = r#"
folder=$1 programs=$2; shift 2
exec 3<&0 </dev/null
"$@" 3<&- &
program=$!
{
    read -r _ <&3
    trap '' TERM
    while kill -QUIT "$program" 2>/dev/null; do
        kill -CONT "$program" 2>/dev/null
        sleep 0.05
    done
    exit 0
} &
watch=$!
exec 3<&-
wait "$program"
status=$?
kill "$watch" 2>/dev/null
if wait "$watch"; then rm -rf "$folder" ${programs:+"$programs"}; fi
exit "$status"
"#;

/// A program that does not outlive this process, even when that is killed.
///
/// A signal at the parent's death (`PR_SET_PDEATHSIG`) would come when the thread ends that
/// started the program, and only on Linux.
pub(super) struct Keeper {
    shell: Child,
    /// Closed by the system when this process ends.
    lifeline: Option<ChildStdin>,
}

impl Keeper {
    /// Starts one of the programs for the server of a folder. Its output goes to the end of `log`.
    pub(super) fn start<A: AsRef<OsStr>>(
        programs: &Programs,
        program: &str,
        arguments: &[A],
        (folder, log): (&Path, &Path),
    ) -> io::Result<Self> {
        let log = File::options().append(true).create(true).open(log)?;
        let mut shell = programs
            .command(Path::new("sh"))
            .args(["-c", SCRIPT, "keeper"])
            .arg(folder)
            .arg(programs.linked().unwrap_or(Path::new("")))
            .arg(programs.path(program))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .current_dir(folder)
            // What ends a group of processes, such as Ctrl-C, must not end the keeper first.
            .process_group(0)
            .spawn()?;
        let lifeline = shell.stdin.take();
        Ok(Self { shell, lifeline })
    }

    /// How the program ended, if it has.
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.shell.try_wait()
    }

    /// Waits until the program has ended by itself.
    pub(super) fn wait(&mut self) -> io::Result<ExitStatus> {
        self.shell.wait()
    }
}

impl Drop for Keeper {
    /// Ends the program, if it runs, and with it the folders.
    fn drop(&mut self) {
        self.lifeline = None;
        let _ = self.shell.wait();
    }
}

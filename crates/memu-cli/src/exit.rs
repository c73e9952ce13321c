//! Exit codes: 0 done, 1 failed, 2 wrong usage, 3 nothing found where something was
//! named.

use std::process::ExitCode;

use memu::{Error, ErrorKind};

use crate::output::Printer;

/// Shows an error and tells its exit code.
pub(crate) fn report(printer: &Printer, error: &Error) -> ExitCode {
    printer.error(error);
    ExitCode::from(code(error.kind()))
}

fn code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Config | ErrorKind::Scope | ErrorKind::Filter => 2,
        ErrorKind::NotFound => 3,
        _ => 1,
    }
}

//! The `memu` command.

fn main() {}

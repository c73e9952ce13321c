//! Prompts, and what their replies mean: requests are built and replies are read here, and
//! somebody else makes the call in between. Everything is a pure function.

pub mod salvage;

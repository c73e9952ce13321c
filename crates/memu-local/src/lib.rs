//! MemU's `local` provider: everything for text without a model or a network,
//! and the same answer every time.

pub mod reader;
mod topics;

pub use reader::LocalReader;

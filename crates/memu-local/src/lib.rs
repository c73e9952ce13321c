//! MemU's `local` provider: everything for text without a model or a network,
//! and the same answer every time.

pub mod extract;
pub mod reader;
pub mod temporal;
mod topics;

pub use extract::LocalExtractor;
pub use reader::LocalReader;

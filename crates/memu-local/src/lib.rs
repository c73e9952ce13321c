//! MemU's `local` provider: everything for text without a model or a network,
//! and the same answer every time.

pub mod categorize;
pub mod embed;
pub mod extract;
#[cfg(feature = "minilm")]
pub mod minilm;
pub mod reader;
pub mod summarize;
pub mod temporal;
mod topics;
pub mod words;

pub use categorize::LocalCategorizer;
pub use embed::LocalEmbedder;
pub use extract::LocalExtractor;
#[cfg(feature = "minilm")]
pub use minilm::MiniLm;
pub use reader::LocalReader;
pub use summarize::LocalSummarizer;

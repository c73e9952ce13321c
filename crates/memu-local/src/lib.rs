//! MemU's `local` provider: everything for text without a model or a network,
//! and the same answer every time.

pub mod categorize;
pub mod embed;
pub mod summarize;

pub use categorize::LocalCategorizer;
pub use embed::HashEmbedder;
pub use summarize::LocalSummarizer;

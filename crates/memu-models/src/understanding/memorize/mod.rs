//! Memories out of the segments of a resource.

mod gather;
mod locate;
mod note;
mod read;
mod request;
mod task;
#[cfg(test)]
mod tests;

pub use note::Note;
pub use read::{DraftItem, Provenance, SegmentReading, read_memory_type, read_segment};
pub use request::{memory_type_request, segment_request};
pub use task::{MemoryType, NumberedMessage, SegmentTask};

//! What memU 1.x wrote: its tables, and how their rows become records.
//!
//! Each store of ours finds the original's tables among its own kind and reads their rows;
//! what a row means is said here, once for all stores. Nothing here reads a file or a
//! database.

mod cells;
mod convert;
mod portion;
mod report;
mod row;
mod seen;
mod table;

pub use convert::Converter;
pub use portion::{Kept, Portion};
pub use report::{Unread, UpgradeReport, VectorsOfUnknown};
pub use row::{Cell, OriginalRow};
pub use table::{Kind, Table, scope_schema, share_scope_columns};

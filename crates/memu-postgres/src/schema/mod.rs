//! The tables: `resources`, `memory_items`, `memory_categories` and `category_items` as memU
//! 1.x names them, and ours beside them. `scope_key` is the compact form of a scope; it leads
//! every key and index of what belongs to a scope, so that a cluster can distribute by it and
//! nothing that one scope does costs for the size of another. `place` is the order of storing,
//! in which pages are read.

mod catalog;
pub(crate) mod create;
mod described;
mod parts;
pub(crate) mod row_security;
pub(crate) mod validate;

pub(crate) use described::{SEQUENCES, tables, vectors};
pub(crate) use parts::Table;

/// The schema that this version writes. Version 1 had no tables of what is sealed.
pub(crate) const VERSION: u64 = 2;

/// The keys of `memu_meta`.
pub(crate) const VERSION_KEY: &str = "schema_version";
pub(crate) const FIELDS_KEY: &str = "scope_fields";

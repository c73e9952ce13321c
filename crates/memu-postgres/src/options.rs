use std::fmt;
use std::time::Duration;

use memu_core::scope::ScopeSchema;

/// How to open a PostgreSQL store.
#[derive(Clone)]
pub struct Options {
    /// `postgresql://user:password@host:port/database?parameter=value`. Beside libpq's
    /// parameters of that name, `sslmode` (`disable`, `prefer`, `require`, `verify-ca`,
    /// `verify-full`), `sslrootcert` (a file, or `system`) and `options` are understood.
    pub dsn: String,
    /// The scope fields that the store must have; `None` takes those it has.
    pub schema: Option<ScopeSchema>,
    /// The scope fields of a store that is created and for which `schema` says nothing;
    /// `None` for `user_id`.
    pub default_schema: Option<ScopeSchema>,
    /// Whether tables may be created and upgraded; otherwise they are only checked.
    pub create: bool,
    /// How many connections there may be. Default 4.
    pub pool_size: usize,
    /// How long an operation waits for a connection. Default 30 s.
    pub pool_timeout: Duration,
    /// How long a write waits for others of the same scope. Default 30 s.
    pub busy_timeout: Duration,
    /// How long one statement may run; zero for as long as it takes. Default 60 s.
    pub statement_timeout: Duration,
    /// Whether a vector search must never miss one of the nearest. Default false: scopes of
    /// more than 20,000 vectors are searched by an index that misses a few in a hundred.
    pub exact_search: bool,
    /// Whether such an index is made. Default true.
    pub index: bool,
    /// Whether the server itself keeps every transaction to the scopes that it is for.
    /// `None`, the default, leaves it as it is in the database, which is off at first. When it
    /// is turned on, stores that are open elsewhere see nothing until they are opened anew.
    pub row_security: Option<bool>,
    /// About how many segments, or items, of a scope are sealed together: once eight times as
    /// many are there, and from then on whenever twice as many are not sealed. A question
    /// reads what it needs of those that are sealed, and all others. Default 4,096.
    pub part_records: usize,
}

impl Options {
    /// A server with default settings.
    pub fn new(dsn: impl Into<String>) -> Self {
        Self {
            dsn: dsn.into(),
            schema: None,
            default_schema: None,
            create: true,
            pool_size: 4,
            pool_timeout: Duration::from_secs(30),
            busy_timeout: Duration::from_secs(30),
            statement_timeout: Duration::from_mins(1),
            exact_search: false,
            index: true,
            row_security: None,
            part_records: 4_096,
        }
    }
}

/// Without the DSN, which holds a password.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("schema", &self.schema)
            .field("create", &self.create)
            .field("pool_size", &self.pool_size)
            .field("exact_search", &self.exact_search)
            .field("index", &self.index)
            .field("row_security", &self.row_security)
            .field("part_records", &self.part_records)
            .finish_non_exhaustive()
    }
}

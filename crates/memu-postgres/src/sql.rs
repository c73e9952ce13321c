//! Putting statements together, and running them.

use deadpool_postgres::{GenericClient as _, Transaction};
use memu_core::Result;
use memu_core::scope::Scope;
use postgres_types::ToSql;
use tokio_postgres::Row;

use crate::error::storage;
use crate::values::Key;

/// A value that is bound, and its lifetime with it.
pub(crate) type Bound<'v> = Box<dyn ToSql + Send + Sync + 'v>;

/// A statement with its parameters, which are numbered by their order.
#[derive(Default)]
pub(crate) struct Sql<'v> {
    pub(crate) text: String,
    pub(crate) parameters: Vec<Bound<'v>>,
}

impl<'v> Sql<'v> {
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            parameters: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Appends a parameter.
    pub(crate) fn bind(&mut self, value: impl ToSql + Send + Sync + 'v) {
        self.bind_boxed(Box::new(value));
    }

    /// Appends a parameter of any kind.
    pub(crate) fn bind_boxed(&mut self, value: Bound<'v>) {
        self.parameters.push(value);
        self.text.push('$');
        self.text.push_str(&self.parameters.len().to_string());
    }

    /// Adds a parameter whose place the text names by number.
    pub(crate) fn with(mut self, value: impl ToSql + Send + Sync + 'v) -> Self {
        self.parameters.push(Box::new(value));
        self
    }

    /// Appends a condition for a table that is named so to be in one of these scopes.
    pub(crate) fn bind_scopes(&mut self, table: &str, scopes: &[Scope]) {
        self.push(table);
        if let [only] = scopes {
            self.push(".scope_key = ");
            self.bind(Key::of(only));
            return;
        }
        self.push(".scope_key = ANY(");
        self.bind(scopes.iter().map(Key::of).collect::<Vec<_>>());
        self.push(")");
    }

    /// Has what is looked up beside rows of one scope, which is the first parameter, name that
    /// scope, too: a cluster asks all its servers for what is said to be of the same scope as a
    /// row, and only one for what is said to be of this.
    pub(crate) fn name_only(&mut self, scopes: &[Scope]) {
        if scopes.len() == 1 {
            for row in ["t", "v", "n"] {
                let same = format!(".scope_key = {row}.scope_key");
                self.text = self.text.replace(&same, ".scope_key = $1");
            }
        }
    }

    fn references(&self) -> Vec<&(dyn ToSql + Sync)> {
        let parameters = self.parameters.iter();
        parameters
            .map(|bound| &**bound as &(dyn ToSql + Sync))
            .collect()
    }

    /// All rows.
    pub(crate) async fn rows(&self, on: &Transaction<'_>) -> Result<Vec<Row>> {
        let statement = on.prepare_cached(&self.text).await.map_err(storage)?;
        let rows = on.query(&statement, &self.references()).await;
        rows.map_err(storage)
    }

    /// The first row, if there is one.
    pub(crate) async fn first(&self, on: &Transaction<'_>) -> Result<Option<Row>> {
        Ok(self.rows(on).await?.into_iter().next())
    }

    /// Runs it, and says how many rows it changed.
    pub(crate) async fn run(&self, on: &Transaction<'_>) -> Result<u64> {
        let statement = on.prepare_cached(&self.text).await.map_err(storage)?;
        let changed = on.execute(&statement, &self.references()).await;
        changed.map_err(storage)
    }
}

/// How rows of a scope, whose key is the first parameter, are inserted from arrays.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FromArrays {
    /// The key, as it is selected.
    pub(crate) key: &'static str,
    /// What stands before the arrays.
    pub(crate) from: &'static str,
    /// What stands behind them.
    pub(crate) only: &'static str,
}

impl FromArrays {
    const ALONE: Self = Self {
        key: "$1::uuid",
        from: "",
        only: "",
    };

    /// Beside the scope's own row: otherwise a cluster makes the rows where nobody's lie, and
    /// copies them to where they belong.
    const BESIDE_THE_SCOPE: Self = Self {
        key: "s.scope_key",
        from: "memu_scopes s, ",
        only: " WHERE s.scope_key = $1",
    };

    pub(crate) fn new(cluster: bool) -> Self {
        if cluster {
            Self::BESIDE_THE_SCOPE
        } else {
            Self::ALONE
        }
    }
}

/// Sets what holds until the transaction ends: settings as `name = value`. Each is a statement
/// of its own, since a cluster passes on to its servers what it was sent, which takes one only.
pub(crate) async fn set_local(on: &Transaction<'_>, settings: &[String]) -> Result<()> {
    let statements = settings
        .iter()
        .map(|setting| format!("SET LOCAL {setting}"));
    let statements: Vec<String> = statements.collect();
    let under_way = statements.iter().map(|sql| on.batch_execute(sql));
    let done = futures_util::future::join_all(under_way).await;
    done.into_iter().try_for_each(|one| one.map_err(storage))
}

/// How many statements are under way at once. More would not be sent in their order.
const AT_ONCE: usize = 24;

/// Runs statements one after the other without waiting for each; says how many rows each
/// changed.
pub(crate) async fn run_all(on: &Transaction<'_>, statements: &[Sql<'_>]) -> Result<Vec<u64>> {
    let mut changed = Vec::with_capacity(statements.len());
    for statements in statements.chunks(AT_ONCE) {
        let prepared = statements.iter().map(|sql| on.prepare_cached(&sql.text));
        let prepared = futures_util::future::try_join_all(prepared).await;
        let prepared = prepared.map_err(storage)?;
        let parameters: Vec<_> = statements.iter().map(Sql::references).collect();
        // Each is sent when it is first asked how far it is, which is in this order.
        let under_way = prepared.iter().zip(&parameters);
        let under_way = under_way.map(|(statement, parameters)| on.execute(statement, parameters));
        let done = futures_util::future::join_all(under_way).await;
        // After the first that fails the others do, too, and tell nothing of why.
        for one in done {
            changed.push(one.map_err(storage)?);
        }
    }
    Ok(changed)
}

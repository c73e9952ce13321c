//! Connections, and what is read or written through them.

use deadpool_postgres::{
    GenericClient as _, Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod,
    Runtime, Transaction,
};
use memu_core::Result;
use memu_core::scope::Scope;
use tokio_postgres::IsolationLevel;

use crate::address::Address;
use crate::error;
use crate::options::Options;
use crate::sql::set_local;
use crate::tls;
use crate::values::Key;

/// The connections of a store.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    pool: Pool,
    size: usize,
    wait: std::time::Duration,
    /// How long a write waits for others of the same scope.
    busy: std::time::Duration,
    row_security: bool,
    cluster: bool,
}

impl Connections {
    /// Gets ready to connect; the first connection is made when it is needed.
    pub(crate) fn new(options: &Options) -> Result<Self> {
        let Address { config, trust } = Address::parse(&options.dsn)?;
        let manager = ManagerConfig {
            // Whether a connection is closed is known without asking.
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_config(config, tls::connector(&trust)?, manager);
        let settings = settings(options);
        let set = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
            let settings = settings.clone();
            Box::pin(async move {
                let set = client.batch_execute(&settings).await;
                set.map_err(HookError::Backend)
            })
        });
        let pool = Pool::builder(manager)
            .max_size(options.pool_size.max(1))
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(options.pool_timeout))
            .create_timeout(Some(options.pool_timeout))
            .post_create(set)
            .build()
            .map_err(|cause| {
                memu_core::Error::internal("connections cannot be set up").caused_by(cause)
            })?;
        Ok(Self {
            pool,
            size: options.pool_size.max(1),
            wait: options.pool_timeout,
            busy: options.busy_timeout,
            row_security: false,
            cluster: false,
        })
    }

    /// The same, keeping transactions to their scopes.
    pub(crate) fn with_row_security(self, row_security: bool) -> Self {
        Self {
            row_security,
            ..self
        }
    }

    /// The same, on a cluster.
    pub(crate) fn with_cluster(self, cluster: bool) -> Self {
        Self { cluster, ..self }
    }

    /// Whether the tables of scopes lie on the servers of a cluster.
    pub(crate) fn is_cluster(&self) -> bool {
        self.cluster
    }

    /// A connection of one's own.
    pub(crate) async fn get(&self) -> Result<Object> {
        let got = self.pool.get().await;
        got.map_err(|cause| error::pool(cause, self.size, self.wait))
    }

    /// Begins to read, as of one moment.
    pub(crate) async fn snapshot<'c>(
        &self,
        client: &'c mut Object,
        reach: Reach<'_>,
    ) -> Result<Transaction<'c>> {
        let isolation = IsolationLevel::RepeatableRead;
        self.begin(client, reach, isolation, true).await
    }

    /// Begins to write.
    pub(crate) async fn transaction<'c>(
        &self,
        client: &'c mut Object,
        reach: Reach<'_>,
    ) -> Result<Transaction<'c>> {
        // Whatever the server's default is: who waits for a lock must see what was written
        // before it was given.
        let isolation = IsolationLevel::ReadCommitted;
        self.begin(client, reach, isolation, false).await
    }

    async fn begin<'c>(
        &self,
        client: &'c mut Object,
        reach: Reach<'_>,
        isolation: IsolationLevel,
        read_only: bool,
    ) -> Result<Transaction<'c>> {
        let transaction = client
            .build_transaction()
            .isolation_level(isolation)
            .read_only(read_only)
            .start()
            .await
            .map_err(error::storage)?;
        self.bind(&transaction, reach).await?;
        Ok(transaction)
    }

    /// Keeps a transaction to the scopes that it is for, where the server looks at that.
    async fn bind(&self, transaction: &Transaction<'_>, reach: Reach<'_>) -> Result<()> {
        let value = match reach {
            _ if !self.row_security => None,
            Reach::Everything => Some("*".to_owned()),
            Reach::Scopes(scopes) => {
                let keys: Vec<String> = scopes.iter().map(|one| Key::of(one).text()).collect();
                Some(keys.join(","))
            }
        };
        if self.cluster {
            // Only what is set so reaches the servers where the rows are.
            let wait = format!("lock_timeout = {}", lock_timeout(self.busy));
            let scopes = value.map(|value| format!("memu.scopes = '{value}'"));
            let settings: Vec<String> = [Some(wait), scopes].into_iter().flatten().collect();
            return set_local(transaction, &settings).await;
        }
        let Some(value) = value else { return Ok(()) };
        let bind = "SELECT set_config('memu.scopes', $1, true)";
        let statement = transaction.prepare_cached(bind).await;
        let statement = statement.map_err(error::storage)?;
        transaction
            .execute(&statement, &[&value])
            .await
            .map(drop)
            .map_err(error::storage)
    }

    /// Lets go of all connections.
    pub(crate) fn close(&self) {
        self.pool.close();
    }

    /// Whether [`Self::close`] was called.
    pub(crate) fn is_closed(&self) -> bool {
        self.pool.is_closed()
    }
}

/// Which scopes a transaction reads or writes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reach<'s> {
    /// What belongs to the store as a whole.
    Everything,
    /// These.
    Scopes(&'s [Scope]),
}

/// A time as the server's settings take it.
pub(crate) fn milliseconds(time: std::time::Duration) -> u128 {
    time.as_millis().min(i32::MAX as u128)
}

/// A time to wait for a lock, as the server's settings take it: zero would be for ever.
fn lock_timeout(busy: std::time::Duration) -> u128 {
    milliseconds(busy).max(1)
}

/// What every connection is told. The first means nothing but on a cluster, which then tells
/// its servers what is set for a transaction.
fn settings(options: &Options) -> String {
    format!(
        "SET citus.propagate_set_commands = 'local'; \
         SET statement_timeout = {}; SET lock_timeout = {}; \
         SET idle_in_transaction_session_timeout = 60000; SET client_min_messages = warning",
        milliseconds(options.statement_timeout),
        lock_timeout(options.busy_timeout),
    )
}

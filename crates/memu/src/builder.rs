use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use memu_core::environment::{Clock, Executor, IdSource, RandomIds, SystemClock};
use memu_core::pipeline::Interceptor;
use memu_core::provider::{Embedder, Extractor, Reader, RetrievalModel, Summarizer};
use memu_core::records::EmbedderIdentity;
use memu_core::scope::ScopeSchema;
use memu_core::service::{Parts, ResourceFiles};
use memu_core::store::Store;
use memu_core::store::rules::check_embedder;
use memu_core::{Error, ErrorKind, MemoryService, Result};
use memu_documents::DocumentReader;
use memu_local::{LocalCategorizer, LocalEmbedder, LocalExtractor, LocalReader, LocalSummarizer};
use memu_models::Surroundings;

use crate::backup::Place;
use crate::dsn::shown;
use crate::opening::Opening;
use crate::profiles::Profiles;
use crate::settings::{EMBEDDING_PROFILE, MetadataProvider, Secret, Settings};
use crate::sqlite::{self, UpgradeReport};
use crate::{Dsn, LocalFiles, SystemFetcher, TokioExecutor};

/// A service on this store with default settings: a DSN, or the path of a SQLite
/// file.
///
/// # Errors
/// As [`MemoryServiceBuilder::build`].
pub async fn open(database: &str) -> Result<MemoryService> {
    MemoryServiceBuilder::new().database(database).build().await
}

/// Puts a service together.
///
/// Without any call it is a service in memory, with the local provider and memU's
/// defaults.
pub struct MemoryServiceBuilder {
    pub(crate) settings: Settings,
    pub(crate) database: Option<String>,
    default_fields: Option<Vec<String>>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    interceptors: Vec<Arc<dyn Interceptor>>,
    on_upgrade: OnUpgrade,
    embedder: Option<Arc<dyn Embedder>>,
    extractor: Option<Arc<dyn Extractor>>,
    summarizer: Option<Arc<dyn Summarizer>>,
    retrieval_model: Option<Arc<dyn RetrievalModel>>,
    surroundings: Surroundings,
    changes_embedder: bool,
    store: Option<Arc<dyn Store>>,
}

/// Without a password in the database's address.
impl fmt::Debug for MemoryServiceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = self.database.as_deref().map(shown);
        f.debug_struct("MemoryServiceBuilder")
            .field("settings", &self.settings)
            .field("database", &database)
            .field("surroundings", &self.surroundings)
            .finish_non_exhaustive()
    }
}

/// Whom to tell about an upgrade.
struct OnUpgrade(Box<dyn Fn(&UpgradeReport) + Send + Sync>);

impl fmt::Debug for OnUpgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnUpgrade")
    }
}

impl Default for MemoryServiceBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryServiceBuilder {
    /// Default settings.
    pub fn new() -> Self {
        Self {
            settings: Settings::default(),
            database: None,
            default_fields: None,
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
            interceptors: Vec::new(),
            on_upgrade: OnUpgrade(Box::new(|_| {})),
            embedder: None,
            extractor: None,
            summarizer: None,
            retrieval_model: None,
            surroundings: Surroundings::default(),
            changes_embedder: false,
            store: None,
        }
    }

    /// Replaces all settings; see [`crate::settings::Layers`] for reading them from
    /// files and variables.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The store: a DSN, or the path of a SQLite file. Wins over the settings.
    #[must_use]
    pub fn database(mut self, dsn_or_path: &str) -> Self {
        self.database = Some(dsn_or_path.to_owned());
        self
    }

    /// A store that is open already, in place of what the settings name.
    #[must_use]
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// The names of the scope fields, in order.
    #[must_use]
    pub fn scope_fields<S: Into<String>>(mut self, fields: impl IntoIterator<Item = S>) -> Self {
        self.settings.user_config.model = Some(fields.into_iter().map(Into::into).collect());
        self
    }

    /// The scope fields of a store that does not exist yet, unless the settings name
    /// them. A store that exists brings its own.
    #[must_use]
    pub fn default_scope_fields<S: Into<String>>(
        mut self,
        fields: impl IntoIterator<Item = S>,
    ) -> Self {
        self.default_fields = Some(fields.into_iter().map(Into::into).collect());
        self
    }

    /// Another clock, for tests and replays.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Another source of ids, for tests and replays.
    #[must_use]
    pub fn ids(mut self, ids: Arc<dyn IdSource>) -> Self {
        self.ids = ids;
        self
    }

    /// Watches every step of every pipeline.
    #[must_use]
    pub fn interceptor(mut self, interceptor: Arc<dyn Interceptor>) -> Self {
        self.interceptors.push(interceptor);
        self
    }

    /// Another embedder than the settings name.
    #[must_use]
    pub fn embedder(mut self, embedder: Arc<dyn Embedder>) -> Self {
        self.embedder = Some(embedder);
        self
    }

    /// Draws memories from segments in place of what the settings name.
    #[must_use]
    pub fn extractor(mut self, extractor: Arc<dyn Extractor>) -> Self {
        self.extractor = Some(extractor);
        self
    }

    /// Writes the summaries of categories in place of what the settings name.
    #[must_use]
    pub fn summarizer(mut self, summarizer: Arc<dyn Summarizer>) -> Self {
        self.summarizer = Some(summarizer);
        self
    }

    /// Has a say in how questions are answered, in place of what the settings name.
    #[must_use]
    pub fn retrieval_model(mut self, model: Arc<dyn RetrievalModel>) -> Self {
        self.retrieval_model = Some(model);
        self
    }

    /// Where keys and addresses of models come from, and how calls that fail are repeated.
    #[must_use]
    pub fn surroundings(mut self, surroundings: Surroundings) -> Self {
        self.surroundings = surroundings;
        self
    }

    /// Opens a store whose vectors are another embedder's, too, so that
    /// [`MemoryService::reembed`] can change that. Until then other verbs refuse what
    /// needs vectors.
    #[must_use]
    pub fn changing_embedder(mut self) -> Self {
        self.changes_embedder = true;
        self
    }

    /// Is told when opening the store upgraded a file or tables of memU 1.x.
    #[must_use]
    pub fn on_upgrade(mut self, tell: impl Fn(&UpgradeReport) + Send + Sync + 'static) -> Self {
        self.on_upgrade = OnUpgrade(Box::new(tell));
        self
    }

    /// Opens the store and starts the service.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](memu_core::ErrorKind::Config) for a setting out of range
    /// or a malformed DSN; [`ErrorKind::Unsupported`](memu_core::ErrorKind::Unsupported)
    /// for a provider this version does not have; the store's errors when it cannot
    /// be opened.
    pub async fn build(self) -> Result<MemoryService> {
        self.settings.validate()?;
        self.surroundings.open_traffic()?;
        let store = self.open_store().await?;
        let executor: Arc<dyn Executor> = Arc::new(TokioExecutor);
        let files = self.files(&executor)?;
        let sets = store.embedding_sets().await?;
        let mut profiles = Profiles::new(&self.settings, &self.surroundings);
        let embedder = match &self.embedder {
            Some(embedder) => Some(embedder.clone()),
            None => profiles.embedder(&sets).await?,
        };
        let embedder = match embedder {
            Some(embedder) => embedder,
            None => self.local_embedder(&executor)?,
        };
        if !self.changes_embedder {
            check_embedder(&sets, embedder.identity())?;
            adopt(&*store, embedder.identity()).await?;
        }
        let extractor = match &self.extractor {
            Some(extractor) => Some(extractor.clone()),
            None => profiles.extractor()?,
        };
        let summarizer = match &self.summarizer {
            Some(summarizer) => Some(summarizer.clone()),
            None => profiles.summarizer()?,
        };
        let retrieval_model = match &self.retrieval_model {
            Some(model) => Some(model.clone()),
            None => profiles.retrieval_model()?,
        };
        let reader: Arc<dyn Reader> = Arc::new(LocalReader::new(executor.clone()));
        let reader = match profiles.reader(reader.clone())? {
            Some(by_model) => by_model,
            None => reader,
        };
        let reader = Arc::new(DocumentReader::new(reader, executor.clone()));
        MemoryService::new(Parts {
            store,
            fetcher: Arc::new(SystemFetcher::new(executor.clone())),
            files,
            reader,
            extractor: extractor.unwrap_or_else(|| Arc::new(LocalExtractor::new(executor.clone()))),
            categorizer: Arc::new(LocalCategorizer::new(executor.clone())),
            summarizer: summarizer
                .unwrap_or_else(|| Arc::new(LocalSummarizer::new(executor.clone()))),
            embedder,
            words: memu_local::words::embedded()?,
            retrieval_model,
            clock: self.clock,
            ids: self.ids,
            executor,
            interceptors: self.interceptors,
            memorize_config: self.settings.memorize_config,
            retrieve_config: self.settings.retrieve_config,
            budget: self.settings.budget,
        })
    }

    /// The embedder in this process that the profile `embedding` names.
    fn local_embedder(&self, executor: &Arc<dyn Executor>) -> Result<Arc<dyn Embedder>> {
        let profile = self.settings.llm_profiles.get(EMBEDDING_PROFILE);
        match profile.and_then(|profile| profile.model.as_deref()) {
            Some("minilm") => minilm(
                profile.and_then(|profile| profile.path.as_deref()),
                executor,
            ),
            _ => Ok(Arc::new(LocalEmbedder::new(executor.clone())?)),
        }
    }

    /// The folder for large files, for stores that outlive the process.
    pub(crate) fn files(
        &self,
        executor: &Arc<dyn Executor>,
    ) -> Result<Option<Arc<dyn ResourceFiles>>> {
        // Beside an encrypted database nothing may lie that is not: it keeps everything.
        if !matches!(self.dsn()?, Dsn::Sqlite(_)) || self.key()?.is_some() {
            return Ok(None);
        }
        let place = self.place()?;
        let files = LocalFiles::new(&place.files(), executor.clone()).waiting(place.wait);
        Ok(Some(Arc::new(files)))
    }

    /// Where the memory is, when it is in a file.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](memu_core::ErrorKind::Unsupported) when it is in no
    /// file; [`ErrorKind::Config`](memu_core::ErrorKind::Config) for a malformed DSN.
    pub fn place(&self) -> Result<Place> {
        match self.dsn()? {
            Dsn::Sqlite(database) => Ok(Place {
                database,
                resources_dir: self.settings.blob_config.resources_dir.clone().into(),
                key: self.key()?,
                wait: Duration::from_secs_f64(
                    self.settings.database_config.metadata_store.busy_timeout_s,
                ),
            }),
            dsn @ Dsn::Postgres(_) => Err(Error::unsupported(format!(
                "{dsn} is a server, not a file: pg_dump backs it up, and memu migrate copies what \
                 is in it into a file"
            ))),
            other => Err(Error::unsupported(format!("{other} is not a file"))),
        }
    }

    /// The key of an encrypted file, as the settings have it.
    ///
    /// # Errors
    /// Those of [`sqlite::Key::new`].
    pub fn key(&self) -> Result<Option<sqlite::Key>> {
        let config = &self.settings.database_config.metadata_store;
        let key = config.encryption_key.as_ref().map(Secret::reveal);
        key.map(sqlite::Key::new).transpose()
    }

    /// How the memory is opened, when it is on a server.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](memu_core::ErrorKind::Config) for a malformed DSN and unusable
    /// scope fields.
    pub fn server(&self) -> Result<Option<memu_postgres::Options>> {
        match self.dsn()? {
            Dsn::Postgres(dsn) => Ok(Some(self.opening()?.postgres(dsn))),
            _ => Ok(None),
        }
    }

    fn opening(&self) -> Result<Opening<'_>> {
        let fields = self.settings.user_config.model.as_ref();
        let default_fields = self.default_fields.as_ref();
        Ok(Opening {
            config: &self.settings.database_config,
            schema: fields.map(ScopeSchema::new).transpose()?,
            default_schema: default_fields.map(ScopeSchema::new).transpose()?,
            key: self.key()?,
        })
    }

    pub(crate) async fn open_store(&self) -> Result<Arc<dyn Store>> {
        if let Some(store) = &self.store {
            return Ok(store.clone());
        }
        let opening = self.opening()?;
        opening.open(self.dsn()?, &*self.on_upgrade.0).await
    }

    /// The store that code, settings and defaults together mean.
    pub(crate) fn dsn(&self) -> Result<Dsn> {
        if let Some(database) = &self.database {
            return Dsn::from_dsn_or_path(database);
        }
        let config = &self.settings.database_config.metadata_store;
        let dsn = config.dsn.as_deref().map(str::parse::<Dsn>).transpose()?;
        match (config.provider, dsn) {
            (None, Some(dsn))
            | (Some(MetadataProvider::Sqlite), Some(dsn @ (Dsn::Sqlite(_) | Dsn::SqliteMemory)))
            | (Some(MetadataProvider::Postgres), Some(dsn @ Dsn::Postgres(_))) => Ok(dsn),
            (None | Some(MetadataProvider::Inmemory), _) => Ok(Dsn::InMemory),
            (Some(MetadataProvider::Sqlite), None) => Ok(Dsn::Sqlite("memu.db".into())),
            (Some(provider), dsn) => Err(Error::config(format!(
                "database_config.metadata_store.provider is {provider:?}, but the dsn is {}",
                dsn.map_or("missing".to_owned(), |dsn| dsn.to_string())
            ))),
        }
    }
}

/// What memU 1.x stored does not say whose its vectors are: those that fit are taken for the
/// configured model's. The embedders in this process came later than memU 1.x.
async fn adopt(store: &dyn Store, identity: &EmbedderIdentity) -> Result<()> {
    if identity.provider == "local" {
        return Ok(());
    }
    match store.adopt_set(identity).await {
        // Who may only read goes on without them.
        Err(error) if error.kind() == ErrorKind::Permission => Ok(()),
        adopted => adopted.map(drop),
    }
}

#[cfg(feature = "minilm")]
fn minilm(path: Option<&str>, executor: &Arc<dyn Executor>) -> Result<Arc<dyn Embedder>> {
    let folder = match path {
        Some(path) => path.into(),
        None => crate::models::MINILM.folder()?,
    };
    let model = memu_local::MiniLm::open(&folder, executor.clone())?;
    Ok(Arc::new(model))
}

#[cfg(not(feature = "minilm"))]
fn minilm(_path: Option<&str>, _executor: &Arc<dyn Executor>) -> Result<Arc<dyn Embedder>> {
    Err(Error::unsupported(
        "this build has no model runner; build it with the feature minilm \
         (cargo install memu-cli --features minilm)",
    ))
}

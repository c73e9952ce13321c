//! The store below the verbs, as Python holds it.

mod new_items;
mod records;
mod requests;

use memu::core::filter::Filter;
use memu::database::{
    CreateCategory, CreateResource, Database, Ranking, UpdateCategory, UpdateItem, VectorSearch,
};
use memu::{Error, Id, MemoryService, Result};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use new_items::create_items;
use records::{many, one};
use requests::{
    ChangedCategory, ChangedItem, Filed, NewCategory, NewResource, conditions, id, new_item,
    taken_vector,
};

use crate::answer::{Answer, answer};
use crate::core::builder;
use crate::ending::settled_at_end;
use crate::errors::exception;
use crate::runtime::{of_this_process, wait};
use crate::value::{refused, request};
use crate::vectors::{count, vector};

/// A store with its four repositories.
#[pyclass(frozen, module = "memu._memu")]
pub(crate) struct NativeDatabase {
    database: Database,
    process: u32,
}

impl NativeDatabase {
    /// The store of a service, for vectors of its embedder.
    pub(crate) fn of(service: &MemoryService, process: u32) -> Self {
        let embedder = service.context().parts().embedder.identity().clone();
        Self {
            database: Database::new(service.store().clone()).embedder(embedder),
            process,
        }
    }

    fn wait<'py>(
        &self,
        py: Python<'py>,
        work: impl Future<Output = Result<Answer>> + Send,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.check_process(py)?;
        wait(py, work)?(py)
    }

    fn check_process(&self, py: Python<'_>) -> PyResult<()> {
        of_this_process(self.process).map_err(|error| exception(py, &error))
    }
}

#[pymethods]
impl NativeDatabase {
    /// Opens the store that the settings name, and makes it where there is none.
    #[staticmethod]
    fn open(
        py: Python<'_>,
        settings: &Bound<'_, PyAny>,
        scope_fields: Option<Vec<String>>,
    ) -> PyResult<Self> {
        let builder = builder(settings, scope_fields)?;
        let database = wait(py, Database::open(&builder))?;
        settled_at_end(database.store());
        Ok(Self {
            database,
            process: std::process::id(),
        })
    }

    /// The names of the fields of a scope, in order.
    fn scope_fields(&self) -> Vec<String> {
        let fields = self.database.store().schema().fields();
        fields.map(str::to_owned).collect()
    }

    /// Something that changes with every change to the store, by whomever.
    fn state(&self, py: Python<'_>) -> PyResult<Vec<(String, u64)>> {
        self.check_process(py)?;
        wait(py, async {
            let everything = Filter::default();
            let states = self
                .database
                .store()
                .scopes(&everything, usize::MAX)
                .await?;
            let states = states.into_iter();
            Ok(states
                .map(|state| (state.scope.to_string(), state.seq))
                .collect())
        })
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.check_process(py)?;
        wait(py, self.database.close())
    }

    /// All records of a kind, of all scopes.
    fn load<'py>(&self, py: Python<'py>, kind: &str) -> PyResult<Bound<'py, PyAny>> {
        let database = &self.database;
        self.wait(py, async {
            Ok(match kind {
                "resources" => many(database.resource_repo.load_existing().await?),
                "items" => many(database.memory_item_repo.load_existing().await?),
                "categories" => many(database.memory_category_repo.load_existing().await?),
                "relations" => answer(database.category_item_repo.load_existing().await?),
                _ => return Err(unknown(kind)),
            })
        })
    }

    /// The records of a kind that match.
    fn list<'py>(
        &self,
        py: Python<'py>,
        kind: &str,
        filter: &Bound<'_, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let filter = conditions(filter)?;
        let database = &self.database;
        self.wait(py, async {
            Ok(match kind {
                "resources" => many(database.resource_repo.list_resources(filter).await?),
                "items" => many(database.memory_item_repo.list_items(filter).await?),
                "categories" => many(
                    database
                        .memory_category_repo
                        .list_categories(filter)
                        .await?,
                ),
                "relations" => answer(database.category_item_repo.list_relations(filter).await?),
                _ => return Err(unknown(kind)),
            })
        })
    }

    /// Removes the records of a kind that match, and gives them back.
    fn clear<'py>(
        &self,
        py: Python<'py>,
        kind: &str,
        filter: &Bound<'_, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let filter = conditions(filter)?;
        let database = &self.database;
        self.wait(py, async {
            Ok(match kind {
                "resources" => many(database.resource_repo.clear_resources(filter).await?),
                "items" => many(database.memory_item_repo.clear_items(filter).await?),
                "categories" => many(
                    database
                        .memory_category_repo
                        .clear_categories(filter)
                        .await?,
                ),
                _ => return Err(unknown(kind)),
            })
        })
    }

    fn create_resource<'py>(
        &self,
        py: Python<'py>,
        arguments: &Bound<'_, PyDict>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let embedding = taken_vector(arguments)?;
        let new: NewResource = request(arguments)?;
        self.wait(py, async {
            let new = CreateResource {
                id: id(new.id)?,
                url: new.url,
                modality: new.modality,
                local_path: new.local_path,
                caption: new.caption,
                embedding,
                content: None,
                user_data: new.user_data,
            };
            Ok(one(self
                .database
                .resource_repo
                .create_resource(new)
                .await?))
        })
    }

    fn create_item<'py>(
        &self,
        py: Python<'py>,
        arguments: &Bound<'_, PyDict>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let new = new_item(arguments)?;
        self.wait(py, async {
            Ok(one(self.database.memory_item_repo.create_item(new).await?))
        })
    }

    /// Calls `finish` with what the items are, and returns what it returns, once they are stored.
    fn create_items<'py>(
        &self,
        py: Python<'py>,
        items: &Bound<'_, PyList>,
        finish: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let items = items.iter().map(|arguments| new_item(&arguments));
        let items = items.collect::<PyResult<Vec<_>>>()?;
        self.check_process(py)?;
        create_items(py, &self.database.memory_item_repo, items, finish)
    }

    fn get_item<'py>(&self, py: Python<'py>, item_id: &str) -> PyResult<Bound<'py, PyAny>> {
        self.wait(py, async {
            let id = Id::checked(item_id)?;
            let found = self.database.memory_item_repo.get_item(id).await?;
            Ok(found.map_or_else(|| answer(()), one))
        })
    }

    fn update_item<'py>(
        &self,
        py: Python<'py>,
        arguments: &Bound<'_, PyDict>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let embedding = taken_vector(arguments)?;
        let changed: ChangedItem = request(arguments)?;
        self.wait(py, async {
            let id = Id::checked(&changed.item_id)?;
            let change = UpdateItem {
                memory_type: changed.memory_type,
                summary: changed.summary,
                embedding,
                extra: changed.extra,
                tool_record: changed.tool_record,
            };
            let repo = &self.database.memory_item_repo;
            Ok(one(repo.update_item(id, change).await?))
        })
    }

    fn delete_item(&self, py: Python<'_>, item_id: &str) -> PyResult<()> {
        self.wait(py, async {
            let id = Id::checked(item_id)?;
            self.database.memory_item_repo.delete_item(id).await?;
            Ok(answer(()))
        })
        .map(drop)
    }

    fn list_items_by_ref_ids<'py>(
        &self,
        py: Python<'py>,
        ref_ids: Vec<String>,
        filter: &Bound<'_, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let filter = conditions(filter)?;
        self.wait(py, async {
            let repo = &self.database.memory_item_repo;
            Ok(many(repo.list_items_by_ref_ids(ref_ids, filter).await?))
        })
    }

    /// The nearest items, best first, as pairs of an id and a score.
    fn vector_search_items<'py>(
        &self,
        py: Python<'py>,
        query: &Bound<'_, PyAny>,
        top_k: i64,
        filter: &Bound<'_, PyAny>,
        ranking: &str,
        recency_decay_days: f64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let search = VectorSearch {
            query: vector(query)?,
            top_k: count(py, "top_k", top_k)?,
            filter: conditions(filter)?,
            ranking: match ranking {
                "similarity" => Ranking::Similarity,
                "salience" => Ranking::Salience,
                other => {
                    let message = format!("ranking is {other:?}; it is similarity or salience");
                    return Err(refused(py, message));
                }
            },
            recency_decay_days,
        };
        self.wait(py, async {
            let repo = &self.database.memory_item_repo;
            let found = repo.vector_search_items(search).await?;
            let found: Answer = Box::new(move |py| {
                let pairs = found.iter().map(|(id, score)| (id.as_str(), *score));
                Ok(PyList::new(py, pairs.collect::<Vec<_>>())?.into_any())
            });
            Ok(found)
        })
    }

    #[pyo3(signature = (arguments, *, or_create))]
    fn create_category<'py>(
        &self,
        py: Python<'py>,
        arguments: &Bound<'_, PyDict>,
        or_create: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let embedding = taken_vector(arguments)?;
        let new: NewCategory = request(arguments)?;
        self.wait(py, async {
            let new = CreateCategory {
                id: id(new.id)?,
                name: new.name,
                description: new.description,
                summary: new.summary,
                embedding,
                user_data: new.user_data,
            };
            let repo = &self.database.memory_category_repo;
            Ok(one(if or_create {
                repo.get_or_create_category(new).await?
            } else {
                repo.create_category(new).await?
            }))
        })
    }

    fn update_category<'py>(
        &self,
        py: Python<'py>,
        arguments: &Bound<'_, PyDict>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let embedding = taken_vector(arguments)?;
        let changed: ChangedCategory = request(arguments)?;
        self.wait(py, async {
            let id = Id::checked(&changed.category_id)?;
            let change = UpdateCategory {
                name: changed.name,
                description: changed.description,
                summary: changed.summary,
                embedding,
            };
            let repo = &self.database.memory_category_repo;
            Ok(one(repo.update_category(id, change).await?))
        })
    }

    fn link_item_category<'py>(
        &self,
        py: Python<'py>,
        arguments: &Bound<'_, PyDict>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let filed: Filed = request(arguments)?;
        self.wait(py, async {
            let (item, category) = (Id::checked(&filed.item_id)?, Id::checked(&filed.cat_id)?);
            let repo = &self.database.category_item_repo;
            let linked = repo.link_item_category(item, category, filed.user_data);
            Ok(answer(linked.await?))
        })
    }

    fn unlink_item_category(&self, py: Python<'_>, item_id: &str, cat_id: &str) -> PyResult<()> {
        self.wait(py, async {
            let (item, category) = (Id::checked(item_id)?, Id::checked(cat_id)?);
            let repo = &self.database.category_item_repo;
            repo.unlink_item_category(item, category).await?;
            Ok(answer(()))
        })
        .map(drop)
    }

    fn get_item_categories<'py>(
        &self,
        py: Python<'py>,
        item_id: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.wait(py, async {
            let id = Id::checked(item_id)?;
            let repo = &self.database.category_item_repo;
            Ok(answer(repo.get_item_categories(id).await?))
        })
    }
}

fn unknown(kind: &str) -> Error {
    Error::input(format!("there are no records of the kind {kind:?}"))
}

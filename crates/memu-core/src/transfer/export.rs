//! Writing scopes as JSON Lines.

use std::io::Write;

use serde::Serialize;

use super::kind::{Kind, Pages};
use super::line::{Content, End, Header, Line, LineKind, VERSION, Vector, no_json};
use super::side::Side;
use super::sums::vector_bytes;
use crate::error::{Error, Result};
use crate::records::{
    CategoryItem, EmbedderIdentity, EmbeddingSet, Id, MemoryCategory, MemoryItem, ModelReply,
    Resource, Segment, SetState,
};
use crate::scope::Scope;
use crate::time::civil;

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// How many scopes.
    pub scopes: usize,
    /// How many records.
    pub records: u64,
    /// Large files that are missing beside the store, or damaged. Their resources are written
    /// without content.
    pub broken_files: Vec<String>,
}

/// Where lines go.
pub type Sink<'s> = &'s mut (dyn Write + Send);

/// Writes everything of these scopes, page after page: a header, a line for each record with
/// its vectors and content, and a line that counts them. `tell` is told how many records are
/// written.
///
/// # Errors
/// [`ErrorKind::Busy`](crate::ErrorKind::Busy) when a scope was written to meanwhile, for then
/// it is not of one moment; [`ErrorKind::Storage`](crate::ErrorKind::Storage) when a line cannot
/// be written; those of the store.
pub async fn export_lines(
    side: &Side,
    scopes: &[Scope],
    sink: Sink<'_>,
    tell: &(dyn Fn(u64) + Send + Sync),
) -> Result<Exported> {
    let sets = side.store.embedding_sets().await?;
    let is_active = |set: &&EmbeddingSet| set.state == SetState::Active;
    let moves = |set: &&EmbeddingSet| is_active(set) || set.identity.is_unknown();
    let mut export = Export {
        side,
        embedders: sets
            .iter()
            .filter(moves)
            .map(|set| set.identity.clone())
            .collect(),
        sink,
        tell,
        exported: Exported::default(),
    };
    let header = Header {
        memu: Header::MEMORY.to_owned(),
        version: VERSION,
        scope_fields: side.store.schema().fields().map(str::to_owned).collect(),
        embedder: sets.iter().find(is_active).map(|set| set.identity.clone()),
    };
    export.write(&serde_json::to_string(&header).map_err(no_json)?)?;
    for scope in scopes {
        export.scope(scope).await?;
    }
    let end = End {
        records: export.exported.records,
    };
    export.write(&serde_json::to_string(&end).map_err(no_json)?)?;
    export.sink.flush().map_err(unwritten)?;
    Ok(export.exported)
}

struct Export<'e> {
    side: &'e Side,
    embedders: Vec<EmbedderIdentity>,
    sink: Sink<'e>,
    tell: &'e (dyn Fn(u64) + Send + Sync),
    exported: Exported,
}

impl Export<'_> {
    async fn scope(&mut self, scope: &Scope) -> Result<()> {
        let position = self.side.store.log_position(scope).await?;
        self.kind::<Resource>(LineKind::Resource, scope).await?;
        self.kind::<Segment>(LineKind::Segment, scope).await?;
        self.kind::<MemoryItem>(LineKind::Item, scope).await?;
        self.kind::<MemoryCategory>(LineKind::Category, scope)
            .await?;
        self.kind::<CategoryItem>(LineKind::Relation, scope).await?;
        self.kind::<ModelReply>(LineKind::ModelReply, scope).await?;
        for usage in self.side.store.model_usage(scope, civil::Date::MIN).await? {
            self.line(&Line::new(LineKind::ModelUsage, scope, &usage)?)?;
        }
        if self.side.store.log_position(scope).await? != position {
            let message = "the scope was written to while it was exported, so the export is not of \
                           one moment; export again, or export a copy that memu backup makes";
            return Err(Error::busy(message).with("scope", scope));
        }
        self.exported.scopes += 1;
        Ok(())
    }

    async fn kind<T: Kind>(&mut self, kind: LineKind, scope: &Scope) -> Result<()> {
        let with_each = vector_bytes(&self.embedders);
        let mut pages = Pages::<T>::new(&*self.side.store, scope, with_each);
        while let Some(page) = pages.page().await? {
            let mut vectors = self.vectors(scope, &page).await?;
            for (record, vectors) in page.into_iter().zip(&mut vectors) {
                let content = match record.as_resource() {
                    Some(resource) => self.content(resource).await?,
                    None => None,
                };
                let mut line = Line::new(kind, scope, &record.into_form())?;
                line.vectors = std::mem::take(vectors);
                line.content = content;
                self.line(&line)?;
            }
        }
        Ok(())
    }

    async fn content(&mut self, resource: &Resource) -> Result<Option<Content>> {
        let content = self.side.content(resource).await?;
        if content.is_none() && crate::service::files::is_beside(resource) {
            self.exported.broken_files.push(resource.local_path.clone());
        }
        Ok(content.map(|bytes| Content::new(&bytes)))
    }

    /// The vectors of each record.
    async fn vectors<T: Kind>(&self, scope: &Scope, page: &[T]) -> Result<Vec<Vec<Vector>>> {
        let mut vectors = vec![Vec::new(); page.len()];
        let Some(kind) = T::OWNER else {
            return Ok(vectors);
        };
        let owners: Vec<Id> = page.iter().map(|one| one.meta().id.clone()).collect();
        for identity in &self.embedders {
            let store = &self.side.store;
            let found = store.embeddings(scope, identity, kind, &owners).await?;
            let mut found = found.into_iter().peekable();
            for (owner, vectors) in owners.iter().zip(&mut vectors) {
                if let Some(own) = found.next_if(|found| found.owner == *owner) {
                    vectors.push(Vector::new(identity, &own.vector));
                }
            }
        }
        Ok(vectors)
    }

    fn line(&mut self, line: &Line) -> Result<()> {
        self.write(&line.text()?)?;
        self.exported.records += 1;
        (self.tell)(self.exported.records);
        Ok(())
    }

    fn write(&mut self, text: &str) -> Result<()> {
        let written = self.sink.write_all(text.as_bytes());
        written
            .and_then(|()| self.sink.write_all(b"\n"))
            .map_err(unwritten)
    }
}

fn unwritten(cause: std::io::Error) -> Error {
    Error::storage("the export cannot be written").caused_by(cause)
}

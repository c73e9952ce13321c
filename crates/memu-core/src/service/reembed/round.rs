//! Looking at records, and embedding what has no vector yet.

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::memorize::until_committed;
use super::super::plan::{Plan, embedded_text};
use super::{Context, ReembedProgress, ReembedResponse};
use crate::error::Result;
use crate::filter::Filter;
use crate::provider::{Calls, Purpose};
use crate::records::{Id, Meta, OwnedEmbedding, OwnerKind, Table};
use crate::scope::{Scope, ScopeKey};
use crate::store::{
    BuiltScope, BuiltVector, Cursor, LogPosition, Query, Select, Write, WriteBatch,
};

/// What asks models, as usage names it.
const STEP: &str = "reembed";
/// How many texts are embedded and stored at once.
const BATCH: usize = 256;

/// What the configured embedder embeds.
pub(super) fn kinds(context: &Context) -> impl Iterator<Item = OwnerKind> {
    let segments = context.parts().embedder.embeds_segments();
    let segments = segments.then_some(OwnerKind::Segment);
    segments
        .into_iter()
        .chain([OwnerKind::Item, OwnerKind::Category])
}

/// A record and what of it is embedded.
#[derive(Debug)]
struct Embeddable {
    owner: Id,
    revision: u64,
    text: String,
}

impl Embeddable {
    fn new(meta: &Meta, text: String) -> Self {
        Self {
            owner: meta.id.clone(),
            revision: meta.revision,
            text,
        }
    }
}

/// One reembedding: what has been looked at, and where the logs were then.
pub(super) struct Round<'r> {
    pub(super) context: &'r Context,
    pub(super) response: &'r mut ReembedResponse,
    /// How many records there are to look at.
    pub(super) total: u64,
    dry_run: bool,
    tell: ReembedProgress<'r>,
    looked_at: u64,
    built: FxHashMap<ScopeKey, BuiltScope>,
}

impl<'r> Round<'r> {
    pub(super) fn new(
        context: &'r Context,
        dry_run: bool,
        tell: ReembedProgress<'r>,
        response: &'r mut ReembedResponse,
    ) -> Self {
        Self {
            context,
            response,
            total: 0,
            dry_run,
            tell,
            looked_at: 0,
            built: FxHashMap::default(),
        }
    }

    /// Where the logs were when the scopes were looked at.
    pub(super) fn built(&self) -> Vec<BuiltScope> {
        self.built.values().cloned().collect()
    }

    /// Embeds what has no vector, in all scopes.
    pub(super) async fn look_at_all(&mut self) -> Result<()> {
        let store = self.context.store().clone();
        for state in store.scopes(&Filter::default(), usize::MAX).await? {
            self.look_at(&state.scope).await?;
        }
        Ok(())
    }

    /// Embeds what has no vector in a scope: of all its records the first time, later of
    /// those that the log names since.
    pub(super) async fn look_at(&mut self, scope: &Scope) -> Result<()> {
        let position = self.context.store().log_position(scope).await?;
        let before = self.built.get(&scope.key()).map(|built| built.position);
        let since = before.filter(|before| before.life == position.life);
        let changed = match since {
            Some(since) => Some(self.changed(scope, since).await?),
            None => None,
        };
        for kind in kinds(self.context) {
            let select = changed.as_ref().map_or(Select::All, |changed| match kind {
                OwnerKind::Segment => Select::OfResources(changed.resources.clone()),
                OwnerKind::Category => Select::Ids(changed.categories.clone()),
                OwnerKind::Item | OwnerKind::Resource => Select::Ids(changed.items.clone()),
            });
            let mut query = Query {
                limit: BATCH,
                ..Query::scope(scope).select(select)
            };
            loop {
                let (texts, next) = self.page(kind, &query).await?;
                self.embed(scope, kind, texts).await?;
                if next.is_none() {
                    break;
                }
                query.after = next;
            }
        }
        let scope = scope.clone();
        self.built
            .insert(scope.key(), BuiltScope { scope, position });
        Ok(())
    }

    async fn changed(&self, scope: &Scope, since: LogPosition) -> Result<Changed> {
        let store = self.context.store();
        let lines = store.changes(scope, since.seq, usize::MAX).await?;
        let mut seen = FxHashSet::default();
        let mut changed = Changed::default();
        for line in lines {
            let of_table = match line.table {
                Table::Resources => &mut changed.resources,
                Table::Items => &mut changed.items,
                Table::Categories => &mut changed.categories,
                Table::Relations => continue,
            };
            if seen.insert(line.id.clone()) {
                of_table.push(line.id);
            }
        }
        Ok(changed)
    }

    async fn page(
        &self,
        kind: OwnerKind,
        query: &Query,
    ) -> Result<(Vec<Embeddable>, Option<Cursor>)> {
        let store = self.context.store();
        Ok(match kind {
            OwnerKind::Segment => {
                let page = store.segments(query).await?;
                let texts = page.records.iter();
                let texts = texts.map(|one| Embeddable::new(&one.meta, embedded_text(one)));
                (texts.collect(), page.next)
            }
            OwnerKind::Category => {
                let page = store.categories(query).await?;
                let texts = page.records.iter();
                let texts =
                    texts.map(|one| Embeddable::new(&one.meta, Plan::embedded_category(one)));
                (texts.collect(), page.next)
            }
            OwnerKind::Item | OwnerKind::Resource => {
                let page = store.items(query).await?;
                let texts = page.records.into_iter();
                let texts = texts.map(|one| Embeddable::new(&one.meta, one.summary));
                (texts.collect(), page.next)
            }
        })
    }

    /// Embeds those of some texts that have no vector from this embedder.
    async fn embed(
        &mut self,
        scope: &Scope,
        kind: OwnerKind,
        texts: Vec<Embeddable>,
    ) -> Result<()> {
        let all = texts.len();
        let missing = self.missing(scope, kind, texts).await?;
        self.response.kept.add(kind, all - missing.len());
        if self.dry_run {
            self.note(&missing);
            self.response.embedded.add(kind, missing.len());
        } else if !missing.is_empty() {
            let calls = self.context.calls(scope, None);
            let vectors = self.vectors(kind, &missing, &calls).await?;
            self.note(&missing);
            self.response.without_vector += (missing.len() - vectors.len()) as u64;
            let store = self.context.store();
            let identity = &self.response.to;
            let put = store.build_vectors(scope, identity, vectors).await?;
            calls.mark_read().await?;
            self.response.embedded.add(kind, put);
        }
        self.advance(all);
        Ok(())
    }

    async fn missing(
        &self,
        scope: &Scope,
        kind: OwnerKind,
        texts: Vec<Embeddable>,
    ) -> Result<Vec<Embeddable>> {
        let owners: Vec<Id> = texts.iter().map(|text| text.owner.clone()).collect();
        let store = self.context.store();
        let identity = &self.response.to;
        let known = store.embeddings(scope, identity, kind, &owners).await?;
        let known: FxHashSet<Id> = known.into_iter().map(|one| one.owner).collect();
        let missing = texts.into_iter();
        Ok(missing
            .filter(|text| !known.contains(&text.owner))
            .collect())
    }

    /// The vectors of some texts; none for those that mean nothing to the embedder.
    async fn vectors(
        &self,
        kind: OwnerKind,
        texts: &[Embeddable],
        calls: &Calls,
    ) -> Result<Vec<BuiltVector>> {
        let borrowed: Vec<&str> = texts.iter().map(|text| text.text.as_str()).collect();
        let embedder = &*self.context.parts().embedder;
        let vectors = calls
            .embed(STEP, embedder, &borrowed, Purpose::Memory)
            .await?;
        let made = texts.iter().zip(vectors).filter_map(|(text, vector)| {
            Some(BuiltVector {
                owned: OwnedEmbedding {
                    kind,
                    owner: text.owner.clone(),
                    vector: vector?,
                },
                revision: text.revision,
            })
        });
        Ok(made.collect())
    }

    fn note(&mut self, texts: &[Embeddable]) {
        let characters = texts.iter().map(|text| text.text.chars().count());
        self.response.characters += characters.sum::<usize>() as u64;
    }

    fn advance(&mut self, count: usize) {
        self.looked_at += count as u64;
        // What others write meanwhile comes on top.
        self.total = self.total.max(self.looked_at);
        (self.tell)(self.looked_at, self.total);
    }

    /// Gives a vector to what has none in the set that is in use.
    pub(super) async fn fill(&mut self) -> Result<()> {
        let store = self.context.store().clone();
        for state in store.scopes(&Filter::default(), usize::MAX).await? {
            for kind in kinds(self.context) {
                let mut query = Query {
                    limit: BATCH,
                    ..Query::scope(&state.scope)
                };
                loop {
                    let (texts, next) = self.page(kind, &query).await?;
                    let all = texts.len();
                    let missing = self.missing(&state.scope, kind, texts).await?;
                    self.response.kept.add(kind, all - missing.len());
                    if !missing.is_empty() {
                        self.fill_in(&state.scope, kind, &missing).await?;
                    }
                    self.advance(all);
                    if next.is_none() {
                        break;
                    }
                    query.after = next;
                }
            }
        }
        Ok(())
    }

    /// Embeds these records as they are now, and stores the vectors unless they change
    /// in between.
    async fn fill_in(
        &mut self,
        scope: &Scope,
        kind: OwnerKind,
        missing: &[Embeddable],
    ) -> Result<()> {
        let round = &*self;
        let put = until_committed(scope, || async {
            let store = round.context.store();
            let position = store.log_position(scope).await?;
            let owners = missing.iter().map(|text| text.owner.clone()).collect();
            let query = Query::scope(scope).select(Select::Ids(owners));
            let (texts, _) = round.page(kind, &query).await?;
            let calls = round.context.calls(scope, None);
            let vectors = round.vectors(kind, &texts, &calls).await?;
            let vectors: Vec<_> = vectors.into_iter().map(|one| one.owned).collect();
            let put = vectors.len();
            if put > 0 {
                let mut batch = WriteBatch::new(scope.clone(), Some(position.seq));
                batch.expected_life = Some(position.life);
                let identity = round.response.to.clone();
                batch.writes.push(Write::Embeddings(identity, vectors));
                batch.writes.extend(calls.writes());
                store.commit(batch).await?;
            }
            Ok(put)
        })
        .await?;
        self.note(missing);
        self.response.embedded.add(kind, put);
        self.response.without_vector += (missing.len() - put.min(missing.len())) as u64;
        Ok(())
    }
}

/// What a log names.
#[derive(Debug, Default)]
struct Changed {
    resources: Vec<Id>,
    items: Vec<Id>,
    categories: Vec<Id>,
}

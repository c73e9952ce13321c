use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use memu::{
    CreateItems, MemorizeRequest, MemoryService, Modality, NewItem, Result, RetrieveRequest,
    RetrieveResponse,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::baseline::Baseline;
use super::compare::PerQuestion;
use super::corpus::{Conversation, Corpus, Question, scalar};
use super::figures::{Figures, Found};
use super::official::LongMemEval;
use crate::progress::Progress;

/// Under which name a memory that was added keeps the id of its message.
const MESSAGE: &str = "message";
/// How many distinct messages a ranking is measured on.
const DEPTH: usize = 50;
/// How many items, and segments for sessions, are looked at to find that many.
const ITEM_DEPTH: usize = 400;
/// Until which place evidence counts as found when misses are explained.
const MISS_DEPTH: usize = 10;

/// What was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Measured {
    pub(crate) corpus: String,
    /// By the ranked segments.
    #[serde(flatten)]
    pub(crate) segments: Figures,
    /// By the messages that the ranked items cite.
    pub(crate) items: Figures,
    /// By the sessions of the ranked segments, where the corpus tells which of them
    /// hold the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sessions: Option<Figures>,
    /// By the ranked segments, for each category of questions.
    pub(crate) categories: BTreeMap<String, Figures>,
    /// Plain BM25.
    pub(crate) baseline: Figures,
    pub(crate) messages_per_second: f64,
    pub(crate) ms_per_question: Milliseconds,
    /// LongMemEval's own figures, for its layout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) longmemeval: Option<LongMemEval>,
    /// Every question's figures, when they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) per_question: Vec<PerQuestion>,
    /// What was not found, when that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) misses: Vec<Miss>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Milliseconds {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// A question whose evidence is not all among the first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Miss {
    pub(crate) conversation: String,
    pub(crate) question: String,
    pub(crate) category: String,
    /// Each missed message with its place, from 1, where it was ranked at all.
    pub(crate) missed: Vec<(String, Option<usize>)>,
    /// The messages that came first instead.
    pub(crate) instead: Vec<String>,
}

/// What is done and told besides the averages.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extras {
    /// Messages are added as memories.
    pub(crate) directly: bool,
    /// The questions whose evidence is not among the first ten messages.
    pub(crate) misses: bool,
    /// The figures of every question.
    pub(crate) per_question: bool,
}

/// Where each way of ranking has the evidence of one question.
struct Outcome {
    conversation: String,
    question: String,
    category: String,
    segments: Found,
    items: Found,
    sessions: Option<Found>,
    baseline: Found,
    took: Duration,
    miss: Option<Miss>,
}

/// Memorizes the corpus and asks its questions.
pub(crate) async fn run(
    service: &MemoryService,
    corpus: &Corpus,
    extras: Extras,
    progress: &Progress,
) -> Result<Measured> {
    progress.start(corpus.conversations.len() + corpus.question_count());
    let started = Instant::now();
    for conversation in &corpus.conversations {
        progress.working_on(&conversation.id);
        if extras.directly {
            add(service, conversation).await?;
        } else {
            memorize(service, conversation).await?;
        }
        progress.advance();
    }
    let memorized_in = started.elapsed();
    let mut outcomes = Vec::with_capacity(corpus.question_count());
    for conversation in &corpus.conversations {
        progress.working_on(&conversation.id);
        let baseline = Baseline::new(conversation);
        for question in &conversation.questions {
            if !question.evidence.is_empty() {
                let outcome = ask(service, conversation, question, &baseline, extras);
                outcomes.push(outcome.await?);
            }
            progress.advance();
        }
    }
    Ok(Measured {
        corpus: corpus.name.clone(),
        segments: Figures::average(outcomes.iter().map(|outcome| &outcome.segments)),
        items: Figures::average(outcomes.iter().map(|outcome| &outcome.items)),
        sessions: by_session(&outcomes),
        categories: by_category(corpus, &outcomes),
        baseline: Figures::average(outcomes.iter().map(|outcome| &outcome.baseline)),
        messages_per_second: corpus.message_count() as f64 / memorized_in.as_secs_f64(),
        ms_per_question: percentiles(&outcomes),
        longmemeval: LongMemEval::average(
            outcomes
                .iter()
                .map(|outcome| (outcome.sessions.as_ref(), &outcome.segments)),
        ),
        per_question: outcomes
            .iter()
            .filter(|_| extras.per_question)
            .map(per_question)
            .collect(),
        misses: outcomes
            .into_iter()
            .filter_map(|outcome| outcome.miss.filter(|_| extras.misses))
            .collect(),
    })
}

fn per_question(outcome: &Outcome) -> PerQuestion {
    PerQuestion {
        conversation: outcome.conversation.clone(),
        id: outcome.question.clone(),
        category: outcome.category.clone(),
        segments: Figures::average([&outcome.segments]),
        items: Figures::average([&outcome.items]),
    }
}

async fn memorize(service: &MemoryService, conversation: &Conversation) -> Result<()> {
    let content = json!({ "id": conversation.id, "messages": conversation.messages });
    let name = format!("{}.json", conversation.id);
    let bytes = content.to_string().into_bytes();
    let request = MemorizeRequest::content(bytes, name, Modality::Conversation);
    let request = request.user("user_id", &conversation.id);
    service.memorize(request).await.map(|_| ())
}

/// Adds each message as a memory that knows the message by its id.
async fn add(service: &MemoryService, conversation: &Conversation) -> Result<()> {
    let items = conversation.messages.iter().map(|message| {
        let text = |name| message.get(name).and_then(Value::as_str);
        let said = ["name", "content", "caption"].map(|name| text(name).unwrap_or_default());
        let [name, content, caption] = said;
        let id = message.get("id").cloned().unwrap_or_default();
        NewItem {
            memory_type: "event".to_owned(),
            content: format!("{name}: {content} {caption}"),
            categories: Vec::new(),
            extra: Map::from_iter([(MESSAGE.to_owned(), id)]),
        }
    });
    let request = CreateItems {
        items: items.collect(),
        user: Map::from_iter([("user_id".to_owned(), json!(conversation.id))]),
        ..CreateItems::default()
    };
    service.create_memory_items(request).await.map(drop)
}

async fn ask(
    service: &MemoryService,
    conversation: &Conversation,
    question: &Question,
    baseline: &Baseline,
    extras: Extras,
) -> Result<Outcome> {
    let request = RetrieveRequest {
        top_k: Some(DEPTH),
        ..RetrieveRequest::question(&question.text)
    };
    let request = request.matching("user_id", conversation.id.as_str());
    let started = Instant::now();
    let answer = service.retrieve(request.clone()).await?;
    let took = started.elapsed();
    let deep = RetrieveRequest {
        top_k: Some(ITEM_DEPTH),
        ..request
    };
    let deep = service.retrieve(deep).await?;
    let items = distinct(item_messages(&deep));
    // What was added directly has no segments.
    let segments = if extras.directly {
        items.clone()
    } else {
        distinct(segment_messages(&answer))
    };
    let segments_found = Found::new(&segments, &question.evidence);
    Ok(Outcome {
        conversation: conversation.id.clone(),
        question: question.id.clone(),
        category: question.category.clone(),
        items: Found::new(&items, &question.evidence),
        sessions: (!question.evidence_sessions.is_empty()).then(|| {
            let messages = if extras.directly {
                item_messages(&deep)
            } else {
                segment_messages(&deep)
            };
            Found::new(&sessions(&messages), &question.evidence_sessions)
        }),
        baseline: Found::new(&baseline.rank(&question.text), &question.evidence),
        took,
        miss: (segments_found.share(MISS_DEPTH) < 1.0)
            .then(|| miss(conversation, question, &segments)),
        segments: segments_found,
    })
}

fn segment_messages(answer: &RetrieveResponse) -> Vec<String> {
    let segments = answer.segments.iter();
    segments
        .filter_map(|hit| hit.segment.message_id.clone())
        .collect()
}

/// The sessions of the ranked messages, each where its best message is. Where sessions
/// matter, a message's id begins with its session's, before a colon.
fn sessions(messages: &[String]) -> Vec<String> {
    let prefixes = messages.iter().filter_map(|id| id.split_once(':'));
    distinct(prefixes.map(|(session, _)| session.to_owned()).collect())
}

fn by_session(outcomes: &[Outcome]) -> Option<Figures> {
    let found: Vec<&Found> = outcomes
        .iter()
        .filter_map(|outcome| outcome.sessions.as_ref())
        .collect();
    (!found.is_empty()).then(|| Figures::average(found))
}

fn item_messages(answer: &RetrieveResponse) -> Vec<String> {
    let messages = answer.items.iter().flat_map(|hit| {
        let added = hit.item.extra.get(MESSAGE).and_then(scalar);
        let cited = hit.evidence.iter();
        added
            .into_iter()
            .chain(cited.filter_map(|segment| segment.message_id.clone()))
    });
    messages.collect()
}

/// The first of each, at most [`DEPTH`].
fn distinct(messages: Vec<String>) -> Vec<String> {
    let mut first: Vec<String> = Vec::new();
    for message in messages {
        if first.len() < DEPTH && !first.contains(&message) {
            first.push(message);
        }
    }
    first
}

fn miss(conversation: &Conversation, question: &Question, ranking: &[String]) -> Miss {
    let place = |id: &String| ranking.iter().position(|message| message == id);
    Miss {
        conversation: conversation.id.clone(),
        question: question.text.clone(),
        category: question.category.clone(),
        missed: question
            .evidence
            .iter()
            .map(|id| (id.clone(), place(id).map(|place| place + 1)))
            .filter(|(_, place)| place.is_none_or(|place| place > MISS_DEPTH))
            .collect(),
        instead: ranking.iter().take(3).cloned().collect(),
    }
}

fn by_category(corpus: &Corpus, outcomes: &[Outcome]) -> BTreeMap<String, Figures> {
    let names = corpus.categories().into_iter();
    names
        .map(|name| {
            let of = outcomes.iter().filter(|outcome| outcome.category == name);
            let figures = Figures::average(of.map(|outcome| &outcome.segments));
            (name, figures)
        })
        .collect()
}

fn percentiles(outcomes: &[Outcome]) -> Milliseconds {
    let mut times: Vec<f64> = outcomes
        .iter()
        .map(|outcome| outcome.took.as_secs_f64() * 1e3)
        .collect();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = (times.len().saturating_sub(1) as f64 * share).round() as usize;
        times.get(place).copied().unwrap_or_default()
    };
    Milliseconds {
        p50: at(0.5),
        p99: at(0.99),
    }
}

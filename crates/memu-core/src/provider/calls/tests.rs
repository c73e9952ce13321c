use std::collections::VecDeque;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;

use super::*;
use crate::config::BudgetConfig;
use crate::environment::{FixedClock, SeededIds};
use crate::provider::{
    ChatMessage, EmbeddingModel, EmbeddingReply, FinishReason, Media, Price, Usage,
};
use crate::records::{EmbedderIdentity, Modality, ModelUsage, ReplySource, ReplyState, Role};
use crate::scope::{Scope, ScopeSchema};
use crate::store::{InMemoryStore, Store, WriteBatch};
use crate::time::Timestamp;

/// Says one thing after the other; `None` is a failure of the network.
#[derive(Debug)]
struct Script(Mutex<VecDeque<Option<&'static str>>>);

#[async_trait]
impl ChatModel for Script {
    fn name(&self) -> &'static str {
        "script/one"
    }

    fn price(&self) -> Option<Price> {
        Some(Price {
            input: 1e6,
            output: 2e6,
        })
    }

    async fn chat(&self, _: &ChatRequest) -> Result<RawReply> {
        let said = self.0.lock().unwrap().pop_front().expect("nothing to say");
        let said = said.ok_or_else(|| Error::model("no answer came"))?;
        Ok(RawReply {
            body: said.into(),
            latency: Duration::from_millis(20),
            attempts: 1,
        })
    }

    fn read(&self, reply: &RawReply) -> Result<ChatReply> {
        if reply.body.is_empty() {
            return Err(Error::model("the body is empty"));
        }
        Ok(ChatReply {
            text: reply.body.to_string(),
            finish_reason: FinishReason::Stop,
            usage: Usage {
                input_tokens: 7,
                output_tokens: 3,
                latency: reply.latency,
            },
        })
    }

    async fn transcribe(&self, _: &Media) -> Result<RawReply> {
        Err(Error::unsupported("it cannot hear"))
    }

    fn read_transcript(&self, reply: &RawReply) -> Result<ChatReply> {
        self.read(reply)
    }
}

struct Desk {
    store: Arc<InMemoryStore>,
    model: Script,
    budget: BudgetConfig,
    about: Option<KeptContent>,
    now: i64,
}

impl Desk {
    fn new(says: &[Option<&'static str>]) -> Self {
        Self {
            store: Arc::new(InMemoryStore::new(ScopeSchema::default())),
            model: Script(Mutex::new(says.iter().copied().collect())),
            budget: BudgetConfig::default(),
            about: Some(KeptContent {
                hash: ContentHash::of(b"a letter about boats"),
                source: ReplySource {
                    url: "letter.txt".to_owned(),
                    location: None,
                    modality: Modality::Document,
                    caption: None,
                },
            }),
            now: 5,
        }
    }

    fn calls(&self, seed: u64) -> Calls {
        let keeping = Keeping {
            store: self.store.clone(),
            clock: Arc::new(FixedClock(Timestamp::from_micros(self.now))),
            ids: Arc::new(SeededIds::new(seed)),
            scope: scope(),
            budget: self.budget,
            content: self.about.clone(),
        };
        Calls::new(Some(keeping), Vec::new())
    }

    /// Asks for a number.
    fn ask(&self, calls: &Calls, question: &str) -> Result<u32> {
        let ask = Ask {
            step: "extract_items",
            profile: "default",
            model: &self.model,
            prompt_hash: ContentHash::of(b"how many?"),
            request: ChatRequest {
                messages: vec![ChatMessage::new(Role::User, question)],
                format: None,
                temperature: None,
                max_tokens: None,
            },
        };
        let read = |reply: &ChatReply| {
            let number = reply.complete_text()?.parse();
            number.map_err(|cause| Error::model("this is no number").caused_by(cause))
        };
        calls.ask(ask, read).now_or_never().unwrap()
    }

    fn kept(&self) -> Vec<ModelReply> {
        let query = Query::scope(&scope());
        let page = self.store.model_replies(&query).now_or_never().unwrap();
        page.unwrap().records
    }

    /// What is kept: texts and states.
    fn states(&self) -> Vec<(String, ReplyState)> {
        let kept = self.kept().into_iter();
        kept.map(|reply| (reply.text, reply.state)).collect()
    }

    fn taken(&self) -> Vec<ModelUsage> {
        let scope = scope();
        let taken = self.store.model_usage(&scope, jiff::civil::Date::MIN);
        taken.now_or_never().unwrap().unwrap()
    }

    fn commit(&self, calls: &Calls) {
        let mut batch = WriteBatch::new(scope(), None);
        batch.writes = calls.writes();
        self.store.commit(batch).now_or_never().unwrap().unwrap();
    }
}

fn scope() -> Scope {
    ScopeSchema::default().scope([("user_id", "nora")]).unwrap()
}

#[test]
fn a_reply_is_kept_before_it_is_read_and_marked_with_what_is_made_of_it() {
    let desk = Desk::new(&[Some("12")]);
    let calls = desk.calls(1);
    assert_eq!(desk.ask(&calls, "how many?").unwrap(), 12);
    assert_eq!(desk.states(), [("12".to_owned(), ReplyState::Received)]);
    desk.commit(&calls);
    let kept = &desk.kept()[0];
    assert_eq!(kept.state, ReplyState::Parsed);
    assert_eq!(
        (kept.provider.as_str(), kept.model.as_str()),
        ("script", "one")
    );
    assert_eq!(kept.usage["input_tokens"], 7);
    assert_eq!(kept.finish_reason.as_deref(), Some("stop"));
}

#[test]
fn what_was_answered_before_is_not_asked_again() {
    let desk = Desk::new(&[Some("12"), Some("13")]);
    assert_eq!(desk.ask(&desk.calls(1), "how many?").unwrap(), 12);
    // The work failed after that, and is done again.
    let again = desk.calls(2);
    assert_eq!(desk.ask(&again, "how many?").unwrap(), 12);
    assert_eq!(desk.ask(&again, "how many others?").unwrap(), 13);
    desk.commit(&again);
    let parsed = |text: &str| (text.to_owned(), ReplyState::Parsed);
    assert_eq!(desk.states(), [parsed("12"), parsed("13")]);
    // And once more, when all is marked: there is nothing to write.
    let later = desk.calls(3);
    assert_eq!(desk.ask(&later, "how many?").unwrap(), 12);
    assert!(later.writes().is_empty());
}

/// A decision about a question holds for that question alone, and what quotes memories goes.
#[test]
fn a_reply_about_no_content_is_used_until_it_is_read() {
    let mut desk = Desk::new(&[Some("12"), Some("13")]);
    desk.about = None;
    assert_eq!(desk.ask(&desk.calls(1), "how many?").unwrap(), 12);
    // The work failed after that, and is done again.
    let again = desk.calls(2);
    assert_eq!(desk.ask(&again, "how many?").unwrap(), 12);
    again.mark_read().now_or_never().unwrap().unwrap();
    assert_eq!(desk.states(), []);
    let later = desk.calls(3);
    assert_eq!(desk.ask(&later, "how many?").unwrap(), 13);
    desk.commit(&later);
    assert_eq!(desk.states(), []);
    assert_eq!(
        (desk.taken()[0].calls, desk.taken()[0].input_tokens),
        (2, 14)
    );
}

#[test]
fn replies_that_nobody_read_in_a_month_lose_their_text_unless_they_are_about_content() {
    let day = 86_400_000_000;
    let mut desk = Desk::new(&[Some("12"), Some("13"), Some("many"), Some("14")]);
    desk.ask(&desk.calls(1), "about content").unwrap();
    desk.about = None;
    desk.ask(&desk.calls(2), "never again").unwrap();
    desk.now = 20 * day;
    let calls = desk.calls(3);
    desk.ask(&calls, "then twice").unwrap();
    calls.mark_read().now_or_never().unwrap().unwrap();
    let texts =
        |desk: &Desk| -> Vec<String> { desk.kept().into_iter().map(|reply| reply.text).collect() };
    assert_eq!(texts(&desk), ["12", "13", "many"]);
    desk.now = 31 * day;
    desk.calls(4).mark_read().now_or_never().unwrap().unwrap();
    assert_eq!(texts(&desk), ["12", "", "many"]);
    assert_eq!(desk.kept()[1].usage["output_tokens"], 3);
}

#[test]
fn unusable_answers_are_kept_and_asked_for_again_within_bounds() {
    let desk = Desk::new(&[Some("many"), Some("few"), Some("12")]);
    assert_eq!(desk.ask(&desk.calls(1), "how many?").unwrap(), 12);
    let expected = [
        ("many", ReplyState::Failed),
        ("few", ReplyState::Failed),
        ("12", ReplyState::Received),
    ];
    assert_eq!(
        desk.states(),
        expected.map(|(text, state)| (text.to_owned(), state))
    );
    let desk = Desk::new(&[Some("many"); 4]);
    let error = desk.ask(&desk.calls(1), "how many?").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Model);
    let told: Vec<String> = error
        .context()
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let expected = [
        "answers=3",
        "profile=default",
        "model=script/one",
        "step=extract_items",
    ];
    assert_eq!(told, expected);
    assert_eq!(desk.kept().len(), 3);
    assert_eq!(
        desk.kept()[0]
            .error
            .as_deref()
            .map(|error| error.contains("this is no number")),
        Some(true)
    );
}

#[test]
fn a_reply_that_is_no_answer_of_the_provider_is_kept_and_ends_the_call() {
    let desk = Desk::new(&[Some(""), Some("12")]);
    desk.ask(&desk.calls(1), "how many?").unwrap_err();
    assert_eq!(desk.states(), [(String::new(), ReplyState::Failed)]);
    assert_eq!(desk.ask(&desk.calls(2), "how many?").unwrap(), 12);
}

#[test]
fn replies_that_others_have_marked_meanwhile_are_no_conflict() {
    let desk = Desk::new(&[Some("12")]);
    let (first, second) = (desk.calls(1), desk.calls(2));
    for calls in [&first, &second] {
        assert_eq!(desk.ask(calls, "how many?").unwrap(), 12);
    }
    for calls in [&first, &second] {
        calls.mark_read().now_or_never().unwrap().unwrap();
    }
    assert_eq!(desk.states(), [("12".to_owned(), ReplyState::Parsed)]);
    assert_eq!(desk.kept()[0].usage["output_tokens"], 3);
}

#[test]
fn a_model_that_does_not_answer_is_named_and_nothing_is_kept() {
    let desk = Desk::new(&[None, Some("12")]);
    let error = desk.ask(&desk.calls(1), "how many?").unwrap_err();
    assert!(
        error
            .context()
            .contains(&("step", "extract_items".to_owned()))
    );
    assert_eq!(desk.states(), []);
    assert_eq!(desk.ask(&desk.calls(2), "how many?").unwrap(), 12);
}

#[test]
fn a_reply_that_can_be_read_today_is_used_though_it_could_not_be_before() {
    let desk = Desk::new(&[Some("12 boats"), Some("12 boats"), Some("12 boats")]);
    desk.ask(&desk.calls(1), "how many?").unwrap_err();
    let mut kept = desk.kept().pop().unwrap();
    kept.text = "12".to_owned();
    let mut batch = WriteBatch::new(scope(), None);
    batch.writes = vec![Write::from(kept)];
    desk.store.commit(batch).now_or_never().unwrap().unwrap();
    let calls = desk.calls(2);
    assert_eq!(desk.ask(&calls, "how many?").unwrap(), 12);
    desk.commit(&calls);
    let last = desk.kept().pop().unwrap();
    assert_eq!((last.state, last.error), (ReplyState::Parsed, None));
}

#[test]
fn what_is_over_the_budget_of_a_scope_is_refused_before_a_model_is_asked() {
    for (max_tokens, max_cost) in [(Some(20), None), (None, Some(26.0))] {
        let mut desk = Desk::new(&[Some("12"), Some("13")]);
        desk.budget.max_tokens = max_tokens;
        desk.budget.max_cost = max_cost;
        for (question, seed) in [("how many?", 1), ("how many others?", 2)] {
            let calls = desk.calls(seed);
            desk.ask(&calls, question).unwrap();
            desk.commit(&calls);
        }
        let error = desk.ask(&desk.calls(3), "and how many more?").unwrap_err();
        assert!(error.message().contains("budget"), "{error}");
        assert!(!error.is_retryable());
        // What is known costs nothing.
        assert_eq!(desk.ask(&desk.calls(4), "how many?").unwrap(), 12);
    }
}

mod vectors;

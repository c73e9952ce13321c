//! Calls of models that embed.

use super::*;

/// Makes a vector of what the script says, two texts at a time.
#[derive(Debug)]
struct Numbers<'s> {
    identity: EmbedderIdentity,
    script: &'s Script,
}

#[async_trait]
impl Embedder for Numbers<'_> {
    fn identity(&self) -> &EmbedderIdentity {
        &self.identity
    }

    async fn embed(&self, _: &[&str]) -> Result<Vec<Option<Vector>>> {
        unreachable!("the model is asked through calls")
    }

    fn model(&self) -> Option<&dyn EmbeddingModel> {
        Some(self)
    }
}

#[async_trait]
impl EmbeddingModel for Numbers<'_> {
    fn profile(&self) -> &'static str {
        "embedding"
    }

    fn name(&self) -> &'static str {
        "script/one"
    }

    fn price(&self) -> Option<Price> {
        self.script.price()
    }

    fn batches<'t>(&self, texts: &[&'t str]) -> Vec<Vec<&'t str>> {
        texts.chunks(2).map(<[&str]>::to_vec).collect()
    }

    async fn ask(&self, texts: &[&str], _: Purpose) -> Result<RawReply> {
        let message = ChatMessage::new(Role::User, texts.join(" "));
        let request = ChatRequest {
            messages: vec![message],
            format: None,
            temperature: None,
            max_tokens: None,
        };
        self.script.chat(&request).await
    }

    fn read(&self, reply: &RawReply, texts: usize) -> Result<EmbeddingReply> {
        let number = |text: &str| {
            let number = text.parse().map_err(|_| Error::model("no number"))?;
            Vector::checked(vec![number], 1)
        };
        let vectors: Result<Vec<Vector>> = reply.body.split(' ').map(number).collect();
        let vectors = vectors?;
        if vectors.len() != texts {
            return Err(Error::model("one is missing"));
        }
        let usage = self.script.read(reply)?.usage;
        Ok(EmbeddingReply { vectors, usage })
    }
}

impl Desk {
    /// The number in the answer, as a vector.
    fn embed(&self, calls: &Calls, texts: &[&str], purpose: Purpose) -> Result<Vec<Option<f32>>> {
        let embedder = Numbers {
            identity: EmbedderIdentity {
                provider: "script".to_owned(),
                model: "one".to_owned(),
                dimension: 1,
            },
            script: &self.model,
        };
        let asked = calls.embed("embed_memories", &embedder, texts, purpose);
        let vectors = asked.now_or_never().unwrap()?.into_iter();
        Ok(vectors
            .map(|one| one.map(|one| one.as_slice()[0]))
            .collect())
    }
}

#[test]
fn vectors_are_kept_until_they_are_stored_and_then_gone() {
    let desk = Desk::new(&[Some("1 2"), None, Some("3")]);
    let texts = ["a", "", "b", "c"];
    let error = desk
        .embed(&desk.calls(1), &texts, Purpose::Memory)
        .unwrap_err();
    let told = |name: &str, value: &str| {
        error.context().contains(&(
            match name {
                "step" => "step",
                _ => "profile",
            },
            value.to_owned(),
        ))
    };
    assert!(
        told("step", "embed_memories") && told("profile", "embedding"),
        "{error}"
    );
    assert_eq!(desk.states(), [("1 2".to_owned(), ReplyState::Received)]);
    // The next run pays for the batch that failed, and for no other.
    let again = desk.calls(2);
    let vectors = desk.embed(&again, &texts, Purpose::Memory).unwrap();
    assert_eq!(vectors, [Some(1.0), None, Some(2.0), Some(3.0)]);
    desk.commit(&again);
    assert_eq!(desk.states(), []);
    let taken = desk.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!((taken[0].calls, taken[0].input_tokens), (2, 14));
}

#[test]
fn of_a_question_only_what_its_vector_took_is_noted() {
    let desk = Desk::new(&[Some("1"), Some("1"), Some("x")]);
    for seed in [1, 2] {
        let vector = desk.embed(&desk.calls(seed), &["a"], Purpose::Question);
        assert_eq!(vector.unwrap(), [Some(1.0)]);
    }
    assert_eq!(desk.states(), []);
    let taken = desk.taken();
    assert_eq!((taken[0].calls, taken[0].output_tokens), (2, 6));
    assert!((taken[0].cost - 26.0).abs() < 1e-9, "{taken:?}");
    // One that cannot be used is kept.
    desk.embed(&desk.calls(3), &["a"], Purpose::Question)
        .unwrap_err();
    assert_eq!(desk.states(), [("x".to_owned(), ReplyState::Failed)]);
    assert_eq!((desk.taken()[0].calls, desk.taken()[0].unusable), (3, 1));
}

#[test]
fn vectors_that_others_have_stored_meanwhile_are_a_conflict() {
    let desk = Desk::new(&[Some("1")]);
    let (first, second) = (desk.calls(1), desk.calls(2));
    for calls in [&first, &second] {
        desk.embed(calls, &["a"], Purpose::Memory).unwrap();
    }
    desk.commit(&first);
    let mut batch = WriteBatch::new(scope(), None);
    batch.writes = second.writes();
    let late = desk.store.commit(batch).now_or_never().unwrap();
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Conflict);
    second.mark_read().now_or_never().unwrap().unwrap();
    assert_eq!(desk.states(), []);
}

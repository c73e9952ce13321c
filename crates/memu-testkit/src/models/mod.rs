//! A server that speaks the languages of model providers and does what a test tells it.
//!
//! ```no_run
//! use memu_testkit::models::{Answer, FakeProvider, Fault};
//!
//! let server = FakeProvider::builder()
//!     .chat(|asked| Answer::from(format!("You said: {}", asked.prompt)))
//!     .faults([Fault::status(429).retry_after("1")])
//!     .start();
//! // … point a client at server.base_url(), then look at what it sent:
//! assert_eq!(server.requests().len(), 2);
//! ```

mod answer;
mod asked;
mod fault;
mod http;
mod obliging;
mod recorded;
mod server;
mod vectors;

use std::time::Duration;

pub use answer::Answer;
pub use asked::{Asked, Language};
pub use fault::Fault;
pub use obliging::obliging;
pub use recorded::Recorded;
pub use server::FakeProvider;
pub use vectors::vector_of;

type Chat = dyn Fn(&Asked) -> Answer + Send + Sync;
type FaultWhen = dyn Fn(&Recorded) -> Option<Fault> + Send + Sync;

/// What a [`FakeProvider`] is to do.
pub struct Builder {
    chat: Box<Chat>,
    transcript: String,
    dimension: usize,
    latency: Duration,
    faults: Vec<Fault>,
    fault_when: Box<FaultWhen>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            chat: Box::new(|_| Answer::from("ok")),
            transcript: "what was said".to_owned(),
            dimension: 8,
            latency: Duration::ZERO,
            faults: Vec::new(),
            fault_when: Box::new(|_| None),
        }
    }
}

impl Builder {
    /// What it answers to what it is asked, in whatever language. Default: `ok`.
    #[must_use]
    pub fn chat<A: Into<Answer>>(
        mut self,
        answer: impl Fn(&Asked) -> A + Send + Sync + 'static,
    ) -> Self {
        self.chat = Box::new(move |asked| answer(asked).into());
        self
    }

    /// What every recording says.
    #[must_use]
    pub fn transcript(mut self, text: &str) -> Self {
        text.clone_into(&mut self.transcript);
        self
    }

    /// How many numbers a vector has when the request does not say. Default: 8.
    #[must_use]
    pub fn dimension(mut self, dimension: usize) -> Self {
        self.dimension = dimension;
        self
    }

    /// How long every answer takes, at least.
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// What goes wrong with the first requests, one each, in the order of their arrival.
    #[must_use]
    pub fn faults(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.faults.extend(faults);
        self
    }

    /// What goes wrong with a request for which [`Self::faults`] has nothing (more).
    #[must_use]
    pub fn fault_when(
        mut self,
        fault: impl Fn(&Recorded) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        self.fault_when = Box::new(fault);
        self
    }

    /// Starts it on a free port of this machine.
    ///
    /// # Panics
    /// When there is no free port.
    pub fn start(self) -> FakeProvider {
        FakeProvider::start_with(self)
    }
}

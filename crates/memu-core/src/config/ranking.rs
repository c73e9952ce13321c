use serde::{Deserialize, Serialize};

use super::check_range;
use crate::error::Result;

/// The constants of the ranking; see [`crate::ranking`] for the formulas.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RankingConfig {
    /// BM25's saturation of term frequency, for passages. Default 0.9.
    pub k1: f32,
    /// BM25's length normalisation, for passages. Default 0.4.
    pub b: f32,
    /// About how many words a passage has. Default 50.
    pub passage_words: usize,
    /// How many passages, and how many items, are looked at closely: those whose words
    /// match best; there is no match in others. Where there are more passages than that, only
    /// messages score that match, or that an embedder finds near, and the two before and the two
    /// after each in its session. With 0 nothing matches. Default 1,000.
    pub candidates: usize,
    /// So many of the newest messages tell what messages mean on average; where the store is asked
    /// for vectors, at most 1,024 of them and of the newest items that cite none; fewer where some of
    /// the newest of a scope of which parts are sealed were deleted. Default 4,096.
    pub average_of: usize,
    /// How many of the scope's terms may stand in for a word of the question because
    /// they mean nearly the same. Default 30.
    pub similar_words: usize,
    /// How near such a term must be: the least cosine of their vectors. Default 0.3.
    pub similar_least: f32,
    /// What such a term is worth, as a factor beside its cosine. Default 0.7.
    pub similar_weight: f32,
    /// What a word of an earlier question counts, when the question refers to it.
    /// Default 0.5.
    pub carried: f32,
    /// The weight of the words of a message. Default 0.8.
    pub lexical: f32,
    /// The weight of its meaning: how much nearer its vector is to the question's
    /// than the average. Default 0.3.
    pub semantic: f32,
    /// The weight of the vector that an embedder made of a message, where the configured
    /// embedder makes vectors of messages. Default 0.5.
    pub embedded: f32,
    /// How near an item's vector makes the messages that it cites, as a factor beside its
    /// cosine, where that is nearer than their own. Default 0.9.
    pub embedded_item: f32,
    /// Up to so many messages and items, their vectors are held in memory and compared with
    /// each question. Where there are more, the store is asked for the 64 nearest messages
    /// and items; others are taken for no nearer than the average (`average_of`). Default 32,768.
    pub embedded_in_memory: usize,
    /// The weight of the previous message when it asks a question. Default 0.5.
    pub previous_question: f32,
    /// The weight of the previous message otherwise. Default 0.05.
    pub previous: f32,
    /// The weight of the next message. Default 0.25.
    pub next: f32,
    /// The weight of the message before the previous one. Default 0.25.
    pub second_previous: f32,
    /// The weight of the message after the next one. Default 0.1.
    pub second_next: f32,
    /// The weight of the session as a whole. Default 0.4.
    pub session: f32,
    /// The weight of the logarithm of a message's length. Default 0.05.
    pub length_prior: f32,
    /// What a message that ends in a question loses. Default 0.15.
    pub question_penalty: f32,
    /// The factor for what an assistant said. Default 0.8.
    pub assistant: f32,
    /// The factor for messages of the one speaker that the question names.
    /// Default 1.4.
    pub named_speaker: f32,
    /// What is added to the factor 1 when the question names the day (within three
    /// days). Default 1.
    pub named_day: f32,
    /// What is added to the factor 1 when the question names the month. Default 0.5.
    pub named_month: f32,
    /// What is added to the factor 1 for a user's standing instruction to an
    /// assistant ("always …"). Default 0.2.
    pub instruction: f32,
    /// What is added for it besides when the question asks for help. Default 0.4.
    pub instruction_for_help: f32,
    /// What is added for a user's preference when the question asks for help.
    /// Default 0.3.
    pub preference_for_help: f32,
    /// The share of its score that a message loses for each better one of its session,
    /// where the question asks for several things ("what sports", "how many",
    /// "summarize"): they may have been said on several days. Default 0.03.
    pub several_sessions: f32,
    /// How much of an item's own match is added to that of its evidence, so that of
    /// two items from one message the fitting one comes first. Default 0.2.
    pub item_text: f32,
    /// How much the vector that an embedder made of an item counts beside its words (1), where
    /// it cites no message: how much nearer it is to the question's than messages and such
    /// items are on average, divided by the most of all.
    /// Default 0.75.
    pub item_embedded: f32,
}

impl Default for RankingConfig {
    fn default() -> Self {
        Self {
            k1: 0.9,
            b: 0.4,
            passage_words: 50,
            candidates: 1_000,
            average_of: 4_096,
            similar_words: 30,
            similar_least: 0.3,
            similar_weight: 0.7,
            carried: 0.5,
            lexical: 0.8,
            semantic: 0.3,
            embedded: 0.5,
            embedded_item: 0.9,
            embedded_in_memory: 32_768,
            previous_question: 0.5,
            previous: 0.05,
            next: 0.25,
            second_previous: 0.25,
            second_next: 0.1,
            session: 0.4,
            length_prior: 0.05,
            question_penalty: 0.15,
            assistant: 0.8,
            named_speaker: 1.4,
            named_day: 1.0,
            named_month: 0.5,
            instruction: 0.2,
            instruction_for_help: 0.4,
            preference_for_help: 0.3,
            several_sessions: 0.03,
            item_text: 0.2,
            item_embedded: 0.75,
        }
    }
}

impl RankingConfig {
    /// Checks that every constant is in its range.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming the constant, its
    /// value and its range.
    pub fn validate(&self) -> Result<()> {
        for (name, value, most) in [
            ("k1", self.k1, 10.0),
            ("b", self.b, 1.0),
            ("passage_words", self.passage_words as f32, 10_000.0),
            ("candidates", self.candidates as f32, 1e9),
            ("average_of", self.average_of as f32, 1e9),
            ("similar_words", self.similar_words as f32, 10_000.0),
            ("similar_least", self.similar_least, 1.0),
            ("similar_weight", self.similar_weight, 1.0),
            ("carried", self.carried, 1.0),
            ("lexical", self.lexical, 10.0),
            ("semantic", self.semantic, 10.0),
            ("embedded", self.embedded, 10.0),
            ("embedded_item", self.embedded_item, 10.0),
            ("embedded_in_memory", self.embedded_in_memory as f32, 1e9),
            ("previous_question", self.previous_question, 10.0),
            ("previous", self.previous, 10.0),
            ("next", self.next, 10.0),
            ("second_previous", self.second_previous, 10.0),
            ("second_next", self.second_next, 10.0),
            ("session", self.session, 10.0),
            ("length_prior", self.length_prior, 10.0),
            ("question_penalty", self.question_penalty, 1.0),
            ("assistant", self.assistant, 10.0),
            ("named_speaker", self.named_speaker, 10.0),
            ("named_day", self.named_day, 10.0),
            ("named_month", self.named_month, 10.0),
            ("instruction", self.instruction, 10.0),
            ("instruction_for_help", self.instruction_for_help, 10.0),
            ("preference_for_help", self.preference_for_help, 10.0),
            ("several_sessions", self.several_sessions, 1.0),
            ("item_text", self.item_text, 10.0),
            ("item_embedded", self.item_embedded, 10.0),
        ] {
            check_range(&format!("retrieve_config.ranking.{name}"), value, 0.0, most)?;
        }
        Ok(())
    }
}

use serde::Serialize;

use crate::config::RankingConfig;

/// What is known about one segment and one question, before any ranking.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    /// Whether it may score: all may where there are at most [`RankingConfig::candidates`]
    /// passages, else what was found by words or vectors, and the two before and the two after
    /// each in its session.
    pub is_candidate: bool,
    /// Its best passage's BM25 score divided by the best of the question, 0 to 1.
    pub lexical: f32,
    /// How near its meaning is to the question's, above the average of the newest, divided
    /// by the nearest, 0 to 1. Where there are more passages than
    /// [`RankingConfig::candidates`], 0 but for what was found by words or vectors.
    pub semantic: f32,
    /// How near the vector that an embedder made of it is to the question's, above the
    /// average, divided by the nearest of all, 0 to 1; 0 where segments have none.
    pub embedded: f32,
    /// Its session's BM25 score divided by the best of the question, 0 to 1.
    pub session: f32,
    /// Which session it belongs to; segments of one session lie side by side, in
    /// order.
    pub session_index: u32,
    /// Which run of segments it belongs to that lie side by side; there are several only where
    /// those between them are not known.
    pub run: u32,
    /// How many terms it has.
    pub length: u32,
    /// Whether it asks something.
    pub asks: bool,
    /// Whether it ends with a question mark.
    pub ends_asking: bool,
    /// Whether an assistant said it.
    pub assistant: bool,
    /// Whether the one speaker that the question names said it.
    pub named_speaker: bool,
    /// What the question's date adds to the factor 1; see [`RankingConfig`].
    pub date: f32,
    /// What guiding the answer adds to the factor 1; see [`RankingConfig`].
    pub guidance: f32,
}

impl Evidence {
    /// What speaks for the segment itself.
    fn own(&self, config: &RankingConfig) -> f32 {
        config.lexical * self.lexical
            + config.semantic * self.semantic
            + config.embedded * self.embedded
    }
}

/// Every term of a segment's score: `(lexical + semantic + embedded −
/// question_penalty + neighbours + session + length) · role · speaker · date · guidance ·
/// spread`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SegmentScore {
    /// The score itself; 0 when nothing speaks for the segment.
    pub score: f32,
    /// What the segment's words give.
    pub lexical: f32,
    /// What the meaning of its words gives.
    pub semantic: f32,
    /// What the vector that an embedder made of it gives.
    pub embedded: f32,
    /// What it loses for ending in a question.
    pub question_penalty: f32,
    /// What the segments around it add.
    pub neighbours: f32,
    /// What its session as a whole adds.
    pub session: f32,
    /// What its length adds.
    pub length: f32,
    /// The factor for what an assistant said.
    pub role: f32,
    /// The factor for the speaker whom the question names.
    pub speaker: f32,
    /// The factor for the date that the question names.
    pub date: f32,
    /// The factor for telling an assistant how to answer.
    pub guidance: f32,
    /// The factor for better segments of the same session, where the question asks for
    /// several things.
    pub spread: f32,
}

/// Scores every segment. Those that are no candidates score 0, and so do those without any
/// evidence (of their own, of a neighbour within two, or of their session).
pub fn score_segments(evidence: &[Evidence], config: &RankingConfig) -> Vec<f32> {
    (0..evidence.len())
        .map(|at| explain_segment(evidence, at, config).score)
        .collect()
}

/// Every term of the score of one segment.
pub fn explain_segment(evidence: &[Evidence], at: usize, config: &RankingConfig) -> SegmentScore {
    let Some(own) = evidence.get(at) else {
        return SegmentScore::default();
    };
    let neighbour = |offset: isize| {
        at.checked_add_signed(offset)
            .and_then(|position| evidence.get(position))
            .filter(|other| (other.session_index, other.run) == (own.session_index, own.run))
    };
    let (before, second_before) = (neighbour(-1), neighbour(-2));
    let (after, second_after) = (neighbour(1), neighbour(2));
    let value = |other: Option<&Evidence>| other.map_or(0.0, |other| other.own(config));
    let own_gate = gate(own, 20.0);
    let from_previous = before.map_or(0.0, |before| {
        let weight = if before.asks {
            config.previous_question
        } else {
            config.previous
        };
        weight * gate(before, 20.0) * before.own(config)
    });
    let around = from_previous
        + config.next * value(after)
        + config.second_previous * value(second_before)
        + config.second_next * value(second_after);
    let has_evidence = own.own(config) > 0.0
        || own.session > 0.0
        || [before, second_before, after, second_after]
            .into_iter()
            .any(|other| value(other) > 0.0);
    if !own.is_candidate || !has_evidence {
        return SegmentScore::default();
    }
    let penalty = if own.ends_asking {
        config.question_penalty * gate(own, 10.0)
    } else {
        0.0
    };
    let mut score = SegmentScore {
        score: 0.0,
        lexical: config.lexical * own.lexical,
        semantic: config.semantic * own.semantic,
        embedded: config.embedded * own.embedded,
        question_penalty: own.own(config) * penalty,
        neighbours: own_gate * around,
        session: config.session * own.session,
        length: config.length_prior * (own.length.min(20) as f32).ln_1p(),
        role: if own.assistant { config.assistant } else { 1.0 },
        speaker: if own.named_speaker {
            config.named_speaker
        } else {
            1.0
        },
        date: 1.0 + own.date,
        guidance: 1.0 + own.guidance,
        spread: 1.0,
    };
    let sum = score.lexical + score.semantic + score.embedded - score.question_penalty
        + score.neighbours
        + score.session
        + score.length;
    score.score = sum * score.role * score.speaker * score.date * score.guidance;
    score
}

/// Long messages need their neighbours less: `min(1, words / length)`.
fn gate(evidence: &Evidence, words: f32) -> f32 {
    (words / (evidence.length.max(1) as f32)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(lexical: f32) -> Evidence {
        Evidence {
            is_candidate: true,
            lexical,
            length: 10,
            ..Evidence::default()
        }
    }

    #[test]
    fn an_answer_inherits_from_the_question_before_it() {
        let mut question = segment(1.0);
        question.asks = true;
        question.ends_asking = true;
        let config = RankingConfig::default();
        let asked = [question, segment(0.0)];
        let told = [segment(1.0), segment(0.0)];
        let neighbours = |evidence: &[Evidence]| explain_segment(evidence, 1, &config).neighbours;
        assert_eq!(neighbours(&asked), 0.5 * config.lexical);
        assert_eq!(neighbours(&told), 0.05 * config.lexical);
        assert!(
            score_segments(&asked, &config)[0] < score_segments(&told, &config)[0],
            "a question answers less than a statement"
        );
    }

    #[test]
    fn neighbours_stay_inside_the_session_and_silence_scores_nothing() {
        let mut other = segment(0.0);
        other.session_index = 1;
        let config = RankingConfig::default();
        let apart = explain_segment(&[segment(1.0), other], 1, &config);
        assert_eq!(apart, SegmentScore::default());
        let scores = score_segments(
            &[segment(1.0), segment(0.0), segment(0.0), segment(0.0)],
            &config,
        );
        assert!(scores[2] > 0.0, "two away is still near");
        assert_eq!(scores[3], 0.0);
    }

    #[test]
    fn what_is_no_candidate_scores_nothing_whatever_its_session_says() {
        let mut far = segment(0.0);
        (far.session, far.is_candidate) = (1.0, false);
        let config = RankingConfig::default();
        assert_eq!(score_segments(&[segment(1.0), far], &config)[1], 0.0);
        far.is_candidate = true;
        assert!(score_segments(&[far], &config)[0] > 0.0);
    }

    #[test]
    fn factors_multiply() {
        let mut evidence = segment(1.0);
        let plain = score_segments(&[evidence], &RankingConfig::default())[0];
        evidence.assistant = true;
        evidence.named_speaker = true;
        evidence.date = 1.0;
        evidence.guidance = 0.5;
        let all = score_segments(&[evidence], &RankingConfig::default())[0];
        assert!((all / plain - 0.8 * 1.4 * 2.0 * 1.5).abs() < 1e-5);
    }
}

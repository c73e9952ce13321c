use super::corpus::Corpus;
use crate::config::{ItemRanking, RetrieveConfig, RetrieveItemConfig};
use crate::ranking::{
    EmbeddedQuestion, Evidence, FoundWords, ItemMatch, Nearest, SegmentScore, explain_segment,
    score_segments,
};
use crate::records::Embedding;
use crate::service::responses::ItemExplanation;
use crate::service::searchable::ItemLinks;
use crate::time::Timestamp;

/// The number of a record, and its score.
pub(super) type Scored = (usize, f32);

/// What is searched for, and what was found.
#[derive(Debug)]
pub(super) struct Asked {
    /// What its words find.
    pub(super) words: FoundWords,
    /// What the embedder made of it, where it makes vectors of segments.
    pub(super) vector: Option<Embedding>,
    /// What the store found near to that; see [`Corpus::nearest`].
    pub(super) nearest: Nearest,
}

/// The scores of everything that a question touches; 0 for what it does not.
#[derive(Debug)]
pub(super) struct Ranking {
    /// By position in the index.
    evidence: Vec<Evidence>,
    /// By position.
    segments: Vec<f32>,
    /// By number: how well an item's own text matches.
    own: Vec<ItemMatch>,
    /// The items that score, by ascending number.
    items: Vec<Scored>,
    /// What a segment loses for each better one of its session.
    session_weight: f32,
    config: RetrieveConfig,
    now: Timestamp,
}

impl Ranking {
    /// Scores every record of the corpus, those that a filter holds back like the rest.
    pub(super) fn new(
        corpus: &Corpus,
        asked: Asked,
        config: &RetrieveConfig,
        now: Timestamp,
    ) -> Self {
        let index = &corpus.searchable().index;
        let Asked {
            words,
            vector,
            nearest,
        } = asked;
        let embedded = vector.as_ref().map(|vector| EmbeddedQuestion {
            vector: vector.as_slice(),
            nearest: &nearest,
        });
        let near = embedded.map(|asked| index.nearness(asked, &config.ranking));
        let near = near.unwrap_or_default();
        let evidence = index.evidence(&words, &near, &config.ranking);
        let asks_for_several = words.question().asks_for_several;
        let mut ranking = Self {
            segments: score_segments(&evidence, &config.ranking),
            evidence,
            own: words.match_items(&near),
            items: Vec::new(),
            session_weight: if asks_for_several {
                config.ranking.several_sessions
            } else {
                0.0
            },
            config: config.clone(),
            now,
        };
        ranking.items = ranking.scoring_items(corpus);
        ranking
    }

    fn scoring_items(&self, corpus: &Corpus) -> Vec<Scored> {
        let searchable = corpus.searchable();
        // Most items neither match nor cite anything, and are not looked at.
        let may_score = self.own.iter().zip(&searchable.cites);
        let may_score =
            may_score.map(|(own, cites)| own.score(&self.config.ranking) > 0.0 || *cites);
        let items = may_score.enumerate().filter(|(_, may_score)| *may_score);
        let scored = items.filter_map(|(number, _)| {
            let (score, _) = self.score_item(number, searchable.items.get(number)?);
            Some((number, score))
        });
        scored.filter(|(_, score)| *score > 0.0).collect()
    }

    /// The items that score, by ascending number.
    pub(super) fn items(&self) -> &[Scored] {
        &self.items
    }

    /// The segments that score, by ascending position.
    pub(super) fn scoring_segments(&self) -> Vec<Scored> {
        let scores = self.segments.iter().copied().enumerate();
        scores.filter(|(_, score)| *score > 0.0).collect()
    }

    /// The score of an item, with its terms.
    pub(super) fn score_item(&self, number: usize, links: &ItemLinks) -> (f32, ItemExplanation) {
        let own = self.own.get(number).copied().unwrap_or_default();
        let matches = own.score(&self.config.ranking);
        let evidence = links
            .segments
            .iter()
            .filter_map(|position| self.segments.get(*position as usize))
            .fold(matches, |most, score| most.max(*score));
        if evidence <= 0.0 {
            return (0.0, ItemExplanation::default());
        }
        let salience = match self.config.item.ranking {
            ItemRanking::Salience => salience(links, &self.config.item, self.now),
            ItemRanking::Similarity => 1.0,
        };
        let explanation = ItemExplanation {
            evidence,
            own_text: self.config.ranking.item_text * own.lexical,
            salience,
            novelty: 1.0,
        };
        let score = (explanation.evidence + explanation.own_text) * salience;
        (score.max(0.0), explanation)
    }

    /// Every term of the score of the segment at a position.
    pub(super) fn explain_segment(&self, position: usize) -> SegmentScore {
        explain_segment(&self.evidence, position, &self.config.ranking)
    }

    /// What a segment loses for each better one of its session.
    pub(super) fn session_weight(&self) -> f32 {
        self.session_weight
    }

    /// The session of the segment at a position.
    pub(super) fn session(&self, position: usize) -> u32 {
        let evidence = self.evidence.get(position);
        evidence.map_or(u32::MAX, |evidence| evidence.session_index)
    }
}

/// How much a memory weighs by how often and how recently it was met:
/// ln(1 + count) · ½^(days / decay), the original's formula.
fn salience(links: &ItemLinks, config: &RetrieveItemConfig, now: Timestamp) -> f32 {
    let days = now.days_since(links.last_met).max(0.0);
    let recency = 0.5_f64.powf(days / config.recency_decay_days);
    ((links.count as f64).ln_1p() * recency) as f32
}

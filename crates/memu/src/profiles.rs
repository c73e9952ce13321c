//! The models that settings name.

use std::sync::Arc;

use async_trait::async_trait;
use memu_core::provider::{ChatModel, Embedder, Extractor, Reader, RetrievalModel, Summarizer};
use memu_core::records::{EmbedderIdentity, Embedding, EmbeddingSet, SetState};
use memu_core::{Error, ErrorKind, Result};
use memu_models::understanding::memorize::MemoryType;
use memu_models::{
    Connection, ModelExtractor, ModelReader, ModelSummarizer, Profile, ProfiledModel,
    RetrievalModels, Surroundings,
};

use crate::ffmpeg::Ffmpeg;
use crate::settings::{DEFAULT_PROFILE, EMBEDDING_PROFILE, LlmProfile, Settings};

/// A model that had to be asked for its dimension when the store was opened, and did not answer.
#[derive(Debug)]
struct Unreached {
    identity: EmbedderIdentity,
    error: Error,
}

impl Unreached {
    fn new(provider: &str, model: Option<&str>, error: Error) -> Self {
        Self {
            identity: EmbedderIdentity {
                provider: provider.to_owned(),
                model: model.unwrap_or_default().to_owned(),
                dimension: 0,
            },
            error,
        }
    }
}

#[async_trait]
impl Embedder for Unreached {
    fn identity(&self) -> &EmbedderIdentity {
        &self.identity
    }

    fn embeds_segments(&self) -> bool {
        true
    }

    async fn embed(&self, _: &[&str]) -> Result<Vec<Option<Embedding>>> {
        let message = format!("{} (when the store was opened)", self.error.message());
        let error = Error::new(self.error.kind(), message);
        let context = self.error.context().iter();
        Err(context.fold(error, |error, (name, value)| error.with(name, value)))
    }
}

/// The models of the profiles in settings. Those of one profile share its connection, and so
/// its limits.
#[derive(Debug)]
pub(crate) struct Profiles<'s> {
    settings: &'s Settings,
    surroundings: &'s Surroundings,
    connected: Vec<(String, Connection)>,
}

impl<'s> Profiles<'s> {
    pub(crate) fn new(settings: &'s Settings, surroundings: &'s Surroundings) -> Self {
        Self {
            settings,
            surroundings,
            connected: Vec::new(),
        }
    }

    /// What looks at pictures and listens to recordings, if anything does; `text` reads what it
    /// writes.
    pub(crate) fn reader(&mut self, text: Arc<dyn Reader>) -> Result<Option<Arc<dyn Reader>>> {
        let config = &self.settings.memorize_config;
        let model = self.chat(&config.preprocess_llm_profile)?;
        let prompts = config.multimodal_preprocess_prompts.clone();
        let ffmpeg = Ffmpeg::new(config.ffmpeg_path.as_deref());
        let frames = config.video_frames;
        Ok(model.map(|model| -> Arc<dyn Reader> {
            let video = Arc::new(ffmpeg);
            Arc::new(ModelReader::new(text, model, prompts, video, frames))
        }))
    }

    /// What draws memories, unless this process does.
    pub(crate) fn extractor(&mut self) -> Result<Option<Arc<dyn Extractor>>> {
        let config = &self.settings.memorize_config;
        let model = self.chat(&config.memory_extract_llm_profile)?;
        let own = config.memory_type_prompts.iter();
        let types = own.map(|(name, prompt)| MemoryType {
            prompt: Some(prompt.clone()),
            ..MemoryType::named(name)
        });
        let types = types.collect();
        Ok(model.map(|one| -> Arc<dyn Extractor> {
            Arc::new(ModelExtractor::new(one.model, &one.profile, types))
        }))
    }

    /// What writes summaries, unless this process does.
    pub(crate) fn summarizer(&mut self) -> Result<Option<Arc<dyn Summarizer>>> {
        let config = &self.settings.memorize_config;
        let model = self.chat(&config.category_update_llm_profile)?;
        let own = config.memory_categories.iter().filter_map(|category| {
            let prompt = category.summary_prompt.clone()?;
            Some((category.name.clone(), prompt))
        });
        let (own, default) = (own.collect(), &config.default_category_summary_prompt);
        Ok(model.map(|one| -> Arc<dyn Summarizer> {
            let summarizer = ModelSummarizer::new(one.model, &one.profile);
            Arc::new(summarizer.by(default.clone(), own))
        }))
    }

    /// What has a say in answers, if anything has.
    pub(crate) fn retrieval_model(&mut self) -> Result<Option<Arc<dyn RetrievalModel>>> {
        let config = &self.settings.retrieve_config;
        let models = RetrievalModels {
            route: self.chat(&config.route_intention_llm_profile)?,
            sufficiency: self.chat(&config.sufficiency_check_llm_profile)?,
            ranking: self.chat(&config.llm_ranking_llm_profile)?,
        };
        let any =
            models.route.is_some() || models.sufficiency.is_some() || models.ranking.is_some();
        Ok(any.then(|| -> Arc<dyn RetrievalModel> { Arc::new(models) }))
    }

    /// What embeds, unless this process does. A store that has vectors of the same model
    /// tells their dimension.
    pub(crate) async fn embedder(
        &mut self,
        sets: &[EmbeddingSet],
    ) -> Result<Option<Arc<dyn Embedder>>> {
        let Some((name, mut profile)) = self.embedding_profile() else {
            return Ok(None);
        };
        let preset = profile.validate(&name)?;
        let default = preset.embed.as_ref().and_then(|embed| embed.model);
        let model = profile.embed_model.as_deref().or(default);
        let known = sets
            .iter()
            .filter(|set| set.state == SetState::Active)
            .map(|set| &set.identity)
            .find(|known| known.provider == preset.name && Some(&*known.model) == model);
        if let (None, Some(known)) = (profile.dimension, known) {
            profile.dimension = Some(known.dimension);
        }
        let connection = self.connection(&name, &profile)?;
        Ok(Some(match connection.embedder().await {
            Ok(embedder) => Arc::new(embedder),
            // What needs no vectors is to work all the same.
            Err(error) if error.kind() == ErrorKind::Model || !connection.has_key() => {
                Arc::new(Unreached::new(preset.name, model, error))
            }
            Err(error) => return Err(error),
        }))
    }

    /// The profile that embeds: its own, or that of everything where its provider embeds.
    fn embedding_profile(&self) -> Option<(String, Profile)> {
        let profiles = &self.settings.llm_profiles;
        if let Some(own) = profiles.get(EMBEDDING_PROFILE) {
            return Some((EMBEDDING_PROFILE.to_owned(), own.remote()?));
        }
        let profile = profiles.get(DEFAULT_PROFILE)?.remote()?;
        let preset = profile.validate(DEFAULT_PROFILE).ok()?;
        // Many providers of models that chat have none that embeds unless it is named.
        let embeds = profile.embed_model.as_deref().or(preset.embed?.model);
        embeds?;
        Some((DEFAULT_PROFILE.to_owned(), profile))
    }

    /// The model of a profile; `None` where that is this process.
    fn chat(&mut self, name: &str) -> Result<Option<ProfiledModel>> {
        let profile = self.settings.llm_profiles.get(name);
        let Some(profile) = profile.and_then(LlmProfile::remote) else {
            return Ok(None);
        };
        let model: Arc<dyn ChatModel> = Arc::new(self.connection(name, &profile)?.chat_model()?);
        Ok(Some(ProfiledModel {
            profile: name.to_owned(),
            model,
        }))
    }

    fn connection(&mut self, name: &str, profile: &Profile) -> Result<Connection> {
        if let Some((_, known)) = self.connected.iter().find(|(known, _)| known == name) {
            return Ok(known.clone());
        }
        let connection = Connection::new(name, profile, self.surroundings)?;
        self.connected.push((name.to_owned(), connection.clone()));
        Ok(connection)
    }
}

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use memu_core::Result;
use memu_core::provider::Media;

/// What of a video a model is shown, and what it is to listen to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Footage {
    /// Frames, in the order of time; at least one.
    pub frames: Vec<Media>,
    /// The sound, where there is any and it was asked for.
    pub sound: Option<Media>,
}

/// Takes videos apart. The same video gives the same bytes every time, so that a model that has
/// seen them is not asked again.
#[async_trait]
pub trait VideoCutter: fmt::Debug + Send + Sync {
    /// Whether it can do that here.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](memu_core::ErrorKind::Unsupported), saying what is missing and
    /// what can be handed in instead.
    fn check(&self) -> Result<()>;

    /// Takes `frames` frames, from the middles of as many equal parts of the video, and its sound
    /// if that is wanted.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](memu_core::ErrorKind::Input) when it is no video, or has no pictures.
    async fn cut(&self, video: Arc<[u8]>, frames: usize, sound: bool) -> Result<Footage>;
}

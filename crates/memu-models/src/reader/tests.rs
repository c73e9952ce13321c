use futures_util::FutureExt as _;
use memu_core::ErrorKind;
use memu_core::provider::{ChatModel, ChatReply, ChatRequest, RawReply};

use super::*;

/// Neither sees nor hears.
#[derive(Debug)]
struct Blind;

#[async_trait]
impl ChatModel for Blind {
    fn name(&self) -> &'static str {
        "openai/blind"
    }

    async fn chat(&self, _: &ChatRequest) -> Result<RawReply> {
        Err(Error::internal("it was asked"))
    }

    fn read(&self, _: &RawReply) -> Result<ChatReply> {
        Err(Error::internal("it was asked"))
    }

    async fn transcribe(&self, _: &Media) -> Result<RawReply> {
        Err(Error::internal("it was asked"))
    }

    fn read_transcript(&self, _: &RawReply) -> Result<ChatReply> {
        Err(Error::internal("it was asked"))
    }
}

/// Reads nothing, and cuts nothing.
#[derive(Debug)]
struct Idle;

#[async_trait]
impl Reader for Idle {
    async fn read(&self, _: ReadRequest, _: &Calls) -> Result<Reading> {
        Ok(Reading::default())
    }
}

#[async_trait]
impl VideoCutter for Idle {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    async fn cut(&self, _: Arc<[u8]>, _: usize, _: bool) -> Result<Footage> {
        Ok(Footage::default())
    }
}

#[test]
fn who_can_neither_see_nor_hear_says_so_and_is_not_asked() {
    let model = ProfiledModel {
        profile: "main".to_owned(),
        model: Arc::new(Blind),
    };
    let idle = Arc::new(Idle);
    let reader = ModelReader::new(idle.clone(), model, BTreeMap::new(), idle, 8);
    for (modality, what) in [
        (Modality::Image, "no model that sees pictures"),
        (Modality::Video, "no model that sees pictures"),
        (Modality::Audio, "no model that hears recordings"),
    ] {
        let error = reader.check(modality).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains(what), "{error}");
        let request = ReadRequest {
            bytes: b"bytes".as_slice().into(),
            modality,
            caption: Some("words".to_owned()),
            media_type: None,
            url: "a".to_owned(),
        };
        let read = reader.read(request, &Calls::unkept()).now_or_never();
        assert!(
            read.unwrap().is_ok(),
            "words that were handed in are enough"
        );
    }
    for modality in [Modality::Document, Modality::Conversation] {
        reader.check(modality).unwrap();
    }
}

#[test]
fn the_name_of_a_file_may_tell_something() {
    let told = hint("https://example.org/a/birthday%20anna.jpg?size=9#top");
    assert_eq!(
        told.as_deref(),
        Some("The file is called birthday%20anna.jpg")
    );
    assert_eq!(hint("-"), None);
}

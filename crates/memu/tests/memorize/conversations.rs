//! What is memorized of a conversation, and when it is memorized again.

use super::*;

#[tokio::test]
async fn the_same_content_again_changes_nothing_and_says_so() {
    for store in stores() {
        let fixture = service(store).await;
        let bytes = conversation("c", &TALK);
        let first = fixture.memorize(bytes.clone(), "alice").await;
        assert_eq!(first.status, MemorizeStatus::Created);
        assert_eq!(first.new_segments, TALK.len());
        let before = everything(&fixture.service, "alice").await;
        let again = fixture.memorize(bytes, "alice").await;
        assert_eq!(again.status, MemorizeStatus::Unchanged);
        assert_eq!(again.new_segments, 0);
        assert_eq!(again.resource.meta.id, first.resource.meta.id);
        assert_eq!(again.items, first.items);
        assert_eq!(
            everything(&fixture.service, "alice").await,
            before,
            "{store}"
        );
    }
}

#[tokio::test]
async fn a_conversation_that_has_grown_adds_only_what_is_new() {
    for store in stores() {
        let fixture = service(store).await;
        let start = fixture
            .memorize(conversation("c", &TALK[..4]), "alice")
            .await;
        let grown = fixture.memorize(conversation("c", &TALK), "alice").await;
        assert_eq!(grown.status, MemorizeStatus::Extended);
        assert_eq!(grown.new_segments, TALK.len() - 4);
        assert_eq!(grown.resource.meta.id, start.resource.meta.id);
        let scope = &grown.resource.meta.scope;
        let segments = fixture
            .service
            .store()
            .segments(&Query::scope(scope))
            .await
            .unwrap();
        let texts: Vec<&str> = segments.records.iter().map(|s| s.text.as_str()).collect();
        let said: Vec<&str> = TALK.iter().map(|(_, text)| *text).collect();
        assert_eq!(texts, said, "{store}");
        let old: Vec<_> = segments.records[..4].iter().map(|s| &s.meta.id).collect();
        for item in &grown.items {
            assert!(
                item.segment_ids.iter().any(|id| !old.contains(&id)),
                "{store}: {} was there before",
                item.summary
            );
        }
        assert_eq!(
            everything(&fixture.service, "alice").await["resources"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
    }
}

#[tokio::test]
async fn a_conversation_whose_past_was_edited_is_kept_beside_the_old_one() {
    for store in stores() {
        let fixture = service(store).await;
        fixture.memorize(conversation("c", &TALK), "alice").await;
        let mut edited = TALK;
        edited[0].1 = "I adopted a parrot called Rio last week.";
        let response = fixture.memorize(conversation("c", &edited), "alice").await;
        assert_eq!(response.status, MemorizeStatus::Created);
        let all = everything(&fixture.service, "alice").await;
        assert_eq!(all["resources"].as_array().unwrap().len(), 2, "{store}");
        let items = all["items"].to_string();
        assert!(
            items.contains("greyhound") && items.contains("parrot"),
            "{items}"
        );
    }
}

#[tokio::test]
async fn every_message_can_be_found_again_with_its_speaker_time_and_id() {
    for store in stores() {
        let fixture = service(store).await;
        fixture.memorize(conversation("c", &TALK), "alice").await;
        let question =
            RetrieveRequest::question("Which nuts must be left out?").matching("user_id", "alice");
        let answer = fixture.service.retrieve(question).await.unwrap();
        assert!(answer.needs_retrieval);
        let question =
            RetrieveRequest::question("Who is allergic to walnuts?").matching("user_id", "alice");
        let answer = fixture.service.retrieve(question).await.unwrap();
        let best = &answer.segments[0].segment;
        assert_eq!(best.message_id.as_deref(), Some("m2"), "{store}");
        assert_eq!(best.speaker.as_deref(), Some("Nora"));
        assert_eq!(
            best.happened_at_text.as_deref(),
            Some("2026-02-01 10:02:00")
        );
        let item = &answer.items[0];
        assert!(
            item.item.summary.contains("walnuts"),
            "{}",
            item.item.summary
        );
        assert!(item.item.summary.contains("Nora"), "{}", item.item.summary);
        assert_eq!(item.evidence[0].message_id.as_deref(), Some("m2"));
        assert!(answer.segments[0].items.contains(&item.item.meta.id));
    }
}

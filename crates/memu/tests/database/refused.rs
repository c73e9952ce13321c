//! Requests that are refused.

use super::*;

#[tokio::test]
async fn bad_requests_are_named_and_change_nothing() {
    let database = in_memory();
    fill(&database).await;
    let before = told(&database).await;
    let items = &database.memory_item_repo;
    let item = CreateItem {
        summary: "Likes tea".to_owned(),
        memory_type: "profile".to_owned(),
        user_data: of("alice"),
        ..CreateItem::default()
    };
    let taken = items.list_items(of("alice")).await.unwrap()[0]
        .meta
        .id
        .clone();
    for (new, kind) in [
        (
            CreateItem {
                id: Some(taken.clone()),
                ..item.clone()
            },
            ErrorKind::Conflict,
        ),
        (
            CreateItem {
                resource_id: Some(Id::from("none")),
                ..item.clone()
            },
            ErrorKind::NotFound,
        ),
        (
            CreateItem {
                resource_id: Some(Id::from("bob-chat")),
                ..item.clone()
            },
            ErrorKind::NotFound,
        ),
        (
            CreateItem {
                embedding: Some(vec![0.0; 3]),
                ..item.clone()
            },
            ErrorKind::Input,
        ),
        (
            CreateItem {
                embedding: Some(vec![f32::NAN; 3]),
                ..item.clone()
            },
            ErrorKind::Input,
        ),
        (
            CreateItem {
                user_data: object(json!({ "tenant": "a" })),
                ..item.clone()
            },
            ErrorKind::Scope,
        ),
        (
            CreateItem {
                id: Some(Id::from("")),
                ..item.clone()
            },
            ErrorKind::Input,
        ),
    ] {
        let error = items.create_item(new.clone()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{new:?}: {error}");
    }
    let everybody = items.list_items(Object::new()).await.unwrap_err();
    assert_eq!(everybody.kind(), ErrorKind::Scope);
    let everybody = items.clear_items(Object::new()).await.unwrap_err();
    assert_eq!(everybody.kind(), ErrorKind::Scope);
    let unknown = items
        .list_items(object(json!({ "user": "alice" })))
        .await
        .unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::Filter);
    let missing = items
        .update_item(Id::from("none"), UpdateItem::default())
        .await
        .unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let none = VectorSearch::new(vec![1.0; 3], 0, of("alice"));
    let error = items.vector_search_items(none).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    let other = VectorSearch::new(vec![1.0; 7], 3, of("alice"));
    let error = items.vector_search_items(other).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    assert!(error.message().contains("7 numbers"), "{error}");
    assert_eq!(told(&database).await, before);
}

#[tokio::test]
async fn an_id_that_two_users_chose_is_no_name() {
    let database = in_memory();
    let items = &database.memory_item_repo;
    for user in ["alice", "bob"] {
        let twin = CreateItem {
            id: Some(Id::from("twin")),
            summary: "Likes tea".to_owned(),
            memory_type: "profile".to_owned(),
            user_data: of(user),
            ..CreateItem::default()
        };
        items.create_item(twin).await.unwrap();
    }
    let error = items.delete_item(Id::from("twin")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Scope);
    let events = json!({ "user_id": "alice", "memory_type": "event" });
    assert!(items.clear_items(object(events)).await.unwrap().is_empty());
    assert_eq!(items.load_existing().await.unwrap().len(), 2);
}

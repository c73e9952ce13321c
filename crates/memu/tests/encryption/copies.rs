//! Copies of encrypted memories.

use memu::ErrorKind;
use memu::backup::{back_up, restore};

use super::{Home, SECRET, change, quiet};

#[tokio::test]
async fn a_copy_comes_back_with_its_key_only() {
    let home = Home::new();
    home.talked("memu.db", Some(SECRET)).await;
    let place = home.place("memu.db", Some(SECRET));
    let copy = home.path("copy.db");
    back_up(&place, copy.clone(), quiet()).await.unwrap();
    let before = home.files();
    let wrong = home.place("memu.db", Some("another"));
    for place in [&wrong, &home.place("memu.db", None)] {
        let error = restore(copy.clone(), place, true, quiet()).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Permission);
        assert!(home.files() == before);
    }
    // A copy never takes the place of a memory that it cannot read.
    home.talked("plain.db", None).await;
    let mixed = home.place("memu.db", None);
    let error = restore(home.path("plain.db"), &mixed, true, quiet()).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission, "{error}");
    let report = restore(copy, &place, true, quiet()).await.unwrap();
    assert!(report.replaced.is_some());
    assert!(home.open("memu.db", Some(SECRET)).await.is_ok());
}

#[tokio::test]
async fn a_copy_with_the_old_key_is_not_overwritten_and_named_as_what_it_is() {
    let home = Home::new();
    home.talked("memu.db", Some(SECRET)).await;
    let copy = home.path("copy.db");
    let place = home.place("memu.db", Some(SECRET));
    back_up(&place, copy.clone(), quiet()).await.unwrap();
    change(&place, Some("new")).await.unwrap();
    home.talked("plain.db", None).await;
    let before = home.files();
    let place = home.place("memu.db", Some("new"));
    for other in [copy, home.path("plain.db")] {
        let refused = back_up(&place, other.clone(), quiet()).await;
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Permission, "{error}");
        assert!(
            error
                .message()
                .starts_with("the file that is there cannot be opened with this key"),
            "{error}"
        );
        assert!(home.files() == before);
    }
}

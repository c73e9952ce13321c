//! Every kind of edit, and what is kept.

use super::*;

/// Makes one edit of every kind in Alice's folder.
fn edit_everything(home: &Home) {
    // A text, a type and a date.
    edit(
        home,
        "categories/preferences.md",
        "Nora likes green tea *(knowledge)*",
        "Nora likes *black* tea\n  with milk *(profile, May 2026)*",
    );
    // A new line, and one that is there twice.
    let habits = page(home, "categories/habits.md");
    home.write(
        "dir/alice/categories/habits.md",
        format!("{habits}\n- Nora swims\n- Nora knits *(behavior, 2026-02-28)*\n"),
    );
    let goals = page(home, "categories/goals.md");
    home.write(
        "dir/alice/categories/goals.md",
        format!("{goals}\n* Nora swims\n"),
    );
    // One that moves.
    let moved = line(home, "categories/work_life.md", "harbour *(");
    edit(home, "categories/work_life.md", &moved, "");
    let experiences = page(home, "categories/experiences.md");
    home.write(
        "dir/alice/categories/experiences.md",
        format!("{experiences}\n{moved}\n"),
    );
    // A category's description and summary, and a new category.
    edit(
        home,
        "categories/opinions.md",
        "Opinions, viewpoints, and perspectives",
        "What Nora thinks",
    );
    edit(
        home,
        "categories/opinions.md",
        "## Memories",
        "Nora thinks well of boats.\n\n## Memories",
    );
    home.write(
        "dir/alice/categories/Boats & ships.md",
        "## Memories\n\n- The boat is called Gull\n",
    );
}

#[test]
fn every_kind_of_edit_is_taken_in() {
    let home = home();
    edit_everything(&home);
    let told = home.ok(&["import", "dir", "--dry-run"]);
    assert!(
        told.contains("changed  alice/categories/preferences.md:"),
        "{told}"
    );
    assert!(
        told.ends_with("8 changes would be made; nothing was changed\n"),
        "{told}"
    );
    let before = items(&home, &[]);
    assert_eq!(before.len(), 4);

    let imported = home.json(&["import", "dir"]);
    let expected = pairs(&[
        ("category_changed", "opinions"),
        ("category_added", "Boats & ships"),
        ("memory_changed", "Nora likes *black* tea\nwith milk"),
        ("taken_out", "Nora works at the harbour"),
        ("filed", "Nora works at the harbour"),
        ("memory_added", "Nora swims"),
        ("memory_added", "Nora knits"),
        ("memory_added", "The boat is called Gull"),
    ]);
    let mut found = changes(&imported);
    found.sort();
    let mut expected = expected;
    expected.sort();
    assert_eq!(found, expected);
    let after = items(&home, &[]);
    let tea = item(&after, "Nora likes *black* tea\nwith milk");
    assert_eq!(tea["id"], item(&before, "Nora likes green tea")["id"]);
    assert_eq!(
        [&tea["memory_type"], &tea["happened_at"]],
        ["profile", "2026-05-01T00:00:00"]
    );
    let knits = item(&after, "Nora knits");
    assert_eq!(
        [&knits["memory_type"], &knits["happened_at"]],
        ["behavior", "2026-02-28T00:00:00"]
    );
    assert_eq!(item(&after, "Nora swims")["memory_type"], "knowledge");
    assert_eq!(filed(&home, "work_life"), Vec::<String>::new());
    assert_eq!(filed(&home, "experiences"), ["Nora works at the harbour"]);
    assert_eq!(filed(&home, "goals"), ["Nora swims"]);
    assert_eq!(filed(&home, "Boats & ships"), ["The boat is called Gull"]);
    let opinions = category(&home, "opinions");
    assert_eq!(
        [&opinions["description"], &opinions["summary"]],
        ["What Nora thinks", "Nora thinks well of boats."]
    );
    // Summaries that nobody wrote follow.
    let summary = category(&home, "preferences")["summary"].to_string();
    assert!(
        summary.contains("black") && !summary.contains("green"),
        "{summary}"
    );
    assert!(
        category(&home, "Boats & ships")["summary"]
            .to_string()
            .contains("Gull")
    );
    assert!(
        imported["summaries"]
            .as_array()
            .unwrap()
            .contains(&json!("preferences"))
    );

    // Once more changes nothing, and the next export writes over what was taken in.
    assert_eq!(home.ok(&["import", "dir"]), "Nothing to change\n");
    export(&home, "dir");
    assert!(!home.path("dir/alice/categories/Boats & ships.md").exists());
    assert!(
        line(&home, "categories/habits.md", "Nora knits *(")
            .contains("*(behavior, 28 February 2026)* ^")
    );
    assert_eq!(home.ok(&["import", "dir"]), "Nothing to change\n");
    home.ok(&["doctor"]);
}

#[test]
fn summaries_stay_when_that_is_asked_for() {
    let home = home();
    edit(
        &home,
        "categories/preferences.md",
        "green tea *(",
        "black tea *(",
    );
    let before = category(&home, "preferences")["summary"].clone();
    home.ok(&["import", "dir", "--no-propagate"]);
    assert_eq!(filed(&home, "preferences"), ["Nora likes black tea"]);
    assert_eq!(category(&home, "preferences")["summary"], before);
}

#[test]
fn a_line_that_is_gone_is_named_and_kept_unless_it_is_to_be_removed() {
    let home = home();
    let gone = line(&home, "categories/habits.md", "rows on Sundays *(");
    edit(&home, "categories/habits.md", &gone, "");
    std::fs::remove_file(home.path("dir/alice/categories/work_life.md")).unwrap();
    let before = home.everything();
    let text = home.ok(&["import", "dir"]);
    assert!(text.contains("kept, though its line is gone (--delete-missing removes it)  alice/categories/habits.md  Nora rows"), "{text}");
    assert!(
        text.contains("kept, though its page is gone  alice/categories/work_life.md  work_life"),
        "{text}"
    );
    assert!(text.ends_with("Nothing to change\n"), "{text}");
    assert_eq!(home.everything(), before);
    let imported = home.json(&["import", "dir", "--delete-missing"]);
    let expected = [
        ("memory_removed", "Nora rows on Sundays"),
        ("memory_removed", "Nora works at the harbour"),
    ];
    assert_eq!(changes(&imported), pairs(&expected));
    assert_eq!(items(&home, &[]).len(), 2);
    assert_eq!(category(&home, "work_life")["summary"], Value::Null);

    // What the memory removed is not brought back, and a scope without a folder stays.
    let text = home.ok(&["import", "dir"]);
    assert!(text.ends_with("Nothing to change\n"), "{text}");
    let id = items(&home, &[])[0]["id"].as_str().unwrap().to_owned();
    home.ok(&["delete", &id, "--user", "alice"]);
    let text = home.ok(&["import", "dir"]);
    assert!(
        text.contains("not brought back: removed from the memory"),
        "{text}"
    );
    std::fs::remove_dir_all(home.path("dir/alice")).unwrap();
    let text = home.ok(&["import", "dir", "--delete-missing"]);
    assert!(
        text.contains("the folder alice is missing; its memories are kept"),
        "{text}"
    );
    assert_eq!(items(&home, &[]).len(), 1);
}

#[test]
fn what_both_changed_is_a_conflict_and_changes_nothing() {
    let home = home();
    let id = item(&items(&home, &[]), "Nora likes green tea")["id"]
        .as_str()
        .unwrap()
        .to_owned();
    edit(
        &home,
        "categories/preferences.md",
        "green tea *(",
        "black tea *(",
    );
    edit(&home, "categories/habits.md", "Sundays *(", "Mondays *(");
    edit(
        &home,
        "categories/relationships.md",
        "Information about relationships with others",
        "Friends",
    );
    home.ok(&[
        "edit",
        &id,
        "--text",
        "Nora likes white tea",
        "--user",
        "alice",
    ]);
    let (reference, _) = id.split_at(8);
    let at = page(&home, "categories/preferences.md");
    let at = at
        .lines()
        .position(|line| line.contains(reference))
        .unwrap()
        + 1;
    let conflict = format!("changed twice: alice/categories/preferences.md:{at} ({reference})");
    let run = refused(&home, &["dir"], 1, &["were both changed", &conflict]);
    assert!(!run.stderr.contains("habits"), "{run:?}");
    refused(&home, &["dir", "--dry-run"], 1, &[&conflict]);
    // Saying what the memory says settles it. What it changed alone is left as it is.
    edit(
        &home,
        "categories/preferences.md",
        "black tea *(",
        "white tea *(",
    );
    let imported = home.json(&["import", "dir"]);
    let expected = [
        ("category_changed", "relationships"),
        ("memory_changed", "Nora rows on Mondays"),
    ];
    assert_eq!(changes(&imported), pairs(&expected));

    // A memory that was changed is not removed, nor one that was edited and is gone brought back.
    export(&home, "dir");
    home.ok(&[
        "edit",
        &id,
        "--text",
        "Nora likes mint tea",
        "--user",
        "alice",
    ]);
    let gone = line(&home, "categories/preferences.md", "white tea *(");
    edit(&home, "categories/preferences.md", &gone, "");
    refused(
        &home,
        &["dir", "--delete-missing"],
        1,
        &["were both changed", reference],
    );
    edit(
        &home,
        "categories/preferences.md",
        "## Memories\n",
        &format!("## Memories\n\n{}\n", gone.replace("white", "red")),
    );
    home.ok(&["delete", &id, "--user", "alice"]);
    refused(&home, &["dir"], 1, &["were both changed", reference]);
}

#[test]
fn what_is_edited_in_pages_for_reading_is_said_not_to_be_taken_in() {
    let home = Home::new();
    home.write("chat.json", long_conversation(30));
    home.ok(&["memorize", "chat.json", "--user", "alice"]);
    export(&home, "dir");
    let all = files(&home.path("dir"));
    let chat = all
        .keys()
        .find(|name| name.contains("/resources/"))
        .unwrap();
    assert!(
        all[chat].contains("**Nora**, 1 January 2026 10:00 ^m0\n\n> I bought teapot"),
        "{}",
        all[chat]
    );
    home.write(
        &format!("dir/{chat}"),
        all[chat].replace("teapot", "kettle"),
    );
    let before = home.everything();
    let text = home.ok(&["import", "dir"]);
    assert!(
        text.contains(&format!(
            "{chat} is for reading; what was edited there is not taken in"
        )),
        "{text}"
    );
    assert_eq!(home.everything(), before);
}

//! Files that are refused, and what is mended or brought up to date.

use super::*;

#[test]
fn strangers_are_refused_and_left_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let refuse = |name: &str| {
        let file = folder.path().join(name);
        let before = std::fs::read(&file).ok();
        let error = open(&file).unwrap_err();
        assert_eq!(std::fs::read(&file).ok(), before, "{name} was changed");
        assert_eq!(error.context()[0], ("file", file.display().to_string()));
        (error.kind(), error.message().to_owned())
    };
    std::fs::write(folder.path().join("text.db"), "This is no database at all.").unwrap();
    assert_eq!(
        refuse("text.db"),
        (
            ErrorKind::Corrupt,
            "the file is not a SQLite database".to_owned()
        )
    );
    std::fs::create_dir(folder.path().join("folder.db")).unwrap();
    assert_eq!(
        refuse("folder.db"),
        (
            ErrorKind::Input,
            "this is a folder, not a database file".to_owned()
        )
    );
    let other = rusqlite::Connection::open(folder.path().join("other.db")).unwrap();
    other
        .execute_batch("CREATE TABLE recipes (name TEXT)")
        .unwrap();
    drop(other);
    assert_eq!(
        refuse("other.db"),
        (
            ErrorKind::Unsupported,
            "this SQLite file belongs to another program; choose another path".to_owned()
        )
    );
    block_on(open(&folder.path().join("newer.db")).unwrap().close()).unwrap();
    let newer = rusqlite::Connection::open(folder.path().join("newer.db")).unwrap();
    newer
        .execute_batch("PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    drop(newer);
    assert_eq!(
        refuse("newer.db"),
        (
            ErrorKind::TooNew,
            "the database was written by a newer version of MemU: its schema is 99, this version \
             knows 4"
                .to_owned()
        )
    );
}

#[test]
fn a_file_cut_short_is_reported_as_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db");
    let store = open(&file).unwrap();
    block_on(store.commit(batch("x", 200))).unwrap();
    block_on(store.close()).unwrap();
    drop(store);
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let damaged = open(&file).and_then(|store| {
        let page = block_on(store.categories(&Query::scope(&alice())))?;
        assert_eq!(page.records.len(), 0, "half a file cannot answer");
        Ok(())
    });
    assert_eq!(damaged.unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn other_scope_fields_than_the_files_are_refused_and_none_takes_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db");
    let mut options = Options::file(&file);
    options.schema = Some(ScopeSchema::new(["user_id", "agent_id"]).unwrap());
    block_on(block_on(SqliteStore::open(options)).unwrap().close()).unwrap();
    let adopted = open(&file).unwrap();
    assert_eq!(
        adopted.schema().fields().collect::<Vec<_>>(),
        ["user_id", "agent_id"]
    );
    let mut options = Options::file(&file);
    options.schema = Some(ScopeSchema::default());
    let error = block_on(SqliteStore::open(options)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(
        error.message(),
        "the store has the scope fields user_id, agent_id, but user_id are configured \
         (user_config.model)"
    );
}

#[test]
fn a_read_only_file_is_refused_before_anything_is_written() {
    let test = "sqlite_file::a_read_only_file_is_refused_before_anything_is_written";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db");
    block_on(open(&file).unwrap().close()).unwrap();
    let mut permissions = std::fs::metadata(&file).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&file, permissions).unwrap();
    if std::fs::OpenOptions::new().write(true).open(&file).is_ok() {
        skip(test, "this user may write read-only files");
        return;
    }
    let error = open(&file)
        .and_then(|store| block_on(store.commit(batch("x", 1))))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
}

#[test]
fn doctor_mends_what_can_be_told_from_other_rows() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db");
    let store = open(&file).unwrap();
    block_on(store.commit(batch("x", 2))).unwrap();
    let other = rusqlite::Connection::open(&file).unwrap();
    other
        .execute_batch(
            "PRAGMA foreign_keys = OFF;
             INSERT INTO memu_relations (scope_id, key, created_us, updated_after, revision,
             item_row, category_row) VALUES (1, 'orphan', 0, 0, 1, 7, 1)",
        )
        .unwrap();
    drop(other);
    let found = block_on(store.check(false)).unwrap();
    assert_eq!(found.severity(), Severity::Error);
    let mended = block_on(store.check(true)).unwrap();
    assert_eq!(mended.severity(), Severity::Ok, "{mended:?}");
    assert!(
        mended
            .findings
            .iter()
            .any(|finding| finding.repaired && finding.check == "relations")
    );
    assert_sound(&store);
    assert_eq!(names(&store), ["x-0", "x-1"]);
}

/// A file as an earlier version wrote it.
fn older(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("memu.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(include_str!("../fixtures/schema-1.sql"))
        .unwrap();
    path
}

fn schema_of(path: &Path) -> (i32, Vec<String>) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0));
    let mut statement = connection
        .prepare("SELECT sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY name")
        .unwrap();
    let tables = statement.query_map([], |row| row.get(0)).unwrap();
    (version.unwrap(), tables.map(Result::unwrap).collect())
}

#[test]
fn a_file_of_an_earlier_schema_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = older(folder.path());
    assert_eq!(schema_of(&path).0, 1);
    let validating = Options {
        create: false,
        ..Options::file(&path)
    };
    let error = block_on(SqliteStore::open(validating)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(schema_of(&path).0, 1, "validating changes nothing");

    let store = open(&path).unwrap();
    let nora = ScopeSchema::default().scope([("user_id", "nora")]).unwrap();
    let items = block_on(store.items(&Query::scope(&nora))).unwrap().records;
    assert_eq!(items.len(), 2);
    let report = block_on(store.check(false)).unwrap();
    assert_eq!(report.severity(), Severity::Ok, "{report:?}");
    block_on(store.close()).unwrap();
    let new = folder.path().join("new.db");
    block_on(open(&new).unwrap().close()).unwrap();
    assert_eq!(schema_of(&path), schema_of(&new));
}

#[test]
fn a_file_of_the_schema_before_need_not_be_changed_to_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memu.db");
    block_on(open(&path).unwrap().close()).unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA user_version = 3").unwrap();
    drop(connection);
    let validating = Options {
        create: false,
        ..Options::file(&path)
    };
    let store = block_on(SqliteStore::open(validating)).unwrap();
    block_on(store.close()).unwrap();
    assert_eq!(schema_of(&path).0, 3, "validating changes nothing");
}

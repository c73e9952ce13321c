//! From global options to a service and a scope.

use std::ffi::OsString;
use std::path::Path;

use memu::backup::Place;
use memu::moving::check_lasting;
use memu::settings::{CONFIG_FILE, Layers, Settings};
use memu::sqlite::{Key, UpgradeReport};
use memu::{Error, MemoryService, MemoryServiceBuilder, Result};
use serde_json::{Map, Value};

use crate::args::Global;
use crate::commands::upgrade::{counts, on_server};
use crate::output::Printer;
use crate::progress::Progress;

/// Where memories are kept when nothing says otherwise.
const DEFAULT_DATABASE: &str = "sqlite:///memu.db";

/// Opens the service that the options, variables and files ask for.
pub(crate) async fn open(global: &Global, progress: &Progress) -> Result<MemoryService> {
    open_with(global, progress, Value::Object(Map::new())).await
}

/// Where the memory is that the options, variables and files name.
pub(crate) fn place(global: &Global) -> Result<Place> {
    builder(global, Value::Object(Map::new()))?.place()
}

/// The key of an encrypted memory, if there is one.
pub(crate) fn key(global: &Global) -> Result<Option<Key>> {
    builder(global, Value::Object(Map::new()))?.key()
}

/// The same, with settings that win over all others.
pub(crate) async fn open_with(
    global: &Global,
    progress: &Progress,
    settings: Value,
) -> Result<MemoryService> {
    let printer = Printer::new(global);
    builder(global, settings)?
        .interceptor(progress.interceptor())
        .on_upgrade(move |report| tell_of_upgrade(&printer, report))
        .build()
        .await
}

/// What opens another memory than the one that `--db` names, with the same settings.
pub(crate) fn elsewhere(global: &Global, database: &str) -> Result<MemoryServiceBuilder> {
    let global = Global {
        db: Some(database.to_owned()),
        ..global.clone()
    };
    builder(&global, Value::Object(Map::new()))
}

/// What opens the memory that the options, variables and files name.
pub(crate) fn here(global: &Global) -> Result<MemoryServiceBuilder> {
    builder(global, Value::Object(Map::new()))
}

/// Opens the service that takes in a folder of memories by these scope fields. Where nothing is
/// to be changed, a file that is not there is not made.
pub(crate) async fn open_to_import(
    global: &Global,
    progress: &Progress,
    fields: &[String],
    dry_run: bool,
) -> Result<MemoryService> {
    let printer = Printer::new(global);
    let is_missing = place(global).is_ok_and(|place| !place.database.exists());
    let builder = here(global)?;
    check_lasting(&builder)?;
    let builder = if dry_run && is_missing {
        elsewhere(global, "inmemory")?
    } else {
        builder
    };
    builder
        .default_scope_fields(fields.iter().cloned())
        .interceptor(progress.interceptor())
        .on_upgrade(move |report| tell_of_upgrade(&printer, report))
        .build()
        .await
}

/// The same for a memory whose vectors may be another embedder's.
pub(crate) async fn open_to_reembed(global: &Global) -> Result<MemoryService> {
    let printer = Printer::new(global);
    builder(global, Value::Object(Map::new()))?
        .on_upgrade(move |report| tell_of_upgrade(&printer, report))
        .changing_embedder()
        .build()
        .await
}

fn tell_of_upgrade(printer: &Printer, report: &UpgradeReport) {
    let backup = report.backup.as_deref().unwrap_or(&report.place);
    let as_it_was = if on_server(report) {
        format!("its tables as they were are in the schema {backup}")
    } else {
        format!("the file as it was is {backup}")
    };
    printer.remark(&format!(
        "upgraded {} from memU 1.x: {}; {as_it_was}",
        report.place,
        counts(report)
    ));
    if !report.unread.is_empty() {
        printer.remark(&format!(
            "{} values or rows could not be read and are kept in the table memu_unread",
            report.unread.len()
        ));
    }
}

/// The settings that options, variables and files make together.
pub(crate) fn settings(global: &Global) -> Result<Settings> {
    settings_under(global, Value::Object(Map::new()))
}

/// The same under settings that win over all others.
fn settings_under(global: &Global, over: Value) -> Result<Settings> {
    let mut layers = Layers::new();
    match &global.config {
        Some(path) => layers = layers.file(path)?,
        None if Path::new(CONFIG_FILE).is_file() => layers = layers.file(Path::new(CONFIG_FILE))?,
        None => {}
    }
    layers.variables(variables()?).value(over).settings()
}

fn builder(global: &Global, settings: Value) -> Result<MemoryServiceBuilder> {
    let settings = settings_under(global, settings)?;
    let store = &settings.database_config.metadata_store;
    let names_none = store.dsn.is_none() && store.provider.is_none();
    let mut builder = MemoryServiceBuilder::new();
    let fields: Vec<String> = new_scope_fields(global);
    let fields_known = settings.user_config.model.is_some();
    builder = builder.settings(settings);
    if let Some(database) = &global.db {
        builder = builder.database(database);
    } else if names_none {
        builder = builder.database(DEFAULT_DATABASE);
    }
    if !fields_known {
        builder = builder.default_scope_fields(fields);
    }
    Ok(builder)
}

/// The variables that may name settings.
fn variables() -> Result<Vec<(String, String)>> {
    let ours = |name: &OsString| {
        let name = name.to_string_lossy();
        name == "MEMU_KEY" || (name.starts_with("MEMU_") && name.contains("__"))
    };
    let variables = std::env::vars_os().filter(|(name, _)| ours(name));
    let unicode = variables.map(|(name, value)| {
        let name = name.to_string_lossy().into_owned();
        match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(Error::config(format!("{name} is not in Unicode"))),
        }
    });
    unicode.collect()
}

/// The scope fields of a store that is created now: `user_id`, and those that the
/// options name.
fn new_scope_fields(global: &Global) -> Vec<String> {
    let mut fields = vec!["user_id".to_owned()];
    for (field, _) in &global.scope {
        if !fields.contains(field) {
            fields.push(field.clone());
        }
    }
    fields
}

/// The scope that the options name, as the service takes it.
pub(crate) fn user(global: &Global) -> Map<String, Value> {
    let mut fields = Map::new();
    for (field, value) in &global.scope {
        fields.insert(field.clone(), value.as_str().into());
    }
    if let Some(user) = &global.user {
        fields.insert("user_id".to_owned(), user.as_str().into());
    }
    fields
}

/// A filter: the scope, and further conditions given as `key=value`. A value that is
/// JSON (a list, `true`) is taken as such.
pub(crate) fn filter(global: &Global, conditions: &[(String, String)]) -> Map<String, Value> {
    let mut filter = user(global);
    for (key, value) in conditions {
        let value = match serde_json::from_str::<Value>(value) {
            Ok(json @ (Value::Array(_) | Value::Bool(_))) => json,
            _ => Value::String(value.clone()),
        };
        filter.insert(key.clone(), value);
    }
    filter
}

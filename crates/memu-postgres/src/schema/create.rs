//! Making the tables.

use memu_core::scope::ScopeSchema;

use super::described::SEQUENCES;
use super::parts::{Column, Reference, Table};
use super::{FIELDS_KEY, VERSION, VERSION_KEY, tables};

/// The statements that make an empty store in the current schema, without what its tables
/// refer to. The extension `vector` is there.
pub(crate) fn statements(schema: &ScopeSchema) -> String {
    let mut sql = String::new();
    sql.extend(SEQUENCES.map(|name| format!("CREATE SEQUENCE {name};\n")));
    for described in &tables(schema) {
        sql += &table(described);
    }
    let fields: Vec<&str> = schema.fields().collect();
    // Names of fields are lower-case identifiers: nothing in them needs to be quoted.
    let meta = format!(
        "INSERT INTO memu_meta (key, value) VALUES ('{VERSION_KEY}', '{VERSION}'), \
         ('{FIELDS_KEY}', '{}'), ('created_by', 'memu {}');\n",
        fields.join(","),
        env!("CARGO_PKG_VERSION"),
    );
    sql + &meta
}

/// The statements after which tables refer to others.
pub(crate) fn references(tables: &[Table]) -> String {
    let of_table = |table: &Table| {
        let line =
            |one: &Reference| format!("ALTER TABLE {} ADD {};\n", table.name, reference(one));
        table.references.iter().map(line).collect::<String>()
    };
    tables.iter().map(of_table).collect()
}

/// The statements that make a table with its indexes.
pub(crate) fn table(table: &Table) -> String {
    let name = &table.name;
    let mut lines: Vec<String> = table.columns.iter().map(column).collect();
    lines.push(format!("PRIMARY KEY ({})", table.primary.join(", ")));
    let mut sql = format!("CREATE TABLE {name} (\n    {}\n);\n", lines.join(",\n    "));
    for index in table.indexes {
        let unique = if index.unique { "UNIQUE " } else { "" };
        let only = match index.only {
            "" => String::new(),
            only => format!(" WHERE {only}"),
        };
        sql.extend([
            "CREATE ",
            unique,
            "INDEX ",
            index.name,
            " ON ",
            name,
            " (",
            &index.columns.join(", "),
            ")",
            &only,
            ";\n",
        ]);
    }
    sql
}

fn column(column: &Column) -> String {
    // Texts are compared byte by byte, as everywhere else.
    let collation = if column.sql_type == "text" {
        " COLLATE \"C\""
    } else {
        ""
    };
    let needed = if column.optional { "" } else { " NOT NULL" };
    format!("\"{}\" {}{collation}{needed}", column.name, column.sql_type)
}

fn reference(reference: &Reference) -> String {
    format!(
        "FOREIGN KEY ({}) REFERENCES {} ({})",
        reference.columns.join(", "),
        reference.table,
        reference.of.join(", ")
    )
}

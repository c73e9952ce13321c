//! `memu bench` measures what its rows name.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use serde_json::Value;
use support::Home;

/// The rows that a run prints as JSON.
fn rows(home: &Home, only: &str) -> Vec<Value> {
    let arguments = ["bench", "--json", "--dir", ".", "--large", "600", "--only"];
    let text = home.ok(&[&arguments[..], &[only]].concat());
    let rows: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for row in &rows {
        assert!(row["name"].as_str().unwrap().starts_with(only), "{row}");
        assert!(row["value"].as_f64().unwrap() > 0.0, "{row}");
        assert!(row["unit"].is_string() && row["baselines"].is_array());
    }
    rows
}

fn names(rows: &[Value], only: &str) -> Vec<String> {
    let name = |row: &Value| row["name"].as_str().unwrap().replace(only, "");
    rows.iter().map(name).collect()
}

#[test]
fn each_measurement_prints_its_rows_and_leaves_no_file() {
    let home = Home::new();
    let only = "retrieve, 1 scope of 600 items";
    let expected = [
        ": first",
        ": p50",
        ": p99",
        ": p50 right after a write",
        ": p50 with a filter that one memory in ten passes",
    ];
    assert_eq!(names(&rows(&home, only), only), expected);
    let only = "search, 600 × 384, words";
    let searched = rows(&home, only);
    let times = searched.iter().filter(|row| row["unit"] == "ms").count();
    assert_eq!(times, 2, "{searched:?}");
    let stand_in = &rows(&home, "create_item, 500 one by one")[0]["baselines"][0];
    assert_eq!(stand_in["name"], "stand-in for memU 1.x");
    assert!(stand_in["ratio"].as_f64().unwrap() > 0.0);
    assert_eq!(std::fs::read_dir(home.path("")).unwrap().count(), 0);
}

#[test]
fn a_name_that_nothing_has_is_refused_with_those_there_are() {
    let home = Home::new();
    let refused = home.run(&["bench", "--only", "retreive"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert_eq!(refused.stdout, "");
    assert!(refused.stderr.contains("no measurement has such a name"));
    assert!(refused.stderr.contains("retrieve, 1 scope of 100000 items"));
}

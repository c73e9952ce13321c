//! Dependencies between crates go one way, and the core stays free of SQL, networks
//! and async runtimes (docs/decisions/0001-workspace-and-one-way-dependencies.md).

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at what should not happen"
)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::env;
use std::process::Command;

use serde_json::Value;

/// Which crates of the workspace each crate may name under `[dependencies]`.
const LAYERS: &[(&str, &[&str])] = &[
    ("memu-testkit", &[]),
    // A tool for those who work on MemU: nothing depends on it, and it on nothing.
    ("xtask", &[]),
    ("memu-core", &[]),
    ("memu-documents", &["memu-core"]),
    ("memu-local", &["memu-core"]),
    ("memu-models", &["memu-core"]),
    ("memu-postgres", &["memu-core"]),
    (
        "memu-rs",
        &[
            "memu-core",
            "memu-documents",
            "memu-local",
            "memu-models",
            "memu-postgres",
        ],
    ),
    ("memu-cli", &["memu-rs"]),
    ("memu-python", &["memu-rs"]),
];

/// Only ever a dev-dependency.
const TESTKIT: &str = "memu-testkit";

const CORE: &str = "memu-core";

/// What the core must not pull in, however many crates away.
const BANNED_FROM_CORE: &[&str] = &[
    "async-std",
    "hyper",
    "libsqlite3-sys",
    "reqwest",
    "rusqlite",
    "smol",
    "sqlx",
    "tokio",
    "tokio-postgres",
    "ureq",
];

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    /// Ends up in what we ship: `[dependencies]` and `[build-dependencies]`.
    Shipped,
    /// `[dev-dependencies]`.
    Dev,
}

/// Which crate names which, by package name.
#[derive(Default)]
struct Graph {
    members: BTreeSet<String>,
    edges: BTreeSet<(String, String, Use)>,
}

impl Graph {
    fn targets<'a>(&'a self, from: &'a str, by: Use) -> impl Iterator<Item = &'a str> {
        self.edges
            .iter()
            .filter(move |(source, _, kind)| source == from && *kind == by)
            .map(|(_, target, _)| target.as_str())
    }

    /// Everything that ships with `root`, each with the crate that pulled it in.
    fn shipped_with<'a>(&'a self, root: &'a str) -> BTreeMap<&'a str, &'a str> {
        let mut pulled_in_by = BTreeMap::new();
        let mut queue = VecDeque::from([root]);
        while let Some(from) = queue.pop_front() {
            for target in self.targets(from, Use::Shipped) {
                if target != root && !pulled_in_by.contains_key(target) {
                    pulled_in_by.insert(target, from);
                    queue.push_back(target);
                }
            }
        }
        pulled_in_by
    }
}

/// Every edge that breaks a rule, in words; none when the graph is as it should be.
fn violations(graph: &Graph) -> Vec<String> {
    let mut found: Vec<String> = graph
        .members
        .iter()
        .flat_map(|member| workspace_violations(graph, member))
        .collect();
    found.extend(core_violations(graph));
    found
}

fn workspace_violations(graph: &Graph, member: &str) -> Vec<String> {
    let Some(allowed) = layer(member) else {
        return vec![format!(
            "{member} has no line in LAYERS that says what it may depend on"
        )];
    };
    let below = layers_below(member);
    let shipped = graph
        .targets(member, Use::Shipped)
        .filter(|target| graph.members.contains(*target) && !allowed.contains(target))
        .map(|target| format!("{member} → {target}"));
    let dev = graph
        .targets(member, Use::Dev)
        .filter(|target| graph.members.contains(*target))
        .filter(|target| *target != TESTKIT && *target != member && !below.contains(*target))
        .map(|target| format!("{member} → {target} (dev-dependency)"));
    shipped.chain(dev).collect()
}

fn core_violations(graph: &Graph) -> Vec<String> {
    let pulled_in_by = graph.shipped_with(CORE);
    BANNED_FROM_CORE
        .iter()
        .filter(|banned| pulled_in_by.contains_key(*banned))
        .map(|banned| chain(&pulled_in_by, banned))
        .collect()
}

/// `memu-core → a → b`, following `last` back to the core.
fn chain(pulled_in_by: &BTreeMap<&str, &str>, last: &str) -> String {
    let mut names = vec![last];
    while let Some(from) = names.last().and_then(|name| pulled_in_by.get(name)) {
        names.push(from);
    }
    names.reverse();
    names.join(" → ")
}

fn layer(name: &str) -> Option<&'static [&'static str]> {
    LAYERS
        .iter()
        .find(|(member, _)| *member == name)
        .map(|(_, allowed)| *allowed)
}

/// Everything that `name` may depend on, directly or not.
fn layers_below(name: &str) -> BTreeSet<&'static str> {
    let direct = layer(name).unwrap_or_default();
    direct
        .iter()
        .copied()
        .chain(direct.iter().flat_map(|lower| layers_below(lower)))
        .collect()
}

/// The graph that Cargo resolves for this machine with every feature on.
fn resolved_graph() -> Graph {
    let host = stdout_of(&program("RUSTC", "rustc"), &["-vV"]);
    let host = host
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .expect("rustc names its host");
    // Crates for other platforms need not be on this machine.
    let metadata = stdout_of(
        &program("CARGO", "cargo"),
        &[
            "metadata",
            "--format-version=1",
            "--offline",
            "--locked",
            "--all-features",
            "--filter-platform",
            host,
        ],
    );
    read_graph(&serde_json::from_str(&metadata).expect("cargo metadata prints JSON"))
}

fn program(variable: &str, default: &str) -> String {
    env::var(variable).unwrap_or_else(|_| default.to_owned())
}

fn stdout_of(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap_or_else(|error| panic!("cannot run {program}: {error}"));
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8 output")
}

fn read_graph(metadata: &Value) -> Graph {
    let names: BTreeMap<&str, &str> = list(&metadata["packages"])
        .map(|package| (text(&package["id"]), text(&package["name"])))
        .collect();
    let mut graph = Graph {
        members: list(&metadata["workspace_members"])
            .map(|id| names[text(id)].to_owned())
            .collect(),
        edges: BTreeSet::new(),
    };
    for node in list(&metadata["resolve"]["nodes"]) {
        for dependency in list(&node["deps"]) {
            for kind in list(&dependency["dep_kinds"]) {
                graph.edges.insert((
                    names[text(&node["id"])].to_owned(),
                    names[text(&dependency["pkg"])].to_owned(),
                    match kind["kind"].as_str() {
                        Some("dev") => Use::Dev,
                        _ => Use::Shipped,
                    },
                ));
            }
        }
    }
    graph
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().expect("an array").iter()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

#[test]
fn dependencies_go_one_way() {
    let graph = resolved_graph();
    assert!(graph.members.contains(CORE), "the graph was not read");
    assert!(
        graph.targets(CORE, Use::Shipped).any(|name| name == "jiff"),
        "the edges of the graph were not read"
    );
    let found = violations(&graph);
    assert!(found.is_empty(), "forbidden: {}", found.join("; "));
}

#[test]
fn each_kind_of_forbidden_edge_is_named() {
    use Use::{Dev, Shipped};
    for (edges, expected) in [
        (
            vec![("memu-core", "memu-local", Shipped)],
            "memu-core → memu-local",
        ),
        (
            vec![("memu-core", "memu-rs", Dev)],
            "memu-core → memu-rs (dev-dependency)",
        ),
        (
            vec![("memu-local", "memu-rs", Shipped)],
            "memu-local → memu-rs",
        ),
        (vec![("memu-rs", "memu-cli", Shipped)], "memu-rs → memu-cli"),
        (
            vec![("memu-cli", "memu-core", Shipped)],
            "memu-cli → memu-core",
        ),
        (
            vec![("memu-rs", "memu-testkit", Shipped)],
            "memu-rs → memu-testkit",
        ),
        (
            vec![("memu-testkit", "memu-core", Shipped)],
            "memu-testkit → memu-core",
        ),
        (
            vec![
                ("memu-core", "a", Shipped),
                ("a", "b", Shipped),
                ("b", "a", Shipped),
                ("b", "tokio", Shipped),
            ],
            "memu-core → a → b → tokio",
        ),
    ] {
        assert_eq!(violations(&made_up(&edges)), [expected]);
    }
}

#[test]
fn allowed_edges_pass() {
    use Use::{Dev, Shipped};
    let graph = made_up(&[
        ("memu-local", "memu-core", Shipped),
        ("memu-rs", "memu-local", Shipped),
        ("memu-rs", "rusqlite", Shipped),
        ("memu-cli", "memu-rs", Shipped),
        ("memu-cli", "memu-core", Dev),
        ("memu-core", "memu-testkit", Dev),
        ("memu-core", "tokio", Dev),
    ]);
    assert_eq!(violations(&graph), [""; 0]);
}

#[test]
fn a_new_crate_must_be_given_a_layer() {
    let mut graph = made_up(&[]);
    graph.members.insert("memu-new".to_owned());
    assert_eq!(
        violations(&graph),
        ["memu-new has no line in LAYERS that says what it may depend on"]
    );
}

fn made_up(edges: &[(&str, &str, Use)]) -> Graph {
    Graph {
        members: LAYERS.iter().map(|(name, _)| (*name).to_owned()).collect(),
        edges: edges
            .iter()
            .map(|(from, to, by)| ((*from).to_owned(), (*to).to_owned(), *by))
            .collect(),
    }
}

use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// As it should be.
    Ok,
    /// Works, but deserves attention.
    Warning,
    /// Wrong.
    Error,
}

/// One thing that a check looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at: `integrity`, `foreign_keys`, `relations`, ….
    pub check: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What was found, in a sentence.
    pub message: String,
    /// Whether it was mended.
    pub repaired: bool,
}

/// What a check of a store found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Everything that was looked at, in order.
    pub findings: Vec<Finding>,
    /// How many scopes the store holds.
    pub scopes: u64,
    /// How many resources.
    pub resources: u64,
    /// How many segments.
    pub segments: u64,
    /// How many items.
    pub items: u64,
    /// How many categories.
    pub categories: u64,
    /// How many relations.
    pub relations: u64,
    /// How many vectors.
    pub embeddings: u64,
    /// How many replies of models.
    pub model_replies: u64,
    /// The size of the store in bytes, where it has one.
    pub bytes: Option<u64>,
}

impl Report {
    /// The worst severity that was not mended.
    pub fn severity(&self) -> Severity {
        self.findings
            .iter()
            .filter(|finding| !finding.repaired)
            .map(|finding| finding.severity)
            .max()
            .unwrap_or(Severity::Ok)
    }

    /// Adds a finding that was not mended.
    pub fn push(&mut self, check: &'static str, severity: Severity, message: impl Into<String>) {
        self.findings.push(Finding {
            check,
            severity,
            message: message.into(),
            repaired: false,
        });
    }
}

use super::MemoryService;
use super::files::Inspection;
use crate::error::Result;
use crate::store::{Finding, Report, Severity};

impl MemoryService {
    /// Checks the store and the files beside it, and with `repair` mends what can be
    /// derived: files that no resource refers to are removed.
    ///
    /// # Errors
    /// The store's when it cannot be read at all;
    /// [`ErrorKind::Busy`](crate::ErrorKind::Busy) when others write large files for
    /// longer than the configured wait.
    pub async fn check(&self, repair: bool) -> Result<Report> {
        let mut report = self.store().check(repair).await?;
        if let Some(inspection) = self.context().inspect_files(repair).await? {
            report.findings.extend(findings(inspection, repair));
        }
        Ok(report)
    }
}

fn findings(found: Inspection, repaired: bool) -> Vec<Finding> {
    let finding = |severity, message, repaired| Finding {
        check: "files",
        severity,
        message,
        repaired,
    };
    let mut findings: Vec<Finding> = found
        .broken
        .into_iter()
        .map(|defect| finding(Severity::Error, defect, false))
        .collect();
    if found.strays > 0 {
        let message = format!("{} large files belong to no resource", found.strays);
        findings.push(finding(Severity::Warning, message, repaired));
    }
    if findings.is_empty() {
        let message = format!("{} large files are as they were stored", found.sound);
        findings.push(finding(Severity::Ok, message, false));
    }
    findings
}

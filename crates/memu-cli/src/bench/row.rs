use serde::Serialize;

use crate::output::{Line, Tone};

/// One measurement.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) unit: &'static str,
    /// What was measured beside it.
    pub(super) baselines: Vec<Baseline>,
}

/// Another program at the same task.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Baseline {
    pub(super) name: &'static str,
    pub(super) value: f64,
    /// How many times as good MemU is: above 1 is better, for times and for rates.
    pub(super) ratio: f64,
}

impl Row {
    pub(super) fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
            baselines: Vec::new(),
        }
    }

    /// Beside what another program took.
    pub(super) fn beside(mut self, name: &'static str, value: Option<f64>) -> Self {
        if let Some(value) = value {
            let rate = self.unit.ends_with("/s");
            let ratio = if rate {
                self.value / value
            } else {
                value / self.value
            };
            self.baselines.push(Baseline { name, value, ratio });
        }
        self
    }

    pub(super) fn line(&self) -> Line {
        let mut line = Line::new()
            .add(Tone::Label, &format!("{:<58}", self.name))
            .plain(&format!("{:>12} {:<8}", number(self.value), self.unit));
        for baseline in &self.baselines {
            let text = format!(
                "  {:.1}× {} ({})",
                baseline.ratio,
                baseline.name,
                number(baseline.value)
            );
            line = line.add(Tone::Faint, &text);
        }
        line
    }
}

fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// The value below which this share of the others lies.
pub(super) fn percentile(times: &mut [f64], share: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    let place = (times.len().saturating_sub(1)) as f64 * share;
    times
        .get(place.round() as usize)
        .copied()
        .unwrap_or_default()
}

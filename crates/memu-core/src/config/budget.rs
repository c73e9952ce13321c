use serde::{Deserialize, Serialize};

use super::out_of_range;
use crate::error::Result;

/// What the models of a scope may take, within some days. What is over it is refused before a
/// model is asked; what is known from an earlier reply costs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BudgetConfig {
    /// At most this many tokens, read and written together. Default none.
    pub max_tokens: Option<u64>,
    /// At most this much, in the currency of the profiles' prices. Calls of profiles without
    /// prices count nothing. Default none.
    pub max_cost: Option<f64>,
    /// Over how many days up to now, above 0. Default 30.
    pub days: f64,
}

impl Default for BudgetConfig {
    fn default() -> Self {
        Self {
            max_tokens: None,
            max_cost: None,
            days: 30.0,
        }
    }
}

impl BudgetConfig {
    /// Whether anything is limited.
    pub fn limits(&self) -> bool {
        self.max_tokens.is_some() || self.max_cost.is_some()
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming the setting, its
    /// value and its range.
    pub fn validate(&self) -> Result<()> {
        if !(self.days.is_finite() && self.days > 0.0) {
            return Err(out_of_range("budget.days", self.days, "above 0"));
        }
        match self.max_cost {
            Some(cost) if !(cost.is_finite() && cost >= 0.0) => {
                Err(out_of_range("budget.max_cost", cost, "at least 0"))
            }
            _ => Ok(()),
        }
    }
}

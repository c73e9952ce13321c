use serde::{Deserialize, Serialize};

use super::out_of_range;
use crate::error::Result;

/// What the models of a scope may take, within some days. What is over it is refused before a
/// model is asked; what is known from an earlier reply costs nothing. Calls that are under way
/// are not counted yet: several at the same time may together take more.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BudgetConfig {
    /// At most this many tokens, read and written together. Default none.
    pub max_tokens: Option<u64>,
    /// At most this much, in the currency of the profiles' prices. Calls of profiles without
    /// prices count nothing. Default none.
    pub max_cost: Option<f64>,
    /// Over how many days in UTC, today included; at least 1. Default 30.
    pub days: u32,
}

impl Default for BudgetConfig {
    fn default() -> Self {
        Self {
            max_tokens: None,
            max_cost: None,
            days: 30,
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
        if self.days == 0 {
            return Err(out_of_range("budget.days", 0, "at least 1"));
        }
        match self.max_cost {
            Some(cost) if !(cost.is_finite() && cost >= 0.0) => {
                Err(out_of_range("budget.max_cost", cost, "at least 0"))
            }
            _ => Ok(()),
        }
    }
}

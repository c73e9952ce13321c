//! What the models of a scope have taken, and whether that is enough.

use jiff::ToSpan as _;

use super::Keeping;
use crate::error::{Error, Result};
use crate::records::ModelUsage;

impl Keeping {
    /// Refuses another call when the scope's models have taken what they may. Calls that are
    /// under way have taken nothing yet.
    pub(super) async fn check_budget(&self) -> Result<()> {
        let budget = &self.budget;
        if !budget.limits() {
            return Ok(());
        }
        let today = self.clock.now().to_civil().date();
        let since = today.saturating_sub((i64::from(budget.days) - 1).days());
        let mut taken = ModelUsage::default();
        for usage in self.store.model_usage(&self.scope, since).await? {
            taken.add(&usage);
        }
        let tokens = taken.input_tokens.saturating_add(taken.output_tokens);
        let over = |what: String| {
            let message = format!("the models of this scope have used up their budget: {what}");
            let days = format!("within {} days", budget.days);
            Err(Error::model(format!("{message} {days}")).with("scope", &self.scope))
        };
        match (budget.max_tokens, budget.max_cost) {
            (Some(most), _) if tokens >= most => over(format!("{tokens} of {most} tokens")),
            (_, Some(most)) if taken.cost >= most => over(format!("{:.4} of {most}", taken.cost)),
            _ => Ok(()),
        }
    }
}

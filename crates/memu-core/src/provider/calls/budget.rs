//! What the models of a scope have taken, and whether that is enough.

use serde_json::{Value, json};

use super::Keeping;
use crate::config::BudgetConfig;
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::store::Query;
use crate::time::Timestamp;

/// How many replies are read at a time.
const PAGE: usize = 500;
const MICROS_PER_DAY: f64 = 86_400e6;

/// What was taken.
#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    tokens: u64,
    cost: f64,
}

impl Keeping {
    /// Refuses another call when the scope's models have taken what they may.
    pub(super) async fn check_budget(&self, budget: &BudgetConfig) -> Result<()> {
        if !budget.limits() {
            return Ok(());
        }
        let taken = self.taken(budget.days).await?;
        let over = |what: String| {
            let message = format!("the models of this scope have used up their budget: {what}");
            let days = format!("within {} days", budget.days);
            Err(Error::model(format!("{message} {days}")).with("scope", &self.scope))
        };
        match (budget.max_tokens, budget.max_cost) {
            (Some(most), _) if taken.tokens >= most => {
                over(format!("{} of {most} tokens", taken.tokens))
            }
            (_, Some(most)) if taken.cost >= most => over(format!("{:.4} of {most}", taken.cost)),
            _ => Ok(()),
        }
    }

    async fn taken(&self, days: f64) -> Result<Taken> {
        let since = self.clock.now().as_micros() - (days * MICROS_PER_DAY) as i64;
        let since = format!("{}Z", Timestamp::from_micros(since).to_civil());
        let filter = json!({ "created_at__gte": since });
        let filter = filter.as_object().cloned().unwrap_or_default();
        let mut query = Query::scope(&self.scope);
        query.filter = Filter::parse(&filter, self.store.schema())?;
        query.limit = PAGE;
        let mut taken = Taken::default();
        loop {
            let page = self.store.model_replies(&query).await?;
            for reply in &page.records {
                let number = |name| reply.usage.get(name);
                for name in ["input_tokens", "output_tokens"] {
                    taken.tokens += number(name).and_then(Value::as_u64).unwrap_or_default();
                }
                taken.cost += number("cost").and_then(Value::as_f64).unwrap_or_default();
            }
            if page.next.is_none() {
                return Ok(taken);
            }
            query.after = page.next;
        }
    }
}

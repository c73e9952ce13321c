use clap::Args;
use memu::core::records::{RECENT_CALLS, ToolCall};
use memu::{Error, Id, ItemResponse, Result};
use serde_json::Value;

use super::details::statistics;
use crate::args::Global;
use crate::output::{Line, Printer, Tone};
use crate::progress::Progress;
use crate::session;

/// Note a use of a tool with a memory of type tool.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct AddToolCall {
    /// The id of the memory, or the first characters of it (four or more)
    id: String,
    /// The tool
    #[arg(long, value_name = "NAME")]
    tool: String,
    /// It did not work; otherwise it did
    #[arg(long)]
    failed: bool,
    /// How long it took, in seconds
    #[arg(
        long,
        default_value_t = 0.0,
        value_name = "S",
        allow_negative_numbers = true
    )]
    seconds: f64,
    /// How good the result was, from 0 to 1
    #[arg(
        long,
        default_value_t = 0.0,
        value_name = "X",
        allow_negative_numbers = true
    )]
    score: f64,
    /// How many tokens it took, where that is known
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    tokens: Option<i64>,
    /// What it was given: a JSON object, or a text
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "JSON|TEXT"
    )]
    input: String,
    /// What it gave back
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "TEXT"
    )]
    output: String,
}

impl AddToolCall {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        let id = Id::checked(&self.id)?;
        let call = self.call()?;
        call.check()?;
        let service = session::open(global, &Progress::new(global)).await?;
        let user = session::user(global);
        let response = service.add_tool_call(&id, call, &user).await?;
        printer.response(&response, noted)?;
        service.close().await
    }

    fn call(self) -> Result<ToolCall> {
        Ok(ToolCall {
            input: input(&self.input)?,
            output: self.output,
            success: !self.failed,
            time_cost: self.seconds,
            token_cost: self.tokens.unwrap_or(-1),
            score: self.score,
            ..ToolCall::new(self.tool)
        })
    }
}

/// What a tool was given: what begins as an object is one.
fn input(text: &str) -> Result<Value> {
    if !text.trim_start().starts_with('{') {
        return Ok(text.into());
    }
    serde_json::from_str(text).map_err(|cause| {
        Error::input("--input begins as a JSON object and is none").caused_by(cause)
    })
}

fn noted(response: &ItemResponse) -> Vec<Line> {
    let item = &response.memory_item;
    let mut lines = vec![
        Line::new()
            .add(Tone::Good, "Noted with ")
            .add(Tone::Faint, &format!("{}  ", item.meta.id.short()))
            .add(Tone::Memory, &item.summary),
    ];
    lines.extend(statistics(&item.tool_statistics(RECENT_CALLS)));
    lines
}

use memu_core::Result;
use memu_core::config::CustomPrompt;

use super::PromptName;

/// Checks that a user's prompt can take the place of one of ours.
///
/// # Errors
/// [`ErrorKind::Config`](memu_core::ErrorKind::Config) when it is empty, names a variable
/// that there is not, moves a block that there is not, or leaves the material out.
pub fn validate(prompt: &CustomPrompt, name: PromptName) -> Result<()> {
    name.template()?.layout(Some(prompt)).map(drop)
}

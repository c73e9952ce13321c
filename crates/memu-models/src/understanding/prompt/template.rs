use memu_core::{Error, Result};

use super::CustomPrompt;
use super::{DATA_NOTE, PromptName, Variable};

/// The blocks that prompts are made of, and their places among each other. They are those of
/// memU 1.x, so that what users wrote for it fits.
const BLOCKS: [(&str, i32); 7] = [
    ("objective", 10),
    ("workflow", 20),
    ("rules", 30),
    ("category", 40),
    ("output", 50),
    ("examples", 60),
    ("input", 90),
];

/// The block with the material; the others are instructions.
const INPUT: &str = "input";

/// The block that says what a reply looks like.
const OUTPUT: &str = "output";

/// A prompt of ours, before anything is filled in.
pub(super) struct Template {
    name: PromptName,
    pub(super) version: u32,
    blocks: Vec<Block>,
}

#[derive(Clone)]
struct Block {
    name: String,
    ordinal: i32,
    text: String,
    /// Whether the text is ours, in which every variable must be known.
    ours: bool,
}

/// What goes into which message.
pub(super) struct Layout {
    pub(super) system: String,
    pub(super) user: String,
    /// Whether a reply looks like we say, so that our schema holds.
    pub(super) our_output: bool,
}

impl Template {
    pub(super) fn parse(name: PromptName) -> Result<Self> {
        let broken = |what: &str| {
            Error::internal(format!("the prompt {what}")).with("prompt", name.as_str())
        };
        let source = name.source();
        let (front, body) = source
            .strip_prefix("---\n")
            .and_then(|rest| rest.split_once("\n---\n"))
            .ok_or_else(|| broken("has no front matter"))?;
        let field = |key: &str| {
            let mut pairs = front.lines().filter_map(|line| line.split_once(": "));
            pairs.find(|(name, _)| *name == key).map(|(_, value)| value)
        };
        if field("name") != Some(name.as_str()) {
            return Err(broken("has another name in its front matter"));
        }
        let version = field("version").and_then(|version| version.parse().ok());
        Ok(Self {
            name,
            version: version.ok_or_else(|| broken("has no version"))?,
            blocks: blocks(body).ok_or_else(|| broken("has an unknown block"))?,
        })
    }

    /// Our blocks with the user's in their places.
    pub(super) fn layout(&self, custom: Option<&CustomPrompt>) -> Result<Layout> {
        if let Some(CustomPrompt::Text(text)) = custom
            && self.mentions_data(text)
        {
            self.check(text)?;
            return Ok(Layout {
                system: DATA_NOTE.to_owned(),
                user: text.trim().to_owned(),
                our_output: false,
            });
        }
        let mut blocks = self.merged(custom)?;
        for block in blocks.iter().filter(|block| !block.ours) {
            self.check(&block.text)?;
        }
        self.require_data(&blocks)?;
        blocks.sort_by_key(|block| block.ordinal);
        let joined = |input: bool| {
            let texts = blocks.iter().filter(|block| (block.name == INPUT) == input);
            let texts: Vec<&str> = texts.map(|block| &*block.text).collect();
            texts.join("\n\n")
        };
        let our_output = |block: &Block| block.name == OUTPUT && block.ours;
        Ok(Layout {
            system: joined(false),
            user: joined(true),
            our_output: blocks.iter().any(our_output),
        })
    }

    fn merged(&self, custom: Option<&CustomPrompt>) -> Result<Vec<Block>> {
        let mut blocks = self.blocks.clone();
        match custom {
            None => {}
            Some(CustomPrompt::Text(text)) => {
                // An instruction: what to look for. How to answer stays ours.
                blocks.retain(|block| ["category", OUTPUT, INPUT].contains(&&*block.name));
                blocks.push(Block::of_user("objective", 10, text));
            }
            Some(CustomPrompt::Blocks(replaced)) => {
                for (name, block) in replaced {
                    self.replace(&mut blocks, name, block)?;
                }
            }
        }
        Ok(blocks)
    }

    fn replace(&self, blocks: &mut Vec<Block>, name: &str, by: &super::PromptBlock) -> Result<()> {
        let place = BLOCKS.iter().find(|(known, _)| *known == name);
        let ordinal = by.ordinal.or(place.map(|(_, ordinal)| *ordinal));
        let old = blocks.iter().position(|block| block.name == name);
        if ordinal.is_some_and(|ordinal| ordinal < 0) {
            blocks.retain(|block| block.name != name);
            return Ok(());
        }
        match (&by.prompt, old.and_then(|at| blocks.get_mut(at))) {
            (Some(text), Some(block)) => {
                *block = Block::of_user(name, ordinal.unwrap_or_default(), text);
            }
            (Some(text), None) => {
                blocks.push(Block::of_user(name, ordinal.unwrap_or_default(), text));
            }
            (None, Some(block)) => block.ordinal = ordinal.unwrap_or(block.ordinal),
            // memU 1.x has blocks in every prompt that some of ours do without.
            (None, None) if place.is_some() => {}
            (None, None) => {
                return Err(Error::config(format!(
                    "the block {name:?} has no prompt, and there is none of that name to move"
                ))
                .with("prompt", self.name.as_str()));
            }
        }
        Ok(())
    }

    fn mentions_data(&self, text: &str) -> bool {
        let data = |variable: &Variable| variable.data;
        pieces(text, self.name.variables())
            .iter()
            .any(|piece| matches!(piece, Piece::Variable(variable) if data(variable)))
    }

    fn require_data(&self, blocks: &[Block]) -> Result<()> {
        let has_data = self.name.variables().iter().any(|variable| variable.data);
        if !has_data || blocks.iter().any(|block| self.mentions_data(&block.text)) {
            return Ok(());
        }
        let names = self.name.variables().iter().filter(|one| one.data);
        let names: Vec<String> = names.map(|one| format!("{{{{{}}}}}", one.name)).collect();
        Err(Error::config(format!(
            "the prompt never mentions its material: use {}",
            names.join(" or ")
        ))
        .with("prompt", self.name.as_str()))
    }

    /// Refuses text with a variable that there is not.
    fn check(&self, text: &str) -> Result<()> {
        if text.trim().is_empty() {
            return Err(
                Error::config("a custom prompt is empty").with("prompt", self.name.as_str())
            );
        }
        for piece in pieces(text, self.name.variables()) {
            if let Piece::Unknown(variable) = piece {
                let known = self.name.variables().iter();
                let known: Vec<&str> = known.map(|variable| variable.name).collect();
                return Err(Error::config(format!(
                    "there is no variable {variable:?}; use {}",
                    known.join(", ")
                ))
                .with("prompt", self.name.as_str()));
            }
        }
        Ok(())
    }

    /// Puts the values in the places of the variables. What they hold is not looked into.
    pub(super) fn fill(&self, text: &str, values: &[(&'static str, String)]) -> Result<String> {
        self.check_filled(text)?;
        let mut filled = String::new();
        for piece in pieces(text, self.name.variables()) {
            match piece {
                Piece::Text(text) | Piece::Unknown(text) => filled.push_str(text),
                Piece::Variable(variable) => {
                    let value = values.iter().find(|(name, _)| *name == variable.name);
                    let value = value.map(|(_, value)| value.as_str());
                    if let Some(value) = value.filter(|value| !value.is_empty()) {
                        filled.push_str(value);
                    } else {
                        // The line of an absent value goes with it.
                        filled.truncate(filled.trim_end_matches([' ', '\n']).len());
                    }
                }
            }
        }
        Ok(filled.trim().to_owned())
    }

    fn check_filled(&self, text: &str) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        self.check(text)
    }

    /// The variables that our text mentions.
    #[cfg(test)]
    pub(super) fn mentioned(&self) -> Vec<&'static str> {
        let mut names: Vec<&str> = Vec::new();
        for block in &self.blocks {
            self.check(&block.text).unwrap();
            for piece in pieces(&block.text, self.name.variables()) {
                if let Piece::Variable(variable) = piece {
                    names.push(variable.name);
                }
            }
        }
        names
    }
}

impl Block {
    fn of_user(name: &str, ordinal: i32, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            ordinal,
            text: text.trim().to_owned(),
            ours: false,
        }
    }
}

/// The blocks of a source: each begins at a heading of its name.
fn blocks(body: &str) -> Option<Vec<Block>> {
    let mut blocks: Vec<Block> = Vec::new();
    for line in body.lines() {
        if let Some(name) = line.strip_prefix("# ") {
            let (name, ordinal) = BLOCKS.iter().find(|(known, _)| *known == name)?;
            blocks.push(Block {
                name: (*name).to_owned(),
                ordinal: *ordinal,
                text: String::new(),
                ours: true,
            });
        } else if let Some(block) = blocks.last_mut() {
            block.text.push_str(line);
            block.text.push('\n');
        }
    }
    for block in &mut blocks {
        block.text = block.text.trim().to_owned();
    }
    Some(blocks)
}

/// A piece of a block.
enum Piece<'t> {
    Text(&'t str),
    Variable(&'static Variable),
    /// A name in double braces that is none of a variable.
    Unknown(&'t str),
}

/// The pieces of a text. `{{name}}` is a variable, and `{alias}` where memU 1.x had one; other
/// braces are text.
fn pieces<'t>(text: &'t str, variables: &'static [Variable]) -> Vec<Piece<'t>> {
    let mut pieces = Vec::new();
    let mut begun = 0;
    let mut at = 0;
    while let Some(ahead) = text.get(at..).and_then(|rest| rest.find('{')) {
        let brace = at + ahead;
        let rest = text.get(brace..).unwrap_or_default();
        if let Some((piece, length)) = variable(rest, variables) {
            pieces.push(Piece::Text(text.get(begun..brace).unwrap_or_default()));
            pieces.push(piece);
            begun = brace + length;
            at = begun;
        } else {
            at = brace + 1;
        }
    }
    pieces.push(Piece::Text(text.get(begun..).unwrap_or_default()));
    pieces
}

fn variable<'t>(rest: &'t str, variables: &'static [Variable]) -> Option<(Piece<'t>, usize)> {
    let doubled = rest.strip_prefix("{{").and_then(|inside| {
        let (name, _) = inside.split_once("}}")?;
        is_name(name).then_some(name)
    });
    if let Some(name) = doubled {
        let known = variables
            .iter()
            .find(|variable| variable.name == name || variable.alias == Some(name));
        let piece = known.map_or_else(|| Piece::Unknown(name), Piece::Variable);
        return Some((piece, name.len() + 4));
    }
    let (name, _) = rest.strip_prefix('{')?.split_once('}')?;
    let known = variables
        .iter()
        .find(|variable| variable.alias == Some(name) || is_name(name) && variable.name == name);
    known.map(|variable| (Piece::Variable(variable), name.len() + 2))
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

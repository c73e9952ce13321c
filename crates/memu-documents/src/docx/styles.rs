use std::collections::BTreeMap;

use memu_core::Result;

use crate::xml::{self, Piece, Tag};

/// How often a style may be based on another one.
const DEEPEST_BASE: usize = 16;

/// What the styles of paragraphs mean.
#[derive(Debug, Default)]
pub(super) struct Styles(BTreeMap<String, Style>);

#[derive(Debug, Default)]
struct Style {
    /// The style that it is based on.
    base: Option<String>,
    /// The level of headings, from 1.
    level: Option<usize>,
    /// Whether its paragraphs are items of lists.
    is_list: bool,
}

impl Styles {
    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        let mut styles = Self::default();
        let mut style: Option<(String, Style)> = None;
        xml::read(bytes, "styles.xml", |piece| match piece {
            Piece::Open(tag) if tag.name == "style" => {
                let id = tag.attribute("styleId").unwrap_or_default();
                style = Some((id.to_owned(), Style::default()));
            }
            Piece::Open(tag) => {
                if let Some((_, style)) = &mut style {
                    style.take(&tag);
                }
            }
            Piece::Close(name) if name == "style" => styles.0.extend(style.take()),
            _ => {}
        })?;
        Ok(styles)
    }

    /// The level of headings of this style.
    pub(super) fn level(&self, id: &str) -> Option<usize> {
        self.find(id, |style| style.level)
    }

    /// Whether paragraphs of this style are items of lists.
    pub(super) fn is_list(&self, id: &str) -> bool {
        self.find(id, |style| style.is_list.then_some(())).is_some()
    }

    fn find<T>(&self, id: &str, told: impl Fn(&Style) -> Option<T>) -> Option<T> {
        let mut style = self.0.get(id)?;
        for _ in 0..DEEPEST_BASE {
            if let Some(told) = told(style) {
                return Some(told);
            }
            style = self.0.get(style.base.as_deref()?)?;
        }
        None
    }
}

impl Style {
    fn take(&mut self, tag: &Tag) {
        let value = tag.attribute("val").unwrap_or_default();
        match tag.name.as_str() {
            "name" => self.level = self.level.or_else(|| level_of_name(value)),
            "basedOn" => self.base = Some(value.to_owned()),
            "outlineLvl" => self.level = outline_level(value).or(self.level),
            "numPr" => self.is_list = true,
            _ => {}
        }
    }
}

/// `heading 1`, which Word has in every language; and the title above them.
fn level_of_name(name: &str) -> Option<usize> {
    let name = name.trim().to_lowercase();
    if name == "title" {
        return Some(1);
    }
    let level = name.strip_prefix("heading")?.trim().parse().ok()?;
    (1..=9).contains(&level).then_some(level)
}

/// Levels count from 0; 9 is text.
pub(super) fn outline_level(value: &str) -> Option<usize> {
    let level: usize = value.parse().ok()?;
    (level < 9).then_some(level + 1)
}

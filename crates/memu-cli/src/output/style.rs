use anstyle::{AnsiColor, Style};

/// What a piece of text is, which decides how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Ordinary text.
    Plain,
    /// A heading.
    Heading,
    /// A memory.
    Memory,
    /// An id, a score, a date: of use, but not what is read first.
    Faint,
    /// A type or category.
    Label,
    /// A name.
    Name,
    /// All is well.
    Good,
    /// Look here.
    Warning,
    /// Something failed.
    Error,
}

impl Tone {
    pub(super) fn style(self) -> Style {
        let color = |color: AnsiColor| Style::new().fg_color(Some(color.into()));
        match self {
            Self::Plain => Style::new(),
            Self::Heading | Self::Memory => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
            Self::Label => color(AnsiColor::Cyan),
            Self::Name => color(AnsiColor::Magenta),
            Self::Good => color(AnsiColor::Green),
            Self::Warning => color(AnsiColor::Yellow),
            Self::Error => color(AnsiColor::Red).bold(),
        }
    }
}

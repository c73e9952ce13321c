use html5ever::Attribute;

/// What is never read: it is code, steers the page, or is shown by other means.
const LEFT_OUT: [&str; 23] = [
    "script", "style", "template", "noscript", "title", "nav", "iframe", "object", "embed", "svg",
    "canvas", "audio", "video", "button", "select", "datalist", "input", "textarea", "map",
    "progress", "meter", "dialog", "frameset",
];

/// An element of a page.
pub(super) struct Element<'e> {
    pub(super) name: &'e str,
    attributes: &'e [Attribute],
}

/// What an element is to the text in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A paragraph or a part of the page: its text is apart from what surrounds it.
    Block,
    Heading(usize),
    List,
    Item,
    Quote,
    Code,
    Table,
    Row,
    Cell,
    /// The line ends.
    Break,
}

impl<'e> Element<'e> {
    pub(super) fn new(name: &'e str, attributes: &'e [Attribute]) -> Self {
        Self { name, attributes }
    }

    fn attribute(&self, name: &str) -> Option<&'e str> {
        let found = self.attributes.iter().find(|one| &*one.name.local == name);
        found.map(|one| &*one.value)
    }

    pub(super) fn is_left_out(&self) -> bool {
        LEFT_OUT.contains(&self.name) || self.is_hidden()
    }

    fn is_hidden(&self) -> bool {
        let is = |name: &str, value: &str| {
            let found = self.attribute(name);
            found.is_some_and(|found| found.trim().eq_ignore_ascii_case(value))
        };
        let style = self.attribute("style").unwrap_or_default();
        let style: String = style.split_whitespace().collect::<String>().to_lowercase();
        self.attribute("hidden").is_some()
            || is("aria-hidden", "true")
            || is("role", "navigation")
            // The arrow that leads back from a note.
            || is("role", "doc-backlink")
            || style.contains("display:none")
            || style.contains("visibility:hidden")
    }

    /// The words in place of something that is not text.
    pub(super) fn stands_for(&self) -> Option<String> {
        let alt = self.attribute("alt").map(str::trim);
        let alt = alt.filter(|alt| self.name == "img" && !alt.is_empty());
        alt.map(|alt| format!("[image: {alt}]"))
    }

    /// `None` for what stands within a line.
    pub(super) fn place(&self) -> Option<Place> {
        Some(match self.name {
            "h1" => Place::Heading(1),
            "h2" => Place::Heading(2),
            "h3" => Place::Heading(3),
            "h4" => Place::Heading(4),
            "h5" => Place::Heading(5),
            "h6" => Place::Heading(6),
            "ul" | "ol" | "menu" | "dir" => Place::List,
            "li" => Place::Item,
            "blockquote" => Place::Quote,
            "pre" | "listing" | "plaintext" | "xmp" => Place::Code,
            "table" => Place::Table,
            "tr" => Place::Row,
            "td" | "th" => Place::Cell,
            "br" => Place::Break,
            "address" | "article" | "aside" | "body" | "caption" | "center" | "dd" | "details"
            | "div" | "dl" | "dt" | "fieldset" | "figcaption" | "figure" | "footer" | "form"
            | "frame" | "header" | "hgroup" | "hr" | "html" | "legend" | "main" | "option"
            | "p" | "search" | "section" | "summary" | "tbody" | "tfoot" | "thead" => Place::Block,
            _ => return None,
        })
    }
}

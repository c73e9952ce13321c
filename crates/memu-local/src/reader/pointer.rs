use std::fmt;

use super::fault::Fault;
use super::node::Node;

/// A JSON pointer (RFC 6901), as a chain that costs nothing until it is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pointer<'p> {
    parent: Option<&'p Pointer<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'p> {
    Root,
    Field(&'p str),
    Index(usize),
}

impl<'p> Pointer<'p> {
    pub(super) const ROOT: Pointer<'static> = Pointer {
        parent: None,
        step: Step::Root,
    };

    pub(super) fn field(&'p self, name: &'p str) -> Self {
        Pointer {
            parent: Some(self),
            step: Step::Field(name),
        }
    }

    pub(super) fn index(&'p self, index: usize) -> Self {
        Pointer {
            parent: Some(self),
            step: Step::Index(index),
        }
    }

    /// The fault of a value of another shape than expected. The pointer to the
    /// whole document is empty, and is left out.
    pub(super) fn unexpected(&self, expected: &str, found: &Node<'_>) -> Fault {
        let fault = Fault::new(format!("expected {expected}, found {}", found.kind()));
        match self.parent {
            Some(_) => fault.at("pointer", self),
            None => fault,
        }
    }
}

impl fmt::Display for Pointer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            fmt::Display::fmt(parent, f)?;
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Index(index) => write!(f, "/{index}"),
            Step::Field(name) => write!(f, "/{}", name.replace('~', "~0").replace('/', "~1")),
        }
    }
}

use serde_json::{Map, Value};

use super::scan::Attempt;
use super::string::{self, Place};
use super::{MAX_DEPTH, Repair, Repairs, Root, Step, insert, word};

/// Reads the list or object that opens at `start`; `None` when what follows the bracket cannot
/// be the inside of one, as in prose.
pub(super) fn read(text: &str, start: usize, repairs: &mut Repairs) -> Option<Attempt> {
    let parser = Parser {
        text,
        at: start,
        open: Vec::new(),
        complete: 0,
        repairs,
    };
    parser.is_plausible().then(|| parser.run())
}

struct Parser<'t, 'r> {
    text: &'t str,
    at: usize,
    /// The lists and objects that are open, outermost first.
    open: Vec<Open>,
    /// How many values are complete.
    complete: usize,
    repairs: &'r mut Repairs,
}

struct Open {
    kind: Kind,
    last: Last,
}

enum Kind {
    List(Vec<Value>),
    Object {
        members: Map<String, Value>,
        /// The key whose value comes next, after the colon.
        key: Option<String>,
    },
}

/// What came last in a list or object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Opening,
    Value,
    Comma,
}

/// How one step of reading ended.
enum Flow {
    More,
    Done(Value),
    CutOff,
    Malformed,
    TooDeep,
}

impl Parser<'_, '_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn note(&mut self, repair: Repair) {
        self.repairs.note(repair);
    }

    fn is_plausible(&self) -> bool {
        let mut inside = self.rest().chars();
        let bracket = inside.next();
        let Some(first) = inside.find(|character| !character.is_whitespace()) else {
            return true;
        };
        match bracket {
            Some('{') => {
                matches!(first, '}' | '/' | '#' | '_' | '$' | '.' | '…' | ',')
                    || string::opens(first)
                    || first.is_alphabetic()
            }
            _ => {
                matches!(first, ']' | '[' | '{' | '-' | '/' | '#' | '.' | '…' | ',')
                    || string::opens(first)
                    || first.is_ascii_digit()
                    || ["true", "false", "null", "True", "False", "None"]
                        .iter()
                        .any(|literal| {
                            let rest = self.rest().get(1..).unwrap_or_default();
                            rest.trim_start().starts_with(literal)
                        })
            }
        }
    }

    fn run(mut self) -> Attempt {
        loop {
            match self.step() {
                Flow::More => {}
                Flow::Done(value) => {
                    return Attempt {
                        root: Some(Root { value, cut: None }),
                        end: self.at,
                        ran_out: false,
                    };
                }
                Flow::CutOff => return self.broken(Repair::CutOff),
                Flow::Malformed => return self.broken(Repair::Malformed),
                Flow::TooDeep => return self.broken(Repair::TooDeep),
            }
        }
    }

    /// What is complete of a value that breaks off here.
    fn broken(mut self, how: Repair) -> Attempt {
        self.note(how);
        let ran_out = self.rest().is_empty();
        Attempt {
            root: (self.complete > 0).then(|| fold(self.open)).flatten(),
            end: self.at,
            ran_out,
        }
    }

    fn step(&mut self) -> Flow {
        self.skip_blank();
        let Some(next) = self.peek() else {
            return Flow::CutOff;
        };
        // A fence ends what it holds, also in the middle.
        if self.rest().starts_with("```") {
            return Flow::CutOff;
        }
        match next {
            ',' => self.comma(),
            ']' | '}' => return self.close(next),
            '.' | '…' if self.skip_ellipsis() => {}
            _ if self.wants_key() => return self.key(),
            '[' | '{' => return self.opening(next),
            _ => return self.scalar(),
        }
        Flow::More
    }

    fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start().len();
            let comment = word::comment_length(rest.trim_start());
            self.at += blank + comment;
            if comment == 0 {
                return;
            }
            self.note(Repair::Comment);
        }
    }

    fn skip_ellipsis(&mut self) -> bool {
        let length = ["...", "…"]
            .into_iter()
            .find(|dots| self.rest().starts_with(dots))
            .map_or(0, str::len);
        self.at += length;
        if length > 0 {
            self.note(Repair::Ellipsis);
        }
        length > 0
    }

    fn wants_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                kind: Kind::Object { key: None, .. },
                ..
            })
        )
    }

    fn comma(&mut self) {
        self.at += 1;
        self.drop_key();
        let stray = self.open.last().is_none_or(|top| top.last != Last::Value);
        if let Some(top) = self.open.last_mut() {
            top.last = Last::Comma;
        }
        if stray {
            self.note(Repair::StrayComma);
        }
    }

    /// Forgets a key that no value follows.
    fn drop_key(&mut self) {
        if let Some(Open {
            kind: Kind::Object { key, .. },
            last,
        }) = self.open.last_mut()
            && key.take().is_some()
        {
            *last = Last::Value;
            self.note(Repair::MissingValue);
        }
    }

    fn opening(&mut self, bracket: char) -> Flow {
        if self.open.len() >= MAX_DEPTH {
            return Flow::TooDeep;
        }
        self.at += 1;
        self.note_missing_comma();
        let kind = if bracket == '[' {
            Kind::List(Vec::new())
        } else {
            Kind::Object {
                members: Map::new(),
                key: None,
            }
        };
        self.open.push(Open {
            kind,
            last: Last::Opening,
        });
        Flow::More
    }

    /// Notes a comma that is missing before what comes now. In an object it is missing before
    /// the key.
    fn note_missing_comma(&mut self) {
        let missing = self.open.last().is_some_and(|top| {
            top.last == Last::Value && !matches!(top.kind, Kind::Object { key: Some(_), .. })
        });
        if missing {
            self.note(Repair::MissingComma);
        }
    }

    fn close(&mut self, bracket: char) -> Flow {
        self.at += 1;
        self.drop_key();
        if self.open.last().is_some_and(|top| top.last == Last::Comma) {
            self.note(Repair::StrayComma);
        }
        let closes = |open: &Open| matches!(open.kind, Kind::List(_)) == (bracket == ']');
        if !self.open.iter().any(closes) {
            self.note(Repair::Unbalanced);
            return Flow::More;
        }
        while let Some(top) = self.open.pop() {
            let done = closes(&top);
            if !done {
                self.note(Repair::Unbalanced);
            }
            if let Flow::Done(value) = self.finish(top.kind.into_value()) {
                return Flow::Done(value);
            }
            if done {
                break;
            }
        }
        Flow::More
    }

    /// Puts a complete value where it belongs.
    fn finish(&mut self, value: Value) -> Flow {
        self.complete += 1;
        let Some(top) = self.open.last_mut() else {
            return Flow::Done(value);
        };
        top.last = Last::Value;
        let twice = top.kind.put(value).1;
        if twice {
            self.note(Repair::DuplicateKey);
        }
        Flow::More
    }

    fn key(&mut self) -> Flow {
        self.note_missing_comma();
        let name = match self.peek() {
            Some(quote) if string::opens(quote) => {
                match string::read(self.text, &mut self.at, Place::Key, self.repairs) {
                    Some(name) => name,
                    None => return Flow::CutOff,
                }
            }
            _ => {
                let word = word::bare(self.rest(), Place::Key).to_owned();
                if word.is_empty() {
                    return Flow::Malformed;
                }
                self.at += word.len();
                self.note(Repair::Unquoted);
                word
            }
        };
        self.skip_blank();
        match self.peek() {
            Some(':') => self.at += 1,
            None => return Flow::CutOff,
            Some(_) => return Flow::Malformed,
        }
        if let Some(Open {
            kind: Kind::Object { key, .. },
            ..
        }) = self.open.last_mut()
        {
            *key = Some(name);
        }
        Flow::More
    }

    fn place(&self) -> Place {
        match self.open.last() {
            Some(Open {
                kind: Kind::List(_),
                ..
            }) => Place::Element,
            _ => Place::Member,
        }
    }

    fn scalar(&mut self) -> Flow {
        self.note_missing_comma();
        let place = self.place();
        if self.peek().is_some_and(string::opens) {
            return match string::read(self.text, &mut self.at, place, self.repairs) {
                Some(text) => self.finish(Value::String(text)),
                None => Flow::CutOff,
            };
        }
        let word = word::bare(self.rest(), place).to_owned();
        if word.is_empty() {
            return Flow::Malformed;
        }
        let after = self.rest().get(word.len()..).unwrap_or_default();
        if after.is_empty() {
            // It may go on behind the end: `12` may be the beginning of `123`.
            self.at = self.text.len();
            return Flow::CutOff;
        }
        if !word::can_end(after) {
            return Flow::Malformed;
        }
        self.at += word.len();
        let value = word::value(&word, self.repairs);
        self.finish(value)
    }
}

impl Kind {
    fn into_value(self) -> Value {
        match self {
            Self::List(list) => Value::Array(list),
            Self::Object { members, .. } => Value::Object(members),
        }
    }

    /// Adds a value, and returns the steps to it and whether its key was there before.
    fn put(&mut self, value: Value) -> (Vec<Step>, bool) {
        match self {
            Self::List(list) => {
                list.push(value);
                (vec![Step::Index(list.len() - 1)], false)
            }
            Self::Object { members, key } => {
                let key = key.take().unwrap_or_default();
                let twice = members.contains_key(&key);
                // Of two texts the last counts, as everywhere; of two lists nothing is lost.
                let gather = value.is_array() || value.is_object();
                (insert(members, key, value, gather), twice)
            }
        }
    }
}

/// Closes everything that is open. A key without a value goes.
fn fold(mut open: Vec<Open>) -> Option<Root> {
    let mut value = open.pop()?.kind.into_value();
    let mut cut = Vec::new();
    while let Some(mut outer) = open.pop() {
        let (mut steps, _) = outer.kind.put(value);
        steps.append(&mut cut);
        cut = steps;
        value = outer.kind.into_value();
    }
    Some(Root {
        value,
        cut: Some(cut),
    })
}

use serde_json::Value;

use super::Asked;

/// A request as the server got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its number, from 0, in the order of arrival.
    pub number: usize,
    /// `POST`, mostly.
    pub method: String,
    /// The path, with what follows a question mark.
    pub path: String,
    /// The headers, their names in lowercase.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Recorded {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body; `null` when it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A field of a form with several parts, files included.
    pub fn field(&self, name: &str) -> Option<String> {
        let text = String::from_utf8_lossy(&self.body);
        let boundary = self.header("content-type")?.split_once("boundary=")?.1;
        let wanted = format!("name=\"{name}\"");
        text.split(&format!("--{}", boundary.trim_matches('"')))
            .filter_map(|part| part.split_once("\r\n\r\n"))
            .find(|(head, _)| head.contains(&wanted))
            .map(|(_, value)| value.trim_end_matches("\r\n").to_owned())
    }

    /// What it asks for, in whatever language.
    pub fn asked(&self) -> Asked {
        Asked::new(self)
    }
}

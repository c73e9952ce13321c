use std::time::Duration;

use serde_json::{Value, json};

/// Something that goes wrong with one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The answer is right, but late: with a client that waits less, a time-out.
    Delay(Duration),
    /// The server refuses. See [`Fault::status`].
    Status {
        /// The HTTP status.
        status: u16,
        /// Headers besides those that every answer has.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
    },
    /// The connection is reset before anything was answered.
    ResetBeforeHeaders,
    /// The connection is reset in the middle of the body.
    ResetAfterHeaders,
    /// Status 200 and nothing else.
    Empty,
    /// Status 200 and a page instead of JSON.
    Garbage,
    /// Status 200 and half of the JSON.
    Truncated,
    /// Status 200 and this, instead of what was asked for.
    Body(String),
    /// Every vector is one number short.
    WrongDimension,
    /// One number of the first vector is `NaN`, written as Python writes it.
    NotANumber,
    /// The first vector is all zeros.
    Zeros,
    /// The last vector is missing.
    MissingVector,
    /// The vectors come in reverse, where the language numbers them.
    OutOfOrder,
}

impl Fault {
    /// A refusal with a body as providers send it.
    pub fn status(status: u16) -> Self {
        Self::Status {
            status,
            headers: Vec::new(),
            body: json!({"error": {"message": "the fake provider was told to fail"}}).to_string(),
        }
    }

    /// The same refusal with a `Retry-After` header.
    #[must_use]
    pub fn retry_after(self, value: &str) -> Self {
        self.header("retry-after", value)
    }

    /// The same refusal with another header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Status { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// The same refusal with another body.
    #[must_use]
    pub fn saying(mut self, text: &str) -> Self {
        if let Self::Status { body, .. } = &mut self {
            text.clone_into(body);
        }
        self
    }

    /// Spoils the vectors that were asked for.
    pub(super) fn spoil(&self, vectors: &mut Vec<Vec<f32>>) {
        match self {
            Self::WrongDimension => {
                for vector in vectors {
                    vector.pop();
                }
            }
            Self::NotANumber => set_first(vectors, |vector| {
                if let Some(value) = vector.first_mut() {
                    *value = f32::NAN;
                }
            }),
            Self::Zeros => set_first(vectors, |vector| vector.fill(0.0)),
            Self::MissingVector => {
                vectors.pop();
            }
            _ => {}
        }
    }

    /// Spoils the body of an answer with status 200.
    pub(super) fn spoil_body(&self, body: &Value) -> String {
        // serde_json writes NaN as null; Python writes it as it is.
        let text = match self {
            Self::NotANumber => body.to_string().replace("null", "NaN"),
            _ => body.to_string(),
        };
        match self {
            Self::Empty => String::new(),
            Self::Garbage => "<html><body>Bad gateway</body></html>".to_owned(),
            Self::Truncated => text.chars().take(text.chars().count() / 2).collect(),
            Self::Body(body) => body.clone(),
            _ => text,
        }
    }
}

fn set_first(vectors: &mut [Vec<f32>], change: impl FnOnce(&mut Vec<f32>)) {
    if let Some(vector) = vectors.first_mut() {
        change(vector);
    }
}

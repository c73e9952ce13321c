//! Keys in texts that are to be written down.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memu_core::Secret;
use serde_json::value::RawValue;

use super::redaction::{MASK, SHORTEST_KEY};

/// In base64 a shorter key is found in other texts.
const SHORTEST_ENCODED: usize = 8;
/// How often a text may be wrapped in escapes.
const WRAPPINGS: usize = 3;
/// Random keys have such a stretch of letters and digits; words with hyphens have not.
const STRETCH: usize = 12;

/// What keys of one kind look like: a start, then so many of the characters that may follow.
struct Form {
    start: &'static str,
    least: usize,
    most: usize,
    /// What may follow besides letters, digits, `-` and `_`.
    others: &'static str,
}

const fn form(start: &'static str, least: usize) -> Form {
    Form {
        start,
        least,
        most: usize::MAX,
        others: "",
    }
}

const fn exact(start: &'static str, length: usize) -> Form {
    Form {
        start,
        least: length,
        most: length,
        others: "",
    }
}

const fn token(start: &'static str) -> Form {
    Form {
        start,
        least: 20,
        most: usize::MAX,
        others: ".~+/=",
    }
}

/// `scripts/check-tree` looks for the same in what is committed.
const FORMS: [Form; 24] = [
    // OpenAI, Anthropic (sk-ant-), OpenRouter (sk-or-), DeepSeek and others.
    form("sk-", 20),
    form("gsk_", 20),
    exact("AIza", 35),
    form("xai-", 20),
    form("hf_", 20),
    form("pplx-", 20),
    form("nvapi-", 20),
    form("csk-", 20),
    form("fw_", 20),
    form("jina_", 20),
    form("tgp_v1_", 20),
    form("pa-", 30),
    form("r8_", 20),
    form("ghp_", 20),
    form("gho_", 20),
    form("github_pat_", 20),
    form("glpat-", 20),
    form("xoxb-", 20),
    form("xoxp-", 20),
    exact("AKIA", 16),
    exact("ASIA", 16),
    token("ya29."),
    token("Bearer "),
    // JSON Web Tokens.
    token("eyJ"),
];

/// The key is there in a form that cannot be taken out.
#[derive(Debug)]
pub(super) struct KeyRemains;

/// Takes keys out of what is to be written down.
pub(super) struct Secrets<'k> {
    key: Option<&'k str>,
    /// The key inside of longer texts that were encoded.
    encoded: Vec<String>,
}

impl<'k> Secrets<'k> {
    /// Knows the key of a profile, and what other keys look like.
    pub(super) fn new(key: Option<&'k Secret>) -> Self {
        let key = key
            .map(Secret::reveal)
            .filter(|key| key.len() >= SHORTEST_KEY);
        Self {
            encoded: key.map(encodings).unwrap_or_default(),
            key,
        }
    }

    /// A text without keys.
    pub(super) fn text(&self, text: &str) -> Result<String, KeyRemains> {
        let known = match self.key {
            Some(key) if text.contains(key) => text.replace(key, MASK),
            _ => text.to_owned(),
        };
        let clean = without_forms(known);
        if self.remains_in(&clean) {
            return Err(KeyRemains);
        }
        Ok(clean)
    }

    /// JSON in one line, without keys in its texts, and otherwise as it was written; `None` of
    /// what is no JSON.
    pub(super) fn json(&self, raw: &str) -> Result<Option<Box<RawValue>>, KeyRemains> {
        if serde_json::from_str::<&RawValue>(raw).is_err() {
            return Ok(None);
        }
        let mut clean = String::with_capacity(raw.len());
        let mut rest = raw.trim();
        while let Some((before, quoted)) = rest.find('"').and_then(|at| rest.split_at_checked(at)) {
            // Line ends stand between values only: in a text they are escaped.
            clean.push_str(&before.replace(['\n', '\r'], " "));
            let Some((literal, after)) = quoted.split_at_checked(literal_length(quoted)) else {
                return Ok(None);
            };
            let Ok(text) = serde_json::from_str::<String>(literal) else {
                return Ok(None);
            };
            match self.text(&text)? {
                same if same == text => clean.push_str(literal),
                other => clean.push_str(&serde_json::Value::from(other).to_string()),
            }
            rest = after;
        }
        clean.push_str(&rest.replace(['\n', '\r'], " "));
        Ok(RawValue::from_string(clean).ok())
    }

    /// Whether the key is in a text whose escapes are undone, or in base64.
    fn remains_in(&self, text: &str) -> bool {
        let Some(key) = self.key else {
            return false;
        };
        let mut text = text.to_owned();
        for _ in 0..WRAPPINGS {
            let encoded = self.encoded.iter().any(|part| text.contains(part.as_str()));
            if encoded || text.contains(key) {
                return true;
            }
            if !text.contains(['%', '\\']) {
                return false;
            }
            text = unescaped(&text);
        }
        text.contains(key)
    }
}

/// What base64 makes of a key, wherever in a longer text it stands.
fn encodings(key: &str) -> Vec<String> {
    if key.len() < SHORTEST_ENCODED {
        return Vec::new();
    }
    let shifted = (0..3_usize).flat_map(|shift| {
        let bytes = [&vec![0; shift], key.as_bytes()].concat();
        // What comes before and after has a part in the first and last characters.
        let (start, end) = ((shift * 8).div_ceil(6), bytes.len() * 8 / 6);
        [
            STANDARD_NO_PAD.encode(&bytes),
            URL_SAFE_NO_PAD.encode(&bytes),
        ]
        .map(|text| text.get(start..end).map(str::to_owned))
    });
    shifted.flatten().collect()
}

/// How many bytes the JSON text takes that begins with the first of these.
pub(super) fn literal_length(quoted: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in quoted.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return at + 1,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    quoted.len()
}

/// A text with one layer of escapes taken off: `%2D`, `\u002d`, `\/`.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, escape)) = rest
        .find(['%', '\\'])
        .and_then(|at| rest.split_at_checked(at))
    {
        bytes.extend_from_slice(before.as_bytes());
        let number = |from: usize, to: usize| {
            let digits = escape.get(from..to)?;
            u32::from_str_radix(digits, 16).ok()
        };
        let (byte, unicode) = (escape.starts_with('%'), escape.starts_with("\\u"));
        let length = match (byte.then(|| number(1, 3)), unicode.then(|| number(2, 6))) {
            (Some(Some(byte)), _) => {
                bytes.push(byte as u8);
                3
            }
            (_, Some(Some(code))) => {
                let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                bytes.extend_from_slice(character.to_string().as_bytes());
                6
            }
            (Some(None), _) => {
                bytes.push(b'%');
                1
            }
            _ => 1,
        };
        rest = escape.get(length..).unwrap_or_default();
        // What is escaped itself escapes nothing.
        if let (false, false, Some(next)) = (byte, unicode, rest.chars().next()) {
            bytes.extend_from_slice(next.to_string().as_bytes());
            rest = rest.get(next.len_utf8()..).unwrap_or_default();
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A text with whatever looks like a key masked.
fn without_forms(mut text: String) -> String {
    for form in &FORMS {
        if text.contains(form.start) {
            text = masked(&text, form);
        }
    }
    text
}

fn masked(text: &str, form: &Form) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(form.start) {
        out.push_str(before);
        let end = after.find(|c| !form.may_hold(c)).unwrap_or(after.len());
        let (tail, others) = after.split_at_checked(end).unwrap_or((after, ""));
        if begins_word(&out) && form.fits(tail) {
            out.push_str(MASK);
            rest = others;
        } else {
            out.push_str(form.start);
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// Whether what follows this begins a word; an `n` that is a line end in JSON ends one.
fn begins_word(before: &str) -> bool {
    let mut last = before.chars().rev();
    match (last.next(), last.next()) {
        (Some('n' | 't' | 'r'), Some('\\')) | (None, _) => true,
        (Some(last), _) => !last.is_alphanumeric() && !"-_".contains(last),
    }
}

impl Form {
    fn may_hold(&self, character: char) -> bool {
        character.is_ascii_alphanumeric()
            || "-_".contains(character)
            || self.others.contains(character)
    }

    fn fits(&self, tail: &str) -> bool {
        let is_random = tail
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|part| part.len() >= STRETCH && part.bytes().any(|byte| byte.is_ascii_digit()));
        let parts = tail.split('.').count();
        is_random
            && (self.least..=self.most).contains(&tail.len())
            && (self.start != "eyJ" || parts == 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "q7/Zr+w-Secret.Of:Nora";

    fn with_key(text: &str) -> Result<String, KeyRemains> {
        Secrets::new(Some(&Secret::new(KEY))).text(text)
    }

    fn without_key(text: &str) -> String {
        Secrets::new(None).text(text).unwrap()
    }

    /// Keys are written in two parts, so that this file holds none.
    #[test]
    fn what_looks_like_a_key_is_masked() {
        for (start, tail) in [
            ("sk-", "proj-Ab3dEf6hIj9kLmNoPq2sTu"),
            ("sk-", "ant-api03-Ab3dEf6hIj9kLmNoPq2sTu-AA"),
            ("AIza", "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q"),
            ("gsk_", "Ab3dEf6hIj9kLmNoPq2sTuVw"),
            ("AKIA", "Z7IOSFODNN7EXAMP"),
            ("Bearer ", "Ab3d.Ef6hIj9kLmNoPq2s~Tu=="),
            (
                "eyJ",
                "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.Ab3dEf6hIj9kLmNo",
            ),
            ("hf_", "Ab3dEf6hIj9kLmNoPq2sTuVw"),
        ] {
            for (before, after) in [
                ("", ""),
                ("it is ", ", he said"),
                ("a=\"", "\""),
                ("\\n", "\\n"),
            ] {
                let text = format!("{before}{start}{tail}{after}");
                assert_eq!(without_key(&text), format!("{before}***{after}"));
            }
        }
    }

    #[test]
    fn words_are_not() {
        for text in [
            "Bearer of bad news, Bearer Certificates1 and the sk-ating rink",
            "sk-learn-pipelines-with-many-words-in-them-2",
            "the task-ab3def6hij9klmnopq2stuvw and ask-ab3def6hij9klmnopq2stuvw",
            "AKIA is four letters, AIza too, eyJust a word. Then. Another1234567",
            "hf_transfer_is_a_library_for_downloads",
            "pa-rents, fw_1, r8_2",
        ] {
            assert_eq!(without_key(text), text);
        }
    }

    #[test]
    fn the_key_itself_is_masked_and_refused_in_other_forms() {
        assert_eq!(with_key(&format!("<{KEY}>")).unwrap(), "<***>");
        let json = serde_json::json!({ "key": KEY }).to_string();
        let escaped = KEY.replace('/', "\\/").replace('-', "\\u002d");
        let twice = serde_json::Value::from(escaped.clone()).to_string();
        let percent: Vec<String> = KEY.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let percent = percent.concat();
        let some = KEY
            .replace('/', "%2f")
            .replace('+', "%2B")
            .replace(':', "%3a");
        let basic = STANDARD_NO_PAD.encode(format!("a:{KEY}\n"));
        let url = URL_SAFE_NO_PAD.encode(format!("ab:{KEY}?"));
        for text in [&escaped, &twice, &percent, &some, &basic, &url] {
            assert!(with_key(text).is_err(), "{text}");
        }
        assert_eq!(with_key(&json).unwrap(), r#"{"key":"***"}"#);
        for fine in ["100 % of it \\ that", "%zz \\u00 \\", "q7/Zr+w"] {
            assert_eq!(with_key(fine).unwrap(), fine);
        }
    }

    #[test]
    fn json_stays_as_it_was_written_but_for_line_ends_and_keys() {
        let key = Secret::new("1234");
        let secrets = Secrets::new(Some(&key));
        let raw = "{\n \"n\": 0.12340, \"a\": \"x\\u0041\",\"a\":\"12\\u00334\"\r\n}\n";
        let clean = secrets.json(raw).unwrap().unwrap();
        assert_eq!(
            clean.get(),
            "{  \"n\": 0.12340, \"a\": \"x\\u0041\",\"a\":\"***\"  }"
        );
        for text in ["", "no", "{\"a\": NaN}", "\"\\ud800\"", "{\"a\": \"b"] {
            assert!(secrets.json(text).unwrap().is_none(), "{text}");
        }
    }
}

//! The stub's half of the wire: requests go out, answers come in. The other
//! half is skeleton_wire.rs, what both agree on wire.rs.    [T-X2] (viva 4)
//!
//! ```text
//! "add", "[2,3]" --request()--> {"jsonrpc":"2.0","method":"add", ...
//! 5, or an error <--from_line()-- {"jsonrpc":"2.0","result":5, ...
//! ```
//!
//! An answer comes from a stranger, as a request does: it is looked at before
//! it is believed, and printed so that no terminal obeys it.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use socketlab::console;

use crate::wire::{self, NO_ID, Outcome, quote};

/// Longest line that a client reads: the answers to a batch are one line.
pub const LONGEST_ANSWER: usize = 1024 * 1024;

/// Marshals a call. `params` is a JSON list or object, or empty for none;
/// without an id it is a notification, which nobody answers.    (viva 12)
pub fn request(method: &str, params: &str, id: Option<&str>) -> String {
    let mut line = format!(r#"{{"jsonrpc":"2.0","method":{}"#, quote(method));
    if !params.is_empty() {
        line += &format!(r#","params":{params}"#);
    }
    if let Some(id) = id {
        line += &format!(r#","id":{}"#, quote(id));
    }
    line + "}"
}

/// An answer, as the client gets it.
pub struct Answer {
    /// Of which request; null if the server could not read it. A value, not
    /// text: `"ada/1"` and `"ada\/1"`, which PHP writes, are the same.
    pub id: Value,
    /// The result or the error.
    pub outcome: Outcome,
}

/// The members of an answer; `Some` even if the member is null.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow, default, deserialize_with = "wire::present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "wire::present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "wire::present")]
    error: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "wire::present")]
    id: Option<&'a RawValue>,
}

impl Answer {
    /// Unmarshals a line. Fails with a reason if it is no answer.
    pub fn from_line(line: &[u8]) -> Result<Answer, &'static str> {
        let text: &RawValue =
            serde_json::from_slice(line).map_err(|_| "it is no JSON")?;
        if !text.get().starts_with('{') {
            return Err("it is JSON, but no object");
        }
        let members: Members<'_> = serde_json::from_str(text.get())
            .map_err(|_| "it has a member twice")?;
        let version = members.jsonrpc.map(RawValue::get);
        if version.and_then(|v| serde_json::from_str(v).ok()) != Some("2.0") {
            return Err("it has no \"jsonrpc\":\"2.0\"");
        }
        let outcome = match (members.result, members.error) {
            (Some(result), None) => Ok(result.to_owned()),
            (None, Some(error)) => Err(serde_json::from_str(error.get())
                .map_err(|_| {
                    "its error has not a whole number as code and a text as \
                     message"
                })?),
            (Some(_), Some(_)) => return Err("it has both result and error"),
            (None, None) => return Err("it has neither result nor error"),
        };
        let id = members.id.map_or(NO_ID, RawValue::get);
        let id = serde_json::from_str(id).map_err(|_| "its id is no value")?;
        Ok(Answer { id, outcome })
    }
}

/// JSON made safe for a terminal, and still the same JSON: what would change
/// the look of the line, such as U+202E, is written as `\u202e`.
pub fn shown(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '\t' | '\r' | '\n' => shown.push(' '), // between the values
            '\u{200c}' | '\u{200d}' => shown.push(character), // joiners
            c if console::is_deceptive(c) => {
                shown.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => shown.push(c),
        }
    }
    shown
}

//! The skeleton's half of the wire: requests come in, answers go out. The
//! other half is stub_wire.rs, what both agree on wire.rs.  [T-X2] (viva 4)
//!
//! ```text
//! {"jsonrpc":"2.0", ... --open()--> one --read()--> "add", [2,3], id
//! [{...}, {...}]        --open()--> many, each --read()-->
//! {"jsonrpc":"2.0", ... <--answer()-- 5, or an error, and the id
//! ```
//!
//! Unmarshalling checks everything: whoever can connect chooses these bytes.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fault::{INVALID_REQUEST, PARSE_ERROR};
use crate::identity::LONGEST_ID;
use crate::wire::{self, Fault, NO_ID, Outcome, quote};

/// Longest line that a server reads, in bytes.
pub const LONGEST_REQUEST: usize = 64 * 1024;

/// Lists within lists within objects. Text is skipped here without recursion,
/// but whoever looks inside it later recurses: Python's json gives up at about
/// 1000, serde_json at 128, others when the stack is used up.
const DEEPEST: usize = 64;

/// A line that arrived: one request, or several in a list.
pub enum Message<'a> {
    /// A request, or what takes the place of one.
    One(&'a RawValue),
    /// A batch; each is answered as if it had come alone, in one list.
    Batch(Vec<&'a RawValue>),
}

/// Opens a line: is it JSON at all, and one request or many?
pub fn open(line: &[u8]) -> Result<Message<'_>, Fault> {
    let parse_error = |problem: String| Fault::new(PARSE_ERROR, problem);
    let text = str::from_utf8(line).map_err(|error| {
        parse_error(format!("not UTF-8 at byte {}", error.valid_up_to() + 1))
    })?;
    if text.trim().is_empty() {
        return Err(parse_error("an empty line".into()));
    }
    let text: &RawValue = serde_json::from_str(text)
        .map_err(|error| parse_error(error.to_string()))?;
    let depth = depth(text.get());
    if depth > DEEPEST {
        return Err(parse_error(format!(
            "nested {depth} deep: {DEEPEST} allowed"
        )));
    }
    if !text.get().starts_with('[') {
        return Ok(Message::One(text));
    }
    let batch: Vec<&RawValue> = serde_json::from_str(text.get())
        .map_err(|error| parse_error(error.to_string()))?;
    Ok(Message::Batch(batch))
}

/// How deep the lists and objects of a JSON text are nested. The text is
/// known to be JSON: brackets count unless they stand in a string.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut quoted, mut escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => depth += 1,
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// A call, as the server gets it.
#[derive(Debug)]
pub struct Request<'a> {
    /// The procedure's name.
    pub method: String,
    /// Its arguments: a list or an object, not looked into yet.
    pub params: Option<&'a RawValue>,
    /// What the answer must carry; `None` for a notification.
    pub id: Option<&'a RawValue>,
}

/// No request: why, and the id to say it to, where that could be read.
pub type Invalid<'a> = (Fault, &'a str);

/// The members of a request; `Some` even if the member is null.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow, default, deserialize_with = "wire::present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "wire::present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "wire::present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "wire::present")]
    id: Option<&'a RawValue>,
}

impl<'a> Request<'a> {
    /// Unmarshals what [`open`] found. Members that nobody knows are passed
    /// over: a later version may send them. A member given twice is refused,
    /// because parsers differ in which of the two they believe.
    pub fn read(text: &'a RawValue) -> Result<Request<'a>, Invalid<'a>> {
        let invalid = |why: &str| Fault::new(INVALID_REQUEST, why);
        if !text.get().starts_with('{') {
            return Err((invalid("a request is an object"), NO_ID));
        }
        let members: Members<'a> = serde_json::from_str(text.get())
            .map_err(|error| (invalid(&error.to_string()), NO_ID))?;
        if members.id.is_some_and(|id| !is_id(id.get())) {
            let why = "id: a string, a number or null, 128 bytes at most";
            return Err((invalid(why), NO_ID));
        }
        let id = members.id.map_or(NO_ID, RawValue::get);
        let text = |member: Option<&RawValue>| -> Option<String> {
            serde_json::from_str(member?.get()).ok()
        };
        if text(members.jsonrpc).as_deref() != Some("2.0") {
            return Err((invalid("jsonrpc: must be the string \"2.0\""), id));
        }
        let Some(method) = text(members.method) else {
            return Err((invalid("method: must be a string"), id));
        };
        let params = members.params;
        if params.is_some_and(|p| !p.get().starts_with(['[', '{'])) {
            return Err((invalid("params: a list or an object"), id));
        }
        Ok(Request { method, params, id: members.id })
    }
}

/// The standard allows strings, numbers and, unloved, null.
fn is_id(json: &str) -> bool {
    let first = json.bytes().next().unwrap_or_default();
    json.len() <= LONGEST_ID
        && (matches!(first, b'"' | b'-' | b'0'..=b'9') || json == NO_ID)
}

/// Marshals an answer to the request with this id.
pub fn answer(outcome: &Outcome, id: &str) -> String {
    let what = match outcome {
        Ok(result) => format!(r#""result":{result}"#),
        Err(Fault { code, message, data }) => {
            let message = quote(message);
            let data = data.as_ref().map(|data| format!(r#","data":{data}"#));
            let data = data.unwrap_or_default();
            format!(r#""error":{{"code":{code},"message":{message}{data}}}"#)
        }
    };
    format!(r#"{{"jsonrpc":"2.0",{what},"id":{id}}}"#)
}

//! Marshalling: a call and its answer as text, and back. Both halves use this
//! file, and nothing else is shared: stub.rs writes requests and reads
//! answers, skeleton.rs reads requests and writes answers. The text is
//! JSON-RPC 2.0, one message a line, in UTF-8.          [T-X2] (viva 4)
//!
//!     add(2, 3)     the call, as the client's program means it
//!         | request()
//!     {"jsonrpc":"2.0","method":"add","params":[2,3],"id":"ada/1"}\n
//!         | open(), Request::read()
//!     "add", [2,3]  the call, as the server's program gets it
//!         | … the procedure runs …
//!         | answer()
//!     {"jsonrpc":"2.0","result":5,"id":"ada/1"}\n
//!         | Answer::from_line()
//!     5
//!
//! JSON text is kept as it came (RawValue), not made into a tree of values:
//! a tree takes a hundred times the memory of its text, a peer chooses the
//! text, and an id goes back exactly as it was, with all its digits.
#![allow(dead_code)] // each program uses its half

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use socketlab::console;

use crate::fault::{Fault, INVALID_REQUEST, Outcome, PARSE_ERROR};

/// Longest line that a server reads, in bytes.
pub const LONGEST_REQUEST: usize = 64 * 1024;

/// Longest line that a client reads: the answers to a batch are one line.
pub const LONGEST_ANSWER: usize = 1024 * 1024;

/// Lists within lists within objects. Text is skipped here without recursion,
/// but whoever looks inside it later recurses: Python's json gives up at about
/// 1000, serde_json at 128, others when the stack is used up.
const DEEPEST: usize = 64;

/// Longest id in bytes, as it stands in the text.
const LONGEST_ID: usize = 128;

/// The id where none is known: the standard wants null then.
pub const NO_ID: &str = "null";

/// A string as JSON text, quotes included.
pub fn quote(text: &str) -> String {
    Value::from(text).to_string()
}

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

/// The members of a message; `Some` even if the member is null.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
}

fn present<'de, D, T>(member: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(member).map(Some)
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

/// Does the standard have an answer to this line? Not to notifications.
pub fn wants_answer(line: &str) -> bool {
    let wants = |text: &&RawValue| match Request::read(text) {
        Ok(request) => request.id.is_some(),
        Err(_) => true,
    };
    match open(line.as_bytes()) {
        Ok(Message::One(text)) => wants(&text),
        Ok(Message::Batch(batch)) => {
            batch.is_empty() || batch.iter().any(wants)
        }
        Err(_) => true,
    }
}

/// The parts of an id such as `ada/7`: whose call, and which of theirs. Any
/// other id names no client, and a server cannot know it again.  (viva 7)
pub fn identity(id: &str) -> Option<(&str, u64)> {
    let (client, digits) = id.rsplit_once('/')?;
    let counts = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse().ok().filter(|&number| number > 0)?;
    let fits = quote(id).len() <= LONGEST_ID;
    (counts && fits && !client.is_empty()).then_some((client, number))
}

/// The standard allows strings, numbers and, unloved, null.
fn is_id(json: &str) -> bool {
    let first = json.bytes().next().unwrap_or_default();
    json.len() <= LONGEST_ID
        && (matches!(first, b'"' | b'-' | b'0'..=b'9') || json == NO_ID)
}

/// An answer, as the client gets it.
pub struct Answer {
    /// Of which request; null if the server could not read it. A value, not
    /// text: `"ada/1"` and `"ada\/1"`, which PHP writes, are the same.
    pub id: Value,
    /// The result or the error.
    pub outcome: Outcome,
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

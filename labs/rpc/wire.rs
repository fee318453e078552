//! Marshalling: a call and its response as text, and back. The text is
//! JSON-RPC 2.0, one message a line, in UTF-8. Both ends use this file, so
//! that they agree.                                         [T-X2] (viva 4)
//!
//! ```text
//! add(2, 3)     the call, as the client's program means it
//!     | request()
//! {"jsonrpc":"2.0","method":"add","params":[2,3],"id":"ada/1"}\n
//!     | open(), Request::read()
//! "add", [2,3]  the call, as the server's program gets it
//!     | … the procedure runs …
//!     | response()
//! {"jsonrpc":"2.0","result":5,"id":"ada/1"}\n
//!     | Response::read()
//! 5
//! ```
//!
//! Both ends check everything that they read, because the peer may send
//! any bytes. JSON text is stored unchanged (RawValue), because a tree of
//! values needs a hundred times the memory of its text. So the response has
//! the id exactly as the request had it, with all digits.

use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use socketlab::console;

/// Longest line that a server reads, in bytes.
pub const LONGEST_REQUEST: usize = 64 * 1024;

/// Longest line that a client reads, in bytes: the responses to a batch are
/// one line.
pub const LONGEST_RESPONSE: usize = 1024 * 1024;

/// Longest id in bytes, as it is written in the text.
const LONGEST_ID: usize = 128;

/// Deepest nesting of lists and objects. Most JSON parsers are recursive:
/// Python's json fails at a depth of about 1000, serde_json at 128, and others
/// when the stack is full.
const DEEPEST: usize = 64;

/// The id of a response to a request without a readable id, by the standard.
pub const NO_ID: &str = "null";

// The codes of errors: -32768 to -32000 belong to the protocol, the last
// hundred of them to the server. An application's own errors, such as a
// division by zero, are outside (procedures.rs). So a caller can distinguish a
// wrong call from an error of the procedure itself.           (viva 13)

/// Not JSON.
const PARSE_ERROR: i64 = -32700;
/// JSON, but not a request.
pub const INVALID_REQUEST: i64 = -32600;
/// A request for a procedure that the server does not have.
pub const METHOD_NOT_FOUND: i64 = -32601;
/// The arguments do not fit the procedure's parameters.
pub const INVALID_PARAMS: i64 = -32602;
/// A mistake of the server itself.
pub const INTERNAL_ERROR: i64 = -32603;
// This server's own: -32000, too many clients (in server.rs).
/// This server's own: no complete line in time.
pub const TOO_SLOW: i64 = -32001;
/// This server's own: the responses to a batch are too long.
pub const TOO_MUCH: i64 = -32002;
/// This server's own: it cannot know whether the call was done before.
pub const CANNOT_TELL: i64 = -32003;

/// The codes that the standard leaves to the server: about the connection,
/// rather than about a call.
const SERVER_ERRORS: RangeInclusive<i64> = -32099..=-32000;

/// The standard's error object: why a call has no result.
///
/// ```text
/// {"code":-32602,"message":"Invalid params","data":"b is missing"}
/// ```
#[derive(Clone, Debug, Deserialize)]
pub struct RpcError {
    /// Which kind: a constant above, or the application's own.
    pub code: i64,
    message: String,             // the kind in words
    data: Option<Box<RawValue>>, // the details, as JSON
}

impl RpcError {
    /// An error of this kind. For the standard's kinds the text becomes the
    /// details; for the application's own kinds it is the message.
    pub fn new(code: i64, text: impl fmt::Display) -> RpcError {
        let text = text.to_string();
        let message = match code {
            PARSE_ERROR => "Parse error",
            INVALID_REQUEST => "Invalid Request",
            METHOD_NOT_FOUND => "Method not found",
            INVALID_PARAMS => "Invalid params",
            INTERNAL_ERROR => "Internal error",
            code if SERVER_ERRORS.contains(&code) => "Server error",
            _ => return RpcError { code, message: text, data: None },
        };
        let data = to_raw_value(&text).ok();
        RpcError { code, message: message.into(), data }
    }

    /// Is it about the connection (no room, too slow), not about a call?
    pub fn is_about_connection(&self) -> bool {
        SERVER_ERRORS.contains(&self.code)
    }
}

/// `-32602 Invalid params: b is missing`
impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.message)?;
        let Some(data) = &self.data else { return Ok(()) };
        match serde_json::from_str::<String>(data.get()) {
            Ok(text) => write!(f, ": {text}"),
            Err(_) => write!(f, ": {}", data.get()), // another server's
        }
    }
}

/// What a procedure returned: its result as JSON, or why there is none.
pub type ProcedureResult = Result<Box<RawValue>, RpcError>;

/// Marshals a call. `params` is a JSON list or object, or empty for none;
/// without an id it is a notification without a response.    (viva 12)
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

/// The content of a line: one request, or several in a list.
pub enum Requests<'a> {
    /// A request, not yet checked.
    One(&'a RawValue),
    /// A batch. The responses are one list.
    Batch(Vec<&'a RawValue>),
}

/// Checks that a line is JSON, and whether it has one request or several.
pub fn open(line: &[u8]) -> Result<Requests<'_>, RpcError> {
    let parse_error = |problem: String| RpcError::new(PARSE_ERROR, problem);
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
        return Ok(Requests::One(text));
    }
    let batch: Vec<&RawValue> = serde_json::from_str(text.get())
        .map_err(|error| parse_error(error.to_string()))?;
    Ok(Requests::Batch(batch))
}

/// How deep the lists and objects of a JSON text are nested. The text is
/// known to be JSON: brackets count unless they are part of a string.
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
    /// What the response must carry; `None` for a notification.
    pub id: Option<&'a RawValue>,
}

/// Why the text is not a request, and the id for the response, which is null
/// if the id could not be read.
type NotARequest<'a> = (RpcError, &'a str);

/// The members of a request; `Some` even if the member is null.
#[derive(Deserialize)]
struct RequestMembers<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
}

impl<'a> Request<'a> {
    /// Unmarshals what [`open`] found. Members that this version does not
    /// know are ignored: a later version may send them. A member given twice
    /// is refused, because parsers differ in which of the two they use.
    pub fn read(text: &'a RawValue) -> Result<Request<'a>, NotARequest<'a>> {
        let invalid = |why: &str| RpcError::new(INVALID_REQUEST, why);
        if !text.get().starts_with('{') {
            return Err((invalid("a request is an object"), NO_ID));
        }
        let members: RequestMembers<'a> = serde_json::from_str(text.get())
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

    /// The parts of its id, if that names a client.
    pub fn call_id(&self) -> Option<CallId> {
        let id: String = serde_json::from_str(self.id?.get()).ok()?;
        CallId::parse(&id)
    }
}

/// The standard allows strings, numbers and null, which it advises against.
fn is_id(json: &str) -> bool {
    let first = json.bytes().next().unwrap_or_default();
    json.len() <= LONGEST_ID
        && (matches!(first, b'"' | b'-' | b'0'..=b'9') || json == NO_ID)
}

/// Which client's call, and which of its calls: ids such as `ada/7`. By it a
/// server recognises a retry, even on another connection.          (viva 8)
///
/// ```text
/// "ada/7"     ada's seventh call
/// "ada/b/7"   the seventh of "ada/b": the last slash counts
/// 1 "x" null  good ids of JSON-RPC, which name no client
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct CallId {
    /// The client's name, the same on all its connections.
    pub client: String,
    /// The number of the call, from 1.
    pub number: u64,
}

impl CallId {
    /// The parts of an id such as `ada/7`. Any other id names no client, so
    /// the server cannot recognise a retry.
    pub fn parse(id: &str) -> Option<CallId> {
        let (client, digits) = id.rsplit_once('/')?;
        let counts = digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.parse().ok().filter(|&number| number > 0)?;
        let fits = quote(id).len() <= LONGEST_ID;
        (counts && fits && !client.is_empty())
            .then(|| CallId { client: client.into(), number })
    }
}

/// Marshals the response to the request with this id.
pub fn response(result: &ProcedureResult, id: &str) -> String {
    let what = match result {
        Ok(result) => format!(r#""result":{result}"#),
        Err(RpcError { code, message, data }) => {
            let message = quote(message);
            let data = data.as_ref().map(|data| format!(r#","data":{data}"#));
            let data = data.unwrap_or_default();
            format!(r#""error":{{"code":{code},"message":{message}{data}}}"#)
        }
    };
    format!(r#"{{"jsonrpc":"2.0",{what},"id":{id}}}"#)
}

/// A response, as the client gets it.
pub struct Response {
    /// The id of the request, or null if the server could not read it. It is
    /// a value, because `"ada/1"` and PHP's `"ada\/1"` are the same id.
    pub id: Value,
    /// The result or the error.
    pub result: ProcedureResult,
}

/// The members of a response; `Some` even if the member is null.
#[derive(Deserialize)]
struct ResponseMembers<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
}

impl Response {
    /// Unmarshals a line. The error is the reason why it is not a response.
    pub fn read(line: &[u8]) -> Result<Response, &'static str> {
        let text: &RawValue =
            serde_json::from_slice(line).map_err(|_| "it is not JSON")?;
        if !text.get().starts_with('{') {
            return Err("it is JSON, but not an object");
        }
        let members: ResponseMembers<'_> = serde_json::from_str(text.get())
            .map_err(|_| "it has a member twice")?;
        let version = members.jsonrpc.map(RawValue::get);
        if version.and_then(|v| serde_json::from_str(v).ok()) != Some("2.0") {
            return Err("it has no \"jsonrpc\":\"2.0\"");
        }
        let result = match (members.result, members.error) {
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
        Ok(Response { id, result })
    }
}

/// A string as JSON text, quotes included.
pub fn quote(text: &str) -> String {
    Value::from(text).to_string()
}

/// The same JSON, safe for a terminal. Characters that would change how the
/// line looks, such as U+202E, are written as `\u202e`.
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

/// For a member of a message that may be missing: `Some` even if it is null.
fn present<'de, D, T>(member: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(member).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_a_client_and_a_number() {
        let parsed = |id: &str| {
            CallId::parse(id).map(|CallId { client, number }| (client, number))
        };
        assert_eq!(parsed("ada/1"), Some(("ada".into(), 1)));
        let most = "a/b/18446744073709551615";
        assert_eq!(parsed(most), Some(("a/b".into(), u64::MAX)));
        for nobody in ["ada/18446744073709551616", "ada/0", "/1", "ada", "1"] {
            assert_eq!(parsed(nobody), None, "{nobody}");
        }
        assert_eq!(parsed(&format!("{}/1", "a".repeat(LONGEST_ID))), None);
    }
}

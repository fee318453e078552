//! A command of the user, read as a call: `add 2 3`, `add b=3 a=2`,
//! `table.put colour red`. A word that is JSON is that value; any other word
//! is a string.
//!
//! ```text
//! add 2 3                   "add", [2,3]            by position
//! add b=3 a=2               "add", {"b":3,"a":2}    by name
//! table.put k '{"x": 1}'    "table.put", ["k",{"x": 1}]
//! notify counter.increment  the same without a response
//! {"jsonrpc": …}   [ … ]    sent unchanged
//! ```
//!
//! The client does not check whether the server has such a procedure. A stub
//! that is generated from a description of the interface, such as gRPC's
//! .proto, would check it.

use serde_json::value::RawValue;

use crate::wire::quote;

/// The kinds of commands.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// A call, which gets a response.
    Call(Invocation),
    /// A notification: the same without a response.
    Notify(Invocation),
    /// A line of JSON, sent unchanged.
    Raw(String),
}

/// A procedure and its arguments.
#[derive(Debug, PartialEq, Eq)]
pub struct Invocation {
    /// The procedure's name.
    pub method: String,
    /// The arguments: a JSON list or object, or empty for none.
    pub params: String,
}

impl Command {
    /// Reads words as a shell or [`shlex`] has split them. The error is for
    /// the user.
    pub fn parse(words: &[String]) -> Result<Command, String> {
        match words {
            [] => Err("what is to be called?".into()),
            [first, ..] if is_raw(first) => Ok(Command::Raw(words.join(" "))),
            [first] if first == "notify" => Err("notify METHOD …".into()),
            [first, method, rest @ ..] if first == "notify" => {
                Ok(Command::Notify(invocation(method, rest)?))
            }
            [method, rest @ ..] => Ok(Command::Call(invocation(method, rest)?)),
        }
    }
}

fn invocation(method: &str, words: &[String]) -> Result<Invocation, String> {
    Ok(Invocation { method: method.into(), params: params(words)? })
}

/// Does a line begin as a request in JSON does?
pub fn is_raw(line: &str) -> bool {
    line.trim_start().starts_with(['{', '['])
}

/// Arguments as a JSON list, or as an object if all are `name=value`.
fn params(words: &[String]) -> Result<String, String> {
    if words.is_empty() {
        return Ok(String::new());
    }
    let named: Vec<_> = words.iter().filter_map(|word| name(word)).collect();
    if named.is_empty() {
        let values: Vec<_> = words.iter().map(|word| value(word)).collect();
        return Ok(format!("[{}]", values.join(",")));
    }
    if named.len() < words.len() {
        return Err("name=value for all of them, or for none".into());
    }
    let members = named
        .into_iter()
        .map(|(name, word)| format!("{}:{}", quote(name), value(word)));
    Ok(format!("{{{}}}", members.collect::<Vec<_>>().join(",")))
}

/// The two parts of `by=5`; not of `"a=b"` or `1=1`.
fn name(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let first = name.chars().next()?;
    let plain = |c: char| c.is_alphanumeric() || c == '_';
    (!first.is_numeric() && name.chars().all(plain)).then_some((name, value))
}

/// The word itself if it is JSON, otherwise as a JSON string.
fn value(word: &str) -> String {
    match serde_json::from_str::<&RawValue>(word) {
        Ok(json) => json.get().to_string(),
        Err(_) => quote(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Command, String> {
        let words: Vec<_> = line.split(' ').map(str::to_string).collect();
        Command::parse(&words)
    }

    #[test]
    fn words_become_calls() {
        for (line, params) in [
            ("f", ""),
            ("f 1 x [2]", r#"[1,"x",[2]]"#),
            ("f a=1 b=x", r#"{"a":1,"b":"x"}"#),
            ("f a=b=c", r#"{"a":"b=c"}"#),
            ("f \"a=b\"", r#"["a=b"]"#),
            ("f 1=1 ", r#"["1=1",""]"#),
        ] {
            let (method, params) = ("f".into(), params.into());
            let call = Invocation { method, params };
            assert_eq!(read(line), Ok(Command::Call(call)));
        }
        assert!(read("f a=1 2").is_err(), "by name or by position");
        assert!(Command::parse(&[]).is_err());
        assert!(read("notify").is_err());
    }
}

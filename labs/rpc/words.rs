//! What the user types, as a call: `add 2 3`, `add b=3 a=2`, `table.put colour
//! red`. A word that is JSON is that value; any other is a string.
//!
//! ```text
//! add 2 3                   "add", [2,3]            by position
//! add b=3 a=2               "add", {"b":3,"a":2}    by name
//! table.put k '{"x": 1}'    "table.put", ["k",{"x": 1}]
//! notify counter.increment  the same without an answer
//! {"jsonrpc": …}   [ … ]    sent as it is
//! ```
//!
//! Whether the server knows such a procedure is not looked at: a stub that is
//! made from a description of the interface (gRPC's .proto) would.

use serde_json::value::RawValue;

use crate::wire::quote;

/// What is to be sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Order {
    /// A call.
    Call { method: String, params: String },
    /// A notification.
    Notify { method: String, params: String },
    /// A line of the user's own.
    Raw(String),
}

/// Takes words as a shell or [`shlex`] has split them.
pub fn order(words: &[String]) -> Result<Order, String> {
    let (first, rest) = words.split_first().ok_or("what is to be called?")?;
    if is_raw(first) {
        return Ok(Order::Raw(words.join(" ")));
    }
    if first != "notify" {
        let (method, params) = (first.clone(), params(rest)?);
        return Ok(Order::Call { method, params });
    }
    let (method, rest) = rest.split_first().ok_or("notify METHOD …")?;
    Ok(Order::Notify { method: method.clone(), params: params(rest)? })
}

/// Does a line begin as JSON of requests does?
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

/// `by=5`, but not `"a=b"` or `1=1`.
fn name(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let first = name.chars().next()?;
    let plain = |c: char| c.is_alphanumeric() || c == '_';
    (!first.is_numeric() && name.chars().all(plain)).then_some((name, value))
}

/// The word itself if it is JSON, else as a JSON string.
fn value(word: &str) -> String {
    match serde_json::from_str::<&RawValue>(word) {
        Ok(json) => json.get().to_string(),
        Err(_) => quote(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Order, String> {
        let words: Vec<_> = line.split(' ').map(str::to_string).collect();
        order(&words)
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
            assert_eq!(read(line), Ok(Order::Call { method, params }));
        }
        assert!(read("f a=1 2").is_err(), "by name or by position");
        assert!(order(&[]).is_err());
    }
}

//! What is sent once and never again: a notification, which nobody answers,
//! and a line of the user's own. The other calls are stub.rs's.
//!
//! ```text
//! notify counter.increment   {"jsonrpc":"2.0","method":...}    no id
//! { ... } or [ ... ]         as it is, an answer or none
//! ```
//!
//! Done once or not at all, and nobody can say which.             (viva 12)

use serde_json::Value;

use crate::stub::{Called, Failure, Stub};
use crate::stub_wire;

/// Says something and wants no answer.
pub fn notify(stub: &mut Stub, method: &str, params: &str) -> Called<()> {
    send(stub, &stub_wire::request(method, params, None))
}

/// Sends a line as it is; the line that comes back, if the standard has an
/// answer to this one.
pub fn raw(stub: &mut Stub, line: &str) -> Called<Option<String>> {
    if !wants_answer(line) {
        return send(stub, line).map(|()| None);
    }
    let (mut sent, deadline) = (0, stub.deadline());
    let answer = stub
        .send(line, deadline, &mut sent)
        .and_then(|()| stub.receive(deadline));
    match answer {
        Ok(line) => Ok(Some(String::from_utf8_lossy(&line).into())),
        Err(last) => {
            stub.hang_up();
            Err(Failure::Silent { sent, last })
        }
    }
}

fn send(stub: &mut Stub, line: &str) -> Called<()> {
    let (mut sent, deadline) = (0, stub.deadline());
    stub.send(line, deadline, &mut sent).map_err(|last| {
        stub.hang_up();
        Failure::Silent { sent, last }
    })
}

/// Does the standard have an answer to this line? To notifications it has
/// none, to everything else it has, and be it an error.
fn wants_answer(line: &str) -> bool {
    match serde_json::from_str(line) {
        Ok(Value::Array(batch)) => {
            batch.is_empty() || !batch.iter().all(is_notification)
        }
        Ok(message) => !is_notification(&message),
        Err(_) => true,
    }
}

/// A request without an id.
fn is_notification(message: &Value) -> bool {
    let params = message.get("params");
    message["jsonrpc"] == "2.0"
        && message["method"].is_string()
        && params.is_none_or(|p| p.is_array() || p.is_object())
        && message.get("id").is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_notifications_want_no_answer() {
        for (line, wants) in [
            (r#"{"jsonrpc":"2.0","method":"x"}"#, false),
            (r#"{"jsonrpc":"2.0","method":"x","params":[1]}"#, false),
            (r#"{"jsonrpc":"2.0","method":"x","params":1}"#, true),
            (r#"{"jsonrpc":"2.0","method":"x","id":null}"#, true),
            (r#"{"jsonrpc":"2.0","method":1}"#, true),
            (r#"{"method":"x"}"#, true),
            (r#"[{"jsonrpc":"2.0","method":"x"}]"#, false),
            (r#"[{"jsonrpc":"2.0","method":"x"},1]"#, true),
            ("[]", true),
            ("{", true),
        ] {
            assert_eq!(wants_answer(line), wants, "{line}");
        }
    }
}

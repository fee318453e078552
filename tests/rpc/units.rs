//! The lab's files by themselves.

use std::time::Duration;

use serde_json::value::RawValue;

use super::*;
use crate::fault::{Fault, INTERNAL_ERROR};
use crate::replies::Identity;
use crate::words::Order;

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.into()).expect("JSON")
}

#[test]
fn t_x2_a_call_survives_marshalling() {
    let line = wire::request("a\"b", "[1,\"\\n\"]", Some("é/1"));
    let Ok(wire::Message::One(text)) = wire::open(line.as_bytes()) else {
        panic!("{line}");
    };
    let request = wire::Request::read(text).expect("a request");
    assert_eq!(request.method, "a\"b");
    assert_eq!(request.params.map(RawValue::get), Some("[1,\"\\n\"]"));
    let id = request.id.expect("an id").get();
    assert_eq!(id, "\"é/1\"");
    for outcome in [Ok(raw("[5]")), Err(Fault::new(7, "a \"reason\""))] {
        let line = wire::answer(&outcome, id);
        let answer =
            wire::Answer::from_line(line.as_bytes()).expect("an answer");
        assert_eq!(answer.id, "é/1");
        match (outcome, answer.outcome) {
            (Ok(sent), Ok(came)) => assert_eq!(sent.get(), came.get()),
            (Err(sent), Err(came)) => {
                assert_eq!(sent.to_string(), came.to_string());
            }
            (sent, came) => panic!("{sent:?} became {came:?}"),
        }
    }
}

#[test]
fn t_x2_what_wants_an_answer() {
    for (line, wants) in [
        (r#"{"jsonrpc":"2.0","method":"x"}"#, false),
        (r#"{"jsonrpc":"2.0","method":"x","id":null}"#, true),
        (r#"[{"jsonrpc":"2.0","method":"x"}]"#, false),
        (r#"[{"jsonrpc":"2.0","method":"x"},1]"#, true),
        ("[]", true),
        ("{", true),
    ] {
        assert_eq!(wire::wants_answer(line), wants, "{line}");
    }
}

#[test]
fn t_x2_words_become_calls() {
    let order = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|w| w.to_string()).collect();
        words::order(&words)
    };
    let call = |method: &str, params: &str| {
        let (method, params) = (method.to_string(), params.to_string());
        Ok(Order::Call { method, params })
    };
    assert_eq!(order(&["f"]), call("f", ""));
    assert_eq!(order(&["f", "1", "x", "[2]"]), call("f", r#"[1,"x",[2]]"#));
    assert_eq!(order(&["f", "a=1", "b=x"]), call("f", r#"{"a":1,"b":"x"}"#));
    assert_eq!(order(&["f", "a=b=c"]), call("f", r#"{"a":"b=c"}"#));
    assert_eq!(order(&["f", "\"a=b\""]), call("f", r#"["a=b"]"#));
    assert_eq!(order(&["f", "1=1", ""]), call("f", r#"["1=1",""]"#));
    assert!(order(&["f", "a=1", "2"]).is_err());
    assert!(order(&[]).is_err());
}

#[test]
fn t_q7_an_identity_is_a_client_and_a_number() {
    for (id, is_one) in [
        ("\"ada/1\"", true),
        ("\"a/b/18446744073709551615\"", true),
        ("\"ada/18446744073709551616\"", false),
        ("\"ada/0\"", false),
        ("\"/1\"", false),
        ("\"ada\"", false),
        ("1", false),
    ] {
        assert_eq!(Identity::of(&raw(id)).is_some(), is_one, "{id}");
    }
}

#[test]
fn t_x2_a_procedure_that_panics_is_an_internal_error() {
    let outcome = skeleton::contain(|| panic!("a bug in a procedure"));
    let fault = outcome.expect_err("it broke down");
    assert_eq!(fault.code, INTERNAL_ERROR);
    // And nothing that came before or comes after suffers.
    let server = skeleton::Skeleton::new(true, Duration::ZERO);
    let peer = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
    let line = request("add", json!([2, 3]), json!(1));
    let answer = server.answer(line.as_bytes(), peer).expect("an answer");
    assert!(answer.contains("\"result\":5"), "{answer}");
}

#[test]
fn t_x2_table_counts_its_bytes() {
    let table = table::Table::default();
    let large = raw(&format!("\"{}\"", "v".repeat(60_000)));
    // Put and replaced and deleted again leaves nothing behind.
    for _ in 0..1000 {
        assert_eq!(table.put("k".into(), large.clone()), Ok(true));
        assert_eq!(table.put("k".into(), large.clone()), Ok(false));
        assert!(table.delete("k"));
    }
    // 16 MiB hold 279 of them.
    for n in 0..279 {
        assert_eq!(table.put(n.to_string(), large.clone()), Ok(true), "{n}");
    }
    let full = Err(table::Problem::Full);
    assert_eq!(table.put("one more".into(), large.clone()), full);
    assert_eq!(table.put("0".into(), large), Ok(false), "in its place");
    assert!(table.delete("0") && !table.delete("0"));
}

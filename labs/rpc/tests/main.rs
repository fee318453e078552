//! The rpc lab, black box: calls by the standard's letter, wrong ones, lost
//! answers, poor networks, Python at the other end.

mod client;
mod hostile;
mod lost;
mod plain;

use std::net::TcpStream;

use harness::{
    Server, half_close, play_readme, python_server, receive, receive_all,
    reset, send, strace_shows, trickle,
};
use serde_json::{Value, json};

/// Sends a line, gives the answer's line as JSON.
#[track_caller]
fn ask(client: &TcpStream, line: &str) -> Value {
    send(client, format!("{line}\n").as_bytes());
    hear(client)
}

#[track_caller]
fn hear(client: &TcpStream) -> Value {
    let line = hear_line(client);
    serde_json::from_str(&line).unwrap_or_else(|e| panic!("{line}: {e}"))
}

/// A line; like receive_line, but not byte by byte: some have 400 KB.
#[track_caller]
fn hear_line(client: &TcpStream) -> String {
    let (mut line, mut chunk) = (Vec::new(), vec![0; 65_536]);
    while line.last() != Some(&b'\n') {
        let ready = client.peek(&mut chunk).expect("an answer in time");
        assert!(ready > 0, "closed within a line");
        let end = chunk[..ready].iter().position(|&byte| byte == b'\n');
        line.extend(receive(client, end.map_or(ready, |end| end + 1)));
    }
    String::from_utf8(line).expect("UTF-8").trim_end().to_string()
}

/// A request in full.
fn request(method: &str, params: Value, id: Value) -> String {
    json!({"jsonrpc": "2.0", "method": method, "params": params, "id": id})
        .to_string()
}

/// Calls, gives the result.
#[track_caller]
fn call(client: &TcpStream, method: &str, params: Value) -> Value {
    let answer = ask(client, &request(method, params, json!(1)));
    assert_eq!(answer["id"], 1, "{answer}");
    answer.get("result").unwrap_or_else(|| panic!("{answer}")).clone()
}

/// The code of an answer that must be an error, and its id.
#[track_caller]
fn fault(answer: &Value) -> (i64, &Value) {
    assert_eq!(answer["jsonrpc"], "2.0", "{answer}");
    assert!(answer.get("result").is_none(), "{answer}");
    assert!(answer["error"]["message"].is_string(), "{answer}");
    let id = answer.get("id").unwrap_or_else(|| panic!("no id: {answer}"));
    let code = answer["error"]["code"].as_i64();
    (code.unwrap_or_else(|| panic!("{answer}")), id)
}

/// Still in step after whatever came before.
#[track_caller]
fn still_serves(client: &TcpStream) {
    let answer = ask(client, &request("add", json!([2, 3]), json!("after")));
    assert_eq!(answer, json!({"jsonrpc": "2.0", "result": 5, "id": "after"}));
}

#[test]
fn t_x2_the_readmes_transcripts_hold() {
    play_readme("rpc");
}

/// Tests that only look at bytes: CHECK=host:port runs them against any
/// JSON-RPC 2.0 server over lines that can add and subtract.
/// `cargo test --test rpc any_server`
mod any_server {
    use super::*;

    #[test]
    fn t_x2_the_standards_examples() {
        let server = Server::start_or_check("rpc-server", &[]);
        let client = server.connect();
        for (params, result) in [
            (json!([42, 23]), 19),
            (json!([23, 42]), -19),
            (json!({"subtrahend": 23, "minuend": 42}), 19),
            (json!({"minuend": 42, "subtrahend": 23}), 19),
        ] {
            let line = request("subtract", params, json!(3));
            let right = json!({"jsonrpc": "2.0", "result": result, "id": 3});
            assert_eq!(ask(&client, &line), right);
        }
        for (line, code, id) in [
            (
                r#"{"jsonrpc": "2.0", "method": "foobar", "id": "1"}"#,
                -32601,
                json!("1"),
            ),
            (
                r#"{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]"#,
                -32700,
                Value::Null,
            ),
            (
                r#"{"jsonrpc": "2.0", "method": 1, "params": "bar"}"#,
                -32600,
                Value::Null,
            ),
            (
                r#"[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},{"jsonrpc": "2.0", "method""#,
                -32700,
                Value::Null,
            ),
            ("[]", -32600, Value::Null),
        ] {
            let answer = ask(&client, line);
            assert_eq!(fault(&answer), (code, &id), "{line}");
        }
        let answers = ask(&client, "[1,2,3]");
        let answers = answers.as_array().expect("a list");
        assert_eq!(answers.len(), 3);
        for answer in answers {
            assert_eq!(fault(answer), (-32600, &Value::Null));
        }
    }

    /// Section 7's batch, member by member.
    #[test]
    fn t_x2_the_standards_batch() {
        let server = Server::start_or_check("rpc-server", &[]);
        let client = server.connect();
        let answers = ask(
            &client,
            r#"[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
                {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
                {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
                {"foo": "boo"},
                {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
                {"jsonrpc": "2.0", "method": "get_data", "id": "9"}]"#
                .replace('\n', " ")
                .as_str(),
        );
        let answers = answers.as_array().expect("a list");
        let result = |result: Value, id: &str| json!({"jsonrpc": "2.0", "result": result, "id": id});
        assert_eq!(answers.len(), 5, "{answers:?}");
        assert_eq!(answers[0], result(json!(7), "1"));
        assert_eq!(answers[1], result(json!(19), "2"));
        assert_eq!(fault(&answers[2]), (-32600, &Value::Null));
        assert_eq!(answers[2]["error"]["message"], "Invalid Request");
        assert_eq!(fault(&answers[3]), (-32601, &json!("5")));
        assert_eq!(answers[3]["error"]["message"], "Method not found");
        assert_eq!(answers[4], result(json!(["hello", 5]), "9"));
        // Notifications, known and unknown: the next answer is the next.
        for line in [
            r#"{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}"#,
            r#"{"jsonrpc": "2.0", "method": "foobar"}"#,
            r#"{"jsonrpc": "2.0", "method": "sum", "params": [1]}"#,
        ] {
            send(&client, format!("{line}\n").as_bytes());
        }
        still_serves(&client);
    }

    #[test]
    fn t_x2_a_batch_is_answered_in_one_list_and_notifications_are_not() {
        let server = Server::start_or_check("rpc-server", &[]);
        let client = server.connect();
        let answers = ask(
            &client,
            r#"[{"jsonrpc":"2.0","method":"add","params":[1,2],"id":"1"},
                {"jsonrpc":"2.0","method":"add","params":[7,7]},
                {"jsonrpc":"2.0","method":"subtract","params":[42,23],"id":"2"},
                {"foo":"boo"},
                {"jsonrpc":"2.0","method":"foo.get","id":"5"}]"#
                .replace('\n', " ")
                .as_str(),
        );
        let answers = answers.as_array().expect("a list");
        let by = |id: Value| {
            let found = answers.iter().find(|answer| answer["id"] == id);
            found.unwrap_or_else(|| panic!("{id}: {answers:?}"))
        };
        assert_eq!(answers.len(), 4);
        assert_eq!(by(json!("1"))["result"], 3);
        assert_eq!(by(json!("2"))["result"], 19);
        assert_eq!(by(json!("5"))["error"]["code"], -32601);
        assert_eq!(by(Value::Null)["error"]["code"], -32600);
        // Nothing but notifications: nothing comes, not even a list; nor an
        // error, whatever is wrong with them. The next answer is the next.
        let silent = r#"{"jsonrpc":"2.0","method":"no.such","params":[1]}"#;
        send(&client, format!("[{silent},{silent}]\n{silent}\n").as_bytes());
        still_serves(&client);
    }

    #[test]
    fn t_x2_a_call_byte_by_byte_and_two_in_one_segment() {
        let server = Server::start_or_check("rpc-server", &[]);
        let client = server.connect();
        let line = request("add", json!([2, 3]), json!(1));
        trickle(&client, format!("{line}\n").as_bytes());
        assert_eq!(hear(&client)["result"], 5);
        send(&client, format!("{line}\r\n{line}\n").as_bytes());
        assert_eq!(hear(&client)["result"], 5);
        assert_eq!(hear(&client)["result"], 5);
    }

    #[test]
    fn t_x2_calls_before_a_half_close_are_answered() {
        let server = Server::start_or_check("rpc-server", &[]);
        let client = server.connect();
        let line = request("add", json!([2, 3]), json!(1));
        send(&client, format!("{line}\n{line}\n").as_bytes());
        half_close(&client);
        let all = String::from_utf8(receive_all(&client)).expect("UTF-8");
        assert_eq!(all.lines().count(), 2, "{all}");
    }
}

#[test]
fn t_x2_the_last_line_may_lack_its_end() {
    let server = Server::start("rpc-server", &[]);
    let client = server.connect();
    send(&client, request("add", json!([2, 3]), json!(1)).as_bytes());
    half_close(&client);
    assert_eq!(hear(&client)["result"], 5);
}

#[test]
fn t_x2_calculator_keeps_whole_numbers_exact_and_says_what_does_not_fit() {
    let server = Server::start("rpc-server", &[]);
    let client = server.connect();
    for (method, a, b, right) in [
        ("add", "2", "3", "5"),
        ("add", "9007199254740993", "0", "9007199254740993"),
        ("add", "-9223372036854775808", "0", "-9223372036854775808"),
        ("add", "0.1", "0.2", "0.30000000000000004"),
        ("add", "2.0", "3", "5.0"),
        ("multiply", "1e3", "2", "2000.0"),
        ("divide", "6", "3", "2"),
        ("divide", "7", "2", "3.5"),
        ("divide", "-9223372036854775807", "-1", "9223372036854775807"),
        // 1 and 2: the application's errors; the others are the standard's.
        ("divide", "1", "0", "1"),
        ("divide", "1", "0.0", "1"),
        ("divide", "-9223372036854775808", "-1", "2"),
        ("add", "9223372036854775807", "1", "2"),
        ("multiply", "1e308", "10", "2"),
        ("add", "9223372036854775808", "0", "-32602"),
        ("add", "1e400", "0", "-32602"),
        ("add", "null", "0", "-32602"),
        ("add", "\"1\"", "0", "-32602"),
        ("add", "NaN", "0", "-32700"),
        ("add", "01", "0", "-32700"),
    ] {
        let line = format!(
            r#"{{"jsonrpc":"2.0","method":"{method}","params":[{a},{b}],"id":1}}"#
        );
        send(&client, format!("{line}\n").as_bytes());
        let answer = hear_line(&client);
        let result = answer.contains(&format!(r#""result":{right},"#));
        let code = answer.contains(&format!(r#""code":{right},"#));
        assert!(result || code, "{method} {a} {b}: {answer}, not {right}");
    }
}

#[test]
fn t_x2_table_is_shared_and_keeps_values_as_they_came() {
    let server = Server::start("rpc-server", &[]);
    let (ada, bob) = (server.connect(), server.connect());
    let value = json!({"x": [1, 2.5, null, true], "ä": "\u{1f600}\n\u{1b}"});
    assert_eq!(call(&ada, "table.put", json!(["k", value])), true);
    assert_eq!(call(&bob, "table.put", json!(["k", value])), false);
    assert_eq!(call(&bob, "table.get", json!(["k"])), value);
    // All digits, although no number type of ours holds them.
    let digits = "123456789012345678901234567890.10";
    send(
        &ada,
        format!(
            r#"{{"jsonrpc":"2.0","method":"table.put","params":["n",{digits}],"id":1}}"#
        )
        .as_bytes(),
    );
    send(&ada, b"\n");
    assert_eq!(hear(&ada)["result"], true);
    send(&bob, request("table.get", json!(["n"]), json!(1)).as_bytes());
    send(&bob, b"\n");
    assert!(hear_line(&bob).contains(digits));
    assert_eq!(call(&bob, "table.keys", json!([])), json!(["k", "n"]));
    assert_eq!(call(&bob, "table.keys", json!({"after": "k"})), json!(["n"]));
    assert_eq!(call(&ada, "table.delete", json!(["k"])), true);
    assert_eq!(call(&ada, "table.delete", json!(["k"])), false);
    let answer = ask(&bob, &request("table.get", json!(["k"]), json!(1)));
    assert_eq!(fault(&answer).0, 3);
}

#[test]
fn t_x2_table_is_bounded() {
    let server = Server::start("rpc-server", &[]);
    let client = server.connect();
    let long = "k".repeat(257);
    let answer =
        ask(&client, &request("table.put", json!([long, 1]), json!(1)));
    assert_eq!(fault(&answer).0, -32602);
    // 10,000 entries: 20 batches of 500, then one more.
    for first in (0..10_000).step_by(500) {
        let batch: Vec<String> = (first..first + 500)
            .map(|n| {
                request("table.put", json!([format!("{n:05}"), n]), json!(n))
            })
            .collect();
        let answers = ask(&client, &format!("[{}]", batch.join(",")));
        let answers = answers.as_array().expect("a list");
        assert!(answers.iter().all(|answer| answer["result"] == true));
    }
    let answer = ask(&client, &request("table.put", json!(["x", 1]), json!(1)));
    assert_eq!(fault(&answer).0, 4, "full");
    assert_eq!(call(&client, "table.put", json!(["00007", 2])), false);
    // A hundred keys at once; the rest after the last of them.
    let keys = call(&client, "table.keys", json!(["00098"]));
    let keys = keys.as_array().expect("a list");
    assert_eq!((keys.len(), &keys[0]), (100, &json!("00099")));
}

#[test]
fn t_x2_ids_come_back_as_they_were() {
    let server = Server::start("rpc-server", &[]);
    let client = server.connect();
    for id in [
        "0",
        "-7",
        "1.50",
        "1e400",
        "\"\"",
        "\"\\u00e9/\\n\"",
        "null",
        "123456789012345678901234567890",
    ] {
        let line = format!(
            r#"{{"id":{id},"jsonrpc":"2.0","params":[1,1],"method":"add"}}"#
        );
        send(&client, format!("{line}\n").as_bytes());
        let right = format!(r#"{{"jsonrpc":"2.0","result":2,"id":{id}}}"#);
        assert_eq!(hear_line(&client), right);
    }
    let long = format!("\"{}\"", "x".repeat(200));
    for id in ["true", "[1]", "{}", &long] {
        let line = format!(
            r#"{{"id":{id},"jsonrpc":"2.0","params":[1,1],"method":"add"}}"#
        );
        let answer = ask(&client, &line);
        assert_eq!(fault(&answer), (-32600, &Value::Null), "{id}");
    }
}

#[test]
fn t_x2_parameters_by_name_and_position_and_wrong_ones() {
    let server = Server::start("rpc-server", &[]);
    let client = server.connect();
    for (params, fine) in [
        ("[1,2]", true),
        (r#"{"b":1,"a":2}"#, true),
        ("[1]", false),
        ("[1,2,3]", false),
        ("[]", false),
        (r#"{"a":1}"#, false),
        (r#"{"a":1,"b":2,"c":3}"#, false),
        (r#"{"a":1,"a":1,"b":2}"#, false),
        (r#"{"A":1,"B":2}"#, false),
        (r#"{"a":[1],"b":2}"#, false),
    ] {
        let line = format!(
            r#"{{"jsonrpc":"2.0","method":"add","params":{params},"id":9}}"#
        );
        let answer = ask(&client, &line);
        match fine {
            true => assert_eq!(answer["result"], 3, "{params}"),
            false => {
                assert_eq!(fault(&answer), (-32602, &json!(9)), "{params}")
            }
        }
    }
    // Optional, added in a later version: both forms of the call work.
    assert_eq!(call(&client, "counter.increment", json!([])), 1);
    assert_eq!(call(&client, "counter.increment", json!({"by": 4})), 5);
    let line = r#"{"jsonrpc":"2.0","method":"counter.increment","id":1}"#;
    assert_eq!(ask(&client, line)["result"], 6);
    // Members that we do not know are passed over; ours twice are not.
    let line = r#"{"jsonrpc":"2.0","x":[],"method":"counter.read","id":1}"#;
    assert_eq!(ask(&client, line)["result"], 6);
    let line = r#"{"jsonrpc":"2.0","id":1,"method":"counter.read","id":2}"#;
    assert_eq!(fault(&ask(&client, line)).0, -32600);
}

#[test]
fn t_x2_notifications_are_run_and_not_answered() {
    let mut server = Server::start("rpc-server", &[]);
    let client = server.connect();
    let line = r#"{"jsonrpc":"2.0","method":"counter.increment"}"#;
    send(&client, format!("{line}\n[{line},{line}]\n").as_bytes());
    assert_eq!(call(&client, "counter.read", json!([])), 3);
    server.wait_for("[…] counter.increment -> 3 (a notification: no response)");
    // An id that is null is an id.
    let line = r#"{"jsonrpc":"2.0","method":"counter.read","id":null}"#;
    assert_eq!(ask(&client, line)["result"], 3);
}

#[test]
fn t_q7_python_stub_calls_our_skeleton() {
    let server = Server::start("rpc-server", &[]);
    let Some(mut peer) = server.python("rpc/client.py", &[]) else { return };
    let said = peer.read_to_end().expect("it ends");
    let said = String::from_utf8_lossy(&said);
    assert_eq!(
        said.trim_end(),
        "2 + 3 = 5\n7 / 2 = 3.5\nfault: 1 division by zero\n\
         fault: -32602 Invalid params\nfault: -32601 Method not found\n\
         fault: -32602 Invalid params\nnew: True\nsame: True\n\
         batch: [0, 2, 4]\ncounter: 1"
    );
}

#[test]
fn t_q7_our_stub_calls_a_python_skeleton() {
    let Some(server) = python_server("rpc/server.py", &[]) else { return };
    for (words, printed) in [
        (&["add", "2", "3"][..], "5"),
        (&["add", "b=2.5", "a=1"], "3.5"),
        (&["add", "x", "y"], "\"xy\""),
        (&["add", "1"], "Error: -32602 Invalid params"),
        (&["fly"], "Error: -32601 Method not found"),
        (&["[1"], "{…-32700…}"),
        (&["counter.increment"], "1"),
    ] {
        let mut client = server.client("rpc-client", words);
        client.wait_for(printed).unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn t_q7_a_python_server_that_loses_an_answer_does_the_work_once() {
    let Some(server) = python_server("rpc/server.py", &["1"]) else { return };
    let mut client = server.client("rpc-client", &["counter.increment"]);
    client.wait_for("trying again, 2 of 3: …").expect("it tries again");
    client.wait_for("1").expect("the remembered answer");
    let mut client = server.client("rpc-client", &["counter.increment"]);
    client.wait_for("2").expect("another call");
}

#[test]
fn t_x2_system_calls_come_in_the_order_of_the_banners() {
    strace_shows(
        "rpc-server",
        &["socket", "bind", "listen", "accept4", "recvfrom", "close"],
    );
}

#[test]
fn t_x2_ctrl_c_ends_a_server_with_clients() {
    let mut server = Server::start("rpc-server", &[]);
    let idle = server.connect();
    let busy = server.connect();
    still_serves(&busy);
    server.interrupt();
    assert_eq!(receive_all(&idle), b"");
    drop(busy);
}

#[test]
fn t_x2_a_reset_ends_one_conversation_only() {
    let mut server = Server::start("rpc-server", &[]);
    let client = server.connect();
    still_serves(&client);
    send(&client, b"{\"jsonrpc\":");
    reset(client);
    server.wait_for("[…] lost: recv(…): Connection reset by peer …");
    still_serves(&server.connect());
}

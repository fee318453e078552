//! What a peer may send: too much, too deep, broken, slow, by chance.

use std::io::Write;
use std::time::Duration;

use super::*;

#[test]
fn t_x2_each_error_has_the_standards_code_and_the_connection_lives() {
    let server = Server::start("rpc-server", &[]);
    let client = server.connect();
    let null = Value::Null;
    for (line, code, id) in [
        ("", -32700, &null),
        ("hello", -32700, &null),
        ("{}{}", -32700, &null),
        (r#"{"jsonrpc":"2.0","#, -32700, &null),
        ("{'jsonrpc':'2.0'}", -32700, &null),
        ("\u{feff}{}", -32700, &null),
        ("\0", -32700, &null),
        ("{}", -32600, &null),
        ("1", -32600, &null),
        ("null", -32600, &null),
        (r#""text""#, -32600, &null),
        (r#"{"method":"add","params":[1,2],"id":4}"#, -32600, &json!(4)),
        (r#"{"jsonrpc":"1.0","method":"add","id":4}"#, -32600, &json!(4)),
        (r#"{"jsonrpc":2.0,"method":"add","id":4}"#, -32600, &json!(4)),
        (r#"{"jsonrpc":"2.0","id":4}"#, -32600, &json!(4)),
        (r#"{"jsonrpc":"2.0","method":null,"id":4}"#, -32600, &json!(4)),
        (
            r#"{"jsonrpc":"2.0","method":"add","params":5,"id":4}"#,
            -32600,
            &json!(4),
        ),
        (
            r#"{"jsonrpc":"2.0","method":"add","params":null,"id":4}"#,
            -32600,
            &json!(4),
        ),
        (r#"{"jsonrpc":"2.0","method":"ADD","id":4}"#, -32601, &json!(4)),
        (r#"{"jsonrpc":"2.0","method":"","id":4}"#, -32601, &json!(4)),
        (r#"{"jsonrpc":"2.0","method":"rpc.x","id":4}"#, -32601, &json!(4)),
        (r#"{"jsonrpc":"2.0","method":"add","id":4}"#, -32602, &json!(4)),
    ] {
        let answer = ask(&client, line);
        assert_eq!(fault(&answer), (code, id), "{line}");
    }
    for bytes in [&b"\xff\xfe\n"[..], b"{\"jsonrpc\":\"2.0\xc3\"}\n"] {
        send(&client, bytes);
        assert_eq!(fault(&hear(&client)), (-32700, &null));
    }
    still_serves(&client);
}

#[test]
fn t_x2_ten_megabytes_on_a_line_are_refused_and_the_next_is_answered() {
    let mut server = Server::start("rpc-server", &[]);
    let client = server.connect();
    let mut line = vec![b'['; 10_000_000];
    line.push(b'\n');
    send(&client, &line);
    assert_eq!(fault(&hear(&client)), (-32600, &Value::Null));
    server.wait_for("[…] refused: a line that is too long");
    still_serves(&client);
    // A batch of 100,000 is such a line, too.
    let line = format!("[1{}]", ",1".repeat(99_999));
    assert_eq!(fault(&ask(&client, &line)).0, -32600);
    still_serves(&client);
}

#[test]
fn t_x2_deep_nesting_is_an_error_and_no_stack_overflow() {
    let server = Server::start("rpc-server", &[]);
    let client = server.connect();
    let nest = |depth| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(fault(&ask(&client, &nest(30_000))).0, -32700);
    assert_eq!(fault(&ask(&client, &nest(65))).0, -32700);
    assert_eq!(fault(&ask(&client, &nest(64))[0]).0, -32600, "a batch");
    let objects = r#"{"a":"#.repeat(10_000) + "1" + &"}".repeat(10_000);
    assert_eq!(fault(&ask(&client, &objects)).0, -32700);
    // Brackets in a string nest nothing.
    let line = request("table.put", json!(["[\"[[\\", nest(500)]), json!(1));
    assert_eq!(ask(&client, &line)["result"], true);
    still_serves(&client);
}

#[test]
fn t_x2_a_batch_is_bounded_and_so_are_its_answers() {
    let mut server = Server::start("rpc-server", &[]);
    let client = server.connect();
    let batch = |count: usize| format!("[1{}]", ",1".repeat(count - 1));
    let answers = ask(&client, &batch(1000));
    assert_eq!(answers.as_array().map(Vec::len), Some(1000));
    assert_eq!(fault(&ask(&client, &batch(1001))), (-32600, &Value::Null));
    // Small questions, large answers: 700 times 60 KB would be 42 MB.
    let value = "v".repeat(60_000);
    assert_eq!(call(&client, "table.put", json!(["big", value])), true);
    let get = |n: u64| request("table.get", json!(["big"]), json!(n));
    let mut many: Vec<String> = (0..700).map(get).collect();
    many.push(request("counter.increment", json!([]), json!("end")));
    send(&client, format!("[{}]\n", many.join(",")).as_bytes());
    let line = hear_line(&client);
    assert!(line.len() < 1024 * 1024, "{} bytes", line.len());
    let answers: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(answers.as_array().map(Vec::len), Some(701));
    assert_eq!(answers[0]["result"], value);
    assert_eq!(fault(&answers[699]), (-32002, &json!(699)));
    assert_eq!(fault(&answers[700]), (-32002, &json!("end")));
    // What was not answered was not done.
    assert_eq!(call(&client, "counter.read", json!([])), 0);
    server.wait_for("[…] and 691 more of this batch");
    still_serves(&client);
}

#[test]
fn t_x2_half_a_line_and_silence_end_the_connection_with_a_reason() {
    let server = Server::start("rpc-server", &["--idle", "1"]);
    for begin in [&b""[..], b"\n"] {
        let client = server.connect();
        send(&client, begin);
        let all = String::from_utf8(receive_all(&client)).expect("UTF-8");
        let last = all.lines().last().unwrap_or_default();
        let last: Value = serde_json::from_str(last).expect("JSON");
        assert_eq!(fault(&last), (-32001, &Value::Null), "{all}");
    }
}

#[test]
fn t_x2_a_full_house_says_so_in_the_protocol() {
    let server = Server::start("rpc-server", &["--max-clients", "1"]);
    let first = server.connect();
    still_serves(&first);
    let second = server.connect();
    assert_eq!(fault(&hear(&second)), (-32000, &Value::Null));
    let mut client = server.client("rpc-client", &["--tries", "1", "add"]);
    client.wait_for("Error: -32000 …: no room: …").expect("no room");
    still_serves(&first);
}

#[test]
fn t_x2_what_a_peer_sends_cannot_drive_the_servers_terminal() {
    let mut server = Server::start("rpc-server", &[]);
    let client = server.connect();
    let line =
        r#"{"jsonrpc":"2.0","method":"\u001b[2J\u202e\n","params":[],"id":1}"#;
    assert_eq!(fault(&ask(&client, line)).0, -32601);
    server.wait_for("[…] \\x1b[2J\\u{202e}\\n [] -> error -32601 …");
}

#[test]
fn t_x2_a_peer_that_never_reads_holds_up_nobody() {
    let server = Server::start("rpc-server", &[]);
    let (greedy, other) = (server.connect(), server.connect());
    // Its answers fill the buffers between us; then its thread waits, and
    // reads no more of its requests either.
    let soon = Some(Duration::from_millis(500));
    greedy.set_write_timeout(soon).expect("a deadline");
    let one = request("rpc.methods", json!([]), json!(1));
    let batch = format!("[{one}{}]\n", format!(",{one}").repeat(500));
    let mut sent = 0;
    while (&greedy).write_all(batch.as_bytes()).is_ok() {
        sent += batch.len();
        assert!(sent < 16 << 20, "answers are kept without a bound");
    }
    still_serves(&other);
}

#[test]
fn t_x2_hundred_clients_at_once() {
    let server = Server::start("rpc-server", &[]);
    let clients: Vec<TcpStream> = (0..100).map(|_| server.connect()).collect();
    let line = request("counter.increment", json!([]), json!(1)) + "\n";
    for client in &clients {
        send(client, line.repeat(10).as_bytes());
    }
    let mut seen: Vec<i64> = Vec::new();
    for client in &clients {
        for _ in 0..10 {
            seen.extend(hear(client)["result"].as_i64());
        }
    }
    seen.sort_unstable();
    let all: Vec<i64> = (1..=1000).collect();
    assert_eq!(seen, all, "no increment is lost, and none is seen twice");
}

#[test]
fn t_x2_bytes_by_chance_are_answered_or_passed_over() {
    let server = Server::start("rpc-server", &["--at-most-once"]);
    let client = server.connect();
    let mut seed = 12_345_u64;
    let mut chance = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize % below
    };
    let whole = format!(
        "[{},{}]",
        request("table.put", json!({"key": "k", "value": 1}), json!("a/1")),
        request("counter.increment", json!([2]), json!(null)),
    );
    let parts = [
        &b"{"[..],
        b"}",
        b"[",
        b"]",
        b"\"",
        b":",
        b",",
        b"null",
        b"\\u00",
        b"1e9",
        b"\xff",
        b"\"id\"",
        b"\"method\"",
        b"add",
        b"-",
        b"\\",
    ];
    for _ in 0..500 {
        let mut line = whole.as_bytes().to_vec();
        for _ in 0..=chance(5) {
            let at = chance(line.len());
            let end = (at + chance(9)).min(line.len());
            let part = parts[chance(parts.len())];
            line.splice(at..end, part.iter().copied());
        }
        line.push(b'\n');
        send(&client, &line);
        // A marker after each: all responses come before it.
        send(
            &client,
            (request("add", json!([1, 1]), json!("mark")) + "\n").as_bytes(),
        );
        while hear(&client)["id"] != "mark" {}
    }
    still_serves(&client);
}

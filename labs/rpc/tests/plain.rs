//! Proves that the first programs, stub and skeleton with one procedure, hold
//! the dialogue of the figure, with each other, with Python and with
//! rpc-server.

use std::io::Write;

use serde_json::{Value, json};

use harness::{Server, half_close, python_server, receive_all, reset, send};

use crate::{ask, hear, request};

#[test]
fn t_x2_plain_a_remote_sum_looks_like_a_local_one() {
    let mut server = Server::start("rpc-plain-server", &[]);
    for program in ["rpc-plain-client", "rpc-client"] {
        let arguments: &[&str] = match program {
            "rpc-client" => &["add", "2", "3"],
            _ => &["2", "3"],
        };
        let mut client = server.client(program, arguments);
        let said = client.read_to_end().expect("it ends");
        let said = String::from_utf8_lossy(&said);
        assert!(said.trim_end().ends_with('5'), "{program}: {said}");
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
    }
    server.interrupt();
}

#[test]
fn t_x2_plain_client_calls_python_and_the_server_to_use() {
    let ours = Server::start("rpc-server", &[]);
    let pythons = python_server("rpc/server.py", &[]);
    for server in [Some(ours), pythons].into_iter().flatten() {
        let mut client = server.client("rpc-plain-client", &["-2", "3"]);
        client.wait_for("-2 + 3 = 1").expect("the sum");
    }
}

#[test]
fn t_x2_plain_server_is_called_by_python() {
    let server = Server::start("rpc-plain-server", &[]);
    if let Some(mut client) = server.python("rpc/plain_client.py", &["2", "3"])
    {
        client.wait_for("2 + 3 = 5").expect("the sum");
    }
}

#[test]
fn t_x2_plain_a_silent_client_delays_nobody_and_a_lost_one_ends_nothing() {
    let server = Server::start("rpc-plain-server", &[]);
    let silent = server.connect();
    let half = server.connect();
    send(&half, br#"{"jsonrpc":"2.0","method":"a"#);
    let gone = server.connect();
    send(
        &gone,
        format!("{}\n", request("add", json!([1, 1]), json!(1))).as_bytes(),
    );
    reset(gone);
    let client = server.connect();
    for count in 0..2 {
        let line = request("add", json!([2, count]), json!(count));
        assert_eq!(ask(&client, &line)["result"], 2 + count);
    }
    // The rest of the half line: a call is what the newline ends.
    send(&half, b"dd\",\"params\":[4,5],\"id\":7}\n");
    assert_eq!(hear(&half)["result"], 9);
    half_close(&silent);
    assert_eq!(receive_all(&silent), b"");
}

#[test]
fn t_x2_plain_what_it_does_not_know_is_an_error_and_the_next_call_works() {
    let server = Server::start("rpc-plain-server", &[]);
    let mut client = server.connect();
    for (code, line) in [
        (-32601, request("fly", json!([1, 2]), json!(1))),
        (-32602, request("add", json!(["1", 2]), json!(1))),
        (-32602, request("add", json!([1]), json!(1))),
        (-32000, request("add", json!([i64::MAX, 1]), json!(1))),
        (-32700, "no JSON".to_string()),
        (-32600, "[]".to_string()),
    ] {
        let answer = ask(&client, &line);
        assert_eq!(answer["error"]["code"], code, "{line}: {answer}");
        assert!(answer["error"]["message"].is_string(), "{line}: {answer}");
    }
    let line = request("add", json!([2, 3]), json!(1));
    assert_eq!(ask(&client, &line)["result"], Value::from(5));
    // More than a line may have: this client is disconnected, no other.
    let long = [vec![b'x'; 5000], b"\n".to_vec()].concat();
    client.write_all(&long).expect("it takes bytes");
    assert_eq!(receive_all(&client), b"");
    assert_eq!(ask(&server.connect(), &line)["result"], Value::from(5));
}

#[test]
fn t_x2_plain_client_without_a_server_says_what_to_start() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = nobody.local_addr().expect("an address");
    drop(nobody);
    let mut client =
        Server::at(address).client("rpc-plain-client", &["2", "3"]);
    let said = client.wait_for("…ECONNREFUSED…").expect("an error");
    assert!(said.contains("make rpc-plain-server"), "{said}");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
}

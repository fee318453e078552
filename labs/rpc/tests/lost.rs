//! Lost answers: what at least once and at most once mean on a counter.

use super::*;

/// Milliseconds that a busy machine does not need for an answer.
const PATIENT: &str = "1500";

/// The counter, as a new connection sees it.
#[track_caller]
fn counter(server: &Server) -> Value {
    call(&server.connect(), "counter.read", json!([]))
}

/// One call of the client's, however many attempts that takes.
#[track_caller]
fn increment(server: &Server, wait: &str) -> String {
    let words = ["--wait", wait, "--tries", "60", "counter.increment"];
    let mut client = server.client("rpc-client", &words);
    client.wait_for("trying again, 2 of 60: id \"…/1\"").expect("a retry");
    let said = client.read_to_end().expect("it ends");
    let said = String::from_utf8_lossy(&said).into_owned();
    said.lines().last().unwrap_or_default().to_string()
}

#[test]
fn t_q7_at_least_once_does_the_work_again() {
    for lose in ["--lose-reply", "--lose-connection"] {
        let server = Server::start("rpc-server", &[lose, "1"]);
        assert_eq!(increment(&server, PATIENT), "2", "{lose}: done twice");
        assert_eq!(counter(&server), 2);
    }
}

#[test]
fn t_q7_at_most_once_remembers_the_answer() {
    for lose in ["--lose-reply", "--lose-connection"] {
        let server =
            Server::start("rpc-server", &[lose, "1", "--at-most-once"]);
        assert_eq!(increment(&server, PATIENT), "1", "{lose}: remembered");
        assert_eq!(counter(&server), 1);
        assert_eq!(call(&server.connect(), "counter.increment", json!([])), 2);
    }
}

#[test]
fn t_q7_a_slow_call_is_asked_for_again_while_it_runs_and_runs_once() {
    let mut server =
        Server::start("rpc-server", &["--at-most-once", "--delay", "1500"]);
    assert_eq!(increment(&server, "300"), "1");
    server.wait_for("[…] counter.increment -> 1 (not run again)");
    assert_eq!(counter(&server), 1);
}

#[test]
fn t_q7_without_an_answer_the_client_says_what_it_cannot_know() {
    let server = Server::start("rpc-server", &["--lose-reply", "9"]);
    let words = ["--wait", "100", "--tries", "2", "counter.increment"];
    let mut client = server.client("rpc-client", &words);
    client.wait_for("recv(…): no response within 100 ms").expect("1");
    client.wait_for("trying again, 2 of 2: …").expect("2");
    client.wait_for("Error: recv(…): no response within 100 ms").expect("3");
    client
        .wait_for("Nobody knows whether it was done: sent 2 times, …")
        .expect("4");
    let status = client.wait_for_end().expect("it ends");
    assert_eq!(status.code(), Some(1));
    // The second was sent, and perhaps is not read yet.
    let mut server = server;
    server.wait_for("[…] counter.increment -> 2");
    // One try is at most once as well: done, and nobody heard.
    let words = ["--wait", "100", "--tries", "1", "counter.increment"];
    let mut client = server.client("rpc-client", &words);
    client
        .wait_for("Nobody knows whether it was done: sent once.")
        .expect("it gives up");
    server.wait_for("[…] counter.increment -> 3");
}

#[test]
fn t_q7_an_id_is_done_once_on_whatever_connection() {
    let server = Server::start("rpc-server", &["--at-most-once"]);
    let line = request("counter.increment", json!([]), json!("ada/1"));
    for _ in 0..3 {
        let client = server.connect();
        assert_eq!(ask(&client, &line)["result"], 1);
        assert_eq!(ask(&client, &line)["result"], 1);
        reset(client);
    }
    // Others with the same number are others.
    for (id, result) in [("bob/1", 2), ("ada/2", 3), ("ada/x/1", 4)] {
        let line = request("counter.increment", json!([]), json!(id));
        assert_eq!(ask(&server.connect(), &line)["result"], result, "{id}");
    }
    // In one batch, too.
    let twice = request("counter.increment", json!([]), json!("eve/1"));
    let answers = ask(&server.connect(), &format!("[{twice},{twice}]"));
    assert_eq!((&answers[0], &answers[1]), (&answers[1], &answers[0]));
    assert_eq!(counter(&server), 5);
}

#[test]
fn t_q7_two_copies_at_the_same_time_run_once() {
    let server =
        Server::start("rpc-server", &["--at-most-once", "--delay", "300"]);
    let line = request("counter.increment", json!([]), json!("ada/1")) + "\n";
    let clients: Vec<TcpStream> = (0..20).map(|_| server.connect()).collect();
    for client in &clients {
        send(client, line.as_bytes());
    }
    for client in &clients {
        assert_eq!(hear(client)["result"], 1);
    }
}

#[test]
fn t_q7_a_used_id_answers_no_other_question() {
    let server = Server::start("rpc-server", &["--at-most-once"]);
    let client = server.connect();
    let line = request("counter.increment", json!([]), json!("ada/1"));
    assert_eq!(ask(&client, &line)["result"], 1);
    for (method, params) in
        [("counter.increment", json!([1])), ("table.put", json!(["k", 1]))]
    {
        let line = request(method, params, json!("ada/1"));
        assert_eq!(fault(&ask(&client, &line)).0, -32600, "{method}");
    }
    // What changes nothing is run each time, under any id.
    let line = request("counter.read", json!([]), json!("ada/1"));
    assert_eq!(ask(&client, &line)["result"], 1);
    assert_eq!(counter(&server), 1);
}

#[test]
fn t_q7_ids_that_name_nobody_are_run_each_time() {
    let server = Server::start("rpc-server", &["--at-most-once"]);
    let client = server.connect();
    let ids = [
        json!(1),
        json!("1"),
        json!("/1"),
        json!("ada/"),
        json!("ada/0"),
        json!("ada/+1"),
        json!("ada/-1"),
        json!("ada/1.0"),
        Value::Null,
        json!("ada/99999999999999999999999"),
    ];
    for id in &ids {
        let line = request("counter.increment", json!([]), id.clone());
        ask(&client, &line);
        ask(&client, &line);
    }
    assert_eq!(counter(&server), 2 * ids.len());
}

#[test]
fn t_q7_what_is_forgotten_is_refused_and_not_run() {
    let server = Server::start("rpc-server", &["--at-most-once"]);
    let client = server.connect();
    let line = |n: u64| {
        request("counter.increment", json!([]), json!(format!("ada/{n}")))
    };
    let batch: Vec<String> = (1..=100).map(line).collect();
    let answers = ask(&client, &format!("[{}]", batch.join(",")));
    assert_eq!(answers[99]["result"], 100);
    // 64 answers are kept: those to 37 and later.
    assert_eq!(ask(&client, &line(100))["result"], 100);
    assert_eq!(ask(&client, &line(37))["result"], 37);
    assert_eq!(fault(&ask(&client, &line(36))).0, -32003);
    assert_eq!(fault(&ask(&client, &line(1))).0, -32003);
    assert_eq!(counter(&server), 100);
}

#[test]
fn t_q7_memory_for_clients_is_bounded_and_breaks_no_promise() {
    let server = Server::start("rpc-server", &["--at-most-once"]);
    let client = server.connect();
    let line = |n: u64| {
        request("counter.increment", json!([]), json!(format!("c{n}/1")))
    };
    for first in [0, 256, 512, 768] {
        let batch: Vec<String> = (first..first + 256).map(line).collect();
        let answers = ask(&client, &format!("[{}]", batch.join(",")));
        assert_eq!(answers[255]["result"], first + 256);
    }
    assert_eq!(fault(&ask(&client, &line(1024))).0, -32003, "a newcomer");
    assert_eq!(ask(&client, &line(0))["result"], 1, "the oldest is known");
    assert_eq!(counter(&server), 1024);
}

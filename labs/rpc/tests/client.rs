//! The client: words, answers, servers that misbehave.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;

use harness::terminal::Terminal;

use super::*;

/// A server of one test: for each connection, what it sends after the first
/// line that it reads; ID stands for that line's id. `None`: nothing.
fn scripted(answers: &[Option<&str>]) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let answers: Vec<Option<String>> =
        answers.iter().map(|answer| answer.map(str::to_string)).collect();
    thread::spawn(move || {
        let mut ids = Vec::new();
        for answer in answers {
            let Ok((mut client, _)) = listener.accept() else { return };
            let mut line = String::new();
            let reader = client.try_clone().expect("a handle");
            let _ = BufReader::new(reader).read_line(&mut line);
            let request: Value = serde_json::from_str(&line).expect("JSON");
            ids.push(request["id"].to_string());
            assert!(ids.iter().all(|id| *id == ids[0]), "one call, one id");
            if let Some(answer) = answer {
                let answer = answer.replace("ID", &ids[0]);
                let _ = client.write_all(answer.as_bytes());
            }
        }
    });
    Server::at(address)
}

/// What the client prints, and its exit status.
#[track_caller]
fn run(server: &Server, words: &[&str]) -> (String, Option<i32>) {
    finish(server.client("rpc-client", words))
}

#[track_caller]
fn finish(mut client: Terminal) -> (String, Option<i32>) {
    let said = client.read_to_end().expect("it ends");
    let status = client.wait_for_end().expect("it ends");
    (String::from_utf8_lossy(&said).trim_end().to_string(), status.code())
}

#[test]
fn t_x2_client_calls_from_the_command_line() {
    let server = Server::start("rpc-server", &[]);
    for (words, printed) in [
        (&["add", "2", "3"][..], "5"),
        (&["add", "-2", "-3"], "-5"),
        (&["subtract", "subtrahend=1", "minuend=3"], "2"),
        (&["sum"], "0"),
        (&["sum", "1", "2", "0.5"], "3.5"),
        (&["table.put", "k", "{\"x\": 1}"], "true"),
        (&["table.get", "k"], "{\"x\": 1}"),
        (&["table.put", "key=k", "value=red"], "false"),
        (&["table.get", "key=k"], "\"red\""),
        (&["notify", "counter.increment", "41"], ""),
        (&["counter.increment"], "42"),
        (&["--", "add", "1", "1"], "2"),
        (&["{\"jsonrpc\":\"2.0\",\"method\":\"add\"}"], ""),
        (&["[{\"jsonrpc\":\"2.0\",\"method\":\"add\"}]"], ""),
        (
            &["[]"],
            "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\
             \"Invalid Request\",\"data\":\"an empty batch\"},\"id\":null}",
        ),
    ] {
        let (said, status) = run(&server, words);
        assert_eq!((said.as_str(), status), (printed, Some(0)), "{words:?}");
    }
    for (words, printed) in [
        (&["divide", "1", "0"][..], "Error: 1 division by zero"),
        (&["add", "1"], "Error: -32602 Invalid params: b is missing"),
    ] {
        let (said, status) = run(&server, words);
        assert_eq!((said.as_str(), status), (printed, Some(1)), "{words:?}");
    }
    for words in [
        &["add", "1", "b=2"][..],
        &["notify"],
        &["--id", "x/1"],
        &["--id", "x/1", "notify", "add"],
        &["--id", "x", "add", "1", "2"],
        &["--id", "x/0", "add", "1", "2"],
        &["--id", "/1", "add", "1", "2"],
        &["--tries", "0", "add"],
        &["--wait", "0", "add"],
    ] {
        assert_eq!(run(&server, words).1, Some(2), "{words:?}");
    }
}

#[test]
fn t_x2_client_shows_what_goes_over_the_wire() {
    let server = Server::start("rpc-server", &[]);
    let words = ["--show", "--id", "ada/1", "counter.increment"];
    let (said, _) = run(&server, &words);
    assert_eq!(
        said,
        "> {\"jsonrpc\":\"2.0\",\"method\":\"counter.increment\",\
         \"id\":\"ada/1\"}\n\
         < {\"jsonrpc\":\"2.0\",\"result\":1,\"id\":\"ada/1\"}\n1"
    );
}

#[test]
fn t_x2_client_reads_lines_and_survives_its_server() {
    let mut server = Server::start("rpc-server", &[]);
    let mut client = server.client("rpc-client", &[]);
    let mut say = |line: &str, printed: &str| {
        client.type_line(line).expect("it reads");
        client.wait_for(printed).unwrap_or_else(|e| panic!("{line}: {e}"));
    };
    say("add 2 3", "5");
    say("  table.put  'a key'  \"two words\" ", "true");
    say("table.get 'a key'", "\"two words\"");
    say("help", "  rpc.methods()");
    say("add 'x", "error: a quotation mark is open");
    say("[1]", "[{…-32600…}]");
    say("fly", "error: -32601 Method not found: …");
    say("notify counter.increment\ncounter.read", "1");
    // In the order of the lines: all go over one connection.
    let raw = "{\"jsonrpc\":\"2.0\",\"method\":\"counter.increment\"}";
    say(&format!("{raw}\n[{raw},{raw}]\ncounter.read"), "4");
    server.interrupt();
    // Sent on a connection that the server had closed: who knows?
    say("add 1 1", "Nobody knows whether it was done: sent once.");
    say("add 1 1", "Not done: nothing was sent.");
    // Its exit status remembers the failures.
    client.type_line("quit").expect("it reads");
    client.wait_for("Error: 4 calls failed").expect("a count");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
}

#[test]
fn t_x2_nothing_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let server = Server::at(listener.local_addr().expect("an address"));
    drop(listener);
    let (said, status) = run(&server, &["add", "1", "2"]);
    assert!(said.contains("ECONNREFUSED"), "{said}");
    assert!(said.contains("make rpc-server"), "{said}");
    assert!(said.ends_with("Not done: nothing was sent."), "{said}");
    assert!(!said.contains("trying again"), "{said}");
    assert_eq!(status, Some(1));
}

#[test]
fn t_q7_a_retry_is_the_same_request_on_a_new_connection() {
    let server = scripted(&[
        None, // closed without a word
        Some("{\"jsonrpc\":\"2.0\",\"resu"),
        Some("{\"jsonrpc\":\"2.0\",\"result\":7,\"id\":ID}\n"),
    ]);
    let (said, status) = run(&server, &["counter.increment"]);
    assert!(said.contains("trying again, 2 of 3: id \""), "{said}");
    assert!(said.contains("trying again, 3 of 3: id \""), "{said}");
    assert_eq!((said.lines().last(), status), (Some("7"), Some(0)), "{said}");
}

#[test]
fn t_x2_answers_to_other_calls_are_passed_over() {
    let server = scripted(&[Some(
        "{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":\"other/1\"}\n\
         {\"jsonrpc\":\"2.0\",\"result\":2,\"id\":null}\n\
         {\"jsonrpc\":\"2.0\",\"result\":null,\"id\":ID}\n",
    )]);
    let (said, status) = run(&server, &["f"]);
    assert_eq!((said.as_str(), status), ("null", Some(0)));
}

#[test]
fn t_x2_an_id_may_be_written_in_another_way() {
    // As PHP's json_encode writes a slash.
    let server = scripted(&[Some(
        "{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":\"a\\/\\u0031\"}\n",
    )]);
    let (said, status) = run(&server, &["--id", "a/1", "f"]);
    assert_eq!((said.as_str(), status), ("1", Some(0)));
}

#[test]
fn t_x2_answers_that_are_none_and_too_long_ones() {
    for (answer, reason) in [
        ("hello\n", "not JSON-RPC 2.0: it is not JSON: hello"),
        ("[1]\n", "it is JSON, but not an object: [1]"),
        ("{\"result\":1,\"id\":ID}\n", "it has no \"jsonrpc\":\"2.0\""),
        ("{\"jsonrpc\":\"2.0\",\"id\":ID}\n", "neither result nor error"),
        (
            "{\"jsonrpc\":\"2.0\",\"result\":1,\"error\":null,\"id\":ID}\n",
            "both result and error",
        ),
        (
            "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":\"x\"},\"id\":ID}\n",
            "its error has not a whole number as code",
        ),
        (
            "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\
             \"message\":\"\\u001b\"},\"id\":null}\n",
            "-32000 ",
        ),
    ] {
        let server = scripted(&[Some(answer)]);
        let (said, status) = run(&server, &["--tries", "1", "add"]);
        assert!(said.contains(reason), "{answer}: {said}");
        assert!(!said.contains('\x1b'), "{said}");
        assert!(said.contains("sent once"), "{said}");
        assert_eq!(status, Some(1));
    }
    let long = format!("\"{}\"\n", "x".repeat(1_100_000));
    let (said, _) = run(&scripted(&[Some(&long)]), &["--tries", "1", "add"]);
    assert!(said.contains("the response is too long"), "{said}");
}

#[test]
fn t_x2_what_is_no_answer_is_not_asked_for_again() {
    let server = scripted(&[Some("220 mail ESMTP\n")]);
    let (said, status) = run(&server, &["add"]);
    assert!(said.contains("it is not JSON: 220 mail ESMTP"), "{said}");
    assert!(!said.contains("trying again"), "{said}");
    assert_eq!(status, Some(1));
}

#[test]
fn t_x2_a_result_is_shown_as_json_that_no_terminal_obeys() {
    let server = scripted(&[Some(
        "{\"jsonrpc\":\"2.0\",\"result\":\"a\u{202e}b\",\"id\":ID}\n",
    )]);
    let (said, status) = run(&server, &["f"]);
    assert_eq!((said.as_str(), status), ("\"a\\u202eb\"", Some(0)));
}

#[test]
fn t_x2_help_on_the_command_line_lists_the_procedures() {
    let server = Server::start("rpc-server", &[]);
    let (said, status) = run(&server, &["help"]);
    assert!(said.contains("table.put k '\"a=b\"'"), "{said}");
    assert!(said.contains("  rpc.methods()"), "{said}");
    assert_eq!(status, Some(0));
}

#[test]
fn t_x2_a_server_that_drips_meets_the_deadline() {
    let server = harness::dripping_server();
    let words = ["--wait", "700", "--tries", "1", "add"];
    let (said, status) = run(&server, &words);
    assert!(said.contains("no response within 700 ms"), "{said}");
    assert_eq!(status, Some(1));
}

#[test]
fn t_q7_compare_calls_here_and_there() {
    let server = Server::start("rpc-server", &[]);
    let (said, status) =
        finish(server.client("rpc-compare", &["--calls", "100"]));
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("here:  add(2, 3) = 5, "), "{said}");
    assert!(lines[1].starts_with("there: add(2, 3) = 5, "), "{said}");
    assert!(lines[2].starts_with("The result is the same; "), "{said}");
    assert_eq!(status, Some(0));
    let lost = Server::start("rpc-server", &["--lose-reply", "9"]);
    let (said, status) = finish(lost.client("rpc-compare", &[]));
    assert!(said.contains("Nobody knows whether it was done"), "{said}");
    assert_eq!(status, Some(1));
}

#[test]
fn t_q7_compare_calls_each_procedure_of_the_calculator() {
    let server = Server::start("rpc-server", &[]);
    for (name, result) in [
        ("subtract", "-1"),
        ("multiply", "6"),
        ("divide", "0.6666666666666666"),
    ] {
        let words = ["--calls", "2", "--procedure", name];
        let (said, status) = finish(server.client("rpc-compare", &words));
        for place in ["here:  ", "there: "] {
            let line = format!("{place}{name}(2, 3) = {result}, ");
            assert!(said.contains(&line), "{said}");
        }
        assert_eq!(status, Some(0));
    }
    let words = ["--procedure", "table.get"];
    let (said, status) = finish(server.client("rpc-compare", &words));
    assert!(said.starts_with("--procedure: add, subtract,"), "{said}");
    assert_eq!(status, Some(2));
}

#[test]
fn t_x2_a_call_survives_marshalling_whatever_is_in_it() {
    let server = Server::start("rpc-server", &["--at-most-once"]);
    let (key, id) = ("a\"b\\c\n\u{e9}", "\u{e9}\"/1");
    let words = ["--show", "--id", id, "table.put", key, "[1,\"\\n\"]"];
    let (said, status) = run(&server, &words);
    let (sent, _) = said.split_once('\n').expect("two lines");
    let sent: Value = serde_json::from_str(sent.trim_start_matches("> "))
        .unwrap_or_else(|e| panic!("{sent}: {e}"));
    assert_eq!(sent["id"], id);
    assert_eq!(sent["params"], json!([key, [1, "\n"]]));
    assert!(said.ends_with("\ntrue"), "{said}");
    assert_eq!(status, Some(0));
    let (said, _) = run(&server, &["table.get", key]);
    assert_eq!(said, "[1,\"\\n\"]");
    let error = "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":7,\"message\":\
                 \"a \\\"reason\\\"\",\"data\":[1]},\"id\":ID}\n";
    let (said, status) = run(&scripted(&[Some(error)]), &["f\"g"]);
    assert_eq!(
        (said.as_str(), status),
        ("Error: 7 a \"reason\": [1]", Some(1))
    );
}
